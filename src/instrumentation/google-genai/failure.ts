/**
 * Classifies errors of Gemini's API. Some need the message, because status and class do not tell them apart.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import type { LlmErrorType } from '../../collectors/words';
import { read, readText } from '../../read';
import type { RequestLike } from './shapes';

/** Patterns of messages, for errors that have no code of their own. A message holds the answer's body as text. */
const BY_MESSAGE: readonly (readonly [status: number, pattern: RegExp, LlmErrorType])[] = [
  [400, /API_KEY_INVALID|API key expired/, 'authentication'],
  [400, /token count .{0,40}exceeds the maximum/, 'context_length'],
  [429, /PerDay/, 'quota_exceeded'],
];

/** Characters of a message that are searched. */
const MESSAGE_MAX = 10_000;

/** The error type of a failed request. */
export function classifyError(error: unknown, { config }: RequestLike): string {
  const message = (readText(error, 'message') ?? '').slice(0, MESSAGE_MAX);
  const status = read(error, 'status');
  for (const [wanted, pattern, type] of BY_MESSAGE) if (status === wanted && pattern.test(message)) return type;
  const type = errorTypeOf(error);
  // The SDK's own timeout throws the same error as the caller's abort, without a reason. Only the caller's signal tells
  // which one it was.
  if (type === 'cancelled' && read(error, 'name') === 'AbortError') {
    return config?.abortSignal?.aborted === true ? abortTypeOf(config.abortSignal.reason) : 'timeout';
  }
  return read(error, 'name') === 'SyntaxError' ? 'invalid_response' : type;
}
