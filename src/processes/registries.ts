/**
 * Implements the registries of both peers that show many processes or threads as one. A constructor opens the channels;
 * loading this module opens nothing and loads nothing more.
 */
import { ConfigurationError } from '../errors';
import { jsonOfRun, Registry, textOfRun } from '../registry/registry';
import type { RegistryContentType } from '../types';
import type * as Cluster from './cluster';
import type * as Exposition from './exposition';
import type { Show } from './gatherings';
import type { Families } from './protocol';
import { joinedProcesses, ownFamilies, shareWithWorkers } from './share';
import type * as Threads from './threads';

const cluster = () => require('./cluster') as typeof Cluster;
const threads = () => require('./threads') as typeof Threads;
const exposition = () => require('./exposition') as typeof Exposition;

const DEFAULT_LIMIT_MS = 5000;

type Shared = Cluster.Shared;

/** The registries that this process, and this thread, answers with. */
const answering: { cluster?: readonly Registry[]; threads?: readonly Registry[] } = {};

const clusterRegistries = (): readonly Registry[] => answering.cluster ?? [Registry.globalRegistry];
/** This process's place in the cluster, once it has a registry for it. */
let side: Cluster.ClusterSide | undefined;
const threadRegistries = (): readonly Registry[] => answering.threads ?? [Registry.globalRegistry];

/**
 * The registry of the successor for `node:cluster`. Make one in the primary, and one in each worker: it answers the
 * primary.
 */
export class ClusterRegistry<T extends RegistryContentType = RegistryContentType> extends Registry<T> {
  readonly #side: Cluster.ClusterSide;

  /** @param contentType the format of `clusterMetrics()` */
  constructor(contentType: RegistryContentType = Registry.PROMETHEUS_CONTENT_TYPE) {
    super(contentType);
    const { joinCluster } = cluster();
    // It has loaded `node:cluster`, by which a primary is known.
    if (answering.cluster === undefined) shareWithWorkers();
    this.#side = joinCluster(() => answering.cluster);
    side = this.#side;
  }

  /**
   * Returns the exposition of the primary and all workers that have a registry, each metric combined with its
   * `aggregator`. Call it in the primary.
   *
   * @throws {EndpointError} `CLUSTER_FAILED` if a worker does not answer within 5 seconds
   */
  clusterMetrics(): Promise<string> {
    const { shared } = this;
    if (this.isShared(shared)) return Registry.globalRegistry[textOfRun](this.contentType, false);
    return this.gather(false, shared, async ([kept, ...workers]) =>
      exposition().text([kept, ...(await this.readOwn(shared)), ...workers], this.contentType),
    );
  }

  /**
   * The values of this process, and of those that share theirs. Read after the workers have answered: one that has joined
   * meanwhile sends none. @internal
   */
  protected readOwn(shared: Shared): Promise<Families[]> {
    const read = (registry: Registry) => (shared === undefined ? ownFamilies(registry) : registry[jsonOfRun](false));
    return Promise.all(clusterRegistries().map(read));
  }

  /** @internal */
  protected get isAlone(): boolean {
    return this.#side.isAlone;
  }

  /** True if all processes share their metrics: none of them is asked by message. @internal */
  protected isShared(shared: Shared): boolean {
    return shared !== undefined && !this.#side.hasMessages(shared);
  }

  /** True if a process answers with registries that the program has chosen: then all are asked by message. */
  get #isChosen(): boolean {
    return answering.cluster !== undefined || this.#side.hasOwnRegistries;
  }

  /** The numbers of the processes whose values need no message; `undefined` if there are none. @internal */
  protected get shared(): Shared {
    return this.#isChosen ? undefined : joinedProcesses();
  }

  /** @internal */
  protected gather(isStrict: boolean, shared: Shared, show: Show): Promise<string> {
    return this.#side.scrape(isStrict, shared, show);
  }

  /**
   * Prepares the end of the process. In a worker: sends the counts to the primary, which keeps them, and waits until it
   * has them. In the primary: waits for requests that are under way.
   *
   * @param timeoutMs how long to wait, in milliseconds
   * @throws {EndpointError} `CLUSTER_FAILED` if that takes longer
   */
  shutdown(timeoutMs: number = DEFAULT_LIMIT_MS): Promise<void> {
    return this.#side.shutdown(timeoutMs);
  }

  /**
   * Sets the registries that this process answers with.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  static setRegistries(registries: Registry | readonly Registry[]): void {
    answering.cluster = checkedRegistries(registries);
    side?.registriesChanged();
  }
}

/** The registry of prom-client for `node:cluster`: shows only the workers. */
export class AggregatorRegistry<T extends RegistryContentType = RegistryContentType> extends ClusterRegistry<T> {
  /**
   * Returns the exposition of all workers, or of this process if it never had one.
   *
   * @throws {EndpointError} `CLUSTER_FAILED` if a worker does not answer within 5 seconds
   */
  override clusterMetrics(): Promise<string> {
    const { shared } = this;
    if (this.isShared(shared)) return Registry.globalRegistry[textOfRun](this.contentType, !this.isAlone);
    return this.gather(true, shared, async ([kept, ...workers]) => {
      const lists = this.isAlone ? await this.readOwn(shared) : workers;
      if (shared !== undefined && !this.isAlone) lists.push(await Registry.globalRegistry[jsonOfRun](true));
      const text = await exposition().text([kept, ...lists], this.contentType);
      return text === '\n' ? '' : text;
    });
  }
}

/**
 * The registry of the successor for worker threads. Make one in the main thread, and one in each worker. A scrape of the
 * default registry shows all threads without it.
 */
export class WorkerRegistry<T extends RegistryContentType = RegistryContentType> extends Registry<T> {
  /** True for the thread that asks the others. */
  readonly primary: boolean;
  readonly #threads: Threads.Threads;

  /**
   * @param contentType the format of `workerMetrics()`
   * @param primary true for the thread that asks the others; the main thread if missing
   */
  constructor(contentType: RegistryContentType = Registry.PROMETHEUS_CONTENT_TYPE, primary?: boolean) {
    super(contentType);
    const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');
    this.primary = primary ?? isMainThread;
    this.#threads = threads().joinThreads(this.primary, threadRegistries);
  }

  /**
   * Returns the exposition of all worker threads that have a registry, each metric combined with its `aggregator`; the
   * empty string without any.
   *
   * @throws {EndpointError} `CLUSTER_FAILED` if a thread does not answer within 5 seconds. Later
   *   calls do not wait for it.
   */
  workerMetrics(): Promise<string> {
    if (this.#threads.isEmpty) return Promise.resolve('');
    return this.#threads.scrape((families) => exposition().text(families, this.contentType));
  }

  /**
   * Prepares the end of the thread. In a worker: sends the counts to the primary, which keeps them, and waits until it
   * has them. In the primary: waits for requests that are under way.
   *
   * @param timeoutMs how long to wait, in milliseconds
   * @throws {EndpointError} `CLUSTER_FAILED` if that takes longer
   */
  shutdown(timeoutMs: number = DEFAULT_LIMIT_MS): Promise<void> {
    return this.#threads.shutdown(this.primary, timeoutMs);
  }

  /** Returns the number of worker threads that have a registry. */
  static workerCount(): number {
    return threads().memberCount();
  }

  /**
   * Sets the registries that this thread answers with.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  static setRegistries(registries: Registry | readonly Registry[]): void {
    answering.threads = checkedRegistries(registries);
  }
}

function checkedRegistries(registries: Registry | readonly Registry[]): readonly Registry[] {
  const list: readonly unknown[] = Array.isArray(registries) ? [...registries] : [registries];
  for (const registry of list) {
    if (registry instanceof Registry) continue;
    throw new ConfigurationError('INVALID_CONFIG', `Expected Registry, got ${typeof registry}`);
  }
  return list as readonly Registry[];
}
