/**
 * Reads metrics of other libraries: calls `get()` at each scrape and prepares the samples for the core, which checks their
 * names like our own.
 */
import { ConfigurationError, describe } from '../errors';
import { flatLabels } from '../labels/value';
import type { NativeRegistry } from '../native/addon';
import type { ForeignMetric, MetricObjectWithValues, MetricValue } from '../types';

/** What `get()` of a foreign metric returned, unchanged and as the core takes it. */
interface Asked {
  readonly answer: MetricObjectWithValues;
  readonly family: Parameters<NativeRegistry['setForeign']>[1];
}

/**
 * Calls `get()` of a foreign metric.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an answer without a name or with invalid values
 */
export async function askForeign(metric: ForeignMetric): Promise<Asked> {
  const answer = await metric.get();
  if (typeof answer?.name !== 'string' || !Array.isArray(answer.values ?? [])) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected a name and values from get() of "${metric.name}" but received ${describe(answer)}`,
    );
  }
  const { name, help, type, unit, values = [] } = answer;
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
    ...(typeof unit === 'string' ? { unit } : {}),
    sampleNames,
    labels,
    values: numbers,
  };
  return { answer, family };
}
