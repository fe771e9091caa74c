/**
 * Reads what the SDK and its providers' packages say of an answer: tokens, why the model stopped, who answered.
 */
import type { LlmEnd, LlmUsage } from '../../collectors/llm/request';
import { finishReasonOf } from '../finish-reason';
import type { ModelUsageLike, PartLike, UsageLike } from './shapes';

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
