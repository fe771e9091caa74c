/**
 * Reads a provider's rate limits from the headers of its answers.
 */
import type { RateLimitResource } from '../collectors/words';

/** Header names of one limit. */
export interface RateLimitHeaders {
  readonly resource: RateLimitResource;
  readonly limit: string;
  readonly remaining: string;
}

/** One limit, as the headers of an answer report it. */
export interface RateLimit {
  readonly resource: RateLimitResource;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
}

/** Header names of OpenAI and of OpenAI-compatible providers. */
export const OPENAI_LIMITS: readonly RateLimitHeaders[] = (['requests', 'tokens'] as const).map((resource) => ({
  resource,
  limit: `x-ratelimit-limit-${resource}`,
  remaining: `x-ratelimit-remaining-${resource}`,
}));

/** Header names of Anthropic. */
export const ANTHROPIC_LIMITS: readonly RateLimitHeaders[] = (
  ['requests', 'tokens', 'input_tokens', 'output_tokens'] as const
).map((resource) => {
  const header = `anthropic-ratelimit-${resource.replace('_', '-')}`;
  return { resource, limit: `${header}-limit`, remaining: `${header}-remaining` };
});

/**
 * The limits that an answer reports.
 *
 * @param getHeader returns a header's value by its lower-case name
 */
export function* readRateLimits(
  limits: readonly RateLimitHeaders[],
  getHeader: (name: string) => string | null | undefined,
): Generator<RateLimit> {
  for (const { resource, ...headers } of limits) {
    const limit = parseAmount(getHeader(headers.limit));
    const remaining = parseAmount(getHeader(headers.remaining));
    if (limit !== undefined || remaining !== undefined) yield { resource, limit, remaining };
  }
}

function parseAmount(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  const value = Number(text);
  return value >= 0 && Number.isFinite(value) ? value : undefined;
}
