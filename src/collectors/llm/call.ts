/**
 * A request to a model that is going on: takes the times, and is recorded once, however often it is ended. One that is
 * forgotten gives back its place among the active ones when it is collected as garbage.
 */

import { type Moment, now, secondsSince } from '../../clock';
import type { ExemplarLabels } from '../../metrics/exemplar';
import { type Attributed, attributed } from '../attribution';
import { reportedType } from '../error-type';
import { exemplarLabelsOf } from '../trace';
import type { Interruption, LlmErrorType, LlmStatus } from '../words';
import type { ModelSeries } from './model-series';
import type { LlmEnd, LlmRequest, LlmTarget } from './request';

/** Records a call that has ended, and tells what was recorded. */
export type FinishCall = (request: LlmRequest, agent: Attributed | undefined) => LlmOutcome;

/** How a call ended, as it was recorded. */
export interface LlmOutcome {
  readonly status: LlmStatus;
  /** Nothing where it succeeded. */
  readonly errorType: LlmErrorType | undefined;
  readonly durationMs: number | undefined;
  readonly timeToFirstTokenMs: number | undefined;
  /** In US dollars; nothing where there is no price. */
  readonly costUsd: number | undefined;
}

/** What is said of an answer that broke off: that it did is more than how. */
const BROKEN: ReadonlySet<string> = new Set(['connection', 'other']);

/** Gives back what calls hold that nobody ended. The held value may not reach the call, or it would never be collected. */
const forgotten = new FinalizationRegistry<ModelSeries>((series) => series.active.dec());

/** A request to a model that is going on. */
export class LlmCall implements Disposable {
  readonly #record: FinishCall;
  readonly #series: ModelSeries;
  readonly #target: LlmTarget;
  readonly #start: Moment = now();
  /** Whom it is made for. Where it ends may be anywhere: who reads a stream need not be who asked for it. */
  readonly #agent: Attributed | undefined = attributed();
  readonly #exemplarLabels: ExemplarLabels | undefined;
  #firstTokenSeconds: number | undefined;
  #chunks = 0;
  #lastChunk: Moment | undefined;
  #ended = false;
  #outcome: LlmOutcome | undefined;

  /** @internal */
  constructor(record: FinishCall, series: ModelSeries, target: LlmTarget) {
    this.#record = record;
    this.#series = series;
    this.#target = target;
    this.#exemplarLabels = exemplarLabelsOf(target);
    series.active.inc();
    forgotten.register(this, series, this);
  }

  /** Chunks so far. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** How it ended; nothing before that. */
  get outcome(): LlmOutcome | undefined {
    return this.#outcome;
  }

  /** The first content has come, where chunks are not reported one by one. Later calls say nothing. */
  firstToken(): void {
    if (this.#firstTokenSeconds === undefined && !this.#ended) this.#firstTokenSeconds = secondsSince(this.#start);
  }

  /**
   * A streamed chunk has come.
   *
   * @param hasContent false for one that only names a role, or the usage: it stops no clock
   */
  chunk(hasContent = true): void {
    this.#chunks++;
    if (hasContent && this.#firstTokenSeconds === undefined) this.firstToken();
    if (this.#series.interChunk !== undefined) this.#observeGap();
  }

  #observeGap(): void {
    if (this.#lastChunk !== undefined) this.#series.interChunk?.observe(secondsSince(this.#lastChunk));
    this.#lastChunk = now();
  }

  /** The answer is complete. Later ends say nothing. */
  end(end: LlmEnd = {}): void {
    this.#finish(end, 'success', undefined, undefined);
  }

  /**
   * The request failed, or was given up.
   *
   * @param error what was thrown, or its kind; after the first chunk, a broken connection is `stream_interrupted`
   * @param interrupted who or what ended a stream whose first chunk had come; found from the error where it is not given
   */
  fail(error: unknown, end: LlmEnd = {}, interrupted?: Interruption): void {
    const type = reportedType(error) as LlmErrorType;
    const errorType = this.#chunks > 0 && BROKEN.has(type) ? 'stream_interrupted' : type;
    const who =
      interrupted ?? ({ cancelled: 'client', timeout: 'timeout' } as const)[errorType as string] ?? 'provider';
    this.#finish(end, undefined, errorType, this.#chunks > 0 ? who : undefined);
  }

  /** Who asked is gone. */
  cancel(): void {
    this.fail('cancelled');
  }

  /** With `using`: a call that the block left without an end was given up. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /** No request was made after all: a cache of the application had the answer. Nothing is recorded. */
  drop(): void {
    this.#release();
  }

  /** @returns whether it was going on until now */
  #release(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    forgotten.unregister(this);
    this.#series.active.dec();
    return true;
  }

  #finish(
    end: LlmEnd,
    status: LlmStatus | undefined,
    errorType: LlmErrorType | undefined,
    interrupted: Interruption | undefined,
  ): void {
    if (!this.#release()) return;
    const first = this.#firstTokenSeconds;
    const request: LlmRequest = {
      ...end,
      model: this.#target.model,
      provider: this.#target.provider,
      operation: this.#target.operation,
      exemplarLabels: this.#exemplarLabels,
      status,
      errorType,
      interrupted,
      durationMs: secondsSince(this.#start) * 1000,
      timeToFirstTokenMs: first === undefined ? undefined : first * 1000,
      chunks: this.#chunks,
    };
    this.#outcome = this.#record(request, this.#agent);
  }
}
