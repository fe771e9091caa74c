/**
 * Reads token counts from OpenAI's older (`prompt_tokens`) and newer (`input_tokens`) usage objects.
 */
import type { LlmUsage } from '../../collectors/llm/request';

interface Details {
  readonly cached_tokens?: number | null;
  readonly cache_write_tokens?: number | null;
  readonly audio_tokens?: number | null;
  readonly image_tokens?: number | null;
  readonly reasoning_tokens?: number | null;
}

/** Usage of chat completions, text completions and embeddings. */
export interface CompletionUsage {
  readonly prompt_tokens?: number | null;
  readonly completion_tokens?: number | null;
  readonly prompt_tokens_details?: Details | null;
  readonly completion_tokens_details?: Details | null;
}

/** Usage of responses, images and transcriptions. */
export interface InputOutputUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly input_tokens_details?: Details | null;
  readonly input_token_details?: Details | null;
  readonly output_tokens_details?: Details | null;
}

export function readCompletionUsage(usage: CompletionUsage | null | undefined): LlmUsage {
  if (usage === null || usage === undefined) return {};
  const { prompt_tokens_details: input, completion_tokens_details: output } = usage;
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    cacheReadTokens: input?.cached_tokens,
    cacheWriteTokens: input?.cache_write_tokens,
    audioInputTokens: input?.audio_tokens,
    imageInputTokens: input?.image_tokens,
    reasoningTokens: output?.reasoning_tokens,
    audioOutputTokens: output?.audio_tokens,
  };
}

export function readInputOutputUsage(usage: InputOutputUsage | null | undefined): LlmUsage {
  if (usage === null || usage === undefined) return {};
  const input = usage.input_tokens_details ?? usage.input_token_details;
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: input?.cached_tokens,
    cacheWriteTokens: input?.cache_write_tokens,
    audioInputTokens: input?.audio_tokens,
    imageInputTokens: input?.image_tokens,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens,
  };
}
