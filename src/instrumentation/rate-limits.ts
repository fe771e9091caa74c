/**
 * What headers of answers say of a provider's rate limits.
 */
import type { RateLimitResource } from '../collectors/words';

/** The headers of one limit. */
export interface RateLimitHeaders {
  readonly resource: RateLimitResource;
  readonly limit: string;
  readonly remaining: string;
}

/** What an answer said of one limit. */
export interface RateLimit {
  readonly resource: RateLimitResource;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
}

/** Headers of OpenAI and of what speaks its language. */
export const OPENAI_LIMITS: readonly RateLimitHeaders[] = (['requests', 'tokens'] as const).map((resource) => ({
  resource,
  limit: `x-ratelimit-limit-${resource}`,
  remaining: `x-ratelimit-remaining-${resource}`,
}));

/** Headers of Anthropic. */
export const ANTHROPIC_LIMITS: readonly RateLimitHeaders[] = (
  ['requests', 'tokens', 'input_tokens', 'output_tokens'] as const
).map((resource) => {
  const header = `anthropic-ratelimit-${resource.replace('_', '-')}`;
  return { resource, limit: `${header}-limit`, remaining: `${header}-remaining` };
});

/**
 * The limits that an answer tells of.
 *
 * @param said gives a header by its name in lower case
 */
export function* rateLimitsOf(
  limits: readonly RateLimitHeaders[],
  said: (header: string) => string | null | undefined,
): Generator<RateLimit> {
  for (const { resource, ...headers } of limits) {
    const limit = amountOf(said(headers.limit));
    const remaining = amountOf(said(headers.remaining));
    if (limit !== undefined || remaining !== undefined) yield { resource, limit, remaining };
  }
}

function amountOf(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  const value = Number(text);
  return value >= 0 && Number.isFinite(value) ? value : undefined;
}
