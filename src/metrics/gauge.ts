/**
 * Implements gauges: values that increase and decrease.
 */
import { unixMs } from '../clock';
import { shown, ValueError } from '../errors';
import { NO_SLOT } from '../labels/table';
import { addTo, putTo } from '../native/contributor';
import type { AnyLabels, Over } from '../types';
import { childOf, enter, Metric, type MetricConfiguration, type Passed } from './metric';
import { add, labelsOf, put, revived, Series, seriesSet, siblingOf } from './series';
import type { SeriesSet } from './series-set';
import { startTimer, type Timer, timeCall } from './timer';

/** Configuration of a gauge. */
export interface GaugeConfiguration<T extends string = string> extends MetricConfiguration<T, Gauge<T>> {}

/** The gauge of one label set. Keep a reference where you write often. */
export interface GaugeSeries<T extends string = string> {
  /**
   * Sets the value; NaN and infinities are allowed.
   *
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   */
  set(value: number): void;

  /**
   * Adds a number, which may be negative.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   */
  inc<P = never>(value?: Over<P, number | null>): void;

  /**
   * Subtracts a number, which may be negative.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   */
  dec<P = never>(value?: Over<P, number | null>): void;

  /** Sets the value to the current time in seconds since 1970. */
  setToCurrentTime(): void;

  /**
   * Starts a timer. Calling the returned function sets the gauge to the seconds since the start, and returns them.
   * Labels that the call passes are added to the labels of the series.
   */
  startTimer<P = never>(...args: Over<P, []>): Over<P, Timer<T>>;
  startTimer<P = never>(...args: Over<P, []>): Over<P, Timer<T>>;
}

/** The series of a gauge. */
export class GaugeCells extends Series {
  set(value: number): void {
    if (typeof value === 'number' && this[put](value)) return;
    const number = checkedNumber(value, 'Value');
    this[revived]()[put](number);
  }

  inc(value: number | null = 1): void {
    if (typeof value === 'number' && this[add](0, value)) return;
    const delta = checkedNumber(value ?? 1, 'Delta');
    this[revived]()[add](0, delta);
  }

  dec(value: number | null = 1): void {
    if (typeof value === 'number' && this[add](0, -value)) return;
    const delta = checkedNumber(value ?? 1, 'Delta');
    this[revived]()[add](0, -delta);
  }

  setToCurrentTime(): void {
    this.set(unixMs() / 1000);
  }

  startTimer(): Timer {
    return startTimer((more, seconds) => {
      if (more === undefined) this.set(seconds);
      else (this[siblingOf]({ ...this[labelsOf](), ...more }) as GaugeCells).set(seconds);
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
export class Gauge<T extends string = string> extends Metric<T, GaugeCells, GaugeSeries<T>> {
  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   */
  constructor(configuration: GaugeConfiguration<T>) {
    super(configuration as MetricConfiguration<T, never>, { type: 'gauge', buckets: [], series: GaugeCells });
    this.reset();
    enter(this);
  }

  /** @internal */
  override [childOf](series: GaugeCells, labels: () => AnyLabels<T>): GaugeSeries<T> {
    const child: GaugeSeries<T> = {
      inc: (value) => series.inc(value),
      dec: (value) => series.dec(value),
      set: (value) => series.set(value),
      setToCurrentTime: () => series.setToCurrentTime(),
      startTimer: () => series.startTimer(),
    };
    if (
      this.set === OWN.set &&
      this.inc === OWN.inc &&
      this.dec === OWN.dec &&
      this.setToCurrentTime === OWN.setToCurrentTime &&
      this.startTimer === OWN.startTimer
    ) {
      return child;
    }
    for (const name of Object.keys(child) as (keyof GaugeSeries)[]) {
      const passed = (...args: unknown[]) => (this[name] as Passed)(...([labels(), ...args] as never[]));
      Object.assign(child, { [name]: passed });
    }
    return child;
  }

  /**
   * Sets the value of the series with these labels, or without labels; NaN and infinities are allowed.
   *
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  set<P = never>(labels: Over<P, AnyLabels<T>>, value: number): void;
  set(value: number): void;
  set(labels: AnyLabels<T> | number, value?: number): void {
    const set = this[seriesSet];
    if (isLabels(labels)) setLabelled(set, labels, checkedNumber(value, 'Value'));
    else if (set.plainSlot === NO_SLOT) set.unlabelled().set(labels);
    else putTo(set.plainSlot, checkedNumber(labels, 'Value'));
  }

  /**
   * Adds to the series with these labels, or without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  inc<P = never>(labels: Over<P, AnyLabels<T>>, value?: Over<P, number | null>): void;
  inc<P = never>(value?: Over<P, number | null>): void;
  inc(labels?: AnyLabels<T> | number | null, value?: number | null): void {
    const set = this[seriesSet];
    if (isLabels(labels)) incLabelled(set, labels, checkedNumber(value ?? 1, 'Delta'));
    else if (set.plainSlot === NO_SLOT) set.unlabelled().inc(labels);
    else addTo(set.plainSlot, checkedNumber(labels ?? 1, 'Delta'));
  }

  /**
   * Subtracts from the series with these labels, or without labels.
   *
   * @param value defaults to 1
   * @throws {ValueError} `INVALID_VALUE` for a value that is not a number
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  dec<P = never>(labels: Over<P, AnyLabels<T>>, value?: Over<P, number | null>): void;
  dec<P = never>(value?: Over<P, number | null>): void;
  dec(labels?: AnyLabels<T> | number | null, value?: number | null): void {
    const set = this[seriesSet];
    if (isLabels(labels)) decLabelled(set, labels, checkedNumber(value ?? 1, 'Delta'));
    else if (set.plainSlot === NO_SLOT) set.unlabelled().dec(labels);
    else addTo(set.plainSlot, -checkedNumber(labels ?? 1, 'Delta'));
  }

  /** Sets the value to the current time in seconds since 1970. */
  setToCurrentTime(labels?: AnyLabels<T>): void {
    const now = unixMs() / 1000;
    if (labels === undefined) this.set(now);
    else this.set(labels, now);
  }

  /**
   * Starts a timer. Calling the returned function sets the gauge to the seconds since the start, and returns them.
   *
   * @param labels read when the timer ends, so they may be completed until then
   */
  startTimer(labels?: AnyLabels<T>): Timer<T> {
    return startTimer<T>((more, seconds) => this.set({ ...labels, ...more } as AnyLabels<T>, seconds));
  }

  /**
   * Runs a function and sets the gauge to its duration in seconds. If it returns a promise, the time until that is
   * settled. Failures are measured too.
   */
  time<R, P = never>(...args: Over<P, [run: () => R]>): Over<P, R>;
  time<R, P = never>(...args: Over<P, [labels: AnyLabels<T>, run: () => R]>): Over<P, R>;
  time<R>(labels: AnyLabels<T> | (() => R), run?: () => R): R {
    return timeCall<T, R>(this, labels, run);
  }

  /** The value of the series with these labels; 0 if there is no such series. */
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, number>;
  value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, number>;
  value(labels?: AnyLabels<T>): number {
    return this[seriesSet].cells(labels)?.[0] ?? 0;
  }

  /** The peers' name of `value()`. @internal */
  _getValue(labels?: AnyLabels<T>): number {
    return this[seriesSet].cells(labels)?.[0] ?? 0;
  }

  /** Removes all series. A gauge without labels is set to 0. */
  reset(): void {
    this[seriesSet].clear();
    if (this.labelNames.length === 0) this[seriesSet].createUnlabelled();
  }
}

/** The name that prom-client has for a child. */
export declare namespace Gauge {
  /** What `labels()` returns. */
  interface Internal<T extends string = string> extends GaugeSeries<T> {}
}

/** The methods before a subclass, a test or a program replaces them. */
const { set, inc, dec, setToCurrentTime, startTimer: start } = Gauge.prototype;
const OWN = { set, inc, dec, setToCurrentTime, startTimer: start };

// The methods above are short, so that engines copy them into the caller's code. They check values first, because an invalid
// one must not create a series.

function setLabelled(set: SeriesSet<GaugeCells>, labels: object, value: number): void {
  const slot = set.find(labels);
  if (slot === NO_SLOT) set.reached(labels).set(value);
  else putTo(slot, value);
}

function incLabelled(set: SeriesSet<GaugeCells>, labels: object, delta: number): void {
  const slot = set.find(labels);
  if (slot === NO_SLOT) set.reached(labels).inc(delta);
  else addTo(slot, delta);
}

function decLabelled(set: SeriesSet<GaugeCells>, labels: object, delta: number): void {
  const slot = set.find(labels);
  if (slot === NO_SLOT) set.reached(labels).dec(delta);
  else addTo(slot, -delta);
}

function isLabels<T extends string>(value: AnyLabels<T> | number | null | undefined): value is AnyLabels<T> {
  return typeof value === 'object' && value !== null;
}
