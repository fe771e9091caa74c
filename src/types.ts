/**
 * Shapes that several public items share. Types only: nothing here exists at run time.
 */

/** What a label may be given. Missing, `null`, `undefined` and `''` are the same: no label. */
export type LabelValue = string | number | boolean | bigint | null | undefined;

/** Labels by name. */
export type LabelValues<T extends string = string> = { readonly [name in T]?: LabelValue };

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
