/**
 * Classifies an error by its message, because some frameworks pass on the message instead of the error. OpenAI's messages
 * begin with the HTTP status.
 */
import { errorTypeOf } from '../../collectors/error-type';
import type { AgentErrorType } from '../../collectors/words';

const BY_TEXT: readonly (readonly [RegExp, AgentErrorType])[] = [
  [/max turns\b.*\bexceeded/i, 'max_steps'],
  [/guardrail\b.*\btriggered/i, 'guardrail'],
  [/\btool\b.*\bnot found/i, 'unknown_tool'],
  [/maximum context length|context_length_exceeded/i, 'context_length'],
  [/insufficient_quota|exceeded your current quota/i, 'quota_exceeded'],
  [/rate limit/i, 'rate_limit'],
  [/overloaded/i, 'overloaded'],
  [/(incorrect|invalid) api key/i, 'authentication'],
  [/content_filter|content management policy/i, 'content_filter'],
  [/manually rejected|rejected by user/i, 'permission'],
  [/\baborted\b|AbortError/i, 'cancelled'],
  [/timed out|TimeoutError/i, 'timeout'],
  [/connection error|cannot connect|fetch failed|ECONNRE|socket hang up|terminated/i, 'connection'],
  [/invalid JSON|not valid JSON|JSON\.parse|in JSON at position/i, 'invalid_response'],
];

/** An HTTP status at the start of a message, after any error names. */
const STATUS = /^(?:\w*Error: )*([45]\d\d)\b/;

/** Characters that are searched. A message has no length limit, and its reason stands at the beginning. */
const READ_MAX = 2000;

/** The error type that a message tells; nothing if no pattern matches. */
export function classifyErrorText(given: string): AgentErrorType | undefined {
  const text = given.slice(0, READ_MAX);
  const found = BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  if (found !== undefined) return found;
  const status = STATUS.exec(text)?.[1];
  return status === undefined ? undefined : errorTypeOf({ status: Number(status) });
}
