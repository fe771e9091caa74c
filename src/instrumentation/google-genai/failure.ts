/**
 * What went wrong with a request to Gemini's API, where status and class alone would say too little.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import type { LlmErrorType } from '../../collectors/words';
import type { RequestLike } from './shapes';

/** What messages say, which hold the body of the answer as text; the API has no codes for these. */
const BY_MESSAGE: readonly (readonly [status: number, pattern: RegExp, LlmErrorType])[] = [
  [400, /API_KEY_INVALID|API key expired/, 'authentication'],
  [400, /token count .{0,40}exceeds the maximum/, 'context_length'],
  [429, /PerDay/, 'quota_exceeded'],
];

/** Characters of a message that are looked at. */
const MESSAGE_MAX = 10_000;

/** The kind of error that a request failed with. */
export function classifyError(error: unknown, { config }: RequestLike): string {
  if (!(error instanceof Error)) return errorTypeOf(error);
  const message = error.message.slice(0, MESSAGE_MAX);
  const { status } = error as { status?: unknown };
  for (const [wanted, pattern, type] of BY_MESSAGE) if (status === wanted && pattern.test(message)) return type;
  const type = errorTypeOf(error);
  // The SDK's own timeout aborts as the caller would, and without the caller's reason; only the caller's signal tells.
  if (type === 'cancelled' && error.name === 'AbortError') {
    return config?.abortSignal?.aborted === true ? abortTypeOf(config.abortSignal.reason) : 'timeout';
  }
  return error instanceof SyntaxError ? 'invalid_response' : type;
}
