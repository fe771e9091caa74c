/**
 * Reads answers of Gemini's API: tokens, finish reason, and whether a chunk has content. Records nothing.
 */
import type { LlmEnd, LlmUsage } from '../../collectors/llm/request';
import type { FinishReason } from '../../collectors/words';
import { parseFinishReason } from '../finish-reason';
import type { ContentResponseLike, EmbedResponseLike, ModalityTokensLike, PartLike, UsageLike } from './shapes';

/** Collects an answer, whole or chunk by chunk, and tells how it ended. The last reported usage counts. */
export class Answer {
  #usage: UsageLike | undefined;
  #reason: string | undefined;
  #blocked = false;
  #calls = false;
  #images = 0;

  /** Number of images that the model made. */
  get images(): number {
    return this.#images;
  }

  /** Adds an answer or a chunk. @returns true if it holds content */
  add({ candidates, promptFeedback, usageMetadata }: ContentResponseLike): boolean {
    const [first] = candidates ?? [];
    const parts = first?.content?.parts ?? [];
    this.#usage = usageMetadata ?? this.#usage;
    this.#reason = first?.finishReason ?? this.#reason;
    this.#blocked ||= promptFeedback?.blockReason !== undefined;
    this.#calls ||= parts.some(({ functionCall }) => functionCall !== undefined);
    this.#images += parts.filter(({ inlineData }) => inlineData?.mimeType?.startsWith('image/')).length;
    return parts.some(hasContent);
  }

  end(): LlmEnd {
    return { ...readUsage(this.#usage), finishReason: this.#finishReason() };
  }

  #finishReason(): FinishReason | undefined {
    // A blocked prompt has no candidates, and the SDK does not throw for it.
    if (this.#reason === undefined) return this.#blocked ? 'content_filter' : undefined;
    const reason = parseFinishReason(this.#reason);
    return reason === 'stop' && this.#calls ? 'tool_calls' : reason;
  }
}

/** Embeddings have no output tokens. Vertex reports the input tokens of each embedding instead of their total. */
export function readEmbeddingEnd({ usageMetadata, embeddings = [] }: EmbedResponseLike): LlmEnd {
  if (usageMetadata !== undefined) return readUsage(usageMetadata);
  const counted = embeddings.map(({ statistics }) => statistics?.tokenCount).filter((count) => count !== undefined);
  return counted.length === 0 ? {} : { inputTokens: counted.reduce((sum, count) => sum + count, 0) };
}

function readUsage(usage: UsageLike | undefined): LlmUsage {
  if (usage === undefined) return {};
  const { promptTokensDetails: prompt, candidatesTokensDetails: candidates } = usage;
  return {
    // `promptTokenCount` includes cached tokens; `candidatesTokenCount` does not include thoughts.
    inputTokens: sum(usage.promptTokenCount, usage.toolUsePromptTokenCount),
    outputTokens: sum(usage.candidatesTokenCount, usage.thoughtsTokenCount),
    cacheReadTokens: usage.cachedContentTokenCount,
    reasoningTokens: usage.thoughtsTokenCount,
    audioInputTokens: findTokens(prompt, 'AUDIO'),
    imageInputTokens: findTokens(prompt, 'IMAGE'),
    audioOutputTokens: findTokens(candidates, 'AUDIO'),
  };
}

/** The sum of the reported counts; undefined, not 0, if neither was reported. */
function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

function findTokens(details: readonly ModalityTokensLike[] | undefined, modality: string): number | undefined {
  return details?.find((detail) => detail.modality === modality)?.tokenCount;
}

function hasContent({ text, functionCall, inlineData, executableCode }: PartLike): boolean {
  return (
    (text !== undefined && text !== '') ||
    functionCall !== undefined ||
    inlineData !== undefined ||
    executableCode !== undefined
  );
}
