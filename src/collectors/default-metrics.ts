/**
 * `collectDefaultMetrics()`: puts the parts together, registers their metrics, keeps them going, and ends them. What
 * the metrics are, the parts know.
 */
import { Registry } from '../registry/registry';
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

/** Ends a collection: takes its metrics out of their registry, and stops its timers and observers. */
export interface StopCollecting extends Disposable {
  (): void;
}

/** `collectDefaultMetrics()` and the names that its `include` and `exclude` take. */
export interface CollectDefaultMetrics {
  /**
   * Registers metrics of the process and of Node.js, and keeps them up to date. Nothing of it keeps the process
   * alive. docs/default-metrics.md lists the metrics.
   *
   * @returns a function that ends it
   * @throws {ConfigurationError} `INVALID_CONFIG`
   * @throws {RegistrationError} `DUPLICATE_METRIC` where the registry has one of the metrics already; then none is
   * registered. `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `INVALID_BUCKETS` as metrics throw them
   * @example
   * const stop = collectDefaultMetrics({ labels: { service: 'gateway' }, exclude: ['processRequests'] });
   * stop();
   */
  (options?: DefaultMetricsCollectorConfiguration | null): StopCollecting;
  /** All collectors. */
  readonly metricsList: DefaultMetric[];
}

/**
 * How often values are brought up to date without a scrape: what a worker thread shows to the main thread's scrape,
 * and a blocked thread to the native door, is at most this old. It costs half a millisecond.
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

/** What runs for a registry, to find what was left running after `registry.clear()`. */
const running = new WeakMap<Registry, Set<Collection>>();

export const collectDefaultMetrics: CollectDefaultMetrics = Object.assign(
  (options?: DefaultMetricsCollectorConfiguration | null): StopCollecting => {
    const settings = checkedSettings(options);
    const collection = new Collection(settings.register ?? Registry.globalRegistry, settings);
    const stop = (): void => collection.stop();
    return Object.assign(stop, { [Symbol.dispose]: stop });
  },
  { metricsList },
);

/** The parts of one call, in one registry. */
class Collection {
  readonly #registry: Registry;
  readonly #parts: readonly Part[];
  #timer: NodeJS.Timeout | undefined;

  constructor(registry: Registry, settings: Settings) {
    const siblings = running.get(registry) ?? new Set();
    running.set(registry, siblings);
    for (const sibling of siblings) sibling.#stopIfCleared();
    this.#registry = registry;
    this.#parts = metricsList.filter((name) => settings.wanted.has(name)).map((name) => PARTS[name](settings));
    this.#register();
    siblings.add(this);
    this.#start();
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

  /** Takes out what is there of ours: the name may have been given to another metric since. */
  #unregister(): void {
    for (const metric of this.#metrics) {
      if (this.#registry.getSingleMetric(metric.name) === metric) this.#registry.removeSingleMetric(metric.name);
    }
  }

  #start(): void {
    const refresh = () => {
      for (const part of this.#parts) part.refresh?.();
    };
    for (const part of this.#parts) part.start?.();
    refresh();
    this.#timer = setInterval(refresh, REFRESH_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const part of this.#parts) part.stop?.();
    this.#unregister();
    running.get(this.#registry)?.delete(this);
  }

  /** Tests clear registries and collect anew; timers and observers of before would pile up. */
  #stopIfCleared(): void {
    const left = this.#metrics.some((metric) => this.#registry.getSingleMetric(metric.name) === metric);
    if (!left) this.stop();
  }
}
