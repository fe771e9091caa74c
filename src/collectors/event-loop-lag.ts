/**
 * Measures how late the event loop is. Delays are shown over a window that moves with time and not with scrapes, so two
 * scrapers see the same values.
 */

import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { clearInterval, setImmediate, setInterval } from 'node:timers';
import type { GaugeSeries } from '../metrics/gauge';
import { quietly } from '../warnings';
import { commonSeries, type GaugeDescription, makeGauge, type Naming, oncePerScrape, type Part } from './part';

const NANOSECONDS = 1e9;

/** Settings of the monitor. */
export interface LagSettings {
  /** How often it measures, in milliseconds. */
  readonly precisionMs: number;
  /** The window in milliseconds. Delays are shown for at least this long and at most twice as long. */
  readonly windowMs: number;
}

const LAG: GaugeDescription = {
  name: 'nodejs_eventloop_lag_seconds',
  help: 'Lag of event loop in seconds.',
  aggregator: 'average',
};

/** Statistics of the window. Delays include the precision: the monitor measures the time between two of its measurements. */
const STATISTICS: readonly GaugeDescription[] = [
  { name: 'min', help: 'The minimum recorded event loop delay.', aggregator: 'min' },
  { name: 'max', help: 'The maximum recorded event loop delay.', aggregator: 'max' },
  { name: 'mean', help: 'The mean of the recorded event loop delays.', aggregator: 'average' },
  {
    name: 'stddev',
    help: 'The standard deviation of the recorded event loop delays.',
    aggregator: 'average',
  },
  { name: 'p50', help: 'The 50th percentile of the recorded event loop delays.', aggregator: 'average' },
  { name: 'p90', help: 'The 90th percentile of the recorded event loop delays.', aggregator: 'average' },
  { name: 'p99', help: 'The 99th percentile of the recorded event loop delays.', aggregator: 'average' },
];

/** The lag now, and statistics of the delays in the window if the runtime can monitor them (Bun cannot). */
export function lagPart(naming: Naming, settings: LagSettings): Part {
  const window = DelayWindow.open(settings);
  if (window === undefined) {
    const gauge = makeGauge(naming, LAG, () => measure());
    const measure = lagMeter(commonSeries(gauge, naming));
    return { metrics: [gauge], refresh: measure };
  }
  const update = oncePerScrape(() => {
    measure();
    statistics.update();
  });
  const lag = makeGauge(naming, LAG, update);
  const gauges = STATISTICS.map(({ name, ...rest }) =>
    makeGauge(naming, { name: `nodejs_eventloop_lag_${name}_seconds`, ...rest }, update),
  );
  const measure = lagMeter(commonSeries(lag, naming));
  const statistics = new Statistics(
    window,
    gauges.map((gauge) => commonSeries(gauge, naming)),
  );
  return {
    metrics: [lag, ...gauges],
    start: () => window.start(),
    refresh() {
      measure();
      statistics.update();
      statistics.updateSlowOnes();
    },
    stop: () => window.stop(),
  };
}

/** Asks for a turn of the loop and notes how long it took; a scrape shows the last note. */
function lagMeter(series: GaugeSeries): () => void {
  return () => {
    const start = performance.now();
    setImmediate(() => quietly(() => series.set((performance.now() - start) / 1000))).unref();
  };
}

/** Two monitors that are emptied in turn: the shown one covers at least one window and at most two. */
class DelayWindow {
  readonly #windowMs: number;
  #shown: IntervalHistogram;
  #next: IntervalHistogram;
  #timer: NodeJS.Timeout | undefined;

  private constructor({ precisionMs, windowMs }: LagSettings) {
    this.#windowMs = windowMs;
    this.#shown = runningMonitor(precisionMs);
    this.#next = runningMonitor(precisionMs);
  }

  /** Undefined if the runtime has no such monitor. */
  static open(settings: LagSettings): DelayWindow | undefined {
    try {
      return new DelayWindow(settings);
    } catch {
      return undefined;
    }
  }

  get shown(): IntervalHistogram {
    return this.#shown;
  }

  start(): void {
    this.#timer = setInterval(() => this.#turn(), this.#windowMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#shown.disable();
    this.#next.disable();
  }

  #turn(): void {
    this.#shown.reset();
    [this.#shown, this.#next] = [this.#next, this.#shown];
  }
}

/**
 * A monitor that is enabled at once. A monitor that was never enabled counts as an active handle. After such a monitor was
 * collected as garbage, Node.js 20 ends the process on a query for active handles (a failed assertion).
 */
function runningMonitor(resolution: number): IntervalHistogram {
  const monitor = monitorEventLoopDelay({ resolution });
  monitor.enable();
  return monitor;
}

/** Writes the statistics of the window; NaN while it is empty. */
class Statistics {
  readonly #window: DelayWindow;
  readonly #series: readonly GaugeSeries[];
  #slowOnesKnown = false;

  constructor(window: DelayWindow, series: readonly GaugeSeries[]) {
    this.#window = window;
    this.#series = series;
  }

  update(): void {
    const [min, max, , , p50, p90, p99] = this.#series;
    const delays = this.#window.shown;
    if (delays.count === 0) {
      for (const series of this.#series) series.set(Number.NaN);
      return;
    }
    min.set(delays.min / NANOSECONDS);
    max.set(delays.max / NANOSECONDS);
    p50.set(delays.percentile(50) / NANOSECONDS);
    p90.set(delays.percentile(90) / NANOSECONDS);
    p99.set(delays.percentile(99) / NANOSECONDS);
    if (!this.#slowOnesKnown) this.updateSlowOnes();
  }

  /** They take 60 and 460 µs, because each reads the whole histogram: too much for every scrape, and a window is long. */
  updateSlowOnes(): void {
    const [, , mean, stddev] = this.#series;
    const delays = this.#window.shown;
    if (delays.count === 0) return;
    mean.set(delays.mean / NANOSECONDS);
    stddev.set(delays.stddev / NANOSECONDS);
    this.#slowOnesKnown = true;
  }
}
