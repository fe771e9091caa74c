/**
 * Samples the utilisation of the event loop in regular intervals and shows it as a histogram and as quantiles over a moving
 * window.
 */

import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { Histogram } from '../metrics/histogram';
import type { Aggregator, AnyLabels, ForeignMetric, MetricObjectWithValues, MetricType, MetricValue } from '../types';
import { commonLabels, type Naming, type Part } from './part';
import { QuantileWindow } from './quantile-window';

const HELP =
  'Ratio of time the event loop is not idling in the event provider to the total time the event loop is running.';

/** Settings of the sampler. */
export interface UtilizationSettings {
  /** How often it takes a sample, in milliseconds. */
  readonly intervalMs: number;
  readonly buckets: readonly number[];
  /** From 0 to 1. */
  readonly percentiles: readonly number[];
  /** How long a sample counts in the quantiles. */
  readonly maxAgeMs: number;
  /** In how many steps old samples are dropped. */
  readonly ageBuckets: number;
}

/** Utilisation of the loop; no metrics if the runtime does not have it. */
export function utilizationPart({ prefix, labels }: Naming, settings: UtilizationSettings): Part {
  if (typeof performance.eventLoopUtilization !== 'function') return { metrics: [] };
  const summary = new UtilizationSummary(
    `${prefix}nodejs_eventloop_utilization_summary`,
    commonLabels(labels, ['quantile']),
    settings,
  );
  const common = commonLabels(labels, ['le']);
  const histogram = new Histogram<string>({
    name: `${prefix}nodejs_eventloop_utilization_histogram`,
    help: HELP,
    labelNames: Object.keys(common),
    buckets: settings.buckets,
    registers: [],
  });
  const series = histogram.labels(common);
  const sampler = new Sampler(settings.intervalMs, (utilization, times) => {
    summary.observe(utilization, times);
    for (let time = 0; time < times; time++) series.observe(utilization);
  });
  return { metrics: [summary, histogram], start: () => sampler.start(), stop: () => sampler.stop() };
}

/** Samples the utilisation in intervals. If the loop was blocked for several intervals, the next sample counts as often. */
class Sampler {
  readonly #intervalMs: number;
  readonly #seen: (utilization: number, times: number) => void;
  #last = performance.eventLoopUtilization();
  #lastMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number, seen: (utilization: number, times: number) => void) {
    this.#intervalMs = intervalMs;
    this.#seen = seen;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), this.#intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.#last);
    const times = Math.max(1, Math.round((now - this.#lastMs) / this.#intervalMs));
    this.#last = current;
    this.#lastMs = now;
    // NaN before the loop has started.
    if (Number.isFinite(utilization)) this.#seen(utilization, times);
  }
}

/** Quantiles, sum and count as finished samples, because a summary is not made of cells. */
class UtilizationSummary implements ForeignMetric {
  readonly name: string;
  readonly help = HELP;
  readonly type: MetricType = 'summary';
  readonly aggregator: Aggregator = 'sum';
  readonly #labels: AnyLabels;
  readonly #percentiles: readonly number[];
  readonly #settings: UtilizationSettings;
  #window: QuantileWindow;
  #count = 0;
  #sum = 0;

  constructor(name: string, labels: AnyLabels, settings: UtilizationSettings) {
    this.name = name;
    this.#labels = labels;
    this.#settings = settings;
    this.#percentiles = settings.percentiles;
    this.#window = new QuantileWindow(settings.maxAgeMs, settings.ageBuckets);
  }

  observe(utilization: number, times: number): void {
    this.#window.add(performance.now(), utilization, times);
    this.#count += times;
    this.#sum += utilization * times;
  }

  reset(): void {
    this.#window = new QuantileWindow(this.#settings.maxAgeMs, this.#settings.ageBuckets);
    this.#count = 0;
    this.#sum = 0;
  }

  async get(): Promise<MetricObjectWithValues> {
    const { name, help, type, aggregator } = this;
    const labels = this.#labels as Record<string, string | number>;
    const quantiles = this.#window.quantiles(performance.now(), this.#percentiles);
    const values: MetricValue[] = quantiles.map((value, index) => ({
      value,
      labels: { quantile: this.#percentiles[index], ...labels },
    }));
    values.push({ value: this.#sum, labels: { ...labels }, metricName: `${name}_sum` });
    values.push({ value: this.#count, labels: { ...labels }, metricName: `${name}_count` });
    return { name, help, type, aggregator, values };
  }
}
