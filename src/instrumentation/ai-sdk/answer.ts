/**
 * Reads what the SDK and its providers' packages say of an answer: tokens, why the model stopped, rate limits, who answered.
 */
import type { LlmEnd, LlmUsage } from '../../collectors/llm/request';
import type { FinishReason, RateLimitResource } from '../../collectors/words';
import type { ModelUsageLike, PartLike, UsageLike } from './shapes';

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  'content-filter': 'content_filter',
  'tool-calls': 'tool_calls',
  error: 'error',
};

/** Providers whose packages name them otherwise than they are known by. */
const PROVIDERS: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'bedrock',
  'azure-openai': 'azure',
  'google-vertex': 'vertex',
  togetherai: 'together',
};

/** Parts of a stream that are output, as the SDK itself sees it. */
const OUTPUT = new Set(['text-delta', 'reasoning-delta', 'tool-input-delta', 'tool-call', 'file', 'reasoning-file']);

/** `openai` of `openai.responses`; `vertex` of `google.vertex.chat`. */
export function providerOf(name: unknown, more: Readonly<Record<string, string>> = {}): string {
  const whole = String(name ?? '');
  const [first = '', second] = whole.split('.');
  for (const table of [more, PROVIDERS]) {
    for (const known of [whole, first]) if (Object.hasOwn(table, known)) return table[known] as string;
  }
  return second === 'vertex' || first === 'vertex' ? 'vertex' : first;
}

export function finishReasonOf(reason: string | undefined): FinishReason | undefined {
  if (reason === undefined) return undefined;
  return Object.hasOwn(FINISH_REASONS, reason) ? FINISH_REASONS[reason] : 'other';
}

/** How a model's answer ended. */
export function endOfModel(usage: ModelUsageLike | undefined, finishReason: string | undefined): LlmEnd {
  return {
    inputTokens: usage?.inputTokens?.total,
    outputTokens: usage?.outputTokens?.total,
    cacheReadTokens: usage?.inputTokens?.cacheRead,
    cacheWriteTokens: usage?.inputTokens?.cacheWrite,
    reasoningTokens: usage?.outputTokens?.reasoning,
    finishReason: finishReasonOf(finishReason),
  };
}

export function usageOf(usage: UsageLike | undefined): LlmUsage {
  return {
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    cacheReadTokens: usage?.inputTokenDetails?.cacheReadTokens,
    cacheWriteTokens: usage?.inputTokenDetails?.cacheWriteTokens,
    reasoningTokens: usage?.outputTokenDetails?.reasoningTokens,
  };
}

/** Whether a part of a stream is output that is not empty. */
export function isOutput({ type, delta }: PartLike): boolean {
  return OUTPUT.has(type) && delta !== '';
}

/** Headers that tell of rate limits. */
const RATE_LIMITS: readonly (readonly [RateLimitResource, limit: string, remaining: string])[] = [
  ['requests', 'x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests'],
  ['tokens', 'x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens'],
  ['requests', 'anthropic-ratelimit-requests-limit', 'anthropic-ratelimit-requests-remaining'],
  ['tokens', 'anthropic-ratelimit-tokens-limit', 'anthropic-ratelimit-tokens-remaining'],
  ['input_tokens', 'anthropic-ratelimit-input-tokens-limit', 'anthropic-ratelimit-input-tokens-remaining'],
  ['output_tokens', 'anthropic-ratelimit-output-tokens-limit', 'anthropic-ratelimit-output-tokens-remaining'],
];

export interface RateLimit {
  readonly resource: RateLimitResource;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
}

export function rateLimitsOf(headers: Readonly<Record<string, string | undefined>> = {}): RateLimit[] {
  const amount = (name: string): number | undefined => {
    const value = headers[name];
    return value === undefined || value === '' || !(Number(value) >= 0) ? undefined : Number(value);
  };
  return RATE_LIMITS.map(([resource, limit, remaining]) => ({
    resource,
    limit: amount(limit),
    remaining: amount(remaining),
  })).filter(({ limit, remaining }) => limit !== undefined || remaining !== undefined);
}
