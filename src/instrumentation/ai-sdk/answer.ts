/**
 * Reads answers of the SDK and of its provider packages: tokens, finish reason, provider. Records nothing.
 */
import type { LlmEnd, LlmUsage } from '../../collectors/llm/request';
import { parseFinishReason } from '../finish-reason';
import { normalizeProviderName } from '../provider-name';
import type { ModelUsageLike, PartLike, UsageLike } from './shapes';

/** Types of stream parts that the SDK counts as output. */
const OUTPUT = new Set(['text-delta', 'reasoning-delta', 'tool-input-delta', 'tool-call', 'file', 'reasoning-file']);

/**
 * The value of the `provider` label for a provider package's name.
 *
 * @param more entries that take precedence, by the whole name or by its part before the first dot
 */
export function resolveProvider(name: unknown, more: Readonly<Record<string, string>> = {}): string {
  const whole = String(name ?? '');
  const [first = ''] = whole.split('.');
  const named = [whole, first].find((key) => Object.hasOwn(more, key));
  return named === undefined ? normalizeProviderName(whole) : (more[named] as string);
}

/** Reads how a model's answer ended. */
export function readModelEnd(usage: ModelUsageLike | undefined, finishReason: string | undefined): LlmEnd {
  return {
    inputTokens: usage?.inputTokens?.total,
    outputTokens: usage?.outputTokens?.total,
    cacheReadTokens: usage?.inputTokens?.cacheRead,
    cacheWriteTokens: usage?.inputTokens?.cacheWrite,
    reasoningTokens: usage?.outputTokens?.reasoning,
    finishReason: parseFinishReason(finishReason),
  };
}

export function readUsage(usage: UsageLike | undefined): LlmUsage {
  return {
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    cacheReadTokens: usage?.inputTokenDetails?.cacheReadTokens,
    cacheWriteTokens: usage?.inputTokenDetails?.cacheWriteTokens,
    reasoningTokens: usage?.outputTokenDetails?.reasoningTokens,
  };
}

/** True for a stream part with output that is not empty. */
export function isOutput({ type, delta }: PartLike): boolean {
  return OUTPUT.has(type) && delta !== '';
}
