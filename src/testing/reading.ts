/**
 * Reads the subject of an assertion into one form: a registry, a metric, a text, or recorded operations. Reads current
 * values and runs no `collect()`, so that it is synchronous.
 */
import { ConfigurationError, describe } from '../errors';
import { Metric } from '../metrics/metric';
import { toValues } from '../metrics/values';
import type { AnyMetric } from '../registry/entries';
import { Registry } from '../registry/registry';
import type { MetricType } from '../types';
import type { Operation } from './operations';
import { parseExposition } from './parse';
import { type Labels, printed } from './selector';

/** Count and sum of one label set of a histogram or summary. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
}

/** One line of an exposition. */
export interface SeenSample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** One family, as an assertion sees it. */
export interface SeenFamily {
  readonly name: string;
  /** The type, as in `# TYPE`. */
  readonly type: string;
  readonly samples: readonly SeenSample[];
}

/** One series with its value. */
export interface SeenSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number | Distribution;
}

/** The content of an assertion's subject. */
export interface Reading {
  /** The subject's name in messages, such as "the registry". */
  readonly what: string;
  readonly families: readonly SeenFamily[];
}

/** The subject of an assertion: a registry, one metric, or the text of an exposition. */
export type Subject = Registry | AnyMetric | string;

/** @throws {ConfigurationError} `INVALID_CONFIG` for any other subject */
export function read(subject: unknown): Reading {
  if (subject instanceof Registry) {
    const metrics = subject.getMetricsAsArray().filter((metric) => metric instanceof Metric);
    return { what: 'the registry', families: metrics.map(familyOf) };
  }
  if (subject instanceof Metric) return { what: 'the metric', families: [familyOf(subject)] };
  if (typeof subject === 'string') return { what: 'the text', families: readText(subject) };
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected a registry, a metric or the text of an exposition but received ${describe(subject)}`,
  );
}

function familyOf(metric: AnyMetric): SeenFamily {
  const samples = toValues(metric).values.map(({ metricName, labels, value }) => {
    return { name: metricName ?? metric.name, labels: printed(labels as Record<string, unknown>), value };
  });
  return { name: metric.name, type: metric.type, samples };
}

/** The families of an exposition, in either format. */
function readText(text: string): SeenFamily[] {
  const parsed = parseExposition(text);
  return parsed.families.map(({ name, type, samples }) => ({
    name: recordedName(name, type, samples),
    type,
    samples: samples.map(({ name, labels, value }) => ({ name, labels: printed(labels), value })),
  }));
}

/** Adds `_total` to a counter's name: OpenMetrics leaves it out of the family's name, programs name counters with it. */
function recordedName(name: string, type: string, samples: readonly { readonly name: string }[]): string {
  const total = `${name}_total`;
  return type === 'counter' && samples.some((sample) => sample.name === total) ? total : name;
}

/** Reads what was counted and observed: a mock registry's operations, or the current values of any other subject. */
export function readEvents(subject: unknown): Reading {
  return isRecording(subject) ? subject.recorded() : read(subject);
}

/** A registry that records. */
interface Recording {
  recorded(): Reading;
}

function isRecording(subject: unknown): subject is Recording {
  return subject instanceof Registry && 'recorded' in subject;
}

/** Recorded increments and observations, in the form of the values that they would produce. */
export function readOperations(operations: readonly Operation[], types: ReadonlyMap<string, MetricType>): Reading {
  const recorded = new Map<string, Map<string, { labels: Labels; total: number; count: number }>>();
  for (const { type, name, labels, value = 0 } of operations) {
    const counted = type === 'observe' || (type === 'inc' && types.get(name) === 'counter');
    if (!counted) continue;
    const series = recorded.get(name) ?? new Map();
    recorded.set(name, series);
    const key = keyOf(labels);
    const entry = series.get(key) ?? { labels, total: 0, count: 0 };
    series.set(key, { labels, total: entry.total + value, count: entry.count + 1 });
  }
  const families = [...types].map(([name, type]): SeenFamily => {
    const series = [...(recorded.get(name)?.values() ?? [])];
    if (type !== 'histogram' && type !== 'summary')
      return { name, type, samples: series.map(({ labels, total }) => ({ name, labels, value: total })) };
    const samples = series.flatMap(({ labels, total, count }) => [
      { name: `${name}_sum`, labels, value: total },
      { name: `${name}_count`, labels, value: count },
    ]);
    return { name, type, samples };
  });
  return { what: 'the registry', families };
}

/** True if a family's series have a count and a sum. */
export function isDistribution({ type }: SeenFamily): boolean {
  return type === 'histogram' || type === 'summary' || type === 'gaugehistogram';
}

/** The series of a family. The value of a histogram's or summary's series is its count and sum. */
export function seriesOf(family: SeenFamily): SeenSeries[] {
  if (!isDistribution(family)) return [...family.samples];
  const found = new Map<string, { labels: Labels; count: number; sum: number }>();
  for (const { name, labels, value } of family.samples) {
    const part = /_g?(count|sum)$/.exec(name.slice(family.name.length))?.[1];
    if (part === undefined) continue;
    const key = keyOf(labels);
    const entry = found.get(key) ?? { labels, count: 0, sum: 0 };
    found.set(key, { ...entry, [part]: value });
  }
  return [...found.values()].map(({ labels, count, sum }) => ({ name: family.name, labels, value: { count, sum } }));
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
