/**
 * Registries: names, and the metrics found under them. A registry asks JavaScript for what only it knows and leaves
 * the rest, from the order of families to the last byte, to the core.
 */
import { ConfigurationError, describe, RegistrationError } from '../errors';
import type { SanitizerOptions } from '../labels/sanitizer';
import { Counter, type CounterConfiguration } from '../metrics/counter';
import { Gauge, type GaugeConfiguration } from '../metrics/gauge';
import { Histogram, type HistogramConfiguration } from '../metrics/histogram';
import { checkConfiguration, connectRegistries, Metric } from '../metrics/metric';
import type { NativeRegistry } from '../native/addon';
import { defaultRegistry } from '../native/contributor';
import { processLogger } from '../quietly';
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
import type { AnyMetric } from './entries';
import { Expositions } from './expositions';
import { RegistryInternals } from './internals';
import type { ScrapeOptions, ScrapeResponse } from './scraping';

export const PROMETHEUS_CONTENT_TYPE: PrometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_CONTENT_TYPE: OpenMetricsContentType =
  'application/openmetrics-text; version=1.0.0; charset=utf-8';

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

/** The parts of a registry, for the rooms of this package that need more than its public methods. */
export let internalsOf: (registry: Registry) => RegistryInternals;

/** Hands the constructor the core's registry that is merged across threads. */
const NATIVE = Symbol('native');

/** A set of metrics with unique names. */
export class Registry {
  static readonly PROMETHEUS_CONTENT_TYPE = PROMETHEUS_CONTENT_TYPE;
  static readonly OPENMETRICS_CONTENT_TYPE = OPENMETRICS_CONTENT_TYPE;
  /** The default registry. */
  static globalRegistry: Registry;

  static {
    internalsOf = (registry) => registry.#internals;
  }

  readonly #internals: RegistryInternals;
  readonly #expositions: Expositions;

  /**
   * @param settings a content type, or options
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type
   */
  constructor(settings: RegistryContentType | RegistryOptions = PROMETHEUS_CONTENT_TYPE) {
    const options: RegistryOptions & { [NATIVE]?: NativeRegistry } =
      typeof settings === 'object' && settings !== null ? settings : { contentType: settings };
    const contentType =
      options.contentType === undefined ? PROMETHEUS_CONTENT_TYPE : checkedContentType(options.contentType);
    this.#internals = new RegistryInternals(contentType, options.logger ?? processLogger, options[NATIVE]);
    this.#expositions = new Expositions(this.#internals);
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
    this.#internals.policies.setSanitizer(options);
    this.#internals.applyPolicies();
  }

  /**
   * Sets for how many seconds a value may stay unchanged before its series is removed, in metrics that say nothing
   * themselves; 0 is never.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setTtl(seconds: number): void {
    this.#internals.policies.setTtl(seconds);
    this.#internals.applyPolicies();
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
    return this.#internals.mounts.mount(registry.#internals, labels);
  }

  /**
   * Replaces the limits on series. Those that are beyond the new ones stay; what the options leave out has its default.
   * They go before `METRICS_CARDINALITY_*`, which the default registry has from the endpoint that shows it.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setCardinality(options: RegistryCardinalityOptions): void {
    this.#internals.policies.setCardinality(options);
  }

  /**
   * What the series are made of: by metric, by label, in bytes, of this thread. Goes through all of them, so it is for
   * people and tests, not for each request: some ten milliseconds for 100,000 series.
   */
  cardinality(): CardinalityReport {
    return this.#internals.policies.report();
  }

  /** The format of `metrics()`, as a content type. */
  get contentType(): RegistryContentType {
    return this.#internals.contentType;
  }

  /**
   * Sets the format of `metrics()`. Scrapes over HTTP negotiate theirs.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type
   */
  setContentType(contentType: RegistryContentType): void {
    this.#internals.contentType = checkedContentType(contentType);
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
    if (!this.#internals.entries.add(metric)) return;
    if (metric instanceof Metric) this.#internals.policies.apply(metric.series);
    this.#internals.metricsChanged();
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
    const found = this.getSingleMetric(configuration.name);
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
    return this.#internals.entries.get(name)?.metric;
  }

  /** All metrics, in the order of their registration. */
  getMetricsAsArray(): (AnyMetric | ForeignMetric)[] {
    return this.#internals.entries.metrics();
  }

  /** The metrics by name: for programs that read prom-client's private field. @internal */
  get _metrics(): Record<string, AnyMetric | ForeignMetric> {
    return Object.fromEntries([...this.#internals.entries].map(([name, { metric }]) => [name, metric]));
  }

  /** Takes a metric out; it lives on, and may be registered again. */
  removeSingleMetric(name: string): void {
    if (this.#internals.entries.remove(name)) this.#internals.metricsChanged();
  }

  /** Takes all metrics and mounted registries out, and the default labels away. */
  clear(): void {
    this.#internals.clear();
  }

  /** Resets all metrics. */
  resetMetrics(): void {
    for (const metric of this.getMetricsAsArray()) metric.reset?.();
  }

  /**
   * Sets labels that every series shows, unless it has a label of that name itself.
   *
   * @throws {RegistrationError} `INVALID_LABEL_NAME`
   */
  setDefaultLabels(labels: Readonly<Record<string, LabelValue>>): void {
    this.#internals.defaultLabels = labels;
  }

  /** The exposition in the registry's format. A failing `collect()` costs its metric the update, and nothing else. */
  async metrics(): Promise<string> {
    return this.#expositions.text();
  }

  /** The exposition of one metric, without a trailing newline. */
  async getSingleMetricAsString(name: string): Promise<string> {
    if (this.#internals.entries.get(name) === undefined) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected the name of a registered metric but received "${name}"`);
    }
    const text = await this.#expositions.text([name]);
    return text.replace(/(\n# EOF)?\n$/, '');
  }

  /** The exposition of a metric, registered or not, as this registry would show it. */
  async getMetricsAsString(metric: AnyMetric | ForeignMetric): Promise<string> {
    const { contentType, defaultLabels } = this.#internals;
    const alone = new Registry({ contentType, defaultLabels });
    alone.registerMetric(metric);
    return alone.getSingleMetricAsString(metric.name);
  }

  /** All samples as objects. */
  async getMetricsAsJSON(): Promise<MetricObjectWithValues[]> {
    return this.#expositions.json();
  }

  /** Answers a scrape: format and compression as the headers want them, values of the whole process. */
  async scrape(options: ScrapeOptions = {}): Promise<ScrapeResponse> {
    return this.#expositions.scrape(options);
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
connectRegistries({
  defaultRegistry: () => Registry.globalRegistry,
  warn: (registry, message) => {
    if (registry instanceof Registry) internalsOf(registry).warn(message);
    else processLogger.warn(message);
  },
});

function checkedContentType(contentType: unknown): RegistryContentType {
  if (contentType === PROMETHEUS_CONTENT_TYPE || contentType === OPENMETRICS_CONTENT_TYPE) return contentType;
  throw new ConfigurationError('INVALID_CONFIG', `Content type ${String(contentType)} is unsupported`);
}
