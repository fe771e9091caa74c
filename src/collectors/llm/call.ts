/**
 * Follows one request to a model: takes the times and records it once, even if it is ended several times. If it is collected
 * as garbage without an end, it stops counting as active.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { ExemplarLabels } from '../../metrics/exemplar';
import { quietly } from '../../warnings';
import { type Attributed, attributed } from '../attribution';
import { reportedType } from '../error-type';
import { chooseExemplarLabels } from '../trace';
import type { Interruption, LlmErrorType, LlmStatus } from '../words';
import { EnclosingRequest, enclose, enclosingRequest } from './enclosing';
import type { ModelSeries } from './model-series';
import type { LlmEnd, LlmRequest, LlmTarget } from './request';
import type { ChunkGaps } from './stream';
import type { UnknownModel } from './unknown-model';
import type { UserLabels } from './user-label';

/** Records a call that has ended; returns what was recorded. */
export type FinishCall = (
  request: LlmRequest,
  agent: Attributed | undefined,
  unknown: UnknownModel | undefined,
) => LlmOutcome;

/** How a call ended, as it was recorded. */
export interface LlmOutcome {
  readonly status: LlmStatus;
  /** Undefined for a success. */
  readonly errorType: LlmErrorType | undefined;
  readonly durationMs: number | undefined;
  readonly timeToFirstTokenMs: number | undefined;
  /** In US dollars; undefined if the model has no price. */
  readonly costUsd: number | undefined;
}

/**
 * After the first chunk, these error types mean that the stream was interrupted. In Rust, `within_stream` in
 * `crate/core/src/collectors/error_type.rs` is the same rule.
 */
const BROKEN: ReadonlySet<string> = new Set(['connection', 'other']);

/** Decrements the gauge of calls that were never ended. The held value must not reach the call, or it is never collected. */
const forgotten = new FinalizationRegistry<ModelSeries | UnknownModel>((model) => quietly(() => model.forgotten()));

/** All fields of a type: the compiler then names one that is missing. */
type EveryField<T> = { [field in keyof Required<T>]: T[field] };

/** A request to a model in progress. */
export class LlmCall implements Disposable {
  readonly #record: FinishCall;
  readonly #series: ModelSeries;
  /** Set if the model was unknown when the request began. */
  readonly #unknown: UnknownModel | undefined;
  readonly #target: LlmTarget;
  readonly #labels: UserLabels | undefined;
  readonly #start: Moment = now();
  /** The agent that made the request. Kept from the start: the stream may be read outside the agent. */
  readonly #agent: Attributed | undefined;
  readonly #exemplarLabels: ExemplarLabels | undefined;
  #firstTokenSeconds: number | undefined;
  #chunks = 0;
  readonly #gaps: ChunkGaps | undefined;
  #ended = false;
  #outcome: LlmOutcome | undefined;
  #enclosing: EnclosingRequest | undefined;

  /**
   * @internal
   * @param labels the value of the user's own label where the request began
   * @param gaps nothing if no metric needs the times between chunks
   */
  constructor(
    record: FinishCall,
    series: ModelSeries,
    unknown: UnknownModel | undefined,
    target: LlmTarget,
    labels: UserLabels | undefined,
    gaps: ChunkGaps | undefined,
  ) {
    this.#record = record;
    this.#series = series;
    this.#unknown = unknown;
    this.#target = target;
    this.#labels = labels;
    this.#gaps = gaps;
    // This may throw, and what has begun must end.
    this.#exemplarLabels = chooseExemplarLabels(target);
    // Before the enclosing request ends, which may be the last one to ask the unknown model.
    unknown?.began();
    const outer = enclosingRequest(record);
    outer?.take();
    this.#agent = attributed() ?? outer?.agent;
    series.began();
    forgotten.register(this, unknown ?? series, this);
  }

  get chunks(): number {
    return this.#chunks;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** How it ended; undefined before that. */
  get outcome(): LlmOutcome | undefined {
    return this.#outcome;
  }

  /** Reports the first content, for a caller that does not report each chunk. Later calls have no effect. */
  firstToken(): void {
    if (this.#firstTokenSeconds === undefined && !this.#ended) this.#firstTokenSeconds = secondsSince(this.#start);
  }

  /**
   * Reports a streamed chunk.
   *
   * @param hasContent false for a chunk with only a role or the usage: it does not end the time to the first token
   */
  chunk(hasContent = true): void {
    this.#chunks++;
    if (hasContent && this.#firstTokenSeconds === undefined) this.firstToken();
    if (this.#gaps !== undefined) this.#gaps.chunk();
  }

  /** Ends the request with an answer. Later ends have no effect. */
  end(end: LlmEnd = {}): void {
    this.#finish(end, 'success', undefined, undefined);
  }

  /**
   * Ends the request with an error.
   *
   * @param error the thrown error, or its type; after the first chunk, a lost connection is `stream_interrupted`
   * @param interrupted the cause, if the first chunk had arrived. @default follows from the error
   */
  fail(error: unknown, end: LlmEnd = {}, interrupted?: Interruption): void {
    const type = reportedType(error) as LlmErrorType;
    const errorType = this.#chunks > 0 && BROKEN.has(type) ? 'stream_interrupted' : type;
    // A caller that leaves may have been slow to read.
    if (errorType !== 'cancelled') this.#gaps?.broke();
    const who =
      interrupted ?? ({ cancelled: 'client', timeout: 'timeout' } as const)[errorType as string] ?? 'provider';
    this.#finish(end, undefined, errorType, this.#chunks > 0 ? who : undefined);
  }

  /** Ends the request because the caller cancelled it. */
  cancel(): void {
    this.fail('cancelled');
  }

  /** With `using`: a call that the block did not end was cancelled. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /**
   * For a framework whose start event begins this call: a client's integration that starts a call within it counts the request
   * instead, and this call records nothing.
   *
   * @internal
   */
  enclose(): void {
    this.#enclosing = new EnclosingRequest(this.#record, this.#agent, () => this.#forget());
    enclose(this.#enclosing);
  }

  /** Ends the call without a record: no request was made, because a cache of the application had the answer. */
  drop(): void {
    this.#enclosing?.end();
    this.#forget();
  }

  #forget(): void {
    if (!this.#release()) return;
    this.#series.removeUnused();
    this.#unknown?.ended(this.#series);
  }

  /** @returns false if it had ended before */
  #release(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    forgotten.unregister(this);
    this.#series.ended();
    return true;
  }

  #finish(
    end: LlmEnd,
    status: LlmStatus | undefined,
    errorType: LlmErrorType | undefined,
    interrupted: Interruption | undefined,
  ): void {
    this.#enclosing?.end();
    if (!this.#release()) return;
    const first = this.#firstTokenSeconds;
    // Field by field: `{ ...end, more }` takes a microsecond in Node.js 20 for each further field.
    const request: EveryField<LlmRequest> = {
      inputTokens: end.inputTokens,
      outputTokens: end.outputTokens,
      cacheReadTokens: end.cacheReadTokens,
      cacheWriteTokens: end.cacheWriteTokens,
      cacheWriteLongTokens: end.cacheWriteLongTokens,
      reasoningTokens: end.reasoningTokens,
      audioInputTokens: end.audioInputTokens,
      audioOutputTokens: end.audioOutputTokens,
      imageInputTokens: end.imageInputTokens,
      imageOutputTokens: end.imageOutputTokens,
      finishReason: end.finishReason,
      costUsd: end.costUsd,
      providerCostUsd: end.providerCostUsd,
      serviceTier: end.serviceTier,
      serverToolCalls: end.serverToolCalls,
      media: end.media,
      otherModels: end.otherModels,
      usageFollows: end.usageFollows,
      responseModel: end.responseModel,
      visibleTokens: end.visibleTokens,
      model: this.#target.model,
      provider: this.#target.provider,
      operation: this.#target.operation,
      labels: this.#labels,
      exemplarLabels: this.#exemplarLabels,
      status,
      errorType,
      error: undefined,
      interrupted,
      durationMs: secondsSince(this.#start) * 1000,
      timeToFirstTokenMs: first === undefined ? undefined : first * 1000,
      chunks: this.#chunks,
      longestGapMs: this.#gaps?.longestMs,
      stalls: this.#gaps?.stalls,
      queueMs: undefined,
    };
    try {
      this.#outcome = this.#record(request, this.#agent, this.#unknown);
    } catch (error) {
      this.#unknown?.ended(this.#series);
      throw error;
    }
    this.#series.removeUnused();
  }
}
