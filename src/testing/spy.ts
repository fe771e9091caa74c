/**
 * Reports every operation on a metric: by the metric itself, by existing handles, and by timers. Replaces the methods of
 * this metric's objects only and restores them later, so other metrics do not become slower.
 */
import { unixMs } from '../clock';
import type { NativeHistogramCells } from '../metrics/native-histogram-cells';
import type { Place } from '../metrics/place';
import { add, addPair, idOf, labelsOf, put, record, type Series, seriesSet } from '../metrics/series';
import type { SummaryCells } from '../metrics/summary';
import type { AnyMetric } from '../registry/entries';
import type { Operation, OperationType } from './operations';
import { printed } from './selector';
import { Shadows } from './shadows';

/** Called after each operation. */
export type Listener = (operation: Operation) => void;

type Labels = Readonly<Record<string, string>>;

/** The active spies. */
const spies = new WeakMap<AnyMetric, Spy>();

/** Reports operations on a metric from now on. @returns a function that stops the reports */
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
    metric[seriesSet].watch(true);
    this.#spyOnSet(metric[seriesSet]);
    for (const series of metric[seriesSet].existing()) this.#spyOnSeries(series);
  }

  /** Restores every method. */
  end(): void {
    this.#shadows.remove();
    this.#metric[seriesSet].watch(false);
  }

  #report(type: OperationType, labels: Labels, value?: number): void {
    const operation = Object.freeze({ type, name: this.#metric.name, labels, value, timestampMs: unixMs() });
    for (const listener of [...this.listeners]) listener(operation);
  }

  /** Observes methods of the metric that do not act on a single existing series. */
  #spyOnMetric(metric: AnyMetric): void {
    const place = (args: unknown[]): Labels => labelsAt(metric, metric[seriesSet].placeOfArguments(args));
    this.#shadows.replace(metric, 'remove', (call, args) => {
      const labels = place(args);
      call();
      this.#report('remove', labels);
    });
    this.#shadows.replace(metric, 'removeMatching', (call, [labels]) => {
      const count = call();
      if ((count as number) > 0) this.#report('remove', printed({ ...(labels as object) }));
      return count;
    });
    this.#shadows.replace(metric, 'zero', (call, [labels = {}]) => {
      call();
      this.#report('zero', place([labels]));
    });
    this.#shadows.replace(metric, 'reset', (call) => {
      call();
      this.#report('reset', {});
    });
    this.#shadows.replace(metric, 'startTimer', (call, [labels]) => {
      const timer = call();
      this.#report('startTimer', printed({ ...(labels as object) }));
      return timer;
    });
  }

  /** Observes each series when the set hands it out. A series has one object, which is observed once. */
  #spyOnSet(set: AnyMetric[typeof seriesSet]): void {
    const spied = (call: () => unknown): unknown => this.#spyOnSeries(call() as Series);
    for (const way of ['at', 'handle', 'unlabelled'] as const) this.#shadows.replace(set, way, spied);
    // Each call of `labels()` goes to `handle()`.
    this.#shadows.replace(set, 'existingOf', () => undefined);
    this.#shadows.replace(set, 'createUnlabelled', (call) => {
      // This call revives the series without labels. Observe that series first, so that `revive` does not take it for an
      // old handle.
      set.unlabelled();
      return call();
    });
    this.#shadows.replace(set, 'revive', (call, [series, place]) => {
      const live = call() as Series;
      if (this.#series.has(series as Series)) return live;
      // The handle is older than the spy and has not recorded yet: a stand-in reports its first write.
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
        this.#report(type, labels(), (value ?? 1) as number);
      });
    }
    for (const type of ['turn', 'show'] as const) {
      this.#shadows.replace(series, type, (call, [on = true]) => {
        call();
        this.#report('set', labels(), Number(on));
      });
    }
    this.#shadows.replace(series, 'startTimer', (call) => {
      const timer = call();
      this.#report('startTimer', labels());
      return timer;
    });
    return series;
  }

  /** An object that writes to a series' cells and reports the write. The sign tells `inc` from `dec` of a gauge. */
  #standIn(series: Series, labels: Labels): object {
    return {
      [add]: (cell: number, value: number) => {
        series[add](cell, value);
        const less = value < 0 || Object.is(value, -0);
        this.#report(less ? 'dec' : 'inc', labels, Math.abs(value));
      },
      [addPair]: (counted: number, summed: number, value: number) => {
        series[addPair](counted, summed, value);
        this.#report('observe', labels, value);
      },
      [record]: (value: number) => {
        (series as NativeHistogramCells | SummaryCells)[record](value);
        this.#report('observe', labels, value);
      },
      [put]: (value: number) => {
        series[put](value);
        this.#report('set', labels, value);
      },
      [idOf]: () => series[idOf](),
    };
  }
}

function labelsAt(metric: AnyMetric, place: Place): Labels {
  return printed(metric[seriesSet].labelsAt(place));
}
