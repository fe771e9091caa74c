/**
 * Classifies the SDK's errors. A provider's error keeps the answer's body in `data`; a retry error wraps the errors of all
 * attempts.
 */
import { errorTypeOf } from '../../collectors/error-type';

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
  return body === undefined ? errorTypeOf(thrown) : errorTypeOf({ statusCode, error: body });
}

/** The errors of all attempts but the last. */
export function retriedErrors(error: unknown): readonly unknown[] {
  const { errors, lastError } = (error ?? {}) as ErrorLike;
  return lastError !== undefined && Array.isArray(errors) ? errors.slice(0, -1) : [];
}

function unwrapRetries(error: unknown): unknown {
  return (error as ErrorLike | undefined | null)?.lastError ?? error;
}
