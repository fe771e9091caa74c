/**
 * Exemplars: one recent example a counter or a bucket, with the labels that lead to its trace.
 */
import { unixMs } from '../clock';
import { native } from '../errors';
import { flatLabels } from '../labels/value';
import { addon, type NativeFamily } from '../native/addon';
import type { LabelValue, LabelValues } from '../types';
import { idOf, revived, type Series } from './series';

/** Labels of an exemplar, a trace id most of all: 128 characters, names and values together. */
export type ExemplarLabels = Readonly<Record<string, LabelValue>>;

/** How a metric with `enableExemplars` is recorded. */
export interface WithExemplar<T extends string = string> {
  labels?: LabelValues<T> | undefined;
  /** For a counter, 1 where it is left out. */
  value?: number | undefined;
  exemplarLabels?: ExemplarLabels | undefined;
}

/** An exemplar that has not been given its place. */
class PendingExemplar {
  readonly #labels: string[];

  constructor(labels: string[]) {
    this.#labels = labels;
  }

  /** Attaches it to a cell of a series that exists. */
  attach(family: NativeFamily, series: Series, cell: number, value: number): void {
    // A second child of the series forwards what it records; the exemplar belongs where it went.
    const id = series[revived]()[idOf]();
    // What a limit drops has no series that could show it.
    if (id < 0) return;
    native(() => family.setExemplar(id, cell, this.#labels, value, unixMs() / 1000));
  }
}

/**
 * An exemplar of these labels; nothing where there are none.
 *
 * @throws {LabelError} `INVALID_LABEL_VALUE` for more than 128 characters
 */
export function exemplarOf(labels: ExemplarLabels | undefined): PendingExemplar | undefined {
  const flat = flatLabels(labels ?? {});
  if (flat.length === 0) return undefined;
  native(() => addon.checkExemplar(flat));
  return new PendingExemplar(flat);
}
