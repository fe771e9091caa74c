/**
 * Implements the public class of registries. The work is done by the other modules of this room: `entries` (names),
 * `collections` (values of JavaScript), `expositions` (output), `mounts`, `series-policies` (limits, expiry, cleaning).
 */
import { ConfigurationError, describe, RegistrationError } from '../errors';
import type { SanitizerOptions } from '../labels/sanitizer';
import { Counter, type CounterConfiguration } from '../metrics/counter';
import { Gauge, type GaugeConfiguration } from '../metrics/gauge';
import { Histogram, type HistogramConfiguration } from '../metrics/histogram';
import { Info, type InfoConfiguration } from '../metrics/info';
import { checkConfiguration, connectRegistries, Metric } from '../metrics/metric';
import { StateSet, type StateSetConfiguration } from '../metrics/state-set';
import { Summary, type SummaryConfiguration } from '../metrics/summary';
import type { NativeRegistry } from '../native/addon';
import { defaultRegistry } from '../native/contributor';
import { checkOptionNames, optionNames } from '../options';
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
import { processLogger } from '../warnings';
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
  /** Labels that are added to every series which has no label of that name. @default {} */
  defaultLabels?: Readonly<Record<string, LabelValue>>;
  /**
   * Receives warnings: failing collectors, families that cannot be merged, limits that are reached.
   *
   * @default Node.js' process warnings
   */
  logger?: Logger;
  /** Limits on the number of series: for each metric without its own limits, and for all metrics together. */
  cardinality?: RegistryCardinalityOptions;
  /**
   * Seconds after which a series whose value has not changed is removed, for metrics without their own `ttlSeconds`; 0
   * for never.
   *
   * @default 0
   */
  ttlSeconds?: number;
  /** Cleans the label values of new series; `true` for the default settings. @default false */
  sanitize?: boolean | SanitizerOptions;
}

const OPTIONS = optionNames<RegistryOptions>('Registry', {
  contentType: true,
  defaultLabels: true,
  logger: true,
  cardinality: true,
  ttlSeconds: true,
  sanitize: true,
});

/** The parts of a registry, for the rooms of this package that need more than its public methods. */
export let internalsOf: (registry: Registry) => RegistryInternals;

/** Passes the core's default registry, which all threads share, to the constructor. */
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
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type, or an unknown or invalid option
   */
  constructor(settings: RegistryContentType | RegistryOptions = PROMETHEUS_CONTENT_TYPE) {
    const options: RegistryOptions & { [NATIVE]?: NativeRegistry } =
      typeof settings === 'object' && settings !== null ? settings : { contentType: settings };
    checkOptionNames(options, OPTIONS);
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
   * Cleans the label values of new series from now on: length, control characters, Unicode, and content that does not
   * belong in labels, such as e-mail addresses and API keys. Existing series, default labels and metrics of other
   * libraries are not changed.
   *
   * @param options `true` for the default settings, `false` for no cleaning
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setSanitizer(options: boolean | SanitizerOptions): void {
    this.#internals.policies.setSanitizer(options);
    this.#internals.applyPolicies();
  }

  /**
   * Sets the seconds after which a series whose value has not changed is removed, for metrics without their own
   * `ttlSeconds`; 0 for never.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setTtl(seconds: number): void {
    this.#internals.policies.setTtl(seconds);
    this.#internals.applyPolicies();
  }

  /**
   * Shows the metrics of another registry together with this one's, with additional labels. Use it for one registry per
   * tenant, each with its own limits. Metrics of one name are shown as one family; a metric with another type or other
   * buckets is left out, counted, and reported in a warning. If a series has one of the additional labels itself, its
   * own is renamed to `exported_…`.
   *
   * @returns a function that unmounts the registry; `clear()` unmounts it too
   * @throws {RegistrationError} `INVALID_LABEL_NAME`
   * @throws {ConfigurationError} `INVALID_CONFIG` if the registry is mounted here already or contains this one, or if
   *   another registry is mounted with the same labels
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
   * Replaces the limits on the number of series. Existing series over a new limit stay. A missing option gets its
   * default. These limits take precedence over `METRICS_CARDINALITY_*`, which an endpoint sets for the default
   * registry.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setCardinality(options: RegistryCardinalityOptions): void {
    this.#internals.policies.setCardinality(options);
  }

  /**
   * Counts the series of this thread: by metric, by label, in bytes. Goes through all series, which takes some ten
   * milliseconds for 100,000, so call it for debugging and in tests, not for each request.
   */
  cardinality(): CardinalityReport {
    return this.#internals.policies.report();
  }

  /** The format of `metrics()`, as a content type. */
  get contentType(): RegistryContentType {
    return this.#internals.contentType;
  }

  /**
   * Sets the format of `metrics()`. Scrapes over HTTP negotiate their format.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type
   */
  setContentType(contentType: RegistryContentType): void {
    this.#internals.contentType = checkedContentType(contentType);
  }

  /**
   * Registers a metric. A metric may be in several registries. A scrape calls `get()` of a metric of another library.
   *
   * @throws {RegistrationError} `DUPLICATE_METRIC` if another metric has the same name or sample names
   * @throws {ConfigurationError} `INVALID_CONFIG` for an object without `name` or `get()`
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
   * Returns the counter of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type or other labels
   */
  counter<const T extends string = string>(configuration: CounterConfiguration<T>): Counter<T> {
    return this.#getOrCreate(Counter<T>, configuration);
  }

  /**
   * Returns the gauge of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type or other labels
   */
  gauge<const T extends string = string>(configuration: GaugeConfiguration<T>): Gauge<T> {
    return this.#getOrCreate(Gauge<T>, configuration);
  }

  /**
   * Returns the histogram of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type, other labels or other buckets
   */
  histogram<const T extends string = string>(configuration: HistogramConfiguration<T>): Histogram<T> {
    return this.#getOrCreate(Histogram<T>, configuration);
  }

  /**
   * Returns the summary of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type, other labels or other percentiles
   */
  summary<const T extends string = string>(configuration: SummaryConfiguration<T>): Summary<T> {
    return this.#getOrCreate(Summary<T>, configuration);
  }

  /**
   * Returns the info of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type or other labels
   */
  info<const T extends string = string>(configuration: InfoConfiguration<T>): Info<T> {
    return this.#getOrCreate(Info<T>, configuration);
  }

  /**
   * Returns the state set of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type, other labels or other states
   */
  stateSet<const S extends string = string, const T extends string = string>(
    configuration: StateSetConfiguration<S, T>,
  ): StateSet<S, T> {
    return this.#getOrCreate(StateSet<S, T>, configuration);
  }

  #getOrCreate<C extends { name: string; registers?: unknown }, M extends AnyMetric>(
    type: new (configuration: C) => M,
    configuration: C,
  ): M {
    checkConfiguration(configuration);
    const found = this.getSingleMetric(configuration.name);
    // Creating the metric checks the configuration, whether or not the name is registered.
    if (found === undefined) return new type({ ...configuration, registers: [this] });
    const wanted = new type({ ...configuration, registers: [] });
    if (found instanceof type && found.isSameAs(wanted)) return found;
    throw new RegistrationError(
      'TYPE_MISMATCH',
      `Expected ${configuration.name} to be the ${(found as AnyMetric).type ?? 'metric'} it was registered as, with the same label names and buckets, but received another ${wanted.type}`,
    );
  }

  /** Returns the metric of this name; `undefined` for an unknown name. */
  getSingleMetric(name: string): AnyMetric | ForeignMetric | undefined {
    return this.#internals.entries.get(name)?.metric;
  }

  /** Returns all metrics, in the order of registration. */
  getMetricsAsArray(): (AnyMetric | ForeignMetric)[] {
    return this.#internals.entries.metrics();
  }

  /** The metrics by name, for programs that read this private field of prom-client. @internal */
  get _metrics(): Record<string, AnyMetric | ForeignMetric> {
    return Object.fromEntries([...this.#internals.entries].map(([name, { metric }]) => [name, metric]));
  }

  /** Removes a metric from this registry. The metric itself stays usable and can be registered again. */
  removeSingleMetric(name: string): void {
    if (this.#internals.entries.remove(name)) this.#internals.metricsChanged();
  }

  /** Removes all metrics, mounted registries and default labels. */
  clear(): void {
    this.#internals.clear();
  }

  /** Calls `reset()` of each metric. */
  resetMetrics(): void {
    for (const metric of this.getMetricsAsArray()) metric.reset?.();
  }

  /**
   * Sets labels that are added to every series which has no label of that name. Replaces earlier default labels.
   *
   * @throws {RegistrationError} `INVALID_LABEL_NAME`
   */
  setDefaultLabels(labels: Readonly<Record<string, LabelValue>>): void {
    this.#internals.defaultLabels = labels;
  }

  /** Returns the exposition in the registry's format. If a `collect()` fails, its metric keeps the values it had. */
  async metrics(): Promise<string> {
    return this.#expositions.text();
  }

  /**
   * Returns the exposition of one metric, without a trailing newline.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown name
   */
  async getSingleMetricAsString(name: string): Promise<string> {
    if (this.#internals.entries.get(name) === undefined) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected the name of a registered metric but received "${name}"`);
    }
    const text = await this.#expositions.text([name]);
    return text.replace(/(\n# EOF)?\n$/, '');
  }

  /** Returns the exposition of a metric, registered or not, in this registry's format and with its default labels. */
  async getMetricsAsString(metric: AnyMetric | ForeignMetric): Promise<string> {
    const { contentType, defaultLabels } = this.#internals;
    const alone = new Registry({ contentType, defaultLabels });
    alone.registerMetric(metric);
    return alone.getSingleMetricAsString(metric.name);
  }

  /** Returns all samples as objects. */
  async getMetricsAsJSON(): Promise<MetricObjectWithValues[]> {
    return this.#expositions.json();
  }

  /**
   * Answers a scrape, with the format and compression that the headers ask for. Shows the values of the whole process.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
   */
  async scrape(options: ScrapeOptions = {}): Promise<ScrapeResponse> {
    return this.#expositions.scrape(options);
  }

  /**
   * Creates a registry with the metrics of several registries. The metrics are shared, not copied.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` if the content types differ
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
