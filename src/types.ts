/**
 * Declares the types that several public functions and classes share. Nothing here exists at run time.
 */

/** A label value. A missing value, `null`, `undefined` and `''` all mean that the series does not have the label. */
export type LabelValue = string | number | boolean | bigint | null | undefined;

/** Label values by label name, as metrics take them. */
export type AnyLabels<T extends string = string> = { readonly [name in T]?: LabelValue };

/** Label values by label name, as prom-client declares them. */
export type LabelValues<T extends string = string> = Partial<Record<T, string | number>>;

/**
 * `V`, in the signature of a method that prom-client's class does not have. A subclass may have a method of that name with
 * any signature: such methods are declared twice with a type parameter that no call gives, and the compiler compares
 * overloads of a subclass with `any` in place of type parameters.
 */
// biome-ignore lint/suspicious/noExplicitAny: only with `any` does every signature of a subclass fit
export type Over<P, V> = 0 extends 1 & P ? any : V;

/** `T`, in a place from which the compiler must not infer it. Its own `NoInfer` is younger than the oldest supported compiler. */
export type Uninferred<T> = [T][T extends unknown ? 0 : never];

/**
 * The treatment of new label sets over a limit. Each such call is counted in
 * `llmdevops_metrics_cardinality_overflow_total`.
 *
 * - `fold`: counters and histograms record it in a series whose label values are `other`, so that totals stay right.
 *   Over the limit of one label, only the value of that label becomes `other`. A gauge drops the call, because the
 *   values of several label sets cannot share one series.
 * - `drop`: the call records nothing.
 * - `throw`: the call throws a `CardinalityError` with the code `CARDINALITY_LIMIT`.
 */
export type OverflowPolicy = 'fold' | 'drop' | 'throw';

/** Limits on the series of a metric. They do not apply to the one series of a metric without labels. */
export interface CardinalityOptions<T extends string = string> {
  /** Maximum number of series, without the series whose values are `other`. From 1 to 4294967295. @default 10000 */
  maxSeries?: number | undefined;
  /** Maximum number of distinct values by label name; `other` and absent values do not count. @default no limit */
  maxLabelValues?: { readonly [name in T]?: number | undefined } | undefined;
  /** The treatment of label sets over a limit. @default 'fold' */
  policy?: OverflowPolicy | undefined;
}

/** Limits of a registry: for each metric without its own limits, and for all metrics together. */
export interface RegistryCardinalityOptions extends CardinalityOptions {
  /** Maximum number of series of all metrics together. From 1 to 4294967295. @default 1000000 */
  maxTotal?: number | undefined;
}

/** The number of series of a registry, in total and by metric. */
export interface CardinalityReport {
  /** Number of series of all metrics together. */
  series: number;
  /** The limit on `series`. */
  maxSeries: number;
  /** Bytes of native memory for cells, labels and tables. */
  bytes: number;
  /** One entry for each metric, in the order of registration. */
  metrics: MetricCardinality[];
}

/** The number of series of one metric. */
export interface MetricCardinality {
  name: string;
  type: MetricType;
  series: number;
  /** The limit on `series`, which does not count the series whose values are `other`. */
  maxSeries: number;
  policy: OverflowPolicy;
  /** Number of calls whose label set was over a limit. */
  overflow: number;
  /** Bytes of native memory. */
  bytes: number;
  /** By label name: the number of distinct values, and the limit if there is one. */
  labels: Record<string, { values: number; maxValues?: number }>;
}

/** The way in which the gauges of several threads are combined. Counters and histograms are always summed. */
export type Aggregator = 'omit' | 'sum' | 'first' | 'min' | 'max' | 'average';

/** The type of a metric, as in `# TYPE`. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset' | 'untyped';

/** An exemplar: one recorded value, with labels that identify its trace. */
export interface ExemplarValue {
  labelSet: Record<string, string>;
  value: number;
  /** Seconds since the epoch. */
  timestamp: number;
}

/** One sample of `get()` and `getMetricsAsJSON()`. */
export interface MetricValue<T extends string = string> {
  value: number;
  /** Numbers stay numbers, all other values are strings; `le` is a number, or the string `+Inf`. */
  labels: Partial<Record<T | 'le' | 'quantile', string | number>>;
  /** The name of the sample if it differs from the name of the metric. */
  metricName?: string;
  exemplar?: ExemplarValue | null;
}

/** One sample of a histogram or summary. */
export type MetricValueWithName<T extends string = string> = MetricValue<T> & { metricName?: string };

/** A callback that sets the values of its metric at each scrape. */
export type CollectFunction<M> = { collect(this: M): void | Promise<void> }['collect'];

/** The description of a metric. */
export interface MetricObject {
  name: string;
  help: string;
  type: MetricType;
  aggregator: Aggregator;
  /** The unit, if the metric has one. */
  unit?: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the type of the metric is not known here
  collect?: CollectFunction<any> | undefined;
}

/** A metric and its samples. */
export interface MetricObjectWithValues<V extends MetricValue = MetricValue> extends MetricObject {
  values: V[];
}

/** A metric of another library. A registry calls its `get()` at each scrape. */
export interface ForeignMetric {
  readonly name: string;
  get(): MetricObjectWithValues | Promise<MetricObjectWithValues>;
  reset?(): void;
}

/** Receives the warnings of the library. */
export interface Logger {
  warn(message: string): void;
}

export type Charset = 'utf-8';
export type PrometheusMIME = 'text/plain';
export type PrometheusMetricsVersion = '0.0.4';
export type OpenMetricsMIME = 'application/openmetrics-text';
export type OpenMetricsVersion = '1.0.0';
export type PrometheusContentType = `${PrometheusMIME}; version=${PrometheusMetricsVersion}; charset=${Charset}`;
export type OpenMetricsContentType = `${OpenMetricsMIME}; version=${OpenMetricsVersion}; charset=${Charset}`;
export type RegistryContentType = PrometheusContentType | OpenMetricsContentType;

/** The rule for names: the one of before Prometheus 3 (`[a-zA-Z_:][a-zA-Z0-9_:]*`), or any UTF-8. */
export type NameRule = 'legacy' | 'utf8';
