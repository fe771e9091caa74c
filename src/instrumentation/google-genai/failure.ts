/**
 * Classifies errors of Gemini's SDK, whose own timeout looks like the caller's abort.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import { read } from '../../read';
import type { RequestLike } from './shapes';

/**
 * The error type of a failed request.
 *
 * @param status of the last answer, if one came
 */
export function classifyError(error: unknown, { config }: RequestLike, status = 0): string {
  const type = errorTypeOf(error);
  // The SDK's own timeout throws the same error as the caller's abort, without a reason. Only the caller's signal tells
  // which one it was.
  if (type === 'cancelled' && read(error, 'name') === 'AbortError') {
    return config?.abortSignal?.aborted === true ? abortTypeOf(config.abortSignal.reason) : 'timeout';
  }
  if (read(error, 'name') !== 'SyntaxError') return type;
  // The SDK's own error is lost if the body of a failed answer is not JSON.
  return status >= 400 ? errorTypeOf({ status }) : 'invalid_response';
}
