/**
 * Gauges: values that go up and down.
 */
import { unixMs } from '../clock';
import { shown, ValueError } from '../errors';
import type { LabelValues } from '../types';
import { Metric, type MetricConfiguration } from './metric';
import { add, labelsOf, put, revived, Series, siblingOf } from './series';
import { startTimer, type Timer, time } from './timer';

/** What a gauge is made from. */
export interface GaugeConfiguration<T extends string = string> extends MetricConfiguration<T, Gauge<T>> {}

/** The gauge of one label set. Keep it where you write often. */
export class GaugeSeries extends Series {
  /**
   * Replaces the value; NaN and infinities are values too.
   *
   * @throws {ValueError} `INVALID_VALUE` for what is no number
   */
  set(value: number): void {
    if (typeof value === 'number' && this[put](value)) return;
    const number = checkedNumber(value, 'Value');
    this[revived]()[put](number);
  }

  /**
   * Adds.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for what is no number
   */
  inc(value: number | null = 1): void {
    if (typeof value === 'number' && this[add](0, value)) return;
    const delta = checkedNumber(value ?? 1, 'Delta');
    this[revived]()[add](0, delta);
  }

  /**
   * Subtracts.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for what is no number
   */
  dec(value: number | null = 1): void {
    if (typeof value === 'number' && this[add](0, -value)) return;
    const delta = checkedNumber(value ?? 1, 'Delta');
    this[revived]()[add](0, -delta);
  }

  /** Sets the value to the seconds since the epoch. */
  setToCurrentTime(): void {
    this.set(unixMs() / 1000);
  }

  /**
   * Starts a clock; calling what it returns sets the gauge to the seconds that have passed, and returns them. Labels
   * given to that call are added to the series' own.
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
 * A value that goes up and down: requests in flight, queue length, temperature.
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
   * Replaces the value of these labels, or without labels; NaN and infinities are values too.
   *
   * @throws {ValueError} `INVALID_VALUE` for what is no number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  set(labels: LabelValues<T>, value: number): void;
  set(value: number): void;
  set(labels: LabelValues<T> | number, value?: number): void {
    if (isLabels(labels)) {
      // First of all, because a refused value creates no series.
      const number = checkedNumber(value, 'Value');
      this.series.at(labels).set(number);
    } else {
      this.unlabelled().set(labels);
    }
  }

  /**
   * Adds to the gauge of these labels, or without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for what is no number
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
   * Subtracts from the gauge of these labels, or without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for what is no number
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

  /** Sets the value to the seconds since the epoch. */
  setToCurrentTime(labels?: LabelValues<T>): void {
    const now = unixMs() / 1000;
    if (labels === undefined) this.set(now);
    else this.set(labels, now);
  }

  /** Starts a clock; calling what it returns sets the gauge to the seconds that have passed, and returns them. */
  startTimer(labels?: LabelValues<T>): Timer<T> {
    // A copy: the caller may use its object for something else before the clock ends.
    const own = { ...labels };
    return startTimer<T>((more, seconds) => this.set({ ...own, ...more } as LabelValues<T>, seconds));
  }

  /** Runs a function and sets the gauge to the seconds it took, or its promise did; failures too. */
  time<R>(run: () => R): R;
  time<R>(labels: LabelValues<T>, run: () => R): R;
  time<R>(labels: LabelValues<T> | (() => R), run?: () => R): R {
    if (typeof labels === 'function') return time(this.startTimer(), labels);
    // Before the function runs: what it returns must not be lost to a label that does not exist.
    this.series.placeOfArguments([labels]);
    return time(this.startTimer(labels), run as () => R);
  }

  /** The gauge's value; 0 where the series does not exist. */
  value(labels?: LabelValues<T>): number {
    return this.peekCells(labels)?.[0] ?? 0;
  }

  /** Removes all series; without labels the gauge is 0 again. */
  reset(): void {
    this.series.clear();
    if (this.labelNames.length === 0) this.series.createUnlabelled();
  }
}

function isLabels<T extends string>(value: LabelValues<T> | number | null | undefined): value is LabelValues<T> {
  return typeof value === 'object' && value !== null;
}
