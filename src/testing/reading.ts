/**
 * What assertions look at, whatever they were given: a registry, a metric, a text, or recorded operations. Reads what
 * is there and runs no `collect()`, so that it can be read at once.
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

/** What a histogram or summary holds of one label set. */
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
  /** The word for `# TYPE`. */
  readonly type: string;
  readonly samples: readonly SeenSample[];
}

/** One series with its value. */
export interface SeenSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number | Distribution;
}

/** What an assertion was given, read. */
export interface Reading {
  /** In a sentence: "the registry". */
  readonly what: string;
  readonly families: readonly SeenFamily[];
}

/** What metrics can be read from: a registry, one metric, or an exposition. */
export type Subject = Registry | AnyMetric | string;

/** @throws {ConfigurationError} `INVALID_CONFIG` for what is none of them */
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

/** The families of a text, in either format. */
function readText(text: string): SeenFamily[] {
  const parsed = parseExposition(text);
  return parsed.families.map(({ name, type, samples }) => ({
    name: recordedName(name, type, samples),
    type,
    samples: samples.map(({ name, labels, value }) => ({ name, labels: printed(labels), value })),
  }));
}

/** OpenMetrics leaves `_total` out of a counter's name; programs that record do not. */
function recordedName(name: string, type: string, samples: readonly { readonly name: string }[]): string {
  const total = `${name}_total`;
  return type === 'counter' && samples.some((sample) => sample.name === total) ? total : name;
}

/** What has the say on what was counted and observed: a mock registry's operations, or else the values. */
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

/** What was added and observed: recorded operations in the shape of the values they would have made. */
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
    if (type !== 'histogram')
      return { name, type, samples: series.map(({ labels, total }) => ({ name, labels, value: total })) };
    const samples = series.flatMap(({ labels, total, count }) => [
      { name: `${name}_sum`, labels, value: total },
      { name: `${name}_count`, labels, value: count },
    ]);
    return { name, type, samples };
  });
  return { what: 'the registry', families };
}

/** Whether a family's values are distributions. */
export function isDistribution({ type }: SeenFamily): boolean {
  return type === 'histogram' || type === 'summary' || type === 'gaugehistogram';
}

/** The series of a family, each once: a histogram's with its count and its sum. */
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
