/**
 * Implements summaries: observations digested to quantiles, and their count and sum. Values go to a buffer in native
 * memory; the core digests them when the buffer is full, and for each scrape.
 */
import { SUMMARY_BUFFER } from '../native/contributor';
import type { AnyLabels, Over } from '../types';
import type { AgeSteps } from './age-steps';
import { checkedObservation } from './histogram-cells';
import { beforeReading, childOf, enter, Metric, type MetricConfiguration } from './metric';
import type { Place } from './place';
import {
  attach,
  buffer,
  flush,
  type Home,
  idOf,
  labelsOf,
  record,
  revived,
  Series,
  seriesSet,
  siblingOf,
} from './series';
import { checkedSummary, type SummaryOptions } from './summary-options';
import { startTimer, type Timer, timeCall } from './timer';

/** Configuration of a summary. */
export interface SummaryConfiguration<T extends string = string>
  extends MetricConfiguration<T, Summary<T>>,
    SummaryOptions {}

/** A configuration whose percentiles may be a constant array. */
export type GivenSummaryConfiguration<T extends string> = Omit<SummaryConfiguration<T>, 'percentiles'> & {
  percentiles?: readonly number[] | undefined;
};

/** The values of a summary for one label set. */
export interface SummaryValue {
  /** Number of observations. */
  count: number;
  /** Sum of the observations. */
  sum: number;
  /** The value at each quantile: 0 if nothing was observed, NaN if all observations are older than the window. */
  quantiles: { quantile: number; value: number }[];
}

/** Passes the buffer of a series to the core. @internal */
const emptied = Symbol('emptied');

/** The summary of one label set. Keep a reference where you observe often. */
export interface SummarySeries<T extends string = string> {
  /**
   * Counts an observation, adds it to the sum, and takes it into the quantiles.
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

/** The series of a summary. */
export class SummaryCells extends Series {
  readonly #steps: AgeSteps | undefined;
  /** The cell of the buffer that the next value is written to. */
  #next = 0;
  /** The step of the window that the values in the buffer belong to. */
  #step = -1;

  /** @internal */
  constructor(home: Home, place: Place) {
    super(home, place);
    this.#steps = home.ageSteps;
  }

  observe(value: number): void {
    // True for finite numbers only: Infinity - Infinity and NaN - NaN are NaN.
    const finite = typeof value === 'number' && value - value === 0;
    if (finite && this[record](value)) return;
    const observation = checkedObservation(value);
    this[revived]()[record](observation);
  }

  /** @internal */
  [record](value: number): boolean {
    if (this.#steps !== undefined) this.#enter(this.#steps.now());
    if (!this[buffer](this.#next, value)) return false;
    if (++this.#next === SUMMARY_BUFFER) this[emptied]();
    return true;
  }

  #enter(step: number): void {
    if (step === this.#step) return;
    this.#step = step;
    this[emptied]();
  }

  /** Passes the values in the buffer to the core. @internal */
  [emptied](): void {
    this.#next = 0;
    this[flush](Math.max(this.#step, 0));
  }

  /** @internal */
  override [attach](cells: Float64Array, index: number, key: number): void {
    super[attach](cells, index, key);
    this.#next = 0;
    this.#step = -1;
  }

  startTimer(): Timer {
    return startTimer((more, seconds) => {
      if (more === undefined) this.observe(seconds);
      else (this[siblingOf]({ ...this[labelsOf](), ...more }) as SummaryCells).observe(seconds);
    });
  }
}

/**
 * A distribution of which the client computes quantiles. Quantiles of several series, threads excepted, cannot be
 * combined; where they have to be, use a histogram.
 *
 * @example
 * const duration = new Summary({ name: 'job_seconds', help: 'Duration', percentiles: [0.5, 0.99] });
 * const end = duration.startTimer();
 * end();
 */
export class Summary<T extends string = string> extends Metric<T, SummaryCells, SummarySeries<T>> {
  /** The quantiles that are shown. @internal */
  readonly percentiles: readonly number[];
  /** The age in seconds at which the quantiles forget an observation. @internal */
  readonly maxAgeSeconds: number | undefined;
  /** The number of steps in which observations are forgotten. @internal */
  readonly ageBuckets: number | undefined;
  /** True if series are removed when the quantiles have forgotten all of their observations. @internal */
  readonly pruneAgedBuckets: boolean;
  /** Without effect, as in the configuration. @internal */
  readonly compressCount: number;

  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   * @throws {ConfigurationError} `INVALID_CONFIG` for invalid percentiles or an invalid window
   */
  constructor(configuration: GivenSummaryConfiguration<T>) {
    const summary = checkedSummary(configuration);
    super(configuration as MetricConfiguration<T, never>, {
      type: 'summary',
      buckets: [],
      series: SummaryCells,
      summary,
    });
    this.percentiles = summary.quantiles;
    this.maxAgeSeconds = configuration.maxAgeSeconds;
    this.ageBuckets = configuration.ageBuckets;
    this.pruneAgedBuckets = summary.prune;
    this.compressCount = configuration.compressCount ?? 1000;
    if (this.labelNames.length === 0) this[seriesSet].createUnlabelled();
    enter(this);
  }

  /** @internal */
  override [childOf](series: SummaryCells, labels: () => AnyLabels<T>): SummarySeries<T> {
    const observe = (value: number) => series.observe(value);
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
  observe(labels: AnyLabels<T> | number, value?: number): void {
    if (typeof labels === 'object' && labels !== null) {
      // An invalid value must not create a series. Of two mistakes, the peers name that in the labels.
      if (!Number.isFinite(value)) {
        this[seriesSet].placeOfArguments([labels]);
        checkedObservation(value);
      }
      this[seriesSet].at(labels).observe(value as number);
    } else {
      // As in prom-client, `observe(undefined, 5)` and `observe(null, 5)` observe 5 without labels.
      this[seriesSet]
        .unlabelled()
        .observe(labels === undefined || labels === null ? (value as number) : (labels as number));
    }
  }

  /**
   * Starts a timer. Calling the returned function observes the seconds since the start, and returns them.
   *
   * @param labels read when the timer ends, so they may be completed until then
   */
  startTimer(labels?: AnyLabels<T>): Timer<T> {
    return startTimer<T>((more, seconds) => this.observe({ ...labels, ...more } as AnyLabels<T>, seconds));
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
  zero<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, void>;
  zero<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, void>;
  zero(labels: AnyLabels<T> = {}): void {
    const place = this[seriesSet].placeOfArguments([labels]);
    this[seriesSet].peek(place)?.[emptied]();
    this[seriesSet].zero(place);
  }

  /** Count, sum and quantiles of the series with these labels; zeros if there is no such series. */
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, SummaryValue>;
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, SummaryValue>;
  value(labels?: AnyLabels<T>): SummaryValue {
    const [count, sum] = this[seriesSet].cells(labels) ?? [0, 0];
    this.#moveWindow();
    const series = this[seriesSet].peek(this[seriesSet].placeOfArguments([labels ?? {}]));
    const values = series === undefined ? [] : this[seriesSet].family.quantiles(series[idOf]());
    return {
      count,
      sum,
      quantiles: this[seriesSet].bounds.map((quantile, at) => ({ quantile, value: values[at] ?? 0 })),
    };
  }

  /** Forgets all observations: count, sum and quantiles of every series are 0. */
  reset(): void {
    for (const series of this[seriesSet].existing()) {
      series[emptied]();
      this[seriesSet].family.zeroSeries(series[idOf]());
    }
  }

  /** @internal */
  override [beforeReading](): void {
    this.#moveWindow();
    if (this.pruneAgedBuckets) this[seriesSet].removeForgotten();
  }

  /** Moves the window to the current time of the realm's clock. */
  #moveWindow(): void {
    const step = this[seriesSet].ageSteps?.now();
    if (step !== undefined) this[seriesSet].family.advance(step);
  }
}

/** The names that prom-client has for a child and for options. */
export declare namespace Summary {
  /** What `labels()` returns. */
  interface Internal<T extends string = string> extends SummarySeries<T> {}
  /** The part of a configuration that only summaries have. */
  interface Config extends SummaryOptions {}
}

/** The method before a subclass, a test or a program replaces it. */
const OWN_OBSERVE = Summary.prototype.observe;
