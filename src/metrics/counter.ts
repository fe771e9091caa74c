/**
 * Implements `Counter` and its series.
 */
import { NegativeIncrementError, shown, ValueError } from '../errors';
import { NO_SLOT } from '../labels/table';
import { addTo } from '../native/contributor';
import type { AnyLabels, Over } from '../types';
import { checkedExemplar, type ExemplarLabels, type IncreaseDataWithExemplar } from './exemplar';
import { childOf, enter, Metric, type MetricConfiguration, type Passed } from './metric';
import { add, revived, Series, seriesSet } from './series';

/** Configuration of a counter. */
export interface CounterConfiguration<T extends string = string> extends MetricConfiguration<T, Counter<T>> {}

/** The counter of one label set. Keep a reference where you count often: `inc()` is then one addition in memory. */
export interface CounterSeries {
  /**
   * Adds a finite number from 0.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number
   * @throws {NegativeIncrementError} `NEGATIVE_INCREMENT` for a number below 0
   */
  inc<P = never>(value?: Over<P, number | null>): void;
}

/** The series of a counter. */
export class CounterCells extends Series {
  inc(value: number | null = 1): void {
    if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY && this[add](0, value)) return;
    const increment = checkedIncrement(value);
    this[revived]()[add](0, increment);
  }
}

function checkedIncrement(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  if (value === undefined || value === null) return 1;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ValueError('INVALID_VALUE', `Value is not a valid number: ${shown(value)}`);
  }
  if (value < 0) throw new NegativeIncrementError();
  return value;
}

/**
 * A value that only increases: requests, tokens, errors. Dashboards show its rate.
 *
 * @example
 * const requests = new Counter({ name: 'requests_total', help: 'Requests', labelNames: ['status'] });
 * requests.inc({ status: '200' });
 */
export class Counter<T extends string = string> extends Metric<T, CounterCells, CounterSeries> {
  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   */
  constructor(configuration: CounterConfiguration<T>) {
    super(configuration as MetricConfiguration<T, never>, { type: 'counter', buckets: [], series: CounterCells });
    this.reset();
    enter(this);
  }

  /** @internal */
  override [childOf](series: CounterCells, labels: () => AnyLabels<T>): CounterSeries {
    // An override in a subclass often calls `labels().inc()` itself, so the child does not call it, as in prom-client.
    if (!Object.hasOwn(this, 'inc') && Counter.prototype.inc === OWN_INC) return { inc: (value) => series.inc(value) };
    return { inc: (...args: unknown[]) => (this.inc as Passed)(...([labels(), ...args] as never[])) };
  }

  /**
   * Adds a finite number from 0 to the series of these labels, or to the series without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number
   * @throws {NegativeIncrementError} `NEGATIVE_INCREMENT` for a number below 0
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  inc<P = never>(labels: Over<P, AnyLabels<T>>, value?: Over<P, number | null>): void;
  inc<P = never>(value?: Over<P, number | null>): void;
  inc(increment: IncreaseDataWithExemplar<T>): void;
  inc(labels?: AnyLabels<T> | IncreaseDataWithExemplar<T> | number | null, value?: number | null): void {
    // Short, so that engines copy it into the caller's code.
    if (typeof labels === 'object' && labels !== null) incLabelled(this, labels, value);
    else {
      const set = this[seriesSet];
      if (set.plainSlot === NO_SLOT) set.unlabelled().inc(labels);
      else addTo(set.plainSlot, labels === undefined ? 1 : checkedIncrement(labels));
    }
  }

  /** The value of the series with these labels; 0 if there is no such series. */
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, number>;
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, number>;
  value(labels?: AnyLabels<T>): number {
    return this[seriesSet].cells(labels)?.[0] ?? 0;
  }

  /** Removes all series. A counter without labels is set to 0. */
  reset(): void {
    this[seriesSet].clear();
    if (this.labelNames.length === 0) this[seriesSet].createUnlabelled();
  }
}

/** The name that prom-client has for a child. */
export declare namespace Counter {
  /** What `labels()` returns. */
  interface Internal extends CounterSeries {}
}

/** The method before a test replaces it. */
const OWN_INC = Counter.prototype.inc;

function incLabelled(counter: Metric<string, CounterCells>, labels: object, value: number | null | undefined): void {
  if (counter.enableExemplars) {
    incWithExemplar(counter, labels);
    return;
  }
  // Checked first, because an invalid value must not create a series.
  const increment = value === undefined ? 1 : checkedIncrement(value);
  const set = counter[seriesSet];
  const slot = set.find(labels);
  if (slot === NO_SLOT) set.reached(labels).inc(increment);
  else addTo(slot, increment);
}

function incWithExemplar(
  counter: Metric<string, CounterCells>,
  { labels, value, exemplarLabels }: IncreaseDataWithExemplar,
): void {
  const set = counter[seriesSet];
  const number = checkedIncrement(value);
  // Check everything before anything is recorded.
  if (labels) set.placeOfArguments([labels]);
  const exemplar = checkedExemplar(exemplarLabels);
  const series = labels ? set.at(labels) : set.unlabelled();
  series.inc(number);
  exemplar?.attach(set.family, series, 0, number);
}

export type { ExemplarLabels };
