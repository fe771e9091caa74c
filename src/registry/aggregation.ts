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
        const key = `${value.metricName ?? ''}{${keyOf(value.labels ?? {})}`;
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
    const { help, name, type, aggregator, unit } = first;
    return { help, name, type, values, aggregator, ...(unit === undefined ? {} : { unit }) };
  };
}

/** A key of a label set. The lengths keep labels apart that contain the separators. Empty labels are absent. */
export function keyOf(labels: object): string {
  const all = labels as Record<string, unknown>;
  const names = Object.keys(all);
  if (names.length > 1) names.sort();
  let key = '';
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

/** The peers' functions, by the names that the option `aggregator` of a metric takes. */
export const aggregators: Readonly<Record<Aggregator, AggregatorFunction>> = {
  sum: AggregatorFactory(sum),
  first: AggregatorFactory(([first]) => first.value),
  omit: () => undefined,
  average: AggregatorFactory((values) => sum(values) / values.length),
  min: AggregatorFactory(folded(Math.min, Number.POSITIVE_INFINITY)),
  max: AggregatorFactory(folded(Math.max, Number.NEGATIVE_INFINITY)),
};

/** Groups the families of several lists by name. */
export function byName<F extends { readonly name: string }>(lists: Iterable<readonly F[]>): Iterable<F[]> {
  const groups = new Map<string, F[]>();
  for (const list of lists) {
    for (const family of list) {
      const group = groups.get(family.name);
      if (group === undefined) groups.set(family.name, [family]);
      else group.push(family);
    }
  }
  return groups.values();
}

/**
 * Combines families of one name with the aggregator of the first; without one, values are summed.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown aggregator
 */
export function combineOne(families: readonly Family[]): Family | undefined {
  return functionOf(families[0].aggregator ?? 'sum')(families);
}

/** Combines all families of each name. */
export function combine(lists: Iterable<readonly Family[]>): Family[] {
  return [...byName(lists)].map(combineOne).filter((family) => family !== undefined);
}

/** Lists come in the order in which their processes began. */
const latest = AggregatorFactory((values) => values[values.length - 1].value);

function functionOf(aggregator: Aggregator | 'latest'): AggregatorFunction {
  if (aggregator === 'latest') return latest;
  if (Object.hasOwn(aggregators, aggregator)) return aggregators[aggregator];
  throw new ConfigurationError('INVALID_CONFIG', `'${shown(aggregator)}' is not a defined aggregator.`);
}
