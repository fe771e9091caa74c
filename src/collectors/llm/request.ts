/**
 * A request to a model, as it is reported.
 */
import { describe, ValueError } from '../../errors';
import type { ExemplarLabels } from '../../metrics/exemplar';
import type { FinishReason, Interruption, LlmErrorType, LlmOperation, LlmStatus } from '../words';

/** Whom a request is for, and what leads to its trace. */
export interface LlmTarget {
  /** As it was asked for; dates and accounts' names are taken off. */
  model: string;
  /** `openai`, `anthropic`, `azure` and so on. */
  provider: string;
  /** @default 'chat' */
  operation?: LlmOperation | undefined;
  /**
   * Ids of the request, the user or the trace: 128 characters in all. They are shown with one request of a bucket and
   * make no series. @default OpenTelemetry's trace and span, where a sampled one is going on
   */
  exemplarLabels?: ExemplarLabels | undefined;
}

/** Tokens as the provider reports them. Details are parts of `inputTokens` and `outputTokens`. */
export interface LlmUsage {
  /** Cached ones included. */
  inputTokens?: number | null | undefined;
  /** Reasoning ones included. */
  outputTokens?: number | null | undefined;
  /** Read from the provider's cache. */
  cacheReadTokens?: number | null | undefined;
  /** Written to the provider's cache. */
  cacheWriteTokens?: number | null | undefined;
  reasoningTokens?: number | null | undefined;
  audioInputTokens?: number | null | undefined;
  audioOutputTokens?: number | null | undefined;
  imageInputTokens?: number | null | undefined;
}

/** How an answer ended. */
export interface LlmEnd extends LlmUsage {
  finishReason?: FinishReason | undefined;
  /** In US dollars, where it is known better than by the price table. */
  costUsd?: number | undefined;
}

/** A request that has ended. */
export interface LlmRequest extends LlmTarget, LlmEnd {
  /** @default 'success', or what `errorType` or `error` says */
  status?: LlmStatus | undefined;
  /** From the request to the end of its answer. */
  durationMs?: number | undefined;
  /** What went wrong. */
  errorType?: LlmErrorType | undefined;
  /** What was thrown, where that is known and not what it means. */
  error?: unknown;
  /** From the request to the first chunk with content. */
  timeToFirstTokenMs?: number | undefined;
  /** Streamed chunks. */
  chunks?: number | undefined;
  /** Who or what ended a stream before its end. */
  interrupted?: Interruption | undefined;
  /** What the request waited in the application before it was sent. */
  queueMs?: number | undefined;
}

/** @throws {ValueError} `INVALID_VALUE` if there is no object to read a model and a provider from */
export function checkTarget(given: unknown): void {
  if (typeof given === 'object' && given !== null) return;
  throw new ValueError('INVALID_VALUE', `Expected a model and a provider but received ${describe(given)}`);
}
