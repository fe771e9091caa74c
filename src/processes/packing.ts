/**
 * Packs the families of a message: each label set once, with the values of all its samples. Only processes that both use
 * this library send packed families; a peer receives and sends plain ones. Combines packed families as they are.
 */
import type { Aggregator, MetricObjectWithValues, MetricValue } from '../types';

type Family = MetricObjectWithValues;

/** The place of a sample in its row: the sample's name, and its `le`, both undefined if it has none. */
type Slot = readonly [string | undefined, string | number | undefined];

/** A histogram. */
export interface Packed {
  readonly name: string;
  readonly help: string;
  readonly type: Family['type'];
  readonly aggregator: Aggregator;
  readonly unit?: string | undefined;
  readonly slots: readonly Slot[];
  /** The labels of each row. */
  readonly labels: readonly Readonly<Record<string, string | number>>[];
  /** The values of all rows, one row after the other. */
  readonly numbers: readonly number[];
}

export function isPacked(family: Family | Packed): family is Packed {
  return 'slots' in family;
}

/** Packs a histogram whose rows are alike and whose values are finite; returns any other family as it is. */
export function pack(family: Family): Family | Packed {
  const { values = [], ...head } = family;
  const { name, type, aggregator } = head;
  const width = 1 + values.findIndex(({ metricName }) => metricName === `${name}_count`);
  if (type !== 'histogram' || aggregator !== 'sum' || width === 0 || values.length % width !== 0) return family;
  const slots = values.slice(0, width).map(slotOf);
  const labels: Record<string, string | number>[] = [];
  for (let start = 0; start < values.length; start += width) {
    const own = values[start + width - 1].labels as Record<string, string | number>;
    for (let index = 0; index < width; index++) {
      const value = values[start + index];
      if (!fits(value, slots[index], own)) return family;
    }
    labels.push(own);
  }
  return { ...head, slots, labels, numbers: values.map(({ value }) => value) };
}

const slotOf = ({ metricName, labels }: MetricValue): Slot => [metricName, labels.le];

/** True if a sample is what `unpack()` makes of its slot and row. */
function fits(sample: MetricValue, [metricName, le]: Slot, own: Record<string, unknown>): boolean {
  const { labels, value } = sample;
  if (sample.metricName !== metricName || labels.le !== le || !Number.isFinite(value)) return false;
  const names = Object.keys(own);
  const all = Object.keys(labels);
  const first = le === undefined ? 0 : 1;
  if (all.length !== names.length + first || (first === 1 && all[0] !== 'le')) return false;
  const given: Record<string, unknown> = labels;
  return names.every((name, index) => all[index + first] === name && given[name] === own[name]);
}

export function unpack(packed: Family | Packed): Family {
  if (!isPacked(packed)) return packed;
  const { slots, labels, numbers, ...head } = packed;
  const values = numbers.map((value, index): MetricValue => {
    const [metricName, le] = slots[index % slots.length];
    const own = labels[Math.floor(index / slots.length)];
    return {
      value,
      labels: le === undefined || le === null ? own : { le, ...own },
      ...(metricName === undefined ? {} : { metricName }),
    };
  });
  return { ...head, values };
}

/** The sum of packed families of one name; `undefined` if their buckets differ. */
export function sumPacked(families: readonly Packed[], keyOf: (labels: object) => string): Packed | undefined {
  const [first, ...others] = families;
  const width = first.slots.length;
  const slots = JSON.stringify(first.slots);
  if (others.some((family) => JSON.stringify(family.slots) !== slots)) return undefined;
  const rows = new Map<string, number>();
  const labels: Packed['labels'][number][] = [];
  const numbers: number[] = [];
  for (const family of families) {
    for (const [index, own] of family.labels.entries()) {
      const key = keyOf(own);
      let row = rows.get(key);
      if (row === undefined) {
        row = labels.push(own) - 1;
        rows.set(key, row);
        for (let slot = 0; slot < width; slot++) numbers.push(0);
      }
      for (let slot = 0; slot < width; slot++) numbers[row * width + slot] += family.numbers[index * width + slot];
    }
  }
  return { ...first, labels, numbers };
}

/**
 * The bounds of a packed histogram, and for each row the cells of its series: the count of each bucket alone, then the
 * sum. `undefined` if it is not a histogram of this library.
 */
export function rowsOf({ name, slots, labels, numbers }: Packed): { bounds: number[]; cells: number[][] } | undefined {
  const buckets = slots.length - 2;
  const names = [...new Array<string>(buckets).fill(`${name}_bucket`), `${name}_sum`, `${name}_count`];
  const bounds = slots.slice(0, buckets - 1).map(([, le]) => Number(le));
  const isOwn =
    slots.every(([metricName], index) => metricName === names[index]) &&
    slots[buckets - 1]?.[1] === '+Inf' &&
    bounds.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > bounds[index - 1]));
  if (!isOwn || labels.length === 0) return undefined;
  const cells: number[][] = [];
  for (let start = 0; start < numbers.length; start += slots.length) {
    const row = numbers.slice(start, start + slots.length);
    const alone = row.slice(0, buckets).map((count, index) => (index === 0 ? count : count - row[index - 1]));
    if (row[buckets + 1] !== row[buckets - 1] || alone.some((count) => count < 0)) return undefined;
    cells.push([...alone, row[buckets]]);
  }
  return { bounds, cells };
}
