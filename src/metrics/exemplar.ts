/**
 * Attaches exemplars: one recent value for each counter or bucket, with labels that identify its trace.
 */
import { unixMs } from '../clock';
import { native } from '../errors';
import { flatLabels } from '../labels/value';
import { addon, type NativeFamily } from '../native/addon';
import type { AnyLabels, LabelValue } from '../types';
import { idOf, revived, type Series } from './series';

/** Labels of an exemplar, usually a trace ID. At most 128 characters, names and values together. */
export type ExemplarLabels = Readonly<Record<string, LabelValue>>;

/** The argument of `inc()` of a counter with `enableExemplars`. */
export interface IncreaseDataWithExemplar<T extends string = string> {
  labels?: AnyLabels<T> | undefined;
  /** The increment. @default 1 */
  value?: number | undefined;
  exemplarLabels?: ExemplarLabels | undefined;
}

/** The argument of `observe()` of a histogram with `enableExemplars`. */
export interface ObserveDataWithExemplar<T extends string = string> extends IncreaseDataWithExemplar<T> {
  /** The observation. */
  value: number;
}

/** The argument of `inc()` and `observe()` of a metric with `enableExemplars`. */
export type WithExemplar<T extends string = string> = IncreaseDataWithExemplar<T>;

/** An exemplar that is checked and not yet attached to a series. */
class PendingExemplar {
  readonly #labels: string[];

  constructor(labels: string[]) {
    this.#labels = labels;
  }

  /** Attaches it to a cell of a series that has cells. */
  attach(family: NativeFamily, series: Series, cell: number, value: number): void {
    // If `series` is a stale handle, the value was written to the current one; attach the exemplar there.
    const id = series[revived]()[idOf]();
    // Over a limit, the value may have gone to cells that no series shows.
    if (id < 0) return;
    native(() => family.setExemplar(id, cell, this.#labels, value, unixMs() / 1000));
  }
}

/**
 * Checks the labels of an exemplar; `undefined` if there are no labels.
 *
 * @throws {LabelError} `INVALID_LABEL_VALUE` for more than 128 characters
 * @throws {RegistrationError} `INVALID_LABEL_NAME`
 */
export function checkedExemplar(labels: ExemplarLabels | undefined): PendingExemplar | undefined {
  const present = Object.entries(labels ?? {}).filter(([, value]) => value !== undefined && value !== null);
  // An exemplar whose labels are all absent identifies nothing, and must not replace one that does.
  if (present.every(([, value]) => value === '')) return undefined;
  const flat = flatLabels(Object.fromEntries(present));
  native(() => addon.checkExemplar(flat));
  return new PendingExemplar(flat);
}
