/**
 * Adds members of the peers' metrics that programs read or assign: `hashMap`, `upperBounds` and others. They are views,
 * made when they are read; the values are in the cells. TypeScript does not declare them, and neither do the peers.
 */
import type { MetricType } from '../types';
import { restore, revived, type Series, seriesSet } from './series';
import type { SeriesSet } from './series-set';
import { type ReadSeries, readSeries } from './values';

/** A metric, as the views see it. */
interface Viewed {
  readonly type: MetricType;
  readonly labelNames: readonly string[];
  readonly [seriesSet]: SeriesSet<Series>;
}

/** One series in prom-client's form: of counters and gauges with `value`, of histograms and summaries with the others. */
interface HashMapEntry {
  labels?: Record<string, unknown>;
  value?: number;
  bucketValues?: Record<string, number>;
  count?: number;
  sum?: number;
}

/** How to read a member, and what assigning to it does; by default the assigned value replaces the view. */
interface Member<M> {
  read(metric: M): unknown;
  assign?(metric: M, value: unknown): void;
}

/** Adds members to a class. */
export function addMembers<M extends object>(prototype: M, members: Readonly<Record<string, Member<M>>>): void {
  for (const [name, { read, assign }] of Object.entries(members)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: M) {
        // A metric that is not constructed yet, such as the prototype in a debugger.
        return Reflect.has(this, seriesSet) ? read(this) : undefined;
      },
      set(this: M, value: unknown) {
        if (assign !== undefined) assign(this, value);
        else Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
      },
    });
  }
}

/** The members of all metrics. */
export const COMMON_MEMBERS: Readonly<Record<string, Member<Viewed>>> = {
  hashMap: { read: hashMapOf, assign: replaceSeries },
  sortedLabelNames: { read: ({ labelNames }) => [...labelNames].sort() },
};

/** The members of histograms. */
export const HISTOGRAM_MEMBERS: Readonly<Record<string, Member<Viewed>>> = {
  buckets: { read: boundsOf },
  upperBounds: { read: boundsOf },
  bucketValues: { read: (metric) => Object.freeze(byBound(metric, () => 0)) },
};

function boundsOf(metric: Viewed): readonly number[] {
  return Object.freeze([...metric[seriesSet].bounds]);
}

function byBound<V>(metric: Viewed, of: (bucket: number) => V): Record<string, V> {
  return Object.fromEntries(metric[seriesSet].bounds.map((bound, bucket) => [bound, of(bucket)]));
}

/** The series by prom-client's keys. Removing an entry removes its series; setting one sets its values. */
function hashMapOf(metric: Viewed): object {
  const map: Record<string, object> = {};
  const names = [...metric.labelNames].sort();
  for (const series of readSeries(metric)) map[hashObject(series.labels, names)] = entryOf(metric, series);
  const set = metric[seriesSet];
  return new Proxy(map, {
    deleteProperty(target, key) {
      const entry = target[String(key)] as HashMapEntry | undefined;
      if (entry !== undefined) set.remove(set.placeOfArguments([entry.labels]));
      return Reflect.deleteProperty(target, key);
    },
    set(target, key, entry) {
      writeEntry(metric, entry);
      return Reflect.set(target, key, entry);
    },
  });
}

/** prom-client's key of a label set: `name:value,` for each label. */
export function hashObject(labels: object, names: readonly string[] = Object.keys(labels).sort()): string {
  const all = labels as Record<string, unknown>;
  const present = names.filter((name) => all[name] !== undefined);
  return present.map((name) => `${name}:${all[name]},`).join('');
}

function entryOf(metric: Viewed, { labels, cells, exemplars }: ReadSeries): object {
  const { bounds } = metric[seriesSet];
  if (metric.type === 'summary') {
    const [count, sum] = cells.slice(bounds.length);
    const percentile = (quantile: number) => cells[bounds.indexOf(quantile)];
    return { labels, td: Object.freeze({ percentile, size: () => count, compress: () => undefined }), count, sum };
  }
  if (metric.type === 'histogram') {
    const counts = cells.slice(0, -1);
    const shown = { sum: cells[cells.length - 1], count: counts.reduce((total, count) => total + count, 0) };
    const entry = { labels, bucketValues: byBound(metric, (bucket) => counts[bucket]), ...shown };
    if (exemplars === undefined) return entry;
    const bucketExemplars = byBound(metric, (bucket) => exemplars[bucket] ?? null);
    return { ...entry, bucketExemplars: { ...bucketExemplars, '-1': exemplars[bounds.length] ?? null } };
  }
  const [exemplar] = exemplars ?? [];
  return {
    labels,
    get value() {
      return cells[0];
    },
    set value(value: number) {
      cells[0] = value;
      writeEntry(metric, { labels, value });
    },
    ...(exemplar ? { exemplar } : {}),
  };
}

function replaceSeries(metric: Viewed, map: unknown): void {
  metric[seriesSet].clear();
  for (const entry of Object.values(map ?? {})) writeEntry(metric, entry);
}

function writeEntry(metric: Viewed, { labels = {}, value = 0, bucketValues, count = 0, sum = 0 }: HashMapEntry): void {
  const set = metric[seriesSet];
  const series = set.at(labels)[revived]();
  if (metric.type === 'histogram') {
    const counts = set.bounds.map((bound) => bucketValues?.[bound] ?? 0);
    const above = counts.reduce((rest, bucket) => rest - bucket, count);
    series[restore]([...counts, above, sum]);
  } else {
    series[restore](metric.type === 'summary' ? [count, sum] : [value]);
  }
}
