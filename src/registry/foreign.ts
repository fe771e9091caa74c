/**
 * Metrics of other libraries in a registry: whatever has `get()` is asked at each scrape, and what it answers is
 * checked by the core as our own names are.
 */
import { ConfigurationError, describe, native } from '../errors';
import { textOf } from '../labels/value';
import { addon, type NativeSamples } from '../native/addon';
import type { ForeignMetric, MetricObjectWithValues, MetricValue } from '../types';

/** What prom-client's histograms answer to `getForPromString()`: the labels of a series are shared by its samples. */
type SharedValue = MetricValue & { sharedLabels?: Record<string, unknown> };
type Foreign = ForeignMetric & { getForPromString?(): Promise<MetricObjectWithValues> };

/** Asks a foreign metric for its samples. */
export async function readForeign(item: number, metric: Foreign): Promise<NativeSamples> {
  const answer = await (metric.getForPromString?.() ?? metric.get());
  if (typeof answer?.name !== 'string' || !Array.isArray(answer.values ?? [])) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected a name and values from get() of "${metric.name}" but received ${describe(answer)}`,
    );
  }
  const { name, help, type, values = [] } = answer;
  const sampleNames: string[] = [];
  const labels: string[][] = [];
  const numbers: number[] = [];
  for (const value of values as SharedValue[]) {
    sampleNames.push(value.metricName ?? name);
    labels.push(flatLabels({ ...value.labels, ...value.sharedLabels }));
    numbers.push(Number(value.value));
  }
  const family = {
    item,
    name,
    help: String(help ?? ''),
    kind: String(type),
    sampleNames,
    labels,
    values: numbers,
  };
  return native(() => new addon.NativeSamples(family));
}

function flatLabels(labels: Record<string, unknown>): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [name, textOf(name, value)]);
}
