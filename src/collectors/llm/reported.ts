/**
 * What a reported request says, whatever its fields hold: how it ended, what went wrong.
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
