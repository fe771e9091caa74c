/**
 * Why a span of the OpenAI Agents SDK failed. Spans have texts of errors and not what was thrown, so it is the texts that
 * are read: OpenAI's begin with the status.
 */
import { errorTypeOf } from '../../collectors/error-type';
import type { AgentErrorType } from '../../collectors/words';
import { read, readText } from '../../read';

const BY_TEXT: readonly (readonly [RegExp, AgentErrorType])[] = [
  [/max turns\b.*\bexceeded/i, 'max_steps'],
  [/guardrail\b.*\btriggered/i, 'guardrail'],
  [/\btool\b.*\bnot found/i, 'unknown_tool'],
  [/maximum context length|context_length_exceeded/i, 'context_length'],
  [/insufficient_quota|exceeded your current quota/i, 'quota_exceeded'],
  [/content_filter|content management policy/i, 'content_filter'],
  [/manually rejected|rejected by user/i, 'permission'],
  [/\baborted\b|AbortError/i, 'cancelled'],
  [/timed out|TimeoutError/i, 'timeout'],
  [/connection error|fetch failed|ECONNRE|socket hang up|terminated/i, 'connection'],
  [/not valid JSON|JSON\.parse|in JSON at position/i, 'invalid_response'],
];

/** A status with which a text begins, after the names of errors. */
const STATUS = /^(?:\w*Error: )*([45]\d\d)\b/;

/** What a span failed of; the texts of what a program's own tools and guardrails throw are its own. */
export function failureOf(error: unknown, isOwn: boolean): AgentErrorType {
  const details = read(error, 'data');
  const text = [readText(details, 'error'), readText(error, 'message')].filter((part) => part !== undefined).join('\n');
  const found = BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  if (found !== undefined) return found;
  const status = STATUS.exec(readText(details, 'error') ?? readText(error, 'message') ?? '')?.[1];
  if (status !== undefined) return errorTypeOf({ status: Number(status) });
  return isOwn ? 'tool_error' : 'other';
}
