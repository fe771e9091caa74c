/**
 * Exemplars: one recent example a counter or a bucket, with the labels that lead to its trace.
 */
import { native } from '../errors';
import { textOf } from '../labels/value';
import type { NativeFamily } from '../native/addon';
import type { LabelValue, LabelValues } from '../types';

/** Labels of an exemplar, a trace id most of all: 128 characters, names and values together. */
export type ExemplarLabels = Readonly<Record<string, LabelValue>>;

/** How a metric with `enableExemplars` is recorded. */
export interface WithExemplar<T extends string = string> {
  labels?: LabelValues<T>;
  /** For a counter, 1 where it is left out. */
  value?: number;
  exemplarLabels?: ExemplarLabels;
}

/** An exemplar that has not been given its place. */
class PendingExemplar {
  readonly #labels: string[];

  constructor(labels: string[]) {
    this.#labels = labels;
  }

  /** Attaches it to a cell of a series. */
  attach(family: NativeFamily, id: number, cell: number, value: number): void {
    native(() => family.setExemplar(id, cell, this.#labels, value, Date.now() / 1000));
  }
}

/** An exemplar of these labels; nothing where there are none. */
export function exemplarOf(labels: ExemplarLabels): PendingExemplar | undefined {
  const flat = Object.entries(labels).flatMap(([name, value]) => [name, textOf(name, value)]);
  return flat.length === 0 ? undefined : new PendingExemplar(flat);
}
