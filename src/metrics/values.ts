/**
 * Converts values of metrics to objects, in the shape of prom-client's JSON forms.
 */
import type { NativeFamily } from '../native/addon';
import type { Aggregator, ExemplarValue, MetricObjectWithValues, MetricType, MetricValue } from '../types';
import { seriesSet } from './series';

/** A family in the addon's JSON. The numbers come in a separate array, one for each cell or sample. */
interface FamilyText {
  name: string;
  help: string;
  type: MetricType;
  aggregator?: Aggregator;
  unit?: string;
  /** Upper bounds of a histogram, or quantiles of a summary. */
  bounds?: number[];
  series?: { id: number | null; labels: Labels; exemplars?: (ExemplarValue | null)[] }[];
  samples?: { name: string; labels: Labels }[];
}

type Labels = Record<string, string | number>;

/** Facts about a family that the addon does not know. */
export interface Known {
  /** The given label values of a series of which one was a number. */
  originals(id: number, labels: object): Record<string, unknown> | undefined;
}

/** A metric whose series belong to this realm. */
export interface Readable {
  readonly [seriesSet]: { readonly family: NativeFamily; readonly known: Known };
}

/** The samples of one metric of this realm. */
export function toValues(metric: Readable): MetricObjectWithValues {
  const { text, numbers } = metric[seriesSet].family.read();
  const [family] = parseFamilies(text, numbers, () => metric[seriesSet].known);
  return family;
}

/** One series of a metric of this realm. */
export interface ReadSeries {
  readonly labels: Record<string, unknown>;
  /** The values, in the order of the cells; those of a summary follow its quantiles. */
  readonly cells: number[];
  readonly exemplars: readonly (ExemplarValue | null)[] | undefined;
}

/** The series of one metric of this realm, in the order of their creation. */
export function readSeries(metric: Readable): ReadSeries[] {
  const { family, known } = metric[seriesSet];
  const { text, numbers } = family.read();
  const [{ series = [] } = {}] = JSON.parse(text) as Partial<FamilyText>[];
  const width = numbers.length / series.length;
  return series.map(({ id, labels, exemplars }, index) => ({
    labels: { ...labels, ...(id === null ? {} : known.originals(id, labels)) },
    cells: [...numbers.subarray(index * width, (index + 1) * width)],
    exemplars,
  }));
}

/** The samples of all families in the addon's JSON. */
export function parseFamilies(
  text: string,
  numbers: Float64Array,
  knownOf: (name: string) => Known | undefined,
): MetricObjectWithValues[] {
  let at = 0;
  const take = (count: number): Float64Array => {
    at += count;
    return numbers.subarray(at - count, at);
  };
  return (JSON.parse(text) as FamilyText[]).map(
    ({ name, help, type, aggregator = 'sum', unit, bounds = [], series, samples }) => {
      const known = knownOf(name);
      const values: MetricValue[] = [];
      for (const sample of samples ?? []) {
        values.push({
          value: take(1)[0],
          labels: sample.labels,
          ...(sample.name === name ? {} : { metricName: sample.name }),
        });
      }
      for (const { id, labels, exemplars } of series ?? []) {
        const own = { ...labels, ...(id === null ? {} : known?.originals(id, labels)) } as Labels;
        if (type === 'histogram') {
          pushHistogram(name, bounds, own, take(bounds.length + 2), exemplars, values);
        } else if (type === 'summary') {
          pushSummary(name, bounds, own, take(bounds.length + 2), values);
        } else {
          const [exemplar] = exemplars ?? [];
          values.push({ value: take(1)[0], labels: own, ...(exemplar ? { exemplar } : {}) });
        }
      }
      return { help, name, type, values, aggregator, ...(unit === undefined ? {} : { unit }) };
    },
  );
}

/**
 * `numbers` are the values of the quantiles, the count and the sum. Quantiles of an empty window are NaN in expositions
 * and 0 here, as in the peers: JSON has no NaN, and it would make the sums and averages of all workers NaN.
 */
function pushSummary(
  name: string,
  quantiles: readonly number[],
  labels: Labels,
  numbers: Float64Array,
  values: MetricValue[],
): void {
  const [count, sum] = numbers.subarray(quantiles.length);
  quantiles.forEach((quantile, at) => {
    values.push({ labels: { quantile, ...labels }, value: numbers[at] || 0 });
  });
  values.push({ metricName: `${name}_sum`, labels: { ...labels }, value: sum });
  values.push({ metricName: `${name}_count`, labels: { ...labels }, value: count });
}

function pushHistogram(
  name: string,
  bounds: readonly number[],
  labels: Labels,
  cells: Float64Array,
  exemplars: (ExemplarValue | null)[] | undefined,
  values: MetricValue[],
): void {
  let count = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    count += cells[bucket];
    values.push({
      value: count,
      metricName: `${name}_bucket`,
      exemplar: exemplars?.[bucket] ?? null,
      labels: { le: bounds[bucket] ?? '+Inf', ...labels },
    });
  }
  values.push({ value: cells[cells.length - 1], metricName: `${name}_sum`, labels: { ...labels } });
  values.push({ value: count, metricName: `${name}_count`, labels: { ...labels } });
}
