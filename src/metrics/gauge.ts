/**
 * Implements gauges: values that increase and decrease.
 */
import { unixMs } from '../clock';
import { shown, ValueError } from '../errors';
import type { LabelValues } from '../types';
import { Metric, type MetricConfiguration } from './metric';
import { add, labelsOf, put, revived, Series, siblingOf } from './series';
import { startTimer, type Timer, time } from './timer';

/** Configuration of a gauge. */
export interface GaugeConfiguration<T extends string = string> extends MetricConfiguration<T, Gauge<T>> {}

/** The gauge of one label set. Keep a reference where you write often. */
export class GaugeSeries extends Series {
  /**
   * Sets the value; NaN and infinities are allowed.
   *
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   */
  set(value: number): void {
    if (typeof value === 'number' && this[put](value)) return;
    const number = checkedNumber(value, 'Value');
    this[revived]()[put](number);
  }

  /**
   * Adds a number, which may be negative.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   */
  inc(value: number | null = 1): void {
    if (typeof value === 'number' && this[add](0, value)) return;
    const delta = checkedNumber(value ?? 1, 'Delta');
    this[revived]()[add](0, delta);
  }

  /**
   * Subtracts a number, which may be negative.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   */
  dec(value: number | null = 1): void {
    if (typeof value === 'number' && this[add](0, -value)) return;
    const delta = checkedNumber(value ?? 1, 'Delta');
    this[revived]()[add](0, -delta);
  }

  /** Sets the value to the current time in seconds since 1970. */
  setToCurrentTime(): void {
    this.set(unixMs() / 1000);
  }

  /**
   * Starts a timer. Calling the returned function sets the gauge to the seconds since the start, and returns them.
   * Labels that the call passes are added to the labels of the series.
   */
  startTimer(): Timer {
    return startTimer((more, seconds) => {
      if (more === undefined) this.set(seconds);
      else (this[siblingOf]({ ...this[labelsOf](), ...more }) as GaugeSeries).set(seconds);
    });
  }
}

function checkedNumber(value: unknown, what: 'Value' | 'Delta'): number {
  if (typeof value === 'number') return value;
  throw new ValueError('INVALID_VALUE', `${what} is not a valid number: ${shown(value)}`);
}

/**
 * A value that increases and decreases: requests in flight, queue length, temperature.
 *
 * @example
 * const inFlight = new Gauge({ name: 'requests_in_flight', help: 'Requests being served' });
 * inFlight.inc();
 * inFlight.dec();
 */
export class Gauge<T extends string = string> extends Metric<T, GaugeSeries> {
  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   */
  constructor(configuration: GaugeConfiguration<T>) {
    super('gauge', configuration as MetricConfiguration<T, never>, [], GaugeSeries);
    this.reset();
    this.register();
  }

  /**
   * Sets the value of the series with these labels, or without labels; NaN and infinities are allowed.
   *
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  set(labels: LabelValues<T>, value: number): void;
  set(value: number): void;
  set(labels: LabelValues<T> | number, value?: number): void {
    if (isLabels(labels)) {
      // Checked first, because an invalid value must not create a series.
      const number = checkedNumber(value, 'Value');
      this.series.at(labels).set(number);
    } else {
      this.unlabelled().set(labels);
    }
  }

  /**
   * Adds to the series with these labels, or without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  inc(labels: LabelValues<T>, value?: number | null): void;
  inc(value?: number | null): void;
  inc(labels?: LabelValues<T> | number | null, value?: number | null): void {
    if (isLabels(labels)) {
      const delta = checkedNumber(value ?? 1, 'Delta');
      this.series.at(labels).inc(delta);
    } else {
      this.unlabelled().inc(labels);
    }
  }

  /**
   * Subtracts from the series with these labels, or without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  dec(labels: LabelValues<T>, value?: number | null): void;
  dec(value?: number | null): void;
  dec(labels?: LabelValues<T> | number | null, value?: number | null): void {
    if (isLabels(labels)) {
      const delta = checkedNumber(value ?? 1, 'Delta');
      this.series.at(labels).dec(delta);
    } else {
      this.unlabelled().dec(labels);
    }
  }

  /** Sets the value to the current time in seconds since 1970. */
  setToCurrentTime(labels?: LabelValues<T>): void {
    const now = unixMs() / 1000;
    if (labels === undefined) this.set(now);
    else this.set(labels, now);
  }

  /** Starts a timer. Calling the returned function sets the gauge to the seconds since the start, and returns them. */
  startTimer(labels?: LabelValues<T>): Timer<T> {
    // A copy, because the caller may change its object before the timer ends.
    const own = { ...labels };
    return startTimer<T>((more, seconds) => this.set({ ...own, ...more } as LabelValues<T>, seconds));
  }

  /**
   * Runs a function and sets the gauge to its duration in seconds. If it returns a promise, the time until that is
   * settled. Failures are measured too.
   */
  time<R>(run: () => R): R;
  time<R>(labels: LabelValues<T>, run: () => R): R;
  time<R>(labels: LabelValues<T> | (() => R), run?: () => R): R {
    if (typeof labels === 'function') return time(this.startTimer(), labels);
    // Checked before the function runs, so that an unknown label cannot lose the function's result.
    this.series.placeOfArguments([labels]);
    return time(this.startTimer(labels), run as () => R);
  }

  /** The value of the series with these labels; 0 if there is no such series. */
  value(labels?: LabelValues<T>): number {
    return this.peekCells(labels)?.[0] ?? 0;
  }

  /** Removes all series. A gauge without labels is set to 0. */
  reset(): void {
    this.series.clear();
    if (this.labelNames.length === 0) this.series.createUnlabelled();
  }
}

function isLabels<T extends string>(value: LabelValues<T> | number | null | undefined): value is LabelValues<T> {
  return typeof value === 'object' && value !== null;
}
