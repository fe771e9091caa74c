/**
 * What changed between two expositions, series by series, in an order that depends on nothing but them.
 */
import { Exposition, type ParsedFamily, type ParsedType, parseExposition } from './parse';
import { labelSetKey } from './series-key';

/** What is compared: an exposition's text, or what was read of it. */
export type Snapshot = string | Uint8Array | Exposition;

/** A series that only one snapshot has. */
export interface LoneSeries {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A series whose value is another. */
export interface ChangedSeries {
  name: string;
  labels: Record<string, string>;
  before: number;
  after: number;
  /** `after` less `before`. */
  delta: number;
  /** What only goes up went down: its process began anew, or somebody reset it. */
  reset: boolean;
}

/** A family that only one snapshot has, or that is described otherwise. */
export interface ChangedFamily {
  name: string;
  /** What it was; undefined if it was not there. */
  before: FamilyDescription | undefined;
  /** What it is; undefined if it is gone. */
  after: FamilyDescription | undefined;
}

/** What an exposition says of a family. */
export interface FamilyDescription {
  type: ParsedType;
  help: string;
  unit: string;
}

/** What changed between two snapshots; sorted by name, then by labels, buckets by their bounds. */
export class SnapshotDiff {
  constructor(
    /** Series that were not there before. */
    readonly added: readonly LoneSeries[],
    /** Series that are gone. */
    readonly removed: readonly LoneSeries[],
    readonly changed: readonly ChangedSeries[],
    /** Families that came, went, or changed their type, help or unit. */
    readonly families: readonly ChangedFamily[],
  ) {}

  /** Whether nothing changed. */
  get isEmpty(): boolean {
    return [this.added, this.removed, this.changed, this.families].every((changes) => changes.length === 0);
  }

  /** How much a series has grown; one that was not there before has grown from 0. 0 where nothing changed. */
  delta(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const key = seriesKey(name, labels);
    const isIt = (series: LoneSeries | ChangedSeries) => seriesKey(series.name, series.labels) === key;
    const lost = this.removed.find(isIt)?.value;
    return this.changed.find(isIt)?.delta ?? this.added.find(isIt)?.value ?? (lost === undefined ? 0 : -lost);
  }

  /** A line a change, for a test's failure. */
  toString(): string {
    if (this.isEmpty) return 'Nothing changed';
    const described = this.families.flatMap(familyLines);
    const lines = [
      ...this.added.map((series) => `+ ${shown(series)} ${series.value}`),
      ...this.removed.map((series) => `- ${shown(series)} ${series.value}`),
      ...this.changed.map((series) => `~ ${shown(series)} ${series.before} → ${series.after} (${growth(series)})`),
    ];
    const counts = `${this.added.length} series added, ${this.removed.length} removed, ${this.changed.length} changed`;
    return [counts, ...described, ...lines].map((line, at) => (at === 0 ? line : `  ${line}`)).join('\n');
  }
}

/**
 * What changed between two snapshots. Timestamps and exemplars are not compared; NaN is NaN, and `le="1"` is
 * `le="1.0"`, so that a text snapshot may be compared with one of OpenMetrics.
 *
 * @throws {ExpositionError} `INVALID_EXPOSITION`
 */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDiff {
  const [old, now] = [indexed(before), indexed(after)];
  const added: LoneSeries[] = [];
  const changed: ChangedSeries[] = [];
  for (const [key, { name, labels, value, isCounted }] of now.series) {
    const known = old.series.get(key);
    if (known === undefined) added.push({ name, labels, value });
    else if (!isSame(known.value, value)) {
      const reset = isCounted && known.isCounted && value < known.value;
      changed.push({ name, labels, before: known.value, after: value, delta: value - known.value, reset });
    }
  }
  const gone = [...old.series].filter(([key]) => !now.series.has(key));
  const removed = gone.map(([, { name, labels, value }]) => ({ name, labels, value }));
  return new SnapshotDiff(
    added.sort(bySeries),
    removed.sort(bySeries),
    changed.sort(bySeries),
    changedFamilies(old.families, now.families),
  );
}

interface IndexedSeries extends LoneSeries {
  /** It only goes up. */
  isCounted: boolean;
}

interface Indexed {
  series: Map<string, IndexedSeries>;
  families: Map<string, FamilyDescription>;
}

function indexed(snapshot: Snapshot): Indexed {
  const { families } = snapshot instanceof Exposition ? snapshot : parseExposition(snapshot);
  const indexed: Indexed = { series: new Map(), families: new Map() };
  for (const family of families) {
    const { type, help, unit } = family;
    indexed.families.set(familyName(family), { type, help, unit });
    for (const { name, labels, value } of family.samples) {
      const isCounted = isCountedSample(type, name.slice(family.name.length));
      indexed.series.set(seriesKey(name, labels), { name, labels, value, isCounted });
    }
  }
  return indexed;
}

/** The name that a family has in OpenMetrics, so that both formats are found under one. */
function familyName({ name, type }: ParsedFamily): string {
  return type === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
}

/** A sum goes down with a negative observation. */
function isCountedSample(type: ParsedType, suffix: string): boolean {
  if (type === 'counter') return suffix === '' || suffix === '_total';
  return (type === 'histogram' || type === 'summary') && (suffix === '_bucket' || suffix === '_count');
}

/** Thresholds are numbers, however they are written. */
function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const same = { ...labels };
  for (const threshold of ['le', 'quantile']) {
    const number = thresholdOf(same[threshold]);
    // What is no number is told apart by its text.
    if (!Number.isNaN(number)) same[threshold] = String(number);
  }
  return `${name} ${labelSetKey(same)}`;
}

function thresholdOf(text: string | undefined): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}

function isSame(one: number, two: number): boolean {
  return one === two || (Number.isNaN(one) && Number.isNaN(two));
}

function bySeries(one: LoneSeries | ChangedSeries, two: LoneSeries | ChangedSeries): number {
  const { le: oneBound, ...oneLabels } = one.labels;
  const { le: twoBound, ...twoLabels } = two.labels;
  return (
    compare(one.name, two.name) ||
    compare(labelSetKey(oneLabels), labelSetKey(twoLabels)) ||
    compare(thresholdOf(oneBound), thresholdOf(twoBound))
  );
}

/** By UTF-16 units: an order that is the same on every machine. */
function compare<V extends string | number>(one: V, two: V): number {
  return one < two ? -1 : Number(one > two);
}

function changedFamilies(
  old: ReadonlyMap<string, FamilyDescription>,
  now: ReadonlyMap<string, FamilyDescription>,
): ChangedFamily[] {
  const names = [...new Set([...old.keys(), ...now.keys()])].sort(compare);
  const families = names.map((name) => ({ name, before: old.get(name), after: now.get(name) }));
  return families.filter(({ before, after }) => {
    return before?.type !== after?.type || before?.help !== after?.help || before?.unit !== after?.unit;
  });
}

function familyLines({ name, before, after }: ChangedFamily): string[] {
  if (before === undefined) return [`+ ${after?.type} ${name}`];
  if (after === undefined) return [`- ${before.type} ${name}`];
  const lines: string[] = [];
  if (before.type !== after.type) lines.push(`~ type of ${name}: ${before.type} → ${after.type}`);
  for (const what of ['help', 'unit'] as const) {
    const [old, now] = [before[what], after[what]].map((text) => JSON.stringify(text));
    if (old !== now) lines.push(`~ ${what} of ${name}: ${old} → ${now}`);
  }
  return lines;
}

function shown({ name, labels }: LoneSeries | ChangedSeries): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

function growth({ delta, reset }: ChangedSeries): string {
  if (reset) return 'reset';
  return delta < 0 ? String(delta) : `+${delta}`;
}
