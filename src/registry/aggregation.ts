/**
 * Combines the JSON forms of several registries into one, with the functions of prom-client's `aggregators`. Works on
 * plain objects: it must not know registries, nor where the objects come from.
 */
import { ConfigurationError, shown } from '../errors';
import type { Aggregator, MetricObjectWithValues, MetricValue } from '../types';

type Family = MetricObjectWithValues;

/** Combines families of one name; `undefined` to leave the name out. */
export type AggregatorFunction = (metrics: readonly Family[]) => Family | undefined;

/** Makes an aggregator of a function that combines the samples of one series. */
export function AggregatorFactory(combine: (values: readonly MetricValue[]) => number): AggregatorFunction {
  return (metrics) => {
    const [first] = metrics;
    if (first === undefined) return undefined;
    const series = new Map<string, MetricValue[]>();
    for (const { values } of metrics) {
      for (const value of values ?? []) {
        const key = keyOf(value);
        const samples = series.get(key);
        if (samples === undefined) series.set(key, [value]);
        else samples.push(value);
      }
    }
    const values: MetricValue[] = [];
    for (const samples of series.values()) {
      const { labels, metricName } = samples[0];
      values.push({ value: combine(samples), labels, ...(metricName === undefined ? {} : { metricName }) });
    }
    const { help, name, type, aggregator } = first;
    return { help, name, type, values, aggregator };
  };
}

/** A key of a sample. The lengths keep labels apart that contain the separators. Empty labels are absent. */
function keyOf({ metricName = '', labels }: MetricValue): string {
  const all: Record<string, unknown> = labels ?? {};
  const names = Object.keys(all);
  if (names.length > 1) names.sort();
  let key = `${metricName}{`;
  for (const name of names) {
    const value = all[name];
    if (value === undefined || value === null || value === '') continue;
    const text = String(value);
    key += `${name.length}:${name}${text.length}:${text}`;
  }
  return key;
}

const folded = (fold: (a: number, b: number) => number, start: number) => (values: readonly MetricValue[]) =>
  values.reduce((result, { value }) => fold(result, value), start);
const sum = folded((a, b) => a + b, 0);

/** The functions by the names that the option `aggregator` of a metric takes. */
export const aggregators: Readonly<Record<Aggregator, AggregatorFunction>> = {
  sum: AggregatorFactory(sum),
  first: AggregatorFactory(([first]) => first.value),
  omit: () => undefined,
  average: AggregatorFactory((values) => sum(values) / values.length),
  min: AggregatorFactory(folded(Math.min, Number.POSITIVE_INFINITY)),
  max: AggregatorFactory(folded(Math.max, Number.NEGATIVE_INFINITY)),
};

/**
 * Combines all families of one name with the aggregator of the first; without one, values are summed.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown aggregator
 */
export function combine(lists: Iterable<readonly Family[]>): Family[] {
  return [...combining(lists)];
}

/** Like `combine()`, one family at a time, for callers that must not block the event loop. */
export function* combining(lists: Iterable<readonly Family[]>): Generator<Family> {
  const byName = new Map<string, Family[]>();
  for (const list of lists) {
    for (const family of list) {
      const families = byName.get(family.name);
      if (families === undefined) byName.set(family.name, [family]);
      else families.push(family);
    }
  }
  for (const families of byName.values()) {
    const combined = functionOf(families[0].aggregator ?? 'sum')(families);
    if (combined !== undefined) yield combined;
  }
}

function functionOf(aggregator: Aggregator): AggregatorFunction {
  if (Object.hasOwn(aggregators, aggregator)) return aggregators[aggregator];
  throw new ConfigurationError('INVALID_CONFIG', `'${shown(aggregator)}' is not a defined aggregator.`);
}
