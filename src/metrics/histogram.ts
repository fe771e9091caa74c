/**
 * Histograms: observations counted in buckets, and their sum.
 */
import { shown, ValueError } from '../errors';
import type { LabelValues } from '../types';
import { checkedBuckets } from './buckets';
import { type ExemplarLabels, exemplarOf, type WithExemplar } from './exemplar';
import { Metric, type MetricConfiguration } from './metric';
import type { Place } from './place';
import { addPair, type Home, labelsOf, revived, Series, siblingOf } from './series';
import { startTimer, type Timer, time } from './timer';

/** What a histogram is made from. */
export interface HistogramConfiguration<T extends string = string> extends MetricConfiguration<T, Histogram<T>> {
  /**
   * Upper bounds, finite and ascending; `+Inf` is implied.
   *
   * @default [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
   */
  buckets?: readonly number[];
}

/** What a histogram holds of one label set. */
export interface HistogramValue {
  /** Number of observations. */
  count: number;
  /** Sum of the observations. */
  sum: number;
  /** Observations at or below each bound; the last bound is `Infinity`. */
  buckets: { le: number; count: number }[];
}

/** The histogram of one label set. Keep it where you observe often. */
export class HistogramSeries extends Series {
  readonly #bounds: Float64Array;

  /** @internal */
  constructor(home: Home, place: Place, bounds: Float64Array) {
    super(home, place);
    this.#bounds = bounds;
  }

  /**
   * Counts an observation in the first bucket whose bound is not below it, and adds it to the sum.
   *
   * @throws {ValueError} `INVALID_VALUE` for what is no finite number
   */
  observe(value: number): void {
    const bounds = this.#bounds;
    // Finite: infinities and NaN less themselves are not 0.
    const finite = typeof value === 'number' && value - value === 0;
    if (finite && this[addPair](bucketOf(bounds, value), bounds.length + 1, value)) return;
    const observation = checkedObservation(value);
    this[revived]()[addPair](bucketOf(bounds, observation), bounds.length + 1, observation);
  }

  /**
   * Starts a clock; calling what it returns observes the seconds that have passed, and returns them. Labels given to
   * that call are added to the series' own.
   */
  startTimer(): Timer {
    return startTimer((more, seconds) => {
      if (more === undefined) this.observe(seconds);
      else (this[siblingOf]({ ...this[labelsOf](), ...more }) as HistogramSeries).observe(seconds);
    });
  }
}

/** Bounds from which on halving beats going through them. */
const HALVING_FROM = 32;

/** The first bucket whose bound is not below the value. */
function bucketOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (high - low > HALVING_FROM) {
    const middle = (low + high) >>> 1;
    if (value > bounds[middle]) low = middle + 1;
    else high = middle;
  }
  while (low < high && value > bounds[low]) low++;
  return low;
}

function checkedObservation(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ValueError('INVALID_VALUE', `Value is not a valid number: ${shown(value)}`);
}

/**
 * A distribution: durations, sizes. Buckets are counted here, quantiles computed by the server.
 *
 * @example
 * const duration = new Histogram({ name: 'request_seconds', help: 'Duration', labelNames: ['route'] });
 * const end = duration.startTimer({ route: '/chat' });
 * end();
 */
export class Histogram<T extends string = string> extends Metric<T, HistogramSeries> {
  readonly #bounds: Float64Array;

  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `INVALID_BUCKETS`, `DUPLICATE_METRIC`
   */
  constructor(configuration: HistogramConfiguration<T>) {
    const buckets = checkedBuckets(configuration?.buckets);
    super('histogram', configuration as MetricConfiguration<T, never>, buckets, HistogramSeries);
    this.#bounds = Float64Array.from(buckets);
    if (this.labelNames.length === 0) this.series.createUnlabelled();
    this.register();
  }

  /**
   * Observes a value with these labels, or without labels.
   *
   * @throws {ValueError} `INVALID_VALUE` for what is no finite number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  observe(labels: LabelValues<T>, value: number): void;
  observe(value: number): void;
  observe(observation: WithExemplar<T> & { value: number }): void;
  observe(labels: LabelValues<T> | WithExemplar<T> | number, value?: number): void {
    if (typeof labels === 'object' && labels !== null) {
      if (this.exemplars) this.#observeWithExemplar(labels as WithExemplar<T>);
      else {
        // First of all, because a refused value creates no series.
        const observation = checkedObservation(value);
        this.series.at(labels).observe(observation);
      }
    } else {
      // As in prom-client, `observe(undefined, 5)` and `observe(null, 5)` observe 5 without labels.
      this.unlabelled().observe(labels === undefined || labels === null ? (value as number) : (labels as number));
    }
  }

  #observeWithExemplar({ labels, value, exemplarLabels }: WithExemplar<T>): void {
    const number = checkedObservation(value);
    // Everything is checked before anything is recorded.
    if (labels) this.series.placeOfArguments([labels]);
    const exemplar = exemplarOf(exemplarLabels);
    const series = labels ? this.series.at(labels) : this.unlabelled();
    series.observe(number);
    exemplar?.attach(this.series.family, series, bucketOf(this.#bounds, number), number);
  }

  /** Starts a clock; calling what it returns observes the seconds that have passed, and returns them. */
  startTimer(labels?: LabelValues<T>, exemplarLabels?: ExemplarLabels): Timer<T, ExemplarLabels> {
    // Copies: the caller may use its objects for something else before the clock ends.
    const own = { ...labels };
    const ownExemplarLabels = { ...exemplarLabels };
    return startTimer<T, ExemplarLabels>((more, seconds, moreExemplarLabels) => {
      const all = { ...own, ...more } as LabelValues<T>;
      if (!this.exemplars) this.observe(all, seconds);
      else {
        this.observe({ labels: all, value: seconds, exemplarLabels: { ...ownExemplarLabels, ...moreExemplarLabels } });
      }
    });
  }

  /** Runs a function and observes the seconds it took, or its promise did; failures too. */
  time<R>(run: () => R): R;
  time<R>(labels: LabelValues<T>, run: () => R): R;
  time<R>(labels: LabelValues<T> | (() => R), run?: () => R): R {
    if (typeof labels === 'function') return time(this.startTimer(), labels);
    // Before the function runs: what it returns must not be lost to a label that does not exist.
    this.series.placeOfArguments([labels]);
    return time(this.startTimer(labels), run as () => R);
  }

  /** Makes the series of these labels exist, with nothing observed; one that exists starts anew in its place. */
  zero(labels: LabelValues<T> = {}): void {
    this.series.zero(this.series.placeOfArguments([labels]));
  }

  /** What was observed; zeros where the series does not exist. */
  value(labels?: LabelValues<T>): HistogramValue {
    const cells = this.peekCells(labels) ?? new Array<number>(this.#bounds.length + 2).fill(0);
    let count = 0;
    const buckets = [...this.#bounds, Number.POSITIVE_INFINITY].map((le, bucket) => {
      count += cells[bucket];
      return { le, count };
    });
    return { count, sum: cells[cells.length - 1], buckets };
  }

  /** Removes all series. */
  reset(): void {
    this.series.clear();
  }
}
