/**
 * What a reported request says, whatever its fields hold: how it ended, what went wrong, which amounts are amounts.
 */
import { errorTypeOf, statusOf } from '../error-type';
import type { LlmStatus } from '../words';
import type { LlmRequest } from './request';

export function statusOfRequest({ status, errorType, error }: LlmRequest): LlmStatus {
  if (status !== undefined) return status;
  if (errorType !== undefined) return statusOf(errorType);
  return error === undefined ? 'success' : statusOf(errorTypeOf(error));
}

export function errorOfRequest({ errorType, error }: LlmRequest, status: LlmStatus): string {
  if (errorType !== undefined) return errorType;
  if (error !== undefined) return errorTypeOf(error);
  return status === 'timeout' || status === 'cancelled' ? status : 'other';
}

/** Whether a provider reported an amount: absent and null say that it did not, which is not the same as zero. */
export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

export function secondsOf(ms: unknown): number | undefined {
  return isAmount(ms) ? ms / 1000 : undefined;
}

export function amountOf(value: number | null | undefined): number {
  return isAmount(value) ? value : 0;
}
