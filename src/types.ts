/**
 * Shapes that several public items share. Types only: nothing here exists at run time.
 */

/** What a label may be given. Missing, `null`, `undefined` and `''` are the same: no label. */
export type LabelValue = string | number | boolean | bigint | null | undefined;

/** Labels by name. */
export type LabelValues<T extends string = string> = { readonly [name in T]?: LabelValue };

/**
 * What becomes of label sets beyond a limit; each call with one is counted in
 * `llmdevops_metrics_cardinality_overflow_total`.
 *
 * `fold`: counters and histograms add it to a series whose values are `other`, so that totals stay right; beyond the
 * limit of one label only that label's value is `other`. A gauge drops it, because values of several are no value.
 * `drop`: it is recorded nowhere. `throw`: the call throws `CARDINALITY_LIMIT`.
 */
export type OverflowPolicy = 'fold' | 'drop' | 'throw';

/** Limits on the series of a metric. A metric without labels has its one series whatever they are. */
export interface CardinalityOptions<T extends string = string> {
  /** Series, the one whose values are `other` not counted. @default 10000 */
  maxSeries?: number | undefined;
  /** Distinct values by label, `other` and none not counted. @default no limit */
  maxLabelValues?: { readonly [name in T]?: number | undefined } | undefined;
  /** @default 'fold' */
  policy?: OverflowPolicy | undefined;
}

/** Limits of a registry: of each metric that says nothing itself, and of all together. */
export interface RegistryCardinalityOptions extends CardinalityOptions {
  /** Series of all metrics together. @default 1000000 */
  maxTotal?: number | undefined;
}

/** What a registry's series are made of. */
export interface CardinalityReport {
  /** Series of all metrics together. */
  series: number;
  /** How many there may be. */
  maxSeries: number;
  /** Bytes of native memory that hold them: cells, labels, tables. */
  bytes: number;
  /** In the order of their registration. */
  metrics: MetricCardinality[];
}

/** The series of one metric. */
export interface MetricCardinality {
  name: string;
  type: MetricType;
  series: number;
  /** How many there may be, the one whose values are `other` not counted. */
  maxSeries: number;
  policy: OverflowPolicy;
  /** Calls whose label set was beyond a limit. */
  overflow: number;
  /** Bytes of native memory. */
  bytes: number;
  /** By label name: distinct values, and how many there may be where there is a limit. */
  labels: Record<string, { values: number; maxValues?: number }>;
}

/** How the gauges of several threads or processes become one; counters and histograms always add up. */
export type Aggregator = 'omit' | 'sum' | 'first' | 'min' | 'max' | 'average';

/** The type of a metric, in the words of `# TYPE`. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

/** An example of what was counted, with the labels that lead to its trace. */
export interface ExemplarValue {
  labelSet: Record<string, string>;
  value: number;
  /** Seconds since the epoch. */
  timestamp: number;
}

/** One sample of `get()` and `getMetricsAsJSON()`. */
export interface MetricValue<T extends string = string> {
  value: number;
  /** Values in the types they were given in; `le` is a number, `+Inf` a string. */
  labels: Partial<Record<T | 'le' | 'quantile', string | number>>;
  /** The sample's name where it is not the metric's. */
  metricName?: string;
  exemplar?: ExemplarValue | null;
}

/** A metric and its samples. */
export interface MetricObjectWithValues<V extends MetricValue = MetricValue> {
  name: string;
  help: string;
  type: MetricType;
  aggregator: Aggregator;
  values: V[];
}

/** Anything a registry can hold beside its own metrics: it is asked for its samples at each scrape. */
export interface ForeignMetric {
  readonly name: string;
  get(): MetricObjectWithValues | Promise<MetricObjectWithValues>;
  reset?(): void;
}

/** Where warnings go. */
export interface Logger {
  warn(message: string): void;
}

export type PrometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';
export type OpenMetricsContentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
export type RegistryContentType = PrometheusContentType | OpenMetricsContentType;
