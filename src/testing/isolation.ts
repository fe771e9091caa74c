/**
 * Lends the default registry to a test: sets its metrics and settings aside, and restores them afterwards. Must not know
 * operations.
 */
import { ConfigurationError } from '../errors';
import { Metric } from '../metrics/metric';
import { idOf, readCells, restore, revived, type Series, seriesSet } from '../metrics/series';
import type { AnyMetric } from '../registry/entries';
import { internalsOf, Registry } from '../registry/registry';
import type { ForeignMetric } from '../types';
import { Shadows } from './shadows';

/** Called for metrics that are added to and removed from the default registry. */
export interface Mirror {
  registered(metric: AnyMetric | ForeignMetric): void;
  removed(name: string): void;
}

/** The current isolation. Each realm has one default registry, so there is at most one. */
let current: Isolation | undefined;

/** The period in which the default registry belongs to a test. */
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

  /** @throws {ConfigurationError} `INVALID_CONFIG` if another isolation has not ended */
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
      this.#mirrorMetrics();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  #mirrorMetrics(): void {
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

  /** Restores the default registry. */
  end(): void {
    current = undefined;
    this.#shadows.remove();
    for (const { name } of this.#registry.getMetricsAsArray()) this.#mirror.removed(name);
    // Remove the test's limits and sanitizer first, so that they do not affect the restored metrics.
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
    // The test removed some metrics: register all of them again, in their old order.
    this.#registry.clear();
    for (const metric of this.#metrics) this.#registry.registerMetric(metric);
  }
}

/** The values of one metric, which are set aside and restored. */
class Aside {
  readonly #metric: AnyMetric;
  readonly #series: readonly { readonly series: Series; readonly cells: readonly number[]; readonly id: number }[];

  constructor(metric: AnyMetric) {
    this.#metric = metric;
    const { family, width } = metric[seriesSet];
    const series = [...metric[seriesSet].existing()].map((series) => ({ series, cells: series[readCells](width) }));
    // Ids grow with each new series, so this is the order in which series are printed.
    this.#series = series
      .map(({ series, cells }) => ({ series, cells, id: series[idOf]() }))
      .sort((a, b) => a.id - b.id);
    for (const { id } of this.#series) family.keepObservations(id);
  }

  /** Resets the metric to its state after construction. Handles stay valid. */
  takeAway(): void {
    this.#reset();
    if (this.#metric.labelNames.length === 0 && this.#metric.type !== 'info')
      this.#metric[seriesSet].createUnlabelled();
  }

  giveBack(): void {
    this.#reset();
    for (const { series, cells, id } of this.#series) {
      const live = series[revived]();
      live[restore](cells);
      this.#metric[seriesSet].family.giveObservations(id, live[idOf]());
    }
  }

  #reset(): void {
    this.#metric.reset();
    // As in prom-client, `reset()` leaves the series of a summary in place.
    if (this.#metric.type === 'summary') this.#metric[seriesSet].clear();
  }
}
