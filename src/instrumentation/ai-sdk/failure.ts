/**
 * What went wrong, from the SDK's errors: those of providers keep the body of the answer in `data`, retries wrap the last.
 */
import { errorTypeOf } from '../../collectors/error-type';

interface ErrorLike {
  readonly name?: unknown;
  readonly statusCode?: unknown;
  readonly data?: { readonly error?: unknown };
  readonly lastError?: unknown;
  readonly errors?: unknown;
}

/** Names of errors that say that the answer was none. */
const NO_ANSWER = /^AI_(NoOutputGenerated|NoContentGenerated|EmptyResponseBody|ToolChoiceViolation)Error$/;

/** The kind of error that was thrown, or is named. */
export function classifyError(error: unknown): string {
  if (typeof error === 'string') return error;
  const thrown = unwrapRetries(error);
  const { data, statusCode, name } = (thrown ?? {}) as ErrorLike;
  if (typeof name === 'string' && NO_ANSWER.test(name)) return 'invalid_response';
  const body = data?.error;
  return body === undefined ? errorTypeOf(thrown) : errorTypeOf({ statusCode, error: body });
}

/** The errors of attempts that were followed by another. */
export function retriedErrors(error: unknown): readonly unknown[] {
  const { errors, lastError } = (error ?? {}) as ErrorLike;
  return lastError !== undefined && Array.isArray(errors) ? errors.slice(0, -1) : [];
}

function unwrapRetries(error: unknown): unknown {
  return (error as ErrorLike | undefined | null)?.lastError ?? error;
}
