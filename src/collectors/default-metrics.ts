/**
 * `collectDefaultMetrics()`: makes the parts, registers their metrics, keeps them up to date and ends them. It must not know
 * what the metrics mean; the parts do.
 */
import { clearInterval, setInterval } from 'node:timers';
import { Registry } from '../registry/registry';
import type { RegistryContentType } from '../types';
import { quietly } from '../warnings';
import { handlesPart, requestsPart, resourcesPart } from './active';
import { lagPart } from './event-loop-lag';
import { utilizationPart } from './event-loop-utilization';
import { gcPart } from './gc';
import { heapPart, heapSpacesPart } from './heap';
import {
  checkedSettings,
  type DefaultMetric,
  type DefaultMetricsCollectorConfiguration,
  GROUPS,
  type Settings,
} from './options';
import type { Part } from './part';
import { processPart } from './process';
import { versionPart } from './version';

/** Ends a collection: removes its metrics from the registry and stops its timers and observers. */
export interface StopCollecting extends Disposable {
  (): void;
}

/** `collectDefaultMetrics()` and the names for its `include` and `exclude`. */
export interface CollectDefaultMetrics {
  /**
   * Registers metrics of the process and of Node.js, and keeps them up to date. It does not keep the process alive.
   * docs/default-metrics.md lists the metrics.
   *
   * @returns a function that ends the collection
   * @throws {ConfigurationError} `INVALID_CONFIG`
   * @throws {RegistrationError} `DUPLICATE_METRIC` if the registry already has one of the metrics, except from an exporter,
   * which gives them up; then none is registered. `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `INVALID_BUCKETS` as metrics throw them
   * @example
   * const stop = collectDefaultMetrics({ labels: { service: 'gateway' }, exclude: ['processRequests'] });
   * stop();
   */
  (options?: DefaultMetricsCollectorConfiguration | null): StopCollecting;
  /** As prom-client declares it. */
  <T extends RegistryContentType>(options?: DefaultMetricsCollectorConfiguration<T> | null): void;
  /** All collectors. */
  readonly metricsList: DefaultMetric[];
}

/**
 * How often values are updated without a scrape. The values of a worker thread in the main thread's scrape, and those of a
 * blocked thread in the exporter's scrape, are at most this old. An update costs half a millisecond.
 */
const REFRESH_MS = 5000;

const PARTS: Record<DefaultMetric, (settings: Settings) => Part> = {
  processCpuTotal: ({ naming }) =>
    processPart(
      ['process_cpu_user_seconds_total', 'process_cpu_system_seconds_total', 'process_cpu_seconds_total'],
      naming,
    ),
  processStartTime: ({ naming }) => processPart(['process_start_time_seconds'], naming),
  osMemoryHeap: ({ naming }) =>
    processPart(['process_resident_memory_bytes', 'process_virtual_memory_bytes', 'process_heap_bytes'], naming),
  processOpenFileDescriptors: ({ naming }) => processPart(['process_open_fds'], naming),
  processMaxFileDescriptors: ({ naming }) => processPart(['process_max_fds'], naming),
  eventLoopLag: ({ naming, lag }) => lagPart(naming, lag),
  eventLoopUtilization: ({ naming, utilization }) => utilizationPart(naming, utilization),
  processResources: ({ naming }) => resourcesPart(naming),
  processHandles: ({ naming }) => handlesPart(naming),
  processRequests: ({ naming }) => requestsPart(naming),
  heapSizeAndUsed: ({ naming }) => heapPart(naming),
  heapSpacesSizeAndUsed: ({ naming }) => heapSpacesPart(naming),
  version: ({ naming }) => versionPart(naming),
  gc: ({ naming, gcBuckets }) => gcPart(naming, gcBuckets),
};

const metricsList: DefaultMetric[] = Object.values(GROUPS).flat();

/** The running collections of a registry. They live as long as the registry: nothing else holds them. */
const running = new WeakMap<Registry, Set<Collection>>();

/** Stops the upkeep of a registry that the program has dropped without stopping its collections. */
const dropped = new FinalizationRegistry<Upkeep>((upkeep) => quietly(() => upkeep.stop()));

export const collectDefaultMetrics: CollectDefaultMetrics = Object.assign(
  (options?: DefaultMetricsCollectorConfiguration | null): StopCollecting => {
    const stop = collect(options, false);
    return Object.assign(stop, { [Symbol.dispose]: stop });
  },
  { metricsList },
);

/**
 * Collects as `collectDefaultMetrics()` does, until the program calls that function: metrics that the program wants to
 * collect itself are then given up.
 */
export function collectYielding(options: DefaultMetricsCollectorConfiguration): () => void {
  return collect(options, true);
}

function collect(options: DefaultMetricsCollectorConfiguration | null | undefined, yields: boolean): () => void {
  const settings = checkedSettings(options);
  const collection = new WeakRef(new Collection(settings.register ?? Registry.globalRegistry, settings, yields));
  return () => collection.deref()?.stop();
}

/** Timers and observers of one collection. They must not reach the registry, or it could never be collected as garbage. */
class Upkeep {
  readonly #parts: readonly Part[];
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  start(): void {
    const refresh = () => {
      for (const part of this.#parts) quietly(() => part.refresh?.());
    };
    for (const part of this.#parts) part.start?.();
    refresh();
    this.#timer = setInterval(refresh, REFRESH_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const part of this.#parts) part.stop?.();
  }
}

/** The parts of one call, in one registry. */
class Collection {
  readonly #registry: Registry;
  readonly #parts: Part[];
  readonly #upkeep: Upkeep;
  readonly #yields: boolean;

  constructor(registry: Registry, settings: Settings, yields: boolean) {
    const siblings = running.get(registry) ?? new Set();
    running.set(registry, siblings);
    for (const sibling of siblings) sibling.#stopIfCleared();
    this.#registry = registry;
    this.#yields = yields;
    this.#parts = metricsList.filter((name) => settings.wanted.has(name)).map((name) => PARTS[name](settings));
    this.#upkeep = new Upkeep(this.#parts);
    const names = new Set(this.#metrics.map((metric) => metric.name));
    // A collection that yields displaces no other: an exporter that ends would take the metrics along.
    if (!yields) for (const sibling of siblings) sibling.#yieldTo(names);
    this.#register();
    siblings.add(this);
    dropped.register(registry, this.#upkeep, this.#upkeep);
    this.#upkeep.start();
  }

  get #metrics() {
    return this.#parts.flatMap((part) => part.metrics);
  }

  /** All metrics, or none. */
  #register(): void {
    try {
      for (const metric of this.#metrics) this.#registry.registerMetric(metric);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Gives up the parts that have metrics of these names. */
  #yieldTo(names: ReadonlySet<string>): void {
    if (!this.#yields) return;
    for (const part of [...this.#parts]) {
      if (!part.metrics.some((metric) => names.has(metric.name))) continue;
      this.#parts.splice(this.#parts.indexOf(part), 1);
      part.stop?.();
      this.#unregister([part]);
    }
  }

  /** Removes our metrics only: another metric may have got the name since. */
  #unregister(parts: readonly Part[]): void {
    for (const metric of parts.flatMap((part) => part.metrics)) {
      if (this.#registry.getSingleMetric(metric.name) === metric) this.#registry.removeSingleMetric(metric.name);
    }
  }

  stop(): void {
    dropped.unregister(this.#upkeep);
    this.#upkeep.stop();
    this.#unregister(this.#parts);
    running.get(this.#registry)?.delete(this);
  }

  /** Tests clear registries and collect again; without this, timers and observers would pile up. */
  #stopIfCleared(): void {
    const left = this.#metrics.some((metric) => this.#registry.getSingleMetric(metric.name) === metric);
    if (!left) this.stop();
  }
}
