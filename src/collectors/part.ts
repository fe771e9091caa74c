/**
 * Defines a part of the default metrics, and makes the gauges of parts. A part must not know other parts, registries, or
 * the time of scrapes.
 */
import { Gauge, type GaugeSeries } from '../metrics/gauge';
import type { AnyMetric } from '../registry/entries';
import type { Aggregator, AnyLabels, ForeignMetric } from '../types';

/** Metrics from one source. */
export interface Part {
  /** In the order of the exposition. */
  readonly metrics: readonly (AnyMetric | ForeignMetric)[];
  /** Starts to observe. It must not keep the process alive. */
  start?(): void;
  /** Updates the metrics between scrapes, for scrapes that cannot ask this thread. */
  refresh?(): void;
  /** Stops timers and observers. It may be called without `start`. */
  stop?(): void;
}

/** The prefix and labels of all metrics of one call. */
export interface Naming {
  readonly prefix: string;
  readonly labels: AnyLabels;
}

/** A gauge of a part. */
export interface GaugeDescription {
  readonly name: string;
  /** The text of prom-client. */
  readonly help: string;
  /** Its own label names, which stand before the common ones. */
  readonly own?: readonly string[];
  readonly aggregator?: Aggregator;
}

/** A gauge that is not registered, with `update` as its `collect()`. */
export function makeGauge({ prefix, labels }: Naming, description: GaugeDescription, update: () => void): Gauge {
  const { name, help, own = [], aggregator } = description;
  return new Gauge({
    name: prefix + name,
    help,
    labelNames: [...own, ...Object.keys(commonLabels(labels, own))],
    registers: [],
    aggregator,
    collect: update,
  });
}

/** The common labels of a metric: all but those that it has itself. */
export function commonLabels(labels: AnyLabels, own: readonly string[]): AnyLabels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !own.includes(name)));
}

/** The gauge's series with only the common labels. */
export function commonSeries(gauge: Gauge, { labels }: Naming): GaugeSeries {
  return gauge.labels(labels);
}

/**
 * Reads a source once a scrape, although each of its metrics asks for it: a scrape runs all `collect()` callbacks before
 * any microtask.
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
