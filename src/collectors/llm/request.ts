/**
 * The data of a request to a model, as callers report it, and how it ended by that data.
 */
import { describe, ValueError } from '../../errors';
import type { ExemplarLabels } from '../../metrics/exemplar';
import { errorTypeOf, toStatus } from '../error-type';
import type { FinishReason, Interruption, LlmErrorType, LlmOperation, LlmStatus, MediaUnit } from '../words';
import type { UserLabels } from './user-label';

/** The receiver of a request, and the ids of its trace. */
export interface LlmTarget {
  /** The name in the request. Labels show it without dates and names of accounts. */
  model: string;
  /** For example `openai`, `anthropic` or `azure`. */
  provider: string;
  /** @default 'chat' */
  operation?: LlmOperation | undefined;
  /** The value of the collector's own label: `{ tenant: 'acme' }`. @default that of `withLabels()` around the request */
  labels?: UserLabels | undefined;
  /**
   * Ids of the request, the user or the trace, at most 128 characters in all. A bucket shows those of one request; they make
   * no series. @default OpenTelemetry's trace and span, if one is active and sampled
   */
  exemplarLabels?: ExemplarLabels | undefined;
}

/** Tokens as the provider reports them. The details are parts of `inputTokens` and `outputTokens`. */
export interface LlmUsage {
  /** All input tokens, cached ones included. */
  inputTokens?: number | null | undefined;
  /** All output tokens, reasoning ones included. */
  outputTokens?: number | null | undefined;
  /** Input tokens read from the provider's cache. */
  cacheReadTokens?: number | null | undefined;
  /** Input tokens written to the provider's cache. */
  cacheWriteTokens?: number | null | undefined;
  /** The part of `cacheWriteTokens` that the provider keeps for an hour or longer, if it bills that apart. */
  cacheWriteLongTokens?: number | null | undefined;
  reasoningTokens?: number | null | undefined;
  audioInputTokens?: number | null | undefined;
  audioOutputTokens?: number | null | undefined;
  imageInputTokens?: number | null | undefined;
  imageOutputTokens?: number | null | undefined;
}

/** Tokens of one model. */
export interface ModelUsage extends LlmUsage {
  model: string;
  /** @default the usual tier */
  serviceTier?: string | undefined;
}

/** Images, seconds of audio or characters of an answer. */
export interface LlmMedia {
  unit: MediaUnit;
  amount: number;
}

/** How an answer ended. */
export interface LlmEnd extends LlmUsage {
  finishReason?: FinishReason | undefined;
  /** The cost in US dollars, if the caller knows it better than the price table. */
  costUsd?: number | undefined;
  /** The cost in US dollars that the provider reports. Counts only if the collector's option `providerCost` is set. */
  providerCostUsd?: number | undefined;
  /** The service tier that the provider bills, such as `flex`, `priority`, `batch` or `fast`. @default the usual one */
  serviceTier?: string | undefined;
  /** How often the provider ran its own tools: `{ web_search: 2 }`. */
  serverToolCalls?: Readonly<Record<string, number>> | undefined;
  media?: LlmMedia | undefined;
  /** Tokens of other models that took part in the answer, such as an advisor. They are not in the usage beside this. */
  otherModels?: readonly ModelUsage[] | undefined;
  /** True if the usage comes with a later answer, to `recordAnswer()`: it is not missing. @default false */
  usageFollows?: boolean | undefined;
  /** The model that answered, if the request named none, or named a deployment. */
  responseModel?: string | undefined;
  /**
   * Output tokens that the reader of a stream saw: without reasoning that the provider hides. Time per output token counts
   * only these. @default `outputTokens` without `reasoningTokens`
   */
  visibleTokens?: number | null | undefined;
}

/** A request that has ended. */
export interface LlmRequest extends LlmTarget, LlmEnd {
  /** @default the status for `errorType` or `error`, otherwise 'success' */
  status?: LlmStatus | undefined;
  /** The time from the request to the end of its answer. */
  durationMs?: number | undefined;
  /** The error type, if it is known. */
  errorType?: LlmErrorType | undefined;
  /** The thrown error; its type is found from it. */
  error?: unknown;
  /** The time from the request to the first chunk with content. */
  timeToFirstTokenMs?: number | undefined;
  /** How many chunks were streamed. */
  chunks?: number | undefined;
  /** The cause of a stream that ended too early. */
  interrupted?: Interruption | undefined;
  /** The longest time between two chunks. */
  longestGapMs?: number | undefined;
  /** How many times between two chunks were longer than the collector's `stallMs`. */
  stalls?: number | undefined;
  /** How long the request waited in the application before it was sent. */
  queueMs?: number | undefined;
}

/** @throws {ValueError} `INVALID_VALUE` if there is no object to read a model and a provider from */
export function checkTarget(given: unknown): void {
  if (typeof given === 'object' && given !== null) return;
  throw new ValueError('INVALID_VALUE', `Expected a model and a provider but received ${describe(given)}`);
}

/** How a request ended. A report may have any of the fields. */
export function readStatus({ status, errorType, error }: LlmRequest): LlmStatus {
  if (status !== undefined) return status;
  if (errorType !== undefined) return toStatus(errorType);
  return error === undefined ? 'success' : toStatus(errorTypeOf(error));
}

/** What went wrong in a request that did not succeed. */
export function readErrorType({ errorType, error }: LlmRequest, status: LlmStatus): string {
  if (errorType !== undefined) return errorType;
  if (error !== undefined) return errorTypeOf(error);
  return status === 'timeout' || status === 'cancelled' ? status : 'other';
}
