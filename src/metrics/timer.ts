/**
 * Implements timers, which record seconds when they end: by a call, by `using`, or around a function.
 */
import { now, secondsSince } from '../clock';
import { isPromise } from '../read';
import type { AnyLabels } from '../types';
import { seriesSet } from './series';

/** A running timer. Every call records the seconds since the start, and returns them. */
export interface Timer<T extends string = string, E = never> extends Disposable {
  (labels?: AnyLabels<T>, exemplarLabels?: E): number;
}

/**
 * Starts a timer. With `using`, the end of the block records, unless a call has recorded before.
 *
 * @param record receives the labels of the call and the seconds
 */
export function startTimer<T extends string, E = never>(
  record: (labels: AnyLabels<T> | undefined, seconds: number, exemplarLabels: E | undefined) => void,
): Timer<T, E> {
  const start = now();
  let ended = false;
  const end = (labels?: AnyLabels<T> | typeof LEFT, exemplarLabels?: E): number => {
    if (labels === LEFT) {
      if (ended) return 0;
      labels = undefined;
    }
    const elapsed = secondsSince(start);
    record(labels, elapsed, exemplarLabels);
    ended = true;
    return elapsed;
  };
  (end as Timer<T, E>)[Symbol.dispose] = dispose;
  return end as Timer<T, E>;
}

/** Tells a timer that its block was left. */
const LEFT = Symbol();

/** Shared by all timers: it costs one store, where a function for each timer took most of the timer's time. */
function dispose(this: (labels: typeof LEFT) => number): void {
  this(LEFT);
}

/** Runs a function and ends the timer when the function, or the promise it returns, has succeeded or failed. */
function time<R>(end: () => number, run: () => R): R {
  let result: R;
  try {
    result = run();
  } catch (error) {
    end();
    throw error;
  }
  if (isPromise(result)) return result.finally(end) as R;
  end();
  return result;
}

/** What `time()` uses of a metric. */
interface Timed<T extends string> {
  startTimer(labels?: AnyLabels<T>): () => number;
  readonly [seriesSet]: { placeOfArguments(labels: readonly unknown[]): unknown };
}

/** The body of `time()` of all metrics: the function alone, or behind labels. */
export function timeCall<T extends string, R>(metric: Timed<T>, labels: AnyLabels<T> | (() => R), run?: () => R): R {
  if (typeof labels === 'function') return time(metric.startTimer(), labels);
  // Checked before the function runs, so that an unknown label cannot lose the function's result.
  metric[seriesSet].placeOfArguments([labels]);
  return time(metric.startTimer(labels), run as () => R);
}
