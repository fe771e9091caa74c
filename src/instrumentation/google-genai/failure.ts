/**
 * Classifies errors of Gemini's SDK, whose own timeout looks like the caller's abort.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import { read } from '../../read';
import type { RequestLike } from './shapes';

/** The error type of a failed request. */
export function classifyError(error: unknown, { config }: RequestLike): string {
  const type = errorTypeOf(error);
  // The SDK's own timeout throws the same error as the caller's abort, without a reason. Only the caller's signal tells
  // which one it was.
  if (type === 'cancelled' && read(error, 'name') === 'AbortError') {
    return config?.abortSignal?.aborted === true ? abortTypeOf(config.abortSignal.reason) : 'timeout';
  }
  return read(error, 'name') === 'SyntaxError' ? 'invalid_response' : type;
}
