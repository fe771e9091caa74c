/**
 * Reads from a reported request how it ended and what went wrong. A report may have any of the fields.
 */
import { errorTypeOf, toStatus } from '../error-type';
import type { LlmStatus } from '../words';
import type { LlmRequest } from './request';

export function readStatus({ status, errorType, error }: LlmRequest): LlmStatus {
  if (status !== undefined) return status;
  if (errorType !== undefined) return toStatus(errorType);
  return error === undefined ? 'success' : toStatus(errorTypeOf(error));
}

export function readErrorType({ errorType, error }: LlmRequest, status: LlmStatus): string {
  if (errorType !== undefined) return errorType;
  if (error !== undefined) return errorTypeOf(error);
  return status === 'timeout' || status === 'cancelled' ? status : 'other';
}
