/**
 * Implements histograms: observations counted in buckets, and their sum.
 */
import { NO_SLOT } from '../labels/table';
import { addPairTo } from '../native/contributor';
import type { AnyLabels, Over } from '../types';
import { type Buckets, checkedBuckets, findBucket } from './buckets';
import { checkedExemplar, type ExemplarLabels, type ObserveDataWithExemplar } from './exemplar';
import { checkedObservation, HistogramCells } from './histogram-cells';
import { childOf, enter, Metric, type MetricConfiguration, valuesOf } from './metric';
import { BesideHistogramCells, NativeHistogramCells } from './native-histogram-cells';
import { checkedNative, type NativeHistogramOptions } from './native-options';
import { addMembers, HISTOGRAM_MEMBERS } from './peer-members';
import { idOf, observer, seriesSet } from './series';
import { startTimer, type Timer, timeCall } from './timer';

/** Configuration of a histogram. */
export interface HistogramConfiguration<T extends string = string>
  extends MetricConfiguration<T, Histogram<T>>,
    NativeHistogramOptions {
  /**
   * Upper bounds of the buckets, finite and ascending; `+Inf` is implied. The default is meant for seconds, and is for histograms
   * that are not native.
   *
   * @default [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
   */
  buckets?: number[] | undefined;
}

/** A configuration whose buckets may be a constant array. */
export type GivenHistogramConfiguration<T extends string> = Omit<HistogramConfiguration<T>, 'buckets'> & {
  buckets?: readonly number[] | undefined;
};

/** The values of a histogram for one label set. */
export interface HistogramValue {
  /** Number of observations. */
  count: number;
  /** Sum of the observations. */
  sum: number;
  /** The number of observations at or below each bound; the last bound is `Infinity`. */
  buckets: { le: number; count: number }[];
  /** The buckets of a native histogram. */
  native?: NativeHistogramValue;
}

/** The buckets of a native histogram for one label set. */
export interface NativeHistogramValue {
  /** There are `2 ** schema` buckets for each doubling. 0, as the threshold, if the series does not exist. */
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  /** Buckets with observations, ascending, without the zero bucket. */
  buckets: { lower: number; upper: number; count: number }[];
}

/** The histogram of one label set. Keep a reference where you observe often. */
export interface HistogramSeries<T extends string = string> {
  /**
   * Counts an observation in the first bucket whose bound is not smaller, and adds it to the sum.
   *
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number
   */
  observe(value: number): void;

  /**
   * Starts a timer. Calling the returned function observes the seconds since the start, and returns them. Labels that
   * the call passes are added to the labels of the series.
   */
  startTimer<P = never>(...args: Over<P, []>): Over<P, Timer<T>>;
  startTimer<P = never>(...args: Over<P, []>): Over<P, Timer<T>>;
}

/**
 * A distribution, such as durations or sizes. The client counts in buckets; the Prometheus server computes quantiles.
 *
 * @example
 * const duration = new Histogram({ name: 'request_seconds', help: 'Duration', labelNames: ['route'] });
 * const end = duration.startTimer({ route: '/chat' });
 * end();
 */
export class Histogram<T extends string = string> extends Metric<T, HistogramCells, HistogramSeries<T>> {
  readonly #native: object | undefined;

  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `INVALID_BUCKETS`, `DUPLICATE_METRIC`
   * @throws {ConfigurationError} `INVALID_CONFIG` for invalid options of a native histogram
   */
  constructor(configuration: GivenHistogramConfiguration<T>) {
    const native = checkedNative(configuration);
    const given = configuration?.buckets;
    const buckets = given === undefined && native !== undefined ? [] : checkedBuckets(given);
    super(configuration as MetricConfiguration<T, never>, {
      type: 'histogram',
      buckets,
      series: cellsFor(buckets, native),
      ...(native === undefined ? {} : { native }),
    });
    this.#native = native;
    this.reset();
    if (this.labelNames.length === 0) this[seriesSet].createUnlabelled();
    enter(this);
  }

  /** @internal */
  override [childOf](series: HistogramCells, labels: () => AnyLabels<T>): HistogramSeries<T> {
    const observe = series[observer]();
    if (this.observe === OWN_OBSERVE) return { observe, startTimer: () => series.startTimer() };
    // Timers call the metric's method, and observations of a child do not, as in prom-client.
    return { observe, startTimer: () => this.startTimer(labels()) };
  }

  /**
   * Observes a value in the series with these labels, or without labels.
   *
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  observe<P = never>(labels: Over<P, AnyLabels<T>>, value: number): void;
  observe(value: number): void;
  observe(observation: ObserveDataWithExemplar<T>): void;
  observe(labels: AnyLabels<T> | ObserveDataWithExemplar<T> | number, value?: number): void {
    // Short, so that engines copy it into the caller's code.
    if (typeof labels === 'object' && labels !== null) observeLabelled(this, labels, value);
    else {
      // As in prom-client, `observe(undefined, 5)` and `observe(null, 5)` observe 5 without labels.
      const observation = labels === undefined || labels === null ? value : labels;
      const set = this[seriesSet];
      if (set.plainSlot === NO_SLOT) set.unlabelled().observe(observation as number);
      else observeAt(set.plainSlot, set.buckets, checkedObservation(observation));
    }
  }

  /**
   * Starts a timer. Calling the returned function observes the seconds since the start, and returns them.
   *
   * @param labels read when the timer ends, so they may be completed until then
   * @param exemplarLabels read when the timer ends
   */
  startTimer(labels?: AnyLabels<T>, exemplarLabels?: ExemplarLabels): Timer<T, ExemplarLabels> {
    return startTimer<T, ExemplarLabels>((more, seconds, moreExemplarLabels) => {
      if (labels === undefined && more === undefined && this.observe === OWN_OBSERVE && !this.enableExemplars) {
        return this.observe(seconds);
      }
      const all = { ...labels, ...more } as AnyLabels<T>;
      if (!this.enableExemplars) this.observe(all, seconds);
      else this.observe({ labels: all, value: seconds, exemplarLabels: { ...exemplarLabels, ...moreExemplarLabels } });
    });
  }

  /**
   * Runs a function and observes its duration in seconds. If it returns a promise, the time until that is settled.
   * Failures are measured too.
   */
  time<R, P = never>(...args: Over<P, [run: () => R]>): Over<P, R>;
  time<R, P = never>(...args: Over<P, [labels: AnyLabels<T>, run: () => R]>): Over<P, R>;
  time<R>(labels: AnyLabels<T> | (() => R), run?: () => R): R {
    return timeCall<T, R>(this, labels, run);
  }

  /** Creates the series of these labels with nothing observed; sets it to zero if it exists. */
  zero(labels: AnyLabels<T> = {}): void {
    this[seriesSet].zero(this[seriesSet].placeOfArguments([labels]));
  }

  /** Count, sum and buckets of the series with these labels; zeros if there is no such series. */
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, HistogramValue>;
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, HistogramValue>;
  value(labels?: AnyLabels<T>): HistogramValue {
    const set = this[seriesSet];
    const cells = set.cells(labels) ?? new Array<number>(set.width).fill(0);
    let count = 0;
    const buckets = [...set.bounds, Number.POSITIVE_INFINITY].map((le, bucket) => {
      count += cells[bucket];
      return { le, count };
    });
    const value = { count, sum: cells[cells.length - 1], buckets };
    if (this.#native === undefined) return value;
    const series = set.peek(set.placeOfArguments([labels ?? {}]));
    const native = nativeValue(series === undefined ? [] : set.family.nativeBuckets(series[idOf]()));
    if (set.bounds.length === 0) {
      // The cell of +Inf is not written: the buckets tell the count.
      value.count = native.zeroCount + native.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
      value.buckets[0].count = value.count;
    }
    return { ...value, native };
  }

  /** @internal */
  override get [valuesOf](): readonly unknown[] {
    return [...super[valuesOf], ...Object.values(this.#native ?? {})];
  }

  /** Removes all series. */
  reset(): void {
    this[seriesSet].clear();
  }
}

/** The names that prom-client has for a child and for options. */
export declare namespace Histogram {
  /** What `labels()` returns. */
  interface Internal<T extends string = string> extends HistogramSeries<T> {}
  /** The part of a configuration that only histograms have. */
  interface Config {
    /** Upper bounds of the buckets. */
    buckets?: number[];
  }
}

/** The method before a subclass, a test or a program replaces it. */
const OWN_OBSERVE = Histogram.prototype.observe;

addMembers(Histogram.prototype, HISTOGRAM_MEMBERS);

function cellsFor(buckets: readonly number[], native: object | undefined): typeof HistogramCells {
  if (native === undefined) return HistogramCells;
  return buckets.length > 0 ? BesideHistogramCells : NativeHistogramCells;
}

function observeLabelled(histogram: Metric<string, HistogramCells>, labels: object, value: number | undefined): void {
  if (histogram.enableExemplars) {
    observeWithExemplar(histogram, labels as ObserveDataWithExemplar);
    return;
  }
  // Checked first, because an invalid value must not create a series.
  const observation = checkedObservation(value);
  const set = histogram[seriesSet];
  const slot = set.find(labels);
  if (slot === NO_SLOT) set.reached(labels).observe(observation);
  else observeAt(slot, set.buckets, observation);
}

function observeAt(slot: number, { bounds, sum }: Buckets, observation: number): void {
  addPairTo(slot, findBucket(bounds, observation), sum, observation);
}

/** The answer of the addon's `nativeBuckets()` as an object. */
function nativeValue([schema = 0, zeroThreshold = 0, zeroCount = 0, ...numbers]: number[]): NativeHistogramValue {
  const buckets = Array.from({ length: numbers.length / 3 }, (_, bucket) => {
    const [lower, upper, count] = numbers.slice(3 * bucket, 3 * bucket + 3);
    return { lower, upper, count };
  });
  return { schema, zeroThreshold, zeroCount, buckets };
}

function observeWithExemplar(
  histogram: Metric<string, HistogramCells>,
  { labels, value, exemplarLabels }: ObserveDataWithExemplar,
): void {
  const set = histogram[seriesSet];
  const number = checkedObservation(value);
  // Check everything before anything is recorded.
  if (labels) set.placeOfArguments([labels]);
  const exemplar = checkedExemplar(exemplarLabels);
  const series = labels ? set.at(labels) : set.unlabelled();
  series.observe(number);
  exemplar?.attach(set.family, series, findBucket(set.buckets.bounds, number), number);
}
