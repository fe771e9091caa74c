/**
 * Reads a provider's rate limits from the headers of its answers.
 */
import { unixMs } from '../clock';
import type { RateLimitResource } from '../collectors/words';

/** Header names of one limit. */
export interface RateLimitHeaders {
  readonly resource: RateLimitResource;
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

/** One limit, as the headers of an answer report it. */
export interface RateLimit {
  readonly resource: RateLimitResource;
  readonly amounts: RateLimitAmounts;
}

/** The fields that an answer does not report are undefined. */
export interface RateLimitAmounts {
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  /** When the limit is full again, in milliseconds since 1970. */
  readonly resetAt: number | undefined;
}

/** Header names of OpenAI and of OpenAI-compatible providers. */
export const OPENAI_LIMITS: readonly RateLimitHeaders[] = (['requests', 'tokens'] as const).map((resource) => ({
  resource,
  limit: `x-ratelimit-limit-${resource}`,
  remaining: `x-ratelimit-remaining-${resource}`,
  reset: `x-ratelimit-reset-${resource}`,
}));

/** Header names of Anthropic. */
export const ANTHROPIC_LIMITS: readonly RateLimitHeaders[] = (
  ['requests', 'tokens', 'input_tokens', 'output_tokens'] as const
).map((resource) => {
  const header = `anthropic-ratelimit-${resource.replace('_', '-')}`;
  return { resource, limit: `${header}-limit`, remaining: `${header}-remaining`, reset: `${header}-reset` };
});

/**
 * The limits that an answer reports.
 *
 * @param getHeader returns a header's value by its lower-case name
 */
export function readRateLimits(
  limits: readonly RateLimitHeaders[],
  getHeader: (name: string) => string | null | undefined,
): RateLimit[] {
  const found: RateLimit[] = [];
  for (const headers of limits) {
    const limit = parseAmount(getHeader(headers.limit));
    const remaining = parseAmount(getHeader(headers.remaining));
    if (limit === undefined && remaining === undefined) continue;
    const amounts = { limit, remaining, resetAt: parseReset(getHeader(headers.reset)) };
    found.push({ resource: headers.resource, amounts });
  }
  return found;
}

function parseAmount(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  const value = Number(text);
  return value >= 0 && Number.isFinite(value) ? value : undefined;
}

/** Go's way to write a duration: `1h2m3.5s`, `6m0s`, `20ms`. */
const DURATION = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
/** A larger number of seconds is a time since 1970: about a year. */
const SECONDS_MAX = 31_000_000;

/** When a limit is full again: told as a duration, as seconds, or as a time. Undefined for another text. */
function parseReset(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  const seconds = parseAmount(text);
  if (seconds !== undefined) return seconds > SECONDS_MAX ? sinceEpoch(seconds) : unixMs() + seconds * 1000;
  const [matched, hours = 0, minutes = 0, rest = 0, ms = 0] = DURATION.exec(text) ?? [];
  if (matched !== undefined) {
    return unixMs() + (Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)) * 1000 + Number(ms);
  }
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** Some servers tell the time in seconds, others in milliseconds. */
function sinceEpoch(time: number): number {
  return time > 1e11 ? time : time * 1000;
}
