/**
 * Collects the values that only JavaScript has: runs `collect()` callbacks and asks foreign metrics before a scrape.
 * Tells exporters whether a scrape needs that at all. Does not depend on formats.
 */
import { setImmediate } from 'node:timers';
import { native } from '../errors';
import { Metric } from '../metrics/metric';
import type { NativeRegistry } from '../native/addon';
import { isThenable } from '../read';
import type { ForeignMetric, MetricObjectWithValues } from '../types';
import { CoreMetric } from './core-metric';
import type { AnyMetric, Entries, Entry } from './entries';
import { askForeign } from './foreign';
import type { Task, TaskRunner, Wait } from './tasks';

/** The collections of the registries that are mounted in one. */
interface MountedCollections {
  /** True if a scrape has to run JavaScript for one of them. */
  readonly needCollecting: boolean;
  collections(): Iterable<Collections>;
}

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
  readonly #mounts: MountedCollections;
  /** Called when the answer of `areNeeded()` may have changed. */
  readonly #watchers = new Set<(needed: boolean) => void>();
  /** Collections that begin in the next turn of the event loop, by their names and their limits. */
  readonly #planned = new Map<string, Promise<void>>();
  /** Stands for the turn of the event loop that the planned collections share. */
  #turn = {};

  constructor(registry: NativeRegistry, entries: Entries, runner: TaskRunner, mounts: MountedCollections) {
    this.#native = registry;
    this.#entries = entries;
    this.#runner = runner;
    this.#mounts = mounts;
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
    return this.#mounts.needCollecting;
  }

  /**
   * Collects the metrics of these names, or all metrics if there are no names.
   *
   * @param wait how long to wait, and how long a callback may take
   * @param refused takes the answers of metrics whose names no exposition can have
   * @returns the answers of metrics that were asked; a metric that failed or took too long is left out
   */
  async run(names: readonly string[], wait: Wait, refused?: (answered: Answered) => void): Promise<Answered[]> {
    const tasks: Task<Answered | undefined>[] = [];
    const wanted = names.length > 0 ? new Set(names) : undefined;
    for (const [name, entry] of [...this.#entries]) {
      if (wanted !== undefined && !wanted.has(name) && !wanted.has(withUnderscores(name))) continue;
      if (!needsJavaScript(entry.metric)) continue;
      tasks.push({ name, of: entry.metric, run: () => this.#collect(name, entry, refused) });
    }
    const mounted = [...this.#mounts.collections()].map((collections) => collections.run(names, wait));
    const results = tasks.length === 0 ? [] : await this.#runner.run(tasks, wait);
    await Promise.all(mounted);
    return results.filter((result) => result !== undefined);
  }

  #collect(
    name: string,
    entry: Entry,
    refused?: (answered: Answered) => void,
  ): undefined | Promise<Answered | undefined> {
    const { metric, item, isAsked } = this.#entries.current(name, entry);
    return isAsked || !(metric instanceof Metric)
      ? this.#ask(metric as ForeignMetric, item, refused)
      : settled(metric.collect?.());
  }

  async #ask(metric: ForeignMetric, item: number, refused?: (answered: Answered) => void): Promise<Answered> {
    const { answer, family } = await askForeign(metric);
    const answered = { metric, answer };
    try {
      native(() => this.#native.setForeign(item, family));
    } catch (error) {
      refused?.(answered);
      throw error;
    }
    return answered;
  }

  /**
   * Collects for a scrape over HTTP. Scrapes that arrive in one turn of the event loop share each callback's result; the
   * callbacks begin after all of these scrapes have arrived.
   *
   * @param budgetMs how long this scrape waits, as its client has asked
   * @param allowedMs how long a callback may take before it has failed, though the client waits for less
   */
  runForScrape(names: readonly string[], budgetMs: number, allowedMs: number): Promise<void> {
    if (!this.areNeeded()) return Promise.resolve();
    const wait = { limitMs: budgetMs, allowedMs: Math.max(budgetMs, allowedMs), isBackground: true };
    const key = JSON.stringify([budgetMs, allowedMs, names]);
    const planned = this.#planned.get(key) ?? this.#plan(names, wait);
    this.#planned.set(key, planned);
    return planned;
  }

  #plan(names: readonly string[], wait: Wait): Promise<void> {
    const turn = this.#turn;
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#planned.clear();
        if (this.#turn === turn) this.#turn = {};
        this.run(names, { ...wait, turn }).then(() => resolve(), reject);
      });
    });
  }
}

/** A metric's name as scrapers get it that know no UTF-8 there. */
const withUnderscores = (name: string) => name.replace(/^\d|[^\w:]/gu, '_');

/** True if a scrape has to run JavaScript for this metric. The core reads its own metrics and all cells itself. */
function needsJavaScript(metric: AnyMetric | ForeignMetric): boolean {
  try {
    if (metric instanceof CoreMetric) return false;
    if (!(metric instanceof Metric)) return true;
    // A subclass may set its collect() or get() after the constructor has registered the metric.
    return Boolean(metric.collect) || metric.get !== Metric.prototype.get || isOfSubclass(metric);
  } catch {
    // Its getter or proxy fails. Collecting it reports that.
    return true;
  }
}

/** True for an instance of a program's own class. */
function isOfSubclass(metric: AnyMetric): boolean {
  return Object.getPrototypeOf(Object.getPrototypeOf(metric)) !== Metric.prototype;
}

/** Awaits a promise and discards its value; `undefined` for anything else. */
function settled(result: unknown): undefined | Promise<undefined> {
  return isThenable(result) ? awaited(result) : undefined;
}

async function awaited(result: PromiseLike<unknown>): Promise<undefined> {
  await result;
}
