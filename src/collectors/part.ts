/**
 * What the default metrics are put together from, and how their gauges are made. A part knows nothing of the others,
 * of registries, or of when it is asked.
 */
import { Gauge, type GaugeSeries } from '../metrics/gauge';
import type { AnyMetric } from '../registry/entries';
import type { Aggregator, ForeignMetric, LabelValues } from '../types';

/** Some metrics that come from one source. */
export interface Part {
  /** In the order in which they print. */
  readonly metrics: readonly (AnyMetric | ForeignMetric)[];
  /** Begins to observe. Nothing that it begins keeps the process alive. */
  start?(): void;
  /** Brings the metrics up to date between scrapes: for scrapes that cannot or do not ask this thread. */
  refresh?(): void;
  /** Ends what runs, whether `start` was called or not. */
  stop?(): void;
}

/** What all default metrics of one call have in common. */
export interface Naming {
  readonly prefix: string;
  readonly labels: LabelValues;
}

/** What a gauge has beside its name. */
export interface GaugeDescription {
  readonly name: string;
  readonly help: string;
  /** Label names of its own, before the common ones. */
  readonly own?: readonly string[];
  readonly aggregator?: Aggregator;
}

/** A gauge in no registry yet, with `update` as its `collect()`. */
export function gaugeOf({ prefix, labels }: Naming, description: GaugeDescription, update: () => void): Gauge {
  const { name, help, own = [], aggregator } = description;
  return new Gauge({
    name: prefix + name,
    help,
    labelNames: [...own, ...Object.keys(labels)],
    registers: [],
    aggregator,
    collect: update,
  });
}

/** The gauge's series with the common labels alone. */
export function seriesOf(gauge: Gauge, { labels }: Naming): GaugeSeries {
  return gauge.labels(labels);
}

/**
 * Reads a source at most once a scrape, though each of its metrics asks for it: a scrape runs all `collect()`
 * callbacks before it yields to the microtasks.
 */
export function oncePerScrape(read: () => void): () => void {
  let fresh = false;
  const expire = () => {
    fresh = false;
  };
  return () => {
    if (fresh) return;
    fresh = true;
    queueMicrotask(expire);
    read();
  };
}
