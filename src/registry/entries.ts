/**
 * Keeps the metrics of one registry by name, and lists each in the core's registry as well. Does not depend on scrapes.
 */
import { native, RegistrationError } from '../errors';
import { Metric } from '../metrics/metric';
import type { Series } from '../metrics/series';
import type { NativeRegistry } from '../native/addon';
import type { ForeignMetric } from '../types';
import { CoreMetric } from './core-metric';

/** Any metric of this library. */
export type AnyMetric = Metric<string, Series>;

/** A registered metric. */
export interface Entry {
  readonly metric: AnyMetric | ForeignMetric;
  /** The number under which the core's registry lists it. */
  readonly item: number;
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
    const known = this.#byName.get(metric.name);
    if (known?.metric === metric) return false;
    if (known !== undefined) {
      throw new RegistrationError(
        'DUPLICATE_METRIC',
        `A metric with the name ${metric.name} has already been registered.`,
      );
    }
    this.#byName.set(metric.name, { metric, item: this.#enter(metric) });
    return true;
  }

  #enter(metric: AnyMetric | ForeignMetric): number {
    if (metric instanceof Metric) return native(() => this.#native.add(metric.series.family));
    if (metric instanceof CoreMetric) return metric.enter(this.#native);
    return native(() => this.#native.addForeign(metric.name));
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
