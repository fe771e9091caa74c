/**
 * Reads metrics of other libraries: calls `get()` at each scrape and passes the samples to the core, which checks their
 * names like our own.
 */
import { ConfigurationError, describe, native } from '../errors';
import { flatLabels } from '../labels/value';
import type { NativeRegistry } from '../native/addon';
import type { ForeignMetric, MetricObjectWithValues, MetricValue } from '../types';

/**
 * Calls `get()` of a foreign metric and passes the samples to the core's registry; returns them unchanged.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an answer without a name or with invalid values
 */
export async function readForeign(
  registry: NativeRegistry,
  item: number,
  metric: ForeignMetric,
): Promise<MetricObjectWithValues> {
  const answer = await metric.get();
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
  for (const value of values as MetricValue[]) {
    sampleNames.push(value.metricName ?? name);
    labels.push(flatLabels(value.labels ?? {}));
    numbers.push(Number(value.value));
  }
  const family = {
    name,
    help: String(help ?? ''),
    kind: String(type),
    sampleNames,
    labels,
    values: numbers,
  };
  native(() => registry.setForeign(item, family));
  return answer;
}
