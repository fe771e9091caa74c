/**
 * Compares two expositions, series by series. The order of the result depends only on the expositions.
 */
import { Exposition, type ParsedFamily, type ParsedType, parseExposition } from './parse';
import { labelSetKey } from './series-key';

/** An exposition to compare: its text, its bytes, or a parsed exposition. */
export type Snapshot = string | Uint8Array | Exposition;

/** A series that only one snapshot has. */
export interface LoneSeries {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A series with a different value. */
export interface ChangedSeries {
  name: string;
  labels: Record<string, string>;
  before: number;
  after: number;
  /** `after` minus `before`. */
  delta: number;
  /** True if a counter's value fell: its process restarted, or the counter was reset. */
  reset: boolean;
}

/** A family that only one snapshot has, or whose type, help or unit differs. */
export interface ChangedFamily {
  name: string;
  /** Undefined if the family was added. */
  before: FamilyDescription | undefined;
  /** Undefined if the family was removed. */
  after: FamilyDescription | undefined;
}

/** Type, help and unit of a family. */
export interface FamilyDescription {
  type: ParsedType;
  help: string;
  unit: string;
}

/** The changes between two snapshots, sorted by name, then by labels, and buckets by their bounds. */
export class SnapshotDiff {
  constructor(
    /** Series that only the second snapshot has. */
    readonly added: readonly LoneSeries[],
    /** Series that only the first snapshot has. */
    readonly removed: readonly LoneSeries[],
    readonly changed: readonly ChangedSeries[],
    /** Families that were added, removed, or changed in type, help or unit. */
    readonly families: readonly ChangedFamily[],
  ) {}

  /** True if nothing changed. */
  get isEmpty(): boolean {
    return [this.added, this.removed, this.changed, this.families].every((changes) => changes.length === 0);
  }

  /** The change of a series' value. An added series starts at 0. 0 if the value did not change. */
  delta(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const key = seriesKey(name, labels);
    const isMatch = (series: LoneSeries | ChangedSeries) => seriesKey(series.name, series.labels) === key;
    const lost = this.removed.find(isMatch)?.value;
    return this.changed.find(isMatch)?.delta ?? this.added.find(isMatch)?.value ?? (lost === undefined ? 0 : -lost);
  }

  /** One line for each change, for the message of a failed test. */
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
 * Compares two snapshots. Timestamps and exemplars are not compared. NaN equals NaN, and `le="1"` equals `le="1.0"`, so a
 * text snapshot can be compared with an OpenMetrics snapshot.
 *
 * @throws {ExpositionError} `INVALID_EXPOSITION` for an invalid exposition
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
  /** True if the value can only grow. */
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

/** The family's name in OpenMetrics, so that both formats have the same name. */
function familyName({ name, type }: ParsedFamily): string {
  return type === 'counter' && name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
}

/** True for samples that can only grow. A sum is not one: a negative observation lowers it. */
function isCountedSample(type: ParsedType, suffix: string): boolean {
  if (type === 'counter') return suffix === '' || suffix === '_total';
  return (type === 'histogram' || type === 'summary') && (suffix === '_bucket' || suffix === '_count');
}

/** A key for a series. Thresholds (`le`, `quantile`) are compared as numbers. */
function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const same = { ...labels };
  for (const threshold of ['le', 'quantile']) {
    const number = thresholdOf(same[threshold]);
    // A threshold that is not a number is compared as text.
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

/** Compares by UTF-16 code units, which gives the same order on every machine. */
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
