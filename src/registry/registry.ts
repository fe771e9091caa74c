/**
 * Implements the public class of registries. The work is done by the other modules of this room: `entries` (names),
 * `collections` (values of JavaScript), `expositions` (output), `get-or-create`, `mounts`, `series-policies` (limits, expiry, cleaning).
 */
import { ConfigurationError, describe } from '../errors';
import type { SanitizerOptions } from '../labels/sanitizer';
import { Counter, type CounterConfiguration } from '../metrics/counter';
import { Gauge, type GaugeConfiguration } from '../metrics/gauge';
import { type GivenHistogramConfiguration, Histogram, type HistogramConfiguration } from '../metrics/histogram';
import { Info, type InfoConfiguration } from '../metrics/info';
import { allowsUtf8, connectRegistries, Metric } from '../metrics/metric';
import { seriesSet } from '../metrics/series';
import { StateSet, type StateSetConfiguration } from '../metrics/state-set';
import { type GivenSummaryConfiguration, Summary, type SummaryConfiguration } from '../metrics/summary';
import type { NativeRegistry } from '../native/addon';
import { defaultRegistry } from '../native/contributor';
import { checkOptionNames, optionNames } from '../options';
import type {
  CardinalityReport,
  ForeignMetric,
  LabelValue,
  Logger,
  MetricObjectWithValues,
  NameRule,
  OpenMetricsContentType,
  Over,
  PrometheusContentType,
  RegistryCardinalityOptions,
  RegistryContentType,
} from '../types';
import { processLogger } from '../warnings';
import type * as Aggregation from './aggregation';
import { notifyAll } from './collections';
import { type AnyMetric, aggregatorOf, type MetricsView, type RegisteredMetric, viewOf } from './entries';
import { Expositions } from './expositions';
import { getOrCreate } from './get-or-create';
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
  /** Shows in OpenMetrics 1.0 when each series began: see `setCreated()`. @default false */
  created?: boolean;
  /** The rule for names of metrics and labels: see `setNames()`. @default 'legacy' */
  names?: NameRule;
}

const OPTIONS = optionNames<RegistryOptions>('Registry', {
  contentType: true,
  defaultLabels: true,
  logger: true,
  cardinality: true,
  ttlSeconds: true,
  sanitize: true,
  created: true,
  names: true,
});

/** The parts of a registry, for the rooms of this package that need more than its public methods. */
export function internalsOf(registry: Registry): RegistryInternals {
  return registry[INTERNALS];
}

/**
 * The keys of the parts. Not private fields, so that a `Proxy` around a registry works, and not names, which a subclass
 * could use.
 */
const INTERNALS = Symbol('internals');
const EXPOSITIONS = Symbol('expositions');
/** The key of the method that reads the values of one thread. */
export const jsonOfThread = Symbol('json of thread');
/** The same for all processes of a run. */
export const textOfRun = Symbol('text of run');
export const jsonOfRun = Symbol('json of run');
/** The same without the other processes of a run. */
export const jsonOfProcess = Symbol('json of process');

/** Passes the core's default registry, which all threads share, to the constructor. */
const NATIVE = Symbol('native');

/** Any metric of this library. */
export type KnownMetric<T extends string = string> = Counter<T> | Gauge<T> | Histogram<T> | Summary<T>;

/**
 * A set of metrics with unique names. Programs extend it, so methods that prom-client does not have are declared with
 * `Over`.
 *
 * @typeParam _B as in prom-client, and without effect: `metrics()` has the format of `contentType`
 */
export class Registry<_B extends RegistryContentType = RegistryContentType> {
  static readonly PROMETHEUS_CONTENT_TYPE = PROMETHEUS_CONTENT_TYPE;
  static readonly OPENMETRICS_CONTENT_TYPE = OPENMETRICS_CONTENT_TYPE;
  /** The default registry. */
  static globalRegistry: Registry;

  /** @internal */
  declare readonly [INTERNALS]: RegistryInternals;
  /** @internal */
  declare readonly [EXPOSITIONS]: Expositions;

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
    const internals = new RegistryInternals(contentType, options.logger ?? processLogger, options[NATIVE]);
    Object.defineProperty(this, INTERNALS, { value: internals });
    Object.defineProperty(this, EXPOSITIONS, { value: new Expositions(internals) });
    if (options.names !== undefined) this.setNames(options.names);
    if (options.defaultLabels !== undefined) this.setDefaultLabels(options.defaultLabels);
    if (options.cardinality !== undefined) this.setCardinality(options.cardinality);
    if (options.ttlSeconds !== undefined) this.setTtl(options.ttlSeconds);
    if (options.sanitize !== undefined) this.setSanitizer(options.sanitize);
    if (options.created !== undefined) this.setCreated(options.created);
  }

  /**
   * Sets the rule for names of metrics and labels from now on. With `'utf8'` a name is any text without control characters,
   * `"` and `\\`; a label's name beyond the old rule may not begin with `__`. A scraper that does not ask for such names gets
   * them with `_` in place of each other character, so two names that are equal then cannot both be registered. With
   * `'legacy'` a registry has the rule of before Prometheus 3.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for any other value
   */
  setNames<P = never>(...args: Over<P, [names: NameRule]>): Over<P, void>;
  setNames<P = never>(...args: Over<P, [names: NameRule]>): Over<P, void>;
  setNames(names: NameRule): void {
    this[INTERNALS].names = names;
  }

  /** @internal */
  get [allowsUtf8](): boolean {
    return this[INTERNALS].names === 'utf8';
  }

  /**
   * Sets whether OpenMetrics 1.0 shows when each series of a counter, histogram or summary began: a sample `_created`, in
   * seconds since 1970. A server that knows these samples counts the first increment of a new series; other servers store
   * them as series of their own. OpenMetrics 2.0 and protobuf always show the beginning, text and sums over a cluster never.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for anything but a boolean
   */
  setCreated<P = never>(...args: Over<P, [shown: boolean]>): Over<P, void>;
  setCreated<P = never>(...args: Over<P, [shown: boolean]>): Over<P, void>;
  setCreated(shown: boolean): void {
    this[INTERNALS].created = shown;
  }

  /**
   * Cleans the label values of new series from now on: length, control characters, Unicode, and content that does not
   * belong in labels, such as e-mail addresses and API keys. Existing series, default labels and metrics of other
   * libraries are not changed.
   *
   * @param options `true` for the default settings, `false` for no cleaning
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setSanitizer<P = never>(...args: Over<P, [options: boolean | SanitizerOptions]>): Over<P, void>;
  setSanitizer<P = never>(...args: Over<P, [options: boolean | SanitizerOptions]>): Over<P, void>;
  setSanitizer(options: boolean | SanitizerOptions): void {
    this[INTERNALS].policies.setSanitizer(options);
    this[INTERNALS].applyPolicies();
  }

  /**
   * Sets the seconds after which a series whose value has not changed is removed, for metrics without their own
   * `ttlSeconds`; 0 for never.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setTtl<P = never>(...args: Over<P, [seconds: number]>): Over<P, void>;
  setTtl<P = never>(...args: Over<P, [seconds: number]>): Over<P, void>;
  setTtl(seconds: number): void {
    this[INTERNALS].policies.setTtl(seconds);
    this[INTERNALS].applyPolicies();
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
  mount<P = never>(
    ...args: Over<P, [registry: Registry, labels: Readonly<Record<string, LabelValue>>]>
  ): Over<P, () => void>;
  mount<P = never>(
    ...args: Over<P, [registry: Registry, labels: Readonly<Record<string, LabelValue>>]>
  ): Over<P, () => void>;
  mount(registry: Registry, labels: Readonly<Record<string, LabelValue>>): () => void {
    if (!(registry instanceof Registry)) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected a registry to mount but received ${describe(registry)}`);
    }
    return this[INTERNALS].mounts.mount(registry[INTERNALS], labels);
  }

  /**
   * Replaces the limits on the number of series. Existing series over a new limit stay. A missing option gets its
   * default. These limits take precedence over `METRICS_CARDINALITY_*`, which an endpoint sets for the default
   * registry.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG`
   */
  setCardinality<P = never>(...args: Over<P, [options: RegistryCardinalityOptions]>): Over<P, void>;
  setCardinality<P = never>(...args: Over<P, [options: RegistryCardinalityOptions]>): Over<P, void>;
  setCardinality(options: RegistryCardinalityOptions): void {
    this[INTERNALS].policies.setCardinality(options);
  }

  /**
   * Counts the series of this thread: by metric, by label, in bytes. Goes through all series, which takes some ten
   * milliseconds for 100,000, so call it for debugging and in tests, not for each request.
   */
  cardinality<P = never>(...args: Over<P, []>): Over<P, CardinalityReport>;
  cardinality<P = never>(...args: Over<P, []>): Over<P, CardinalityReport>;
  cardinality(): CardinalityReport {
    return this[INTERNALS].policies.report();
  }

  /** The format of `metrics()`, as a content type. */
  get contentType(): RegistryContentType {
    return this[INTERNALS].contentType;
  }

  /**
   * Sets the format of `metrics()`. Scrapes over HTTP negotiate their format.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown content type
   */
  setContentType(contentType: RegistryContentType): void {
    this[INTERNALS].contentType = checkedContentType(contentType);
  }

  /**
   * Registers a metric. A metric may be in several registries. A scrape calls `get()` of a metric of another library.
   *
   * @throws {RegistrationError} `DUPLICATE_METRIC` if another metric has the same name or sample names
   * @throws {ConfigurationError} `INVALID_CONFIG` for an object without `get()`
   */
  registerMetric(metric: AnyMetric | ForeignMetric): void {
    if (typeof metric?.get !== 'function') {
      throw new ConfigurationError('INVALID_CONFIG', `Expected a metric with get() but received ${describe(metric)}`);
    }
    if (!this[INTERNALS].entries.add(metric)) return;
    if (metric instanceof Metric) this[INTERNALS].policies.apply(metric[seriesSet]);
    this[INTERNALS].metricsChanged();
  }

  /**
   * Returns the counter of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type or other labels
   */
  counter<T extends string = string, P = never>(
    ...args: Over<P, [configuration: CounterConfiguration<T>]>
  ): Over<P, Counter<T>>;
  counter<T extends string = string, P = never>(
    ...args: Over<P, [configuration: CounterConfiguration<T>]>
  ): Over<P, Counter<T>>;
  counter(configuration: CounterConfiguration): Counter {
    return getOrCreate(this, Counter, configuration);
  }

  /**
   * Returns the gauge of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type or other labels
   */
  gauge<T extends string = string, P = never>(
    ...args: Over<P, [configuration: GaugeConfiguration<T>]>
  ): Over<P, Gauge<T>>;
  gauge<T extends string = string, P = never>(
    ...args: Over<P, [configuration: GaugeConfiguration<T>]>
  ): Over<P, Gauge<T>>;
  gauge(configuration: GaugeConfiguration): Gauge {
    return getOrCreate(this, Gauge, configuration);
  }

  /**
   * Returns the histogram of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type, other labels or other buckets
   */
  histogram<T extends string = string, P = never>(
    ...args: Over<P, [configuration: GivenHistogramConfiguration<T>]>
  ): Over<P, Histogram<T>>;
  histogram<T extends string = string, P = never>(
    ...args: Over<P, [configuration: GivenHistogramConfiguration<T>]>
  ): Over<P, Histogram<T>>;
  histogram(configuration: HistogramConfiguration): Histogram {
    return getOrCreate(this, Histogram, configuration);
  }

  /**
   * Returns the summary of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type, other labels or other percentiles
   */
  summary<T extends string = string, P = never>(
    ...args: Over<P, [configuration: GivenSummaryConfiguration<T>]>
  ): Over<P, Summary<T>>;
  summary<T extends string = string, P = never>(
    ...args: Over<P, [configuration: GivenSummaryConfiguration<T>]>
  ): Over<P, Summary<T>>;
  summary(configuration: SummaryConfiguration): Summary {
    return getOrCreate(this, Summary, configuration);
  }

  /**
   * Returns the info of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type or other labels
   */
  info<T extends string = string, P = never>(...args: Over<P, [configuration: InfoConfiguration<T>]>): Over<P, Info<T>>;
  info<T extends string = string, P = never>(...args: Over<P, [configuration: InfoConfiguration<T>]>): Over<P, Info<T>>;
  info(configuration: InfoConfiguration): Info {
    return getOrCreate(this, Info, configuration);
  }

  /**
   * Returns the state set of this name; creates it if it does not exist.
   *
   * @throws {RegistrationError} `TYPE_MISMATCH` if the metric of this name has another type, other labels or other states
   */
  stateSet<S extends string = string, T extends string = string, P = never>(
    ...args: Over<P, [configuration: StateSetConfiguration<S, T>]>
  ): Over<P, StateSet<S, T>>;
  stateSet<S extends string = string, T extends string = string, P = never>(
    ...args: Over<P, [configuration: StateSetConfiguration<S, T>]>
  ): Over<P, StateSet<S, T>>;
  stateSet(configuration: StateSetConfiguration): StateSet {
    return getOrCreate(this, StateSet, configuration);
  }

  /** Returns the metric of this name; `undefined` for an unknown name. */
  getSingleMetric<T extends string = string>(name: string): KnownMetric<T> | undefined {
    return this[INTERNALS].entries.get(name)?.metric as KnownMetric<T> | undefined;
  }

  /**
   * Returns all metrics, in the order of registration.
   *
   * @param aggregator only metrics with this aggregator
   */
  getMetricsAsArray(aggregator?: string): RegisteredMetric[] {
    const metrics = this[INTERNALS].entries.metrics() as RegisteredMetric[];
    return aggregator === undefined ? metrics : metrics.filter((metric) => aggregatorOf(metric) === aggregator);
  }

  /** The metrics, for programs that read this private field of the peers. @internal */
  get _metrics(): MetricsView {
    return viewOf(this[INTERNALS].entries, (name) => this.removeSingleMetric(name));
  }

  /** As in the peers, for programs that read or assign these private fields. @internal */
  get _defaultLabels(): object {
    return this[INTERNALS].defaultLabels;
  }

  /** @internal */
  set _defaultLabels(labels: object) {
    this.setDefaultLabels(labels);
  }

  /** @internal */
  get _contentType(): RegistryContentType {
    return this[INTERNALS].contentType;
  }

  /** Removes a metric from this registry. The metric itself stays usable and can be registered again. */
  removeSingleMetric(name: string): void {
    if (this[INTERNALS].entries.remove(name)) this[INTERNALS].metricsChanged();
  }

  /** Removes all metrics, mounted registries and default labels. */
  clear(): void {
    this[INTERNALS].clear();
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
  setDefaultLabels(labels: object): void {
    this[INTERNALS].defaultLabels = labels as Readonly<Record<string, LabelValue>>;
  }

  /** Returns the exposition in the registry's format. If a `collect()` fails, its metric keeps the values it had. */
  async metrics(): Promise<string> {
    const writesItself = this.getMetricsAsString !== OWN.getMetricsAsString;
    if (this.getMetricsAsArray === OWN.getMetricsAsArray && !writesItself && this.contentType === this._contentType) {
      return this[EXPOSITIONS].text();
    }
    // A subclass selects metrics, writes them itself, or chooses the format.
    const texts = await Promise.all(this.getMetricsAsArray().map((metric) => this.getMetricsAsString(metric)));
    return this.contentType === OPENMETRICS_CONTENT_TYPE ? `${texts.join('\n')}\n# EOF\n` : `${texts.join('\n\n')}\n`;
  }

  /**
   * Returns the exposition of one metric, without a trailing newline.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown name
   */
  async getSingleMetricAsString(name: string): Promise<string> {
    const metric = this[INTERNALS].entries.get(name)?.metric;
    if (metric === undefined) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected the name of a registered metric but received "${name}"`);
    }
    const isPlain = metric instanceof Metric && this.getMetricsAsString === OWN.getMetricsAsString;
    return isPlain ? alone(await this[EXPOSITIONS].text([name])) : this.getMetricsAsString(metric);
  }

  /** Returns the exposition of a metric, registered or not, in this registry's format and with its default labels. */
  async getMetricsAsString(metric: AnyMetric | ForeignMetric): Promise<string> {
    const { contentType } = this;
    const { created, defaultLabels, names } = this[INTERNALS];
    const registry = new Registry({ contentType, created, defaultLabels, names });
    registry.registerMetric(metric);
    return alone(await registry[EXPOSITIONS].text());
  }

  /**
   * Returns all samples as objects.
   *
   * @param aggregator only metrics with this aggregator
   */
  async getMetricsAsJSON(aggregator?: string): Promise<MetricObjectWithValues[]> {
    return this[EXPOSITIONS].json(selectedBy(this, aggregator));
  }

  /** As `getMetricsAsJSON()`, but without the values of other threads. @internal */
  async [jsonOfThread](aggregator?: string): Promise<MetricObjectWithValues[]> {
    if (this.getMetricsAsJSON !== OWN.getMetricsAsJSON) return this.getMetricsAsJSON(aggregator);
    return this[EXPOSITIONS].json(selectedBy(this, aggregator), 'own');
  }

  /** As `metrics()`, in another format. @internal */
  async [textOfRun](contentType: RegistryContentType, withoutOwn: boolean): Promise<string> {
    return this[EXPOSITIONS].text([], { contentType, withoutOwn, withoutRun: false });
  }

  /** As `getMetricsAsJSON()`. @internal */
  async [jsonOfRun](withoutOwn: boolean): Promise<MetricObjectWithValues[]> {
    return this[EXPOSITIONS].json(undefined, undefined, { withoutOwn, withoutRun: false });
  }

  /** As `getMetricsAsJSON()`. @internal */
  async [jsonOfProcess](aggregator?: string): Promise<MetricObjectWithValues[]> {
    return this[EXPOSITIONS].json(selectedBy(this, aggregator), undefined, { withoutRun: true });
  }

  /**
   * Answers a scrape, with the format and compression that the headers ask for. Shows the values of the whole process.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
   */
  scrape<P = never>(...args: Over<P, [options?: ScrapeOptions]>): Over<P, Promise<ScrapeResponse>>;
  scrape<P = never>(...args: Over<P, [options?: ScrapeOptions]>): Over<P, Promise<ScrapeResponse>>;
  async scrape(options: ScrapeOptions = {}): Promise<ScrapeResponse> {
    return this[EXPOSITIONS].scrape(options);
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
    if (registers.some((registry) => registry[allowsUtf8])) merged.setNames('utf8');
    for (const registry of registers) {
      for (const metric of registry.getMetricsAsArray()) merged.registerMetric(metric);
    }
    return merged;
  }

  /**
   * Creates a registry from JSON forms, as `getMetricsAsJSON()` returns them: one list for each process or registry. The
   * metrics of one name become one, with the `aggregator` of the first, or the sum.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown aggregator or content type
   */
  static aggregate(lists: readonly object[], contentType?: RegistryContentType): Registry {
    const registry = new Registry(contentType);
    // The lists have the names that their registries allowed.
    registry.setNames('utf8');
    // Loaded here, because few programs need it.
    const { combine } = require('./aggregation') as typeof Aggregation;
    for (const family of combine(lists as readonly MetricObjectWithValues[][])) {
      registry.registerMetric({ ...family, get: () => family } as ForeignMetric);
    }
    return registry;
  }
}

/** The methods before a subclass, a test or a program replaces them. */
const { getMetricsAsArray, getMetricsAsJSON, getMetricsAsString } = Registry.prototype;
const OWN = { getMetricsAsArray, getMetricsAsJSON, getMetricsAsString };

/** Selects the metrics of an aggregator, and those that a subclass selects; `undefined` for all. */
function selectedBy(registry: Registry, aggregator?: string): ((metric: object | undefined) => boolean) | undefined {
  if (aggregator === undefined && registry.getMetricsAsArray === OWN.getMetricsAsArray) return undefined;
  const wanted = new Set<object>(registry.getMetricsAsArray(aggregator));
  return (metric) => metric !== undefined && wanted.has(metric);
}

Registry.globalRegistry = new Registry({ [NATIVE]: defaultRegistry() } as RegistryOptions);
connectRegistries({
  defaultRegistry: () => Registry.globalRegistry,
  warn: (registry, message) => {
    if (registry instanceof Registry) internalsOf(registry).warn(message);
    else processLogger.warn(message);
  },
  collectorChanged: notifyAll,
});

/** The exposition of one metric as a part of an exposition: without its end. */
function alone(text: string): string {
  return text.replace(/(\n?# EOF)?\n$/, '');
}

function checkedContentType(contentType: unknown): RegistryContentType {
  if (contentType === PROMETHEUS_CONTENT_TYPE || contentType === OPENMETRICS_CONTENT_TYPE) return contentType;
  throw new ConfigurationError('INVALID_CONFIG', `Content type ${String(contentType)} is unsupported`);
}
