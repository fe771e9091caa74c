/**
 * Registries: names, and the metrics found under them. A registry asks JavaScript for what only it knows and leaves
 * the rest, from the order of families to the last byte, to the core.
 */
import { setImmediate } from 'node:timers';
import { isMainThread } from 'node:worker_threads';
import { ConfigurationError, describe, native, RegistrationError, refuseOption } from '../errors';
import type { SanitizerOptions } from '../labels/sanitizer';
import { textOf } from '../labels/value';
import { Counter, type CounterConfiguration } from '../metrics/counter';
import { Gauge, type GaugeConfiguration } from '../metrics/gauge';
import { Histogram, type HistogramConfiguration } from '../metrics/histogram';
import { checkConfiguration, Metric, setDefaultRegistry } from '../metrics/metric';
import { vacate } from '../metrics/overflow';
import type { Series } from '../metrics/series';
import {
  type Answer,
  addon,
  type EmbeddingOptions,
  type HostMessage,
  type NativeConfig,
  type NativeExporter,
  type NativeRegistry,
  type NativeService,
  type Wanted,
} from '../native/addon';
import { defaultRegistry, privateRegistry } from '../native/contributor';
import type {
  CardinalityReport,
  ForeignMetric,
  LabelValue,
  Logger,
  MetricObjectWithValues,
  OpenMetricsContentType,
  PrometheusContentType,
  RegistryCardinalityOptions,
  RegistryContentType,
} from '../types';
import { Collectors, checkedTimeout, processLogger, type Task } from './collect';
import { CoreMetric } from './core-metric';
import { Demands } from './demands';
import { readForeign } from './foreign';
import { checkScrapeOptions, type ScrapeOptions, type ScrapeResponse, toResponse } from './scraping';
import { parseFamilies } from './values';

export const PROMETHEUS_CONTENT_TYPE: PrometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_CONTENT_TYPE: OpenMetricsContentType =
  'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** A registry with at most this many lines is written at once: handing it to a thread costs more. */
const INLINE_LINES = 256;

/** Settings of a registry. */
export interface RegistryOptions {
  /** The format of `metrics()`. @default text 0.0.4 */
  contentType?: RegistryContentType;
  /** Labels that every series shows, unless it has a label of that name itself. @default {} */
  defaultLabels?: Readonly<Record<string, LabelValue>>;
  /** Where warnings go: failing collectors, families that cannot be merged, limits that are met. @default Node.js' warnings */
  logger?: Logger;
  /** Limits on series: of each metric that says nothing itself, and of all together. */
  cardinality?: RegistryCardinalityOptions;
  /** Seconds that a value may stay unchanged before its series is removed, in metrics that say nothing themselves. @default never */
  ttlSeconds?: number;
  /** How the label values of new series are cleaned; `true` takes the defaults. @default false */
  sanitize?: boolean | SanitizerOptions;
}

/** Any metric of this library. */
export type AnyMetric = Metric<string, Series>;

interface Entry {
  readonly metric: AnyMetric | ForeignMetric;
  /** Its place in the core's registry. */
  readonly item: number;
}

/** A registry that is shown with another. */
interface Mounted {
  readonly labels: Readonly<Record<string, LabelValue>>;
  readonly unmount: () => void;
}

/** What has to happen in JavaScript before the core goes to work, done. */
interface Gathered {
  readonly wanted: Wanted;
  /** What foreign metrics answered. */
  readonly answers: readonly MetricObjectWithValues[];
}

/** Hands the constructor the core's registry that is merged across threads. */
const NATIVE = Symbol('native');

/** A set of metrics with unique names. */
export class Registry {
  static readonly PROMETHEUS_CONTENT_TYPE = PROMETHEUS_CONTENT_TYPE;
  static readonly OPENMETRICS_CONTENT_TYPE = OPENMETRICS_CONTENT_TYPE;
  /** The default registry. */
  static globalRegistry: Registry;

  readonly #native: NativeRegistry;
  readonly #entries = new Map<string, Entry>();
  readonly #collectors: Collectors;
  readonly #mismatches = new Set<string>();
  readonly #shared: boolean;
  readonly #demands: Demands;
  #contentType: RegistryContentType;
  #defaultLabels: Readonly<Record<string, LabelValue>> = {};
  /** Registries that are shown with this one. */
  readonly #mounts = new Map<Registry, Mounted>();
  /** Answers `scrape()`, by whether the whole process is shown. */
  readonly #services = new Map<boolean, NativeService>();
  /** Who wants to know whether a scrape has to ask JavaScript for something. */
  readonly #watchers = new Set<(collects: boolean) => void>();
  /** Collections that the next turn of the loop begins, by their budget. */
  readonly #awaited = new Map<number, Promise<void>>();

  /**
   * @param settings a content type, or options
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type
   */
  constructor(settings: RegistryContentType | RegistryOptions = PROMETHEUS_CONTENT_TYPE) {
    const options: RegistryOptions & { [NATIVE]?: NativeRegistry } =
      typeof settings === 'object' && settings !== null ? settings : { contentType: settings };
    this.#contentType =
      options.contentType === undefined ? PROMETHEUS_CONTENT_TYPE : checkedContentType(options.contentType);
    this.#shared = options[NATIVE] !== undefined;
    this.#native = options[NATIVE] ?? privateRegistry();
    this.#demands = new Demands(this.#native);
    this.#collectors = new Collectors(options.logger ?? processLogger, (name) => this.#native.collectorFailed(name));
    if (options.defaultLabels !== undefined) this.setDefaultLabels(options.defaultLabels);
    if (options.cardinality !== undefined) this.setCardinality(options.cardinality);
    if (options.ttlSeconds !== undefined) this.setTtl(options.ttlSeconds);
    if (options.sanitize !== undefined) this.setSanitizer(options.sanitize);
  }

  /**
   * Cleans the label values of new series from now on: length, control characters, Unicode, and what should not be
   * there, such as e-mail addresses and API keys. Series that exist stay as they are; so do default labels, and the
   * samples of other libraries' metrics.
   *
   * @param options `true` for the defaults, `false` to take values as they are
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setSanitizer(options: boolean | SanitizerOptions): void {
    this.#demands.setSanitizer(options);
    this.#meetDemands();
  }

  /**
   * Sets for how many seconds a value may stay unchanged before its series is removed, in metrics that say nothing
   * themselves; 0 is never.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setTtl(seconds: number): void {
    this.#demands.setTtl(seconds);
    this.#meetDemands();
  }

  /** Demands nothing of series from now on; returns what demands again what was demanded before. @internal */
  putDemandsAside(): () => void {
    const giveBack = this.#demands.putAside();
    this.#meetDemands();
    return () => {
      giveBack();
      this.#meetDemands();
    };
  }

  /** Mounts nothing from now on; returns what mounts again what was mounted before. @internal */
  putMountsAside(): () => void {
    const mounts = [...this.#mounts].map(([registry, { unmount, labels }]) => ({ registry, unmount, labels }));
    for (const { unmount } of mounts) unmount();
    return () => {
      for (const { unmount } of [...this.#mounts.values()]) unmount();
      for (const { registry, labels } of mounts) this.mount(registry, labels);
    };
  }

  #meetDemands(): void {
    for (const { metric } of this.#entries.values()) if (metric instanceof Metric) this.#demands.meet(metric.series);
  }

  /**
   * Shows another registry's metrics with this one's, under these labels: a registry a tenant, say, each with limits of
   * its own. Metrics of one name are shown as one family; one of another type, or with other buckets, is left out,
   * counted and warned of. A label that a series has itself gives way, under the name `exported_…`.
   *
   * @returns what ends it; `clear()` does too
   * @throws {RegistrationError} `INVALID_LABEL_NAME`
   * @throws {ConfigurationError} `INVALID_CONFIG` for a registry that is mounted here already, or would contain itself, and
   *   for labels under which another is mounted
   * @example
   * const acme = new Registry({ cardinality: { maxTotal: 5000 } });
   * register.mount(acme, { tenant: 'acme' });
   */
  mount(registry: Registry, labels: Readonly<Record<string, LabelValue>>): () => void {
    if (!(registry instanceof Registry)) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected a registry to mount but received ${describe(registry)}`);
    }
    if (typeof labels !== 'object' || labels === null) refuseOption('labels', 'mount()', labels);
    // An absent label is not printed, here as in a series.
    const given = Object.entries(labels).filter(([, value]) => value !== undefined && value !== null);
    const flat = given.flatMap(([name, value]) => [name, textOf(name, value)]);
    native(() => this.#native.mount(registry.#native, flat));
    const unwatch = registry.watchCollectors(() => this.#tellWatchers());
    const unmount = () => {
      // It may have been mounted anew since.
      if (this.#mounts.get(registry)?.unmount !== unmount) return;
      this.#mounts.delete(registry);
      unwatch();
      this.#native.unmount(registry.#native);
      this.#tellWatchers();
    };
    this.#mounts.set(registry, { unmount, labels });
    this.#tellWatchers();
    return unmount;
  }

  /**
   * Replaces the limits on series. Those that are beyond the new ones stay; what the options leave out has its default.
   * They go before `METRICS_CARDINALITY_*`, which the default registry has from the endpoint that shows it.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setCardinality(options: RegistryCardinalityOptions): void {
    this.#demands.setCardinality(options);
  }

  /**
   * What the series are made of: by metric, by label, in bytes, of this thread. Goes through all of them, so it is for
   * people and tests, not for each request: some ten milliseconds for 100,000 series.
   */
  cardinality(): CardinalityReport {
    return this.#demands.report();
  }

  /** The format of `metrics()`, as a content type. */
  get contentType(): RegistryContentType {
    return this.#contentType;
  }

  /**
   * Sets the format of `metrics()`. Scrapes over HTTP negotiate theirs.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type
   */
  setContentType(contentType: RegistryContentType): void {
    this.#contentType = checkedContentType(contentType);
  }

  /**
   * Enters a metric. It may be in several registries. What is no metric of this library is asked for its samples by
   * `get()` at each scrape.
   *
   * @throws {RegistrationError} `DUPLICATE_METRIC`
   */
  registerMetric(metric: AnyMetric | ForeignMetric): void {
    if (typeof metric?.get !== 'function' || typeof metric.name !== 'string') {
      throw new ConfigurationError(
        'INVALID_CONFIG',
        `Expected a metric with a name and get() but received ${describe(metric)}`,
      );
    }
    const known = this.#entries.get(metric.name);
    if (known?.metric === metric) return;
    if (known !== undefined) throw duplicate(metric.name);
    this.#entries.set(metric.name, { metric, item: this.#place(metric) });
    if (metric instanceof Metric) this.#demands.meet(metric.series);
    // It meets this registry's limits now, which may be higher than the default ones it has met.
    vacate();
    this.#tellWatchers();
  }

  #place(metric: AnyMetric | ForeignMetric): number {
    if (metric instanceof Metric) return native(() => this.#native.add(metric.series.family));
    if (metric instanceof CoreMetric) return metric.place(this.#native);
    return native(() => this.#native.addForeign(metric.name));
  }

  /**
   * The counter of this name, made if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the name is taken by another type or other labels
   */
  counter<const T extends string = string>(configuration: CounterConfiguration<T>): Counter<T> {
    return this.#getOrCreate(Counter<T>, configuration);
  }

  /**
   * The gauge of this name, made if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the name is taken by another type or other labels
   */
  gauge<const T extends string = string>(configuration: GaugeConfiguration<T>): Gauge<T> {
    return this.#getOrCreate(Gauge<T>, configuration);
  }

  /**
   * The histogram of this name, made if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the name is taken by another type, other labels or other buckets
   */
  histogram<const T extends string = string>(configuration: HistogramConfiguration<T>): Histogram<T> {
    return this.#getOrCreate(Histogram<T>, configuration);
  }

  #getOrCreate<C extends { name: string; registers?: unknown }, M extends AnyMetric>(
    type: new (configuration: C) => M,
    configuration: C,
  ): M {
    checkConfiguration(configuration);
    const found = this.#entries.get(configuration.name)?.metric;
    // Made outside all registries first: a configuration that is wrong is refused, whether the name is taken or not.
    if (found === undefined) return new type({ ...configuration, registers: [this] });
    const wanted = new type({ ...configuration, registers: [] });
    if (found instanceof type && found.isSameAs(wanted)) return found;
    throw new RegistrationError(
      'TYPE_MISMATCH',
      `Expected ${configuration.name} to be the ${(found as AnyMetric).type ?? 'metric'} it was registered as, with the same label names and buckets, but received another ${wanted.type}`,
    );
  }

  /** The metric of this name. */
  getSingleMetric(name: string): AnyMetric | ForeignMetric | undefined {
    return this.#entries.get(name)?.metric;
  }

  /** All metrics, in the order of their registration. */
  getMetricsAsArray(): (AnyMetric | ForeignMetric)[] {
    return [...this.#entries.values()].map((entry) => entry.metric);
  }

  /** The metrics by name: for programs that read prom-client's private field. @internal */
  get _metrics(): Record<string, AnyMetric | ForeignMetric> {
    return Object.fromEntries([...this.#entries].map(([name, { metric }]) => [name, metric]));
  }

  /** Takes a metric out; it lives on, and may be registered again. */
  removeSingleMetric(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#native.remove(entry.item);
    vacate();
    this.#tellWatchers();
  }

  /** Takes all metrics and mounted registries out, and the default labels away. */
  clear(): void {
    for (const { unmount } of this.#mounts.values()) unmount();
    this.#entries.clear();
    this.#defaultLabels = {};
    this.#native.clear();
    vacate();
    this.#tellWatchers();
  }

  /** Resets all metrics. */
  resetMetrics(): void {
    for (const { metric } of this.#entries.values()) metric.reset?.();
  }

  /**
   * Sets labels that every series shows, unless it has a label of that name itself.
   *
   * @throws {RegistrationError} `INVALID_LABEL_NAME`
   */
  setDefaultLabels(labels: Readonly<Record<string, LabelValue>>): void {
    // An absent label is not printed, here as in a series.
    const given = Object.entries(labels).filter(([, value]) => value !== undefined && value !== null);
    const flat = given.flatMap(([name, value]) => [name, textOf(name, value)]);
    native(() => this.#native.setDefaultLabels(flat));
    this.#defaultLabels = Object.fromEntries(given);
  }

  /** The labels that every series shows, as they were given. @internal */
  defaultLabels(): Readonly<Record<string, LabelValue>> {
    return this.#defaultLabels;
  }

  /** The exposition in the registry's format. A failing `collect()` costs its metric the update, and nothing else. */
  async metrics(): Promise<string> {
    const { wanted } = await this.#gather({});
    return this.#encode(wanted);
  }

  /** The exposition of one metric, without a trailing newline. */
  async getSingleMetricAsString(name: string): Promise<string> {
    if (!this.#entries.has(name)) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected the name of a registered metric but received "${name}"`);
    }
    const { wanted } = await this.#gather({ names: [name] });
    const text = await this.#encode(wanted);
    return text.replace(/(\n# EOF)?\n$/, '');
  }

  /** The exposition of a metric, registered or not, as this registry would show it. */
  async getMetricsAsString(metric: AnyMetric | ForeignMetric): Promise<string> {
    const alone = new Registry({ contentType: this.#contentType, defaultLabels: this.#defaultLabels });
    alone.registerMetric(metric);
    return alone.getSingleMetricAsString(metric.name);
  }

  /** All samples as objects. */
  async getMetricsAsJSON(): Promise<MetricObjectWithValues[]> {
    const { wanted, answers } = await this.#gather({});
    const { text, numbers } = this.#native.read(wanted);
    const parsed = parseFamilies(text, numbers, (name) => {
      const metric = this.#entries.get(name)?.metric;
      return metric instanceof Metric ? metric.series.known : undefined;
    });
    // Another library's values come as that library gave them, in copies that default labels may go into.
    const families = parsed.map((family) => {
      const metric = this.#entries.get(family.name)?.metric;
      if (metric instanceof CoreMetric) return metric.completed(family);
      // With those of mounted registries it is no longer what was answered.
      const answer = this.#mounts.size > 0 ? undefined : answers.find(({ name }) => name === family.name);
      if (answer === undefined) return family;
      return { ...answer, values: answer.values.map((value) => ({ ...value, labels: { ...value.labels } })) };
    });
    const defaults = Object.entries(this.#defaultLabels);
    if (defaults.length > 0) {
      for (const { values } of families) {
        for (const { labels } of values as { labels: Record<string, unknown> }[]) {
          for (const [name, value] of defaults) labels[name] ??= value;
        }
      }
    }
    return families;
  }

  /** Answers a scrape: format and compression as the headers want them, values of the whole process. */
  async scrape(options: ScrapeOptions = {}): Promise<ScrapeResponse> {
    checkScrapeOptions(options);
    const limit = checkedTimeout(options.timeoutMs);
    const names = [...(options.names ?? [])];
    const service = this.#serviceOf(this.showsProcess(options.scope));
    const step = service.request(options.accept, options.acceptEncoding, names);
    if (step.visit === undefined) return toResponse(step.answer as Answer);
    await this.#collect(names, limit);
    const answer = service.isSmall() ? service.scrapeNow(step.visit) : await service.scrape(step.visit);
    this.warnOfMismatches(answer.mismatched);
    return toResponse(answer);
  }

  #serviceOf(process: boolean): NativeService {
    let service = this.#services.get(process);
    if (service === undefined) {
      service = this.service(new addon.NativeConfig([]), { hasCallback: false, hasChecks: false, ownValues: !process });
      this.#services.set(process, service);
    }
    return service;
  }

  /** A scrape service that shows this registry. @internal */
  service(config: NativeConfig, embedding: EmbeddingOptions): NativeService {
    // Its settings may raise limits.
    vacate();
    return native(() => new addon.NativeService(this.#native, config, embedding));
  }

  /** Starts an exporter that shows this registry. @internal */
  startExporter(
    config: NativeConfig,
    embedding: EmbeddingOptions,
    receive: (message: HostMessage) => void,
  ): Promise<NativeExporter> {
    vacate();
    return native(() => addon.startExporter(this.#native, config, embedding, receive));
  }

  /** Whether a scrape with this scope shows all threads of the process. @internal */
  showsProcess(scope: ScrapeOptions['scope']): boolean {
    return this.#shared && (scope === undefined ? isMainThread : scope === 'process');
  }

  /** Calls back at once, and again whenever it changes, whether a scrape has to ask JavaScript. @internal */
  watchCollectors(watcher: (collects: boolean) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#hasCollectors());
    return () => this.#watchers.delete(watcher);
  }

  #hasCollectors(): boolean {
    for (const { metric } of this.#entries.values()) if (asksJavaScript(metric)) return true;
    for (const mounted of this.#mounts.keys()) if (mounted.#hasCollectors()) return true;
    return false;
  }

  #tellWatchers(): void {
    if (this.#watchers.size === 0) return;
    const collects = this.#hasCollectors();
    for (const watcher of this.#watchers) watcher(collects);
  }

  /**
   * Runs collectors for a door. Scrapes that arrive in one turn of the loop share one run, which begins after all of
   * them have arrived. @internal
   */
  collectForDoor(names: readonly string[], budgetMs: number): Promise<void> {
    if (names.length > 0) return this.#collect(names, budgetMs, true).then(() => undefined);
    if (!this.#hasCollectors()) return Promise.resolve();
    const awaited = this.#awaited.get(budgetMs) ?? this.#collectSoon(budgetMs);
    this.#awaited.set(budgetMs, awaited);
    return awaited;
  }

  #collectSoon(budgetMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#awaited.delete(budgetMs);
        this.#collect([], budgetMs, true).then(() => resolve(), reject);
      });
    });
  }

  async #encode(wanted: Wanted): Promise<string> {
    const { text, mismatched } = this.#native.isSmall(INLINE_LINES, wanted.process)
      ? this.#native.encodeNow(wanted)
      : await this.#native.encode(wanted);
    this.warnOfMismatches(mismatched);
    return text;
  }

  /** Runs collectors and asks foreign metrics: what has to happen in JavaScript before the core goes to work. */
  async #gather({ names = [] }: { names?: readonly string[] }): Promise<Gathered> {
    const answers = await this.#collect(names, checkedTimeout(undefined));
    const process = this.showsProcess(undefined);
    return { wanted: { contentType: this.#contentType, process, names: [...names] }, answers };
  }

  /** Runs the collectors of these metrics, of all if there are no names; returns what foreign metrics answered. */
  async #collect(names: readonly string[], limitMs: number, background = false): Promise<MetricObjectWithValues[]> {
    const tasks: Task<MetricObjectWithValues | undefined>[] = [];
    const wanted = names.length > 0 ? new Set(names) : undefined;
    for (const [name, { metric, item }] of this.#entries) {
      if (wanted?.has(name) === false || !asksJavaScript(metric)) continue;
      if (!(metric instanceof Metric)) tasks.push({ name, run: () => readForeign(this.#native, item, metric) });
      // What collect() returns is nobody's business.
      else tasks.push({ name, run: () => nothingOf(metric.collect?.()) });
    }
    const mounted = [...this.#mounts.keys()].map((registry) => registry.#collect(names, limitMs, background));
    const results = tasks.length === 0 ? [] : await this.#collectors.run(tasks, limitMs, background);
    await Promise.all(mounted);
    return results.filter((result) => result !== undefined);
  }

  /** Warns, through the registry's logger. @internal */
  warn(message: string): void {
    this.#collectors.warn(message);
  }

  /** Warns of families that a scrape left out, of each once. @internal */
  warnOfMismatches(names: readonly string[]): void {
    for (const name of names) {
      if (this.#mismatches.has(name)) continue;
      this.#mismatches.add(name);
      this.#collectors.warn(
        `TYPE_MISMATCH: "${name}" has another type or other buckets in another thread or registry; its values there are left out`,
      );
    }
  }

  /**
   * A registry with the metrics of several; their values stay shared.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` where content types differ
   * @throws {RegistrationError} `DUPLICATE_METRIC`
   */
  static merge(registers: readonly Registry[]): Registry {
    const [first] = registers;
    if (registers.some((registry) => registry.contentType !== first.contentType)) {
      throw new ConfigurationError('INVALID_CONFIG', 'Registers can only be merged if they have the same content type');
    }
    const merged = new Registry(first?.contentType);
    for (const registry of registers) {
      for (const metric of registry.getMetricsAsArray()) merged.registerMetric(metric);
    }
    return merged;
  }
}

Registry.globalRegistry = new Registry({ [NATIVE]: defaultRegistry() } as RegistryOptions);
setDefaultRegistry(() => Registry.globalRegistry);

function checkedContentType(contentType: unknown): RegistryContentType {
  if (contentType === PROMETHEUS_CONTENT_TYPE || contentType === OPENMETRICS_CONTENT_TYPE) return contentType;
  throw new ConfigurationError('INVALID_CONFIG', `Content type ${String(contentType)} is unsupported`);
}

function duplicate(name: string): RegistrationError {
  return new RegistrationError('DUPLICATE_METRIC', `A metric with the name ${name} has already been registered.`);
}

/** Whether a scrape has to ask JavaScript for this metric's values. What the core reads itself, it need not. */
function asksJavaScript(metric: AnyMetric | ForeignMetric): boolean {
  if (metric instanceof CoreMetric) return false;
  return !(metric instanceof Metric) || metric.collect !== undefined;
}

/** Waits for a promise, and forgets what either comes to. */
function nothingOf(result: unknown): undefined | Promise<undefined> {
  if (typeof result !== 'object' || result === null || !('then' in result)) return undefined;
  return Promise.resolve(result).then(() => undefined);
}
