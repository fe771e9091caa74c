/**
 * Reads what the SDK and its providers' packages say of an answer: tokens, why the model stopped, who answered.
 */
import type { LlmEnd, LlmUsage } from '../../collectors/llm/request';
import { parseFinishReason } from '../finish-reason';
import { normalizeProviderName } from '../provider-name';
import type { ModelUsageLike, PartLike, UsageLike } from './shapes';

/** Parts of a stream that are output, as the SDK itself sees it. */
const OUTPUT = new Set(['text-delta', 'reasoning-delta', 'tool-input-delta', 'tool-call', 'file', 'reasoning-file']);

/**
 * The provider that a package's name says.
 *
 * @param more goes before what is known: by the whole name, or by what it begins with
 */
export function resolveProvider(name: unknown, more: Readonly<Record<string, string>> = {}): string {
  const whole = String(name ?? '');
  const [first = ''] = whole.split('.');
  const named = [whole, first].find((known) => Object.hasOwn(more, known));
  return named === undefined ? normalizeProviderName(whole) : (more[named] as string);
}

/** How a model's answer ended. */
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

/** Whether a part of a stream is output that is not empty. */
export function isOutput({ type, delta }: PartLike): boolean {
  return OUTPUT.has(type) && delta !== '';
}
