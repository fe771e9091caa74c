/**
 * Restores the cells of a histogram from its cumulative buckets. Must not know registries.
 */
import type { ParsedExemplar, ParsedFamily, ParsedSample } from './parse';
import { labelSetKey } from './series-key';

/** One series: its labels, the values of its cells, and exemplars by cell. */
export interface RecordedSeries {
  readonly labels: Record<string, string>;
  readonly cells: readonly number[];
  readonly exemplars: readonly (ParsedExemplar | undefined)[];
}

/** The content of a recorded metric: the upper bounds of a histogram's buckets, and the series. */
export interface RecordedMetric {
  readonly buckets: readonly number[];
  readonly series: readonly RecordedSeries[];
}

/** The samples of one label set. */
interface Group {
  readonly labels: Record<string, string>;
  readonly bounds: number[];
  readonly counts: number[];
  readonly exemplars: (ParsedExemplar | undefined)[];
  sum?: number;
  count?: number;
}

/** The histogram of a family; nothing if a label set is incomplete, or if label sets have different buckets. */
export function histogramOf(family: ParsedFamily, isText: boolean): RecordedMetric | undefined {
  const groups = new Map<string, Group>();
  for (const sample of family.samples) {
    const { le, ...labels } = sample.labels;
    const key = labelSetKey(labels);
    const group = groups.get(key) ?? { labels, bounds: [], counts: [], exemplars: [] };
    groups.set(key, group);
    if (!enter(group, sample, sample.name.slice(family.name.length), le)) return undefined;
  }
  const [first] = groups.values();
  if (first === undefined) return undefined;
  const series: RecordedSeries[] = [];
  for (const group of groups.values()) {
    const cells = cellsOf(group, isText);
    if (cells === undefined || !isSame(group.bounds, first.bounds)) return undefined;
    series.push({ labels: group.labels, cells, exemplars: group.exemplars });
  }
  return { buckets: first.bounds.slice(0, -1), series };
}

/** Adds a sample. @returns false for a sample that a histogram cannot have, or a duplicate */
function enter(group: Group, sample: ParsedSample, suffix: string, le: string | undefined): boolean {
  if ((le === undefined) === (suffix === '_bucket')) return false;
  switch (suffix) {
    case '_bucket':
      group.bounds.push(boundOf(le ?? ''));
      group.counts.push(sample.value);
      group.exemplars.push(sample.exemplar);
      return true;
    case '_sum':
      if (group.sum !== undefined) return false;
      group.sum = sample.value;
      return true;
    case '_count':
      if (group.count !== undefined) return false;
      group.count = sample.value;
      return true;
    default:
      return false;
  }
}

/** The count of each single bucket, and the sum; nothing if the counts do not add up to the recorded ones again. */
function cellsOf({ bounds, counts, sum, count }: Group, isText: boolean): number[] | undefined {
  const isAscending = bounds.every((bound, at) => at === 0 || bound > bounds[at - 1]);
  if (!isAscending || bounds.at(-1) !== Number.POSITIVE_INFINITY) return undefined;
  // In OpenMetrics, a histogram with a negative bound has neither sum nor count.
  const isWhole = (sum !== undefined && count !== undefined) || (!isText && bounds[0] < 0);
  if (!isWhole || (count ?? counts.at(-1)) !== counts.at(-1)) return undefined;
  const cells = counts.map((value, at) => value - (counts[at - 1] ?? 0));
  let total = 0;
  const adds = cells.every((cell, at) => {
    total += cell;
    return cell >= 0 && total === counts[at];
  });
  return adds ? [...cells, sum ?? 0] : undefined;
}

function isSame(one: readonly number[], two: readonly number[]): boolean {
  return one.length === two.length && one.every((bound, at) => bound === two[at]);
}

function boundOf(le: string): number {
  if (le === '+Inf') return Number.POSITIVE_INFINITY;
  return le === '' ? Number.NaN : Number(le);
}
