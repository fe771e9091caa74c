/**
 * Tells of what is recorded with a metric, by whomever: the metric itself, handles that were made before, timers. It
 * replaces the methods of that metric's objects and puts them back, so that no other metric is any slower.
 */
import { unixMs } from '../clock';
import type { Place } from '../metrics/place';
import { add, addPair, idOf, labelsOf, put, type Series } from '../metrics/series';
import type { AnyMetric } from '../registry/entries';
import type { Operation, OperationType } from './operations';
import { printed } from './selector';
import { Shadows } from './shadows';

/** Is told of each operation, after it was done. */
export type Listener = (operation: Operation) => void;

type Labels = Readonly<Record<string, string>>;

/** The spies that are at work. */
const spies = new WeakMap<AnyMetric, Spy>();

/** Tells of what is recorded with a metric from now on; the result ends that. */
export function spyOn(metric: AnyMetric, listener: Listener): () => void {
  const spy = spies.get(metric) ?? new Spy(metric);
  spies.set(metric, spy);
  spy.listeners.add(listener);
  return () => {
    spy.listeners.delete(listener);
    if (spy.listeners.size > 0) return;
    spy.end();
    spies.delete(metric);
  };
}

class Spy {
  readonly listeners = new Set<Listener>();
  readonly #metric: AnyMetric;
  readonly #shadows = new Shadows();
  readonly #series = new WeakSet<Series>();

  constructor(metric: AnyMetric) {
    this.#metric = metric;
    this.#spyOnMetric(metric);
    this.#spyOnSet(metric.series);
    for (const series of metric.series.existing()) this.#spyOnSeries(series);
  }

  /** Puts every method back. */
  end(): void {
    this.#shadows.remove();
  }

  #tell(type: OperationType, labels: Labels, value?: number): void {
    const operation = Object.freeze({ type, name: this.#metric.name, labels, value, timestampMs: unixMs() });
    for (const listener of [...this.listeners]) listener(operation);
  }

  /** Calls what is no matter of one series that exists. */
  #spyOnMetric(metric: AnyMetric): void {
    const place = (args: unknown[]): Labels => labelsAt(metric, metric.series.placeOfArguments(args));
    this.#shadows.replace(metric, 'remove', (call, args) => {
      const labels = place(args);
      call();
      this.#tell('remove', labels);
    });
    this.#shadows.replace(metric, 'removeMatching', (call, [labels]) => {
      const count = call();
      if ((count as number) > 0) this.#tell('remove', printed({ ...(labels as object) }));
      return count;
    });
    this.#shadows.replace(metric, 'zero', (call, [labels = {}]) => {
      call();
      this.#tell('zero', place([labels]));
    });
    this.#shadows.replace(metric, 'reset', (call) => {
      call();
      this.#tell('reset', {});
    });
    this.#shadows.replace(metric, 'startTimer', (call, [labels]) => {
      const timer = call();
      this.#tell('startTimer', printed({ ...(labels as object) }));
      return timer;
    });
  }

  /** Series are spied on where they leave the set; the one object of a series, once. */
  #spyOnSet(set: AnyMetric['series']): void {
    const spied = (call: () => unknown): unknown => this.#spyOnSeries(call() as Series);
    for (const way of ['at', 'handle', 'unlabelled'] as const) this.#shadows.replace(set, way, spied);
    this.#shadows.replace(set, 'createUnlabelled', (call) => {
      // It revives the series without labels, which must not look like a handle of somebody else's.
      set.unlabelled();
      return call();
    });
    this.#shadows.replace(set, 'revive', (call, [series, place]) => {
      const live = call() as Series;
      if (this.#series.has(series as Series)) return live;
      // A handle that was made before the spy and had not recorded yet: a stand-in tells of what it is about to write.
      this.#spyOnSeries(series as Series);
      return this.#standIn(live, labelsAt(this.#metric, place as Place));
    });
  }

  #spyOnSeries(series: Series): Series {
    if (this.#series.has(series)) return series;
    this.#series.add(series);
    let known: Labels | undefined;
    const labels = (): Labels => {
      known ??= printed(series[labelsOf]());
      return known;
    };
    for (const type of ['inc', 'dec', 'set', 'observe'] as const) {
      this.#shadows.replace(series, type, (call, [value = 1]) => {
        call();
        this.#tell(type, labels(), (value ?? 1) as number);
      });
    }
    this.#shadows.replace(series, 'startTimer', (call) => {
      const timer = call();
      this.#tell('startTimer', labels());
      return timer;
    });
    return series;
  }

  /** Writes a series' cells, once, and tells of it. Whether a gauge was added to or subtracted from, the sign says. */
  #standIn(series: Series, labels: Labels): object {
    return {
      [add]: (cell: number, value: number) => {
        series[add](cell, value);
        const less = value < 0 || Object.is(value, -0);
        this.#tell(less ? 'dec' : 'inc', labels, Math.abs(value));
      },
      [addPair]: (counted: number, summed: number, value: number) => {
        series[addPair](counted, summed, value);
        this.#tell('observe', labels, value);
      },
      [put]: (value: number) => {
        series[put](value);
        this.#tell('set', labels, value);
      },
      [idOf]: () => series[idOf](),
    };
  }
}

function labelsAt(metric: AnyMetric, place: Place): Labels {
  return printed(metric.series.labelsAt(place));
}
