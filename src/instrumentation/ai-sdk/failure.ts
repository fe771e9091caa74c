/**
 * Classifies the SDK's errors. A provider's error keeps the answer's body in `data`; a retry error wraps the errors of all
 * attempts.
 */
import { errorTypeOf, reportedType } from '../../collectors/error-type';
import { read } from '../../read';
import { findFailure } from '../failure';

interface ErrorLike {
  readonly name?: unknown;
  readonly statusCode?: unknown;
  readonly data?: { readonly error?: unknown };
  readonly lastError?: unknown;
  readonly errors?: unknown;
}

/** Names of errors for an empty or unusable answer. */
const NO_ANSWER = /^AI_(NoOutputGenerated|NoContentGenerated|EmptyResponseBody|ToolChoiceViolation)Error$/;

/** The error type of a thrown error. A string is returned unchanged. */
export function classifyError(error: unknown): string {
  if (typeof error === 'string') return error;
  const thrown = unwrapRetries(error);
  const { data, statusCode, name } = (thrown ?? {}) as ErrorLike;
  if (typeof name === 'string' && NO_ANSWER.test(name)) return 'invalid_response';
  const body = data?.error;
  if (body !== undefined) return errorTypeOf({ statusCode, error: body });
  // An error with status 200 does not fit the provider's schema of answers. The error of that check has the body.
  return reportedType(findFailure(read(read(thrown, 'cause'), 'value')) ?? thrown);
}

/** The errors of all attempts but the last. */
export function retriedErrors(error: unknown): readonly unknown[] {
  const { errors, lastError } = (error ?? {}) as ErrorLike;
  return lastError !== undefined && Array.isArray(errors) ? errors.slice(0, -1) : [];
}

function unwrapRetries(error: unknown): unknown {
  return (error as ErrorLike | undefined | null)?.lastError ?? error;
}
