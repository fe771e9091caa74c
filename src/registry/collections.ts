/**
 * Collects the values that only JavaScript has: runs `collect()` callbacks and asks foreign metrics before a scrape.
 * Tells exporters whether a scrape needs that at all. Does not depend on formats.
 */
import { setImmediate } from 'node:timers';
import { Metric } from '../metrics/metric';
import type { NativeRegistry } from '../native/addon';
import type { ForeignMetric, MetricObjectWithValues } from '../types';
import { CoreMetric } from './core-metric';
import type { AnyMetric, Entries } from './entries';
import { readForeign } from './foreign';
import type { Task, TaskRunner } from './tasks';

/** What `get()` of a metric has returned. */
export interface Answered {
  readonly metric: AnyMetric | ForeignMetric;
  readonly answer: MetricObjectWithValues;
}

/** The collections whose watchers have to know when a metric gets another `collect()`. */
const watched = new Set<Collections>();

/** Tells all watchers that a metric may have got another `collect()`. */
export function notifyAll(): void {
  for (const collections of watched) collections.notify();
}

/** The collections of one registry, and of the registries mounted in it. */
export class Collections {
  readonly #native: NativeRegistry;
  readonly #entries: Entries;
  readonly #runner: TaskRunner;
  readonly #mounted: () => Iterable<Collections>;
  /** Called when the answer of `areNeeded()` may have changed. */
  readonly #watchers = new Set<(needed: boolean) => void>();
  /** Collections that begin in the next turn of the event loop, by their budget in milliseconds. */
  readonly #planned = new Map<number, Promise<void>>();

  constructor(registry: NativeRegistry, entries: Entries, runner: TaskRunner, mounted: () => Iterable<Collections>) {
    this.#native = registry;
    this.#entries = entries;
    this.#runner = runner;
    this.#mounted = mounted;
  }

  /** Calls back now, and again after each change of the registry, with whether a scrape has to collect. */
  watch(watcher: (needed: boolean) => void): () => void {
    this.#watchers.add(watcher);
    watched.add(this);
    watcher(this.areNeeded());
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) watched.delete(this);
    };
  }

  /** Tells the watchers that a metric or a mounted registry came or went. */
  notify(): void {
    if (this.#watchers.size === 0) return;
    const needed = this.areNeeded();
    for (const watcher of this.#watchers) watcher(needed);
  }

  /** True if any metric, here or in a mounted registry, has values that only JavaScript knows. */
  areNeeded(): boolean {
    for (const [, { metric }] of this.#entries) if (needsJavaScript(metric)) return true;
    for (const mounted of this.#mounted()) if (mounted.areNeeded()) return true;
    return false;
  }

  /**
   * Collects the metrics of these names, or all metrics if there are no names.
   *
   * @param background true if waiting for the result must not keep the process alive
   * @returns the answers of metrics that were asked; a metric that failed or took too long is left out
   */
  async run(names: readonly string[], limitMs: number, background = false): Promise<Answered[]> {
    const tasks: Task<Answered | undefined>[] = [];
    const wanted = names.length > 0 ? new Set(names) : undefined;
    for (const [name, entry] of [...this.#entries]) {
      if (wanted?.has(name) === false || !needsJavaScript(entry.metric)) continue;
      const { metric, item, isAsked } = this.#entries.current(name, entry);
      if (isAsked || !(metric instanceof Metric))
        tasks.push({ name, run: () => this.#ask(metric as ForeignMetric, item) });
      else tasks.push({ name, run: () => settled(metric.collect?.()) });
    }
    const mounted = [...this.#mounted()].map((collections) => collections.run(names, limitMs, background));
    const results = tasks.length === 0 ? [] : await this.#runner.run(tasks, limitMs, background);
    await Promise.all(mounted);
    return results.filter((result) => result !== undefined);
  }

  async #ask(metric: ForeignMetric, item: number): Promise<Answered> {
    return { metric, answer: await readForeign(this.#native, item, metric) };
  }

  /**
   * Collects for a scrape over HTTP. Scrapes that arrive in one turn of the event loop share one collection, which
   * begins after all of them have arrived.
   */
  runForScrape(names: readonly string[], budgetMs: number): Promise<void> {
    if (names.length > 0) return this.run(names, budgetMs, true).then(() => undefined);
    if (!this.areNeeded()) return Promise.resolve();
    const planned = this.#planned.get(budgetMs) ?? this.#plan(budgetMs);
    this.#planned.set(budgetMs, planned);
    return planned;
  }

  #plan(budgetMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#planned.delete(budgetMs);
        this.run([], budgetMs, true).then(() => resolve(), reject);
      });
    });
  }
}

/** True if a scrape has to run JavaScript for this metric. The core reads its own metrics and all cells itself. */
function needsJavaScript(metric: AnyMetric | ForeignMetric): boolean {
  if (metric instanceof CoreMetric) return false;
  if (!(metric instanceof Metric)) return true;
  // A subclass may set its collect() or get() after the constructor has registered the metric.
  return Boolean(metric.collect) || metric.get !== Metric.prototype.get || isOfSubclass(metric);
}

/** True for an instance of a program's own class. */
function isOfSubclass(metric: AnyMetric): boolean {
  return Object.getPrototypeOf(Object.getPrototypeOf(metric)) !== Metric.prototype;
}

/** Awaits a promise and discards its value; `undefined` for anything else. */
function settled(result: unknown): undefined | Promise<undefined> {
  if (typeof result !== 'object' || result === null || !('then' in result)) return undefined;
  return Promise.resolve(result).then(() => undefined);
}
