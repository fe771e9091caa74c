/**
 * Keeps the metrics of one registry by name, and lists each in the core's registry as well. Does not depend on scrapes.
 */
import { native, RegistrationError } from '../errors';
import { Metric } from '../metrics/metric';
import { type Series, seriesSet } from '../metrics/series';
import type { NativeRegistry } from '../native/addon';
import type { ForeignMetric, MetricObject } from '../types';
import { CoreMetric } from './core-metric';

/** Any metric of this library. */
export type AnyMetric = Metric<string, Series>;

/** A metric as `getMetricsAsArray()` returns it: one of this library, or an object of another one. */
export type RegisteredMetric = MetricObject & ForeignMetric;

/** A registered metric. */
export interface Entry {
  readonly metric: AnyMetric | ForeignMetric;
  /** The number under which the core's registry lists it. */
  readonly item: number;
  /** True if a scrape shows what its `get()` returns, and not the cells of its series. */
  readonly isAsked: boolean;
}

/** True if values of a metric come from its `get()`: a metric of another library, or one whose `get()` was replaced. */
function isAsked(metric: AnyMetric | ForeignMetric): boolean {
  if (metric instanceof Metric) return metric.get !== Metric.prototype.get;
  return !(metric instanceof CoreMetric);
}

/** The metrics of one registry, in the order of their registration. */
export class Entries {
  readonly #native: NativeRegistry;
  readonly #byName = new Map<string, Entry>();

  constructor(registry: NativeRegistry) {
    this.#native = registry;
  }

  get(name: string): Entry | undefined {
    return this.#byName.get(name);
  }

  /** The entry of a metric, listed anew if its `get()` was replaced, or restored, since it was listed. */
  current(name: string, entry: Entry): Entry {
    // A callback of another metric may have removed it.
    if (isAsked(entry.metric) === entry.isAsked || this.#byName.get(name) !== entry) return entry;
    this.#native.remove(entry.item);
    const anew = this.#enter(entry.metric);
    this.#byName.set(name, anew);
    return anew;
  }

  metrics(): (AnyMetric | ForeignMetric)[] {
    return [...this.#byName.values()].map(({ metric }) => metric);
  }

  [Symbol.iterator](): IterableIterator<[string, Entry]> {
    return this.#byName.entries();
  }

  /**
   * Adds a metric; returns false if it is registered already.
   *
   * @throws {RegistrationError} `DUPLICATE_METRIC` if another metric has its name
   */
  add(metric: AnyMetric | ForeignMetric): boolean {
    // As in prom-client, an object of another library may leave its name to its get().
    const name = String(metric.name);
    const known = this.#byName.get(name);
    if (known?.metric === metric) return false;
    if (known !== undefined) {
      throw new RegistrationError('DUPLICATE_METRIC', `A metric with the name ${name} has already been registered.`);
    }
    this.#byName.set(name, this.#enter(metric));
    return true;
  }

  #enter(metric: AnyMetric | ForeignMetric): Entry {
    if (isAsked(metric))
      return { metric, isAsked: true, item: native(() => this.#native.addForeign(String(metric.name))) };
    const item =
      metric instanceof Metric
        ? native(() => this.#native.add(metric[seriesSet].family))
        : (metric as CoreMetric).enter(this.#native);
    return { metric, isAsked: false, item };
  }

  /** Removes a metric; returns whether there was one of this name. */
  remove(name: string): boolean {
    const entry = this.#byName.get(name);
    if (entry === undefined) return false;
    this.#byName.delete(name);
    this.#native.remove(entry.item);
    return true;
  }

  clear(): void {
    this.#byName.clear();
    this.#native.clear();
  }
}

/** The aggregator of a metric; objects of other libraries may have none. */
export function aggregatorOf(metric: { readonly aggregator?: string | undefined }): string {
  return metric.aggregator ?? 'sum';
}

/** The metrics of a registry as both peers keep them: an object by name, and a `Map` by name. */
export type MetricsView = Record<string, RegisteredMetric>;

/** A view of the metrics of a registry. `delete` and `Map`'s `delete()` remove a metric. */
export function viewOf(entries: Entries, remove: (name: string) => void): MetricsView {
  const map = new Map([...entries].map(([name, { metric }]) => [name, metric as RegisteredMetric]));
  const view: MetricsView = Object.create(null);
  for (const name of ['get', 'has', 'keys', 'values', 'entries', 'forEach', Symbol.iterator] as const) {
    Object.defineProperty(view, name, { value: (map[name] as () => unknown).bind(map), configurable: true });
  }
  Object.defineProperty(view, 'size', { value: map.size, configurable: true });
  Object.defineProperty(view, 'delete', { value: remove, configurable: true });
  for (const [name, value] of map) Object.defineProperty(view, name, { value, enumerable: true, configurable: true });
  return new Proxy(view, {
    deleteProperty(target, name) {
      remove(String(name));
      return Reflect.deleteProperty(target, name);
    },
  });
}
