/**
 * The default registry, lent to a test: what was there is put aside and given back. Knows nothing of operations.
 */
import { ConfigurationError } from '../errors';
import { Metric } from '../metrics/metric';
import { idOf, readCells, restore, revived, type Series } from '../metrics/series';
import type { AnyMetric } from '../registry/entries';
import { internalsOf, Registry } from '../registry/registry';
import type { ForeignMetric } from '../types';
import { Shadows } from './shadows';

/** Sees what enters and leaves the default registry. */
export interface Mirror {
  registered(metric: AnyMetric | ForeignMetric): void;
  removed(name: string): void;
}

/** The isolation that is going on: there is one default registry a realm. */
let current: Isolation | undefined;

/** A time in which the default registry is a test's. */
export class Isolation {
  readonly #registry = Registry.globalRegistry;
  readonly #internals = internalsOf(this.#registry);
  readonly #shadows = new Shadows();
  readonly #metrics = this.#registry.getMetricsAsArray();
  readonly #aside = this.#metrics.filter((metric) => metric instanceof Metric).map((metric) => new Aside(metric));
  readonly #defaultLabels = this.#internals.defaultLabels;
  readonly #contentType = this.#registry.contentType;
  readonly #mirror: Mirror;
  readonly #restorePolicies: () => void;
  readonly #remount: () => void;

  /** @throws {ConfigurationError} `INVALID_CONFIG` while another is going on */
  constructor(mirror: Mirror) {
    if (current !== undefined) {
      throw new ConfigurationError(
        'INVALID_CONFIG',
        'Expected the default registry to be free but another MockRegistry has isolated it: call its restore() first',
      );
    }
    current = this;
    this.#mirror = mirror;
    this.#restorePolicies = this.#internals.putPoliciesAside();
    this.#remount = this.#internals.mounts.putAside();
    for (const aside of this.#aside) aside.takeAway();
    try {
      this.#follow();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  #follow(): void {
    for (const metric of this.#metrics) this.#mirror.registered(metric);
    this.#shadows.replace(this.#registry, 'registerMetric', (call, [metric]) => {
      call();
      this.#mirror.registered(metric as AnyMetric | ForeignMetric);
    });
    this.#shadows.replace(this.#registry, 'removeSingleMetric', (call, [name]) => {
      call();
      this.#mirror.removed(name as string);
    });
    this.#shadows.replace(this.#registry, 'clear', (call) => {
      const names = this.#registry.getMetricsAsArray().map((metric) => metric.name);
      call();
      for (const name of names) this.#mirror.removed(name);
    });
  }

  /** Gives everything back. */
  end(): void {
    current = undefined;
    this.#shadows.remove();
    for (const { name } of this.#registry.getMetricsAsArray()) this.#mirror.removed(name);
    // No limit of the test's, and no sanitizer, is in the way of what was there.
    this.#internals.putPoliciesAside();
    this.#giveMetricsBack();
    this.#registry.setDefaultLabels(this.#defaultLabels);
    this.#registry.setContentType(this.#contentType);
    for (const aside of this.#aside) aside.giveBack();
    this.#restorePolicies();
    this.#remount();
  }

  #giveMetricsBack(): void {
    const own = new Set(this.#metrics);
    const left = this.#registry.getMetricsAsArray();
    for (const metric of left) if (!own.has(metric)) this.#registry.removeSingleMetric(metric.name);
    if (left.filter((metric) => own.has(metric)).length === own.size) return;
    // Some were taken out: all are entered again, in the order that they had.
    this.#registry.clear();
    for (const metric of this.#metrics) this.#registry.registerMetric(metric);
  }
}

/** The values of one metric, taken away and given back. */
class Aside {
  readonly #metric: AnyMetric;
  readonly #series: readonly { readonly series: Series; readonly cells: readonly number[] }[];

  constructor(metric: AnyMetric) {
    this.#metric = metric;
    const width = metric.type === 'histogram' ? metric.series.bounds.length + 2 : 1;
    const series = [...metric.series.existing()].map((series) => ({ series, cells: series[readCells](width) }));
    // A series' id grows with each that is made, so this is the order in which they print.
    this.#series = series.sort((a, b) => a.series[idOf]() - b.series[idOf]());
  }

  /** Back to the state after construction. Handles stay good. */
  takeAway(): void {
    this.#metric.reset();
    if (this.#metric.labelNames.length === 0) this.#metric.series.createUnlabelled();
  }

  giveBack(): void {
    this.#metric.reset();
    for (const { series, cells } of this.#series) series[revived]()[restore](cells);
  }
}
