/**
 * Times the gaps between the chunks of a stream, and records a stream that has ended.
 */
import { type Moment, now, secondsBetween } from '../../clock';
import type { ExemplarLabels } from '../../metrics/exemplar';
import type { HistogramSeries } from '../../metrics/histogram';
import { amountOrZero, isAmount } from '../amount';
import type { ModelSeries } from './model-series';
import type { LlmRequest } from './request';

/** The gaps between the chunks of one stream. A stream has one only if a metric needs them: it reads the clock each time. */
export class ChunkGaps {
  readonly #stallSeconds: number;
  readonly #observed: readonly HistogramSeries[];
  #last: Moment | undefined;
  #longestSeconds: number | undefined;
  #stalls = 0;

  /** @param observed each of these observes each gap */
  constructor(stallSeconds: number, observed: readonly HistogramSeries[]) {
    this.#stallSeconds = stallSeconds;
    this.#observed = observed;
  }

  get longestMs(): number | undefined {
    return this.#longestSeconds === undefined ? undefined : this.#longestSeconds * 1000;
  }

  get stalls(): number {
    return this.#stalls;
  }

  chunk(): void {
    const at = now();
    if (this.#last !== undefined) {
      const seconds = this.#note(secondsBetween(this.#last, at));
      for (const series of this.#observed) series.observe(seconds);
    }
    this.#last = at;
  }

  /** Notes that the stream broke off: the reader had waited since the last chunk. */
  broke(): void {
    if (this.#last !== undefined) this.#note(secondsBetween(this.#last, now()));
  }

  #note(seconds: number): number {
    if (!((this.#longestSeconds ?? -1) >= seconds)) this.#longestSeconds = seconds;
    if (seconds > this.#stallSeconds) this.#stalls++;
    return seconds;
  }
}

/**
 * The average time between two tokens that the reader of a stream saw. Reasoning that the provider hides took its time before
 * the first token.
 */
export function secondsPerToken(request: LlmRequest): number | undefined {
  const { timeToFirstTokenMs, durationMs, outputTokens, reasoningTokens, visibleTokens } = request;
  if (!isAmount(timeToFirstTokenMs) || !isAmount(durationMs)) return undefined;
  const seen = visibleTokens ?? amountOrZero(outputTokens) - amountOrZero(reasoningTokens);
  return seen > 1 ? Math.max(0, durationMs - timeToFirstTokenMs) / 1000 / (seen - 1) : undefined;
}

/** @param perToken that of `secondsPerToken()` */
export function recordStream(
  series: ModelSeries,
  request: LlmRequest,
  perToken: number | undefined,
  exemplarLabels: ExemplarLabels | undefined,
): void {
  const { chunks, timeToFirstTokenMs, longestGapMs, stalls, interrupted } = request;
  if (amountOrZero(chunks) === 0 && !isAmount(timeToFirstTokenMs)) return;
  series.streamed();
  series.streamedRequests.inc();
  // Once a stream: a look-up for each token of each stream would be waste.
  if (isAmount(chunks)) series.chunks.inc(chunks);
  if (isAmount(timeToFirstTokenMs)) series.firstToken.observe(timeToFirstTokenMs / 1000, exemplarLabels);
  if (perToken !== undefined) series.perToken.observe(perToken);
  if (isAmount(longestGapMs)) series.longestGap?.observe(longestGapMs / 1000);
  if (isAmount(stalls)) series.stalls?.inc(stalls);
  if (interrupted !== undefined) series.interrupted.of(interrupted).inc();
}
