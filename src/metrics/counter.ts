/**
 * Implements `Counter` and its series.
 */
import { NegativeIncrementError, shown, ValueError } from '../errors';
import type { LabelValues } from '../types';
import { checkedExemplar, type ExemplarLabels, type WithExemplar } from './exemplar';
import { Metric, type MetricConfiguration } from './metric';
import { add, revived, Series } from './series';

/** Configuration of a counter. */
export interface CounterConfiguration<T extends string = string> extends MetricConfiguration<T, Counter<T>> {}

/** The counter of one label set. Keep a reference where you count often: `inc()` is then one addition in memory. */
export class CounterSeries extends Series {
  /**
   * Adds a finite number from 0.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number
   * @throws {NegativeIncrementError} `NEGATIVE_INCREMENT` for a number below 0
   */
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
export class Counter<T extends string = string> extends Metric<T, CounterSeries> {
  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   */
  constructor(configuration: CounterConfiguration<T>) {
    super('counter', configuration as MetricConfiguration<T, never>, [], CounterSeries);
    this.reset();
    this.register();
  }

  /**
   * Adds a finite number from 0 to the series of these labels, or to the series without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number
   * @throws {NegativeIncrementError} `NEGATIVE_INCREMENT` for a number below 0
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  inc(labels: LabelValues<T>, value?: number | null): void;
  inc(value?: number | null): void;
  inc(increment: WithExemplar<T>): void;
  inc(labels?: LabelValues<T> | WithExemplar<T> | number | null, value?: number | null): void {
    if (typeof labels === 'object' && labels !== null) {
      if (this.exemplars) this.#incWithExemplar(labels as WithExemplar<T>);
      else {
        // Checked first, because an invalid value must not create a series.
        const increment = value === undefined ? 1 : checkedIncrement(value);
        this.series.at(labels).inc(increment);
      }
    } else {
      this.unlabelled().inc(labels);
    }
  }

  #incWithExemplar({ labels, value, exemplarLabels }: WithExemplar<T>): void {
    const number = checkedIncrement(value);
    // Check everything before anything is recorded.
    if (labels) this.series.placeOfArguments([labels]);
    const exemplar = checkedExemplar(exemplarLabels);
    const series = labels ? this.series.at(labels) : this.unlabelled();
    series.inc(number);
    exemplar?.attach(this.series.family, series, 0, number);
  }

  /** The value of the series with these labels; 0 if there is no such series. */
  value(labels?: LabelValues<T>): number {
    return this.peekCells(labels)?.[0] ?? 0;
  }

  /** Removes all series. A counter without labels is set to 0. */
  reset(): void {
    this.series.clear();
    if (this.labelNames.length === 0) this.series.createUnlabelled();
  }
}

export type { ExemplarLabels };
