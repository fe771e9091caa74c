/**
 * Classifies errors of Gemini's SDK, whose own timeout looks like the caller's abort.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import { read, readText } from '../../read';
import type { RequestLike } from './shapes';

const STATUS = /^got status: (\d{3})/;

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
  const isUnread = read(error, 'name') === 'SyntaxError';
  // The first versions of the SDK tell the status only in the text.
  const [, told = status] = STATUS.exec(readText(error, 'message') ?? '') ?? [];
  // The SDK's own error is lost if the body of a failed answer is not JSON.
  if (Number(told) >= 400 && (isUnread || type === 'other')) return errorTypeOf({ status: Number(told) });
  return isUnread ? 'invalid_response' : type;
}
