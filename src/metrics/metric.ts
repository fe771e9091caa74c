/**
 * Implements the common part of counters, gauges and histograms: configuration, label arguments, reading. Each type
 * implements recording itself. Depends on registries only through `MetricRegistry`.
 */
import { ConfigurationError, describe, RegistrationError } from '../errors';
import { checkReserved } from '../labels/value';
import type { NativeHistogramDescription, SummaryDescription } from '../native/addon';
import type { FamilyDefinition } from '../native/contributor';
import { optionNames, warnOfMisspelledNames } from '../options';
import type {
  Aggregator,
  AnyLabels,
  CardinalityOptions,
  CollectFunction,
  LabelValue,
  MetricObjectWithValues,
  MetricType,
  MetricValue,
  Over,
} from '../types';
import { Callback, isCalledFrom } from './collecting';
import { checkedTtl, watchExpiry } from './expiry';
import { checkedLimits } from './limits';
import type { NativeHistogramOptions } from './native-options';
import { addMembers, COMMON_MEMBERS } from './peer-members';
import { labelsOf, Series, type SeriesType, seriesSet } from './series';
import { SeriesSet } from './series-set';
import type { SummaryOptions } from './summary-options';
import { toValues } from './values';

/** The key of the method that makes a child. */
export const childOf = Symbol('child');
/** The key of the method that brings values up to date before they are read. */
export const beforeReading = Symbol('before reading');
/** The key of what a metric may differ in from another one of its type with the same labels. */
export const valuesOf = Symbol('values');

/** Configuration of every metric. */
// biome-ignore lint/suspicious/noExplicitAny: a configuration may be written before its metric's type is known
export interface MetricConfiguration<T extends string = string, M = any> {
  /** A name that matches `[a-zA-Z_:][a-zA-Z0-9_:]*`, or any UTF-8 in registries with `names: 'utf8'`. */
  name: string;
  /** One line that says what is measured, and in which unit. Must not be empty. */
  help: string;
  /** Names of the labels, each matching `[a-zA-Z_][a-zA-Z0-9_]*`, or any UTF-8 in such registries. @default [] */
  labelNames?: T[] | readonly T[] | undefined;
  /**
   * The registries that the metric is registered in; `[]` for none.
   *
   * @default [register]
   */
  registers?: readonly MetricRegistry[] | undefined;
  /** The way in which a scrape combines the values of several threads. @default 'sum' */
  aggregator?: Aggregator | 'latest' | undefined;
  /** Called at each scrape before the values are read; may return a promise. */
  collect?: CollectFunction<M> | undefined;
  /** True to record with `{ labels, value, exemplarLabels }`. @default false */
  enableExemplars?: boolean | undefined;
  /** Limits on the number of series. @default the limits of the registry */
  cardinality?: CardinalityOptions<T> | undefined;
  /**
   * Seconds after which a series whose value has not changed is removed; 0 for never. The time begins with the first
   * scrape that shows the series; the first scrape after it hides the series, then it is removed. The series of a
   * metric without labels is never removed.
   *
   * @default the setting of the registry, or never
   */
  ttlSeconds?: number | undefined;
  /**
   * The unit, which OpenMetrics shows. The name must end with it: `_seconds`, or `_seconds_total` for a counter.
   *
   * @default no unit
   */
  unit?: string | undefined;
}

/** Options that not all metrics have. */
type TypesOptions = 'buckets' | keyof NativeHistogramOptions | keyof SummaryOptions | 'states' | 'initial' | 'identity';

/** The keys of all configurations, because programs pass one object to several types. */
const KEYS = optionNames<MetricConfiguration<string, never> & { [name in TypesOptions]?: unknown }>('a metric', {
  name: true,
  help: true,
  labelNames: true,
  registers: true,
  aggregator: true,
  collect: true,
  enableExemplars: true,
  cardinality: true,
  ttlSeconds: true,
  unit: true,
  buckets: true,
  nativeHistogramBucketFactor: true,
  nativeHistogramMaxBuckets: true,
  nativeHistogramMinResetSeconds: true,
  nativeHistogramZeroThreshold: true,
  nativeHistogramMaxZeroThreshold: true,
  percentiles: true,
  maxAgeSeconds: true,
  ageBuckets: true,
  pruneAgedBuckets: true,
  compressCount: true,
  states: true,
  initial: true,
  identity: true,
});

/** The key under which a registry says whether names may be any UTF-8. Not a name, which a subclass could use. */
export const allowsUtf8 = Symbol('allows UTF-8');

/** A registry as its metrics see it. */
export interface MetricRegistry {
  /** @internal */
  readonly [allowsUtf8]?: boolean;
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/**
 * Functions of `src/registry` that metrics call. `src/registry` passes them to `connectRegistries()` when it is loaded: an
 * import from here would be a circle.
 */
interface Registries {
  /** The registry of metrics whose configuration has no `registers`. */
  defaultRegistry(): MetricRegistry;
  /** Warns through the logger of a registry, or of the library where there is no registry. */
  warn(registry: MetricRegistry | undefined, message: string): void;
  /** Tells that a program has given a metric another `collect()`. */
  collectorChanged(): void;
}

let registries: Registries | undefined;

/** Called once, when the room of registries is loaded. @internal */
export function connectRegistries(connected: Registries): void {
  registries = connected;
}

/** A configuration, and the parts of a metric that its type adds to it. */
interface Definition<S extends Series> {
  readonly type: FamilyDefinition['kind'];
  readonly buckets: readonly number[];
  readonly series: SeriesType<S>;
  readonly summary?: SummaryDescription;
  readonly native?: NativeHistogramDescription;
}

/** Programs of the successor extend the base class itself, and have a `get()` of their own. */
const OF_PROGRAMS = { type: 'gauge', buckets: [], series: Series as unknown as SeriesType<never> } as const;

/**
 * A family of series with one name: the base class of all metrics. Programs extend metrics, so members that prom-client
 * does not have must be declared with `Over`, or keyed by a symbol.
 */
export abstract class Metric<T extends string, S extends Series, C = unknown> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregator;
  readonly labelNames: readonly string[];
  /** The registries that the constructor registered the metric in. @internal */
  declare readonly registers: readonly MetricRegistry[];
  /** @internal */
  declare readonly enableExemplars: boolean;
  /** @internal */
  readonly [seriesSet]: SeriesSet<S>;

  /** @internal */
  protected constructor(configuration: MetricConfiguration<T, never>, definition: Definition<S> = OF_PROGRAMS) {
    checkConfiguration(configuration);
    warnOfMisspelledNames(configuration, KEYS);
    const {
      name,
      help,
      labelNames = [],
      registers,
      aggregator = 'sum',
      collect,
      enableExemplars,
      unit,
    } = configuration;
    const { type, buckets, summary, native } = definition;
    checkNameAndHelp(name, help);
    checkLabelNames(labelNames, type);
    checkCollect(collect);
    checkAggregator(aggregator);
    checkRegisters(registers);
    this.name = name;
    this.help = help;
    this.type = type;
    // The peers' types have no `latest`, and programs pass metrics on as theirs.
    this.aggregator = aggregator as Aggregator;
    this.labelNames = [...labelNames];
    const entered = registers ?? (registries === undefined ? [] : [registries.defaultRegistry()]);
    // Not enumerable: a registry refers to the metric, and printing both would not end.
    const hidden = (value: unknown) => ({ value, writable: true, configurable: true });
    Object.defineProperty(this, 'registers', hidden(entered));
    Object.defineProperty(this, 'enableExemplars', hidden(enableExemplars === true));
    if (collect) Object.defineProperty(this, 'collect', { ...hidden(collect), enumerable: true });
    const limits = checkedLimits(configuration.cardinality);
    const ttlSeconds = checkedTtl(configuration.ttlSeconds);
    const description = {
      kind: type,
      name,
      help,
      labelNames: this.labelNames,
      buckets,
      aggregator,
      limits,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(summary === undefined ? {} : { summary }),
      ...(native === undefined ? {} : { native }),
      ...(unit === undefined ? {} : { unit: checkedUnit(unit) }),
      ...(entered.some((registry) => registry[allowsUtf8]) ? { utf8: true } : {}),
    };
    const warn = (message: string) => registries?.warn(entered[0], message);
    const set = new SeriesSet(description, definition.series, warn);
    this[seriesSet] = set;
    if (ttlSeconds !== undefined || summary?.prune) watchExpiry(set);
    if (definition === OF_PROGRAMS) enter(this);
  }

  /**
   * The callback of the configuration, or the method of a subclass.
   *
   * @internal
   */
  get collect(): (() => void | Promise<void>) | undefined {
    return undefined;
  }

  /** @internal */
  set collect(collect: unknown) {
    Object.defineProperty(this, 'collect', { value: collect, writable: true, configurable: true, enumerable: true });
    registries?.collectorChanged();
  }

  /**
   * The series of these label values, given in the order of `labelNames` or as an object. An exposition shows it from
   * its first write on. Keep a reference where you record often. Its methods work without it: `const { inc } = …`.
   *
   * @throws {LabelError} `LABEL_COUNT`, `UNKNOWN_LABEL`
   */
  labels(...values: (string | number)[]): C;
  labels(labels: AnyLabels<T>): C;
  labels(...args: unknown[]): C {
    const set = this[seriesSet];
    const known = set.existingOf(args);
    if (known !== undefined) return this[childOf](known, () => known[labelsOf]() as AnyLabels<T>);
    const place = set.placeOfArguments(args);
    return this[childOf](set.handle(place), () => set.labelsAt(place) as AnyLabels<T>);
  }

  /**
   * What `labels()` returns for a series. Where a subclass or a mock has replaced a recording method, the child calls it.
   *
   * @internal
   */
  abstract [childOf](series: S, labels: () => AnyLabels<T>): C;

  /**
   * Removes the series of these label values, given in the order of `labelNames` or as an object. A label that the
   * object does not name is absent.
   *
   * @throws {LabelError} `LABEL_COUNT`, `UNKNOWN_LABEL`
   */
  remove(...values: (string | number)[]): void;
  remove(labels: AnyLabels<T>): void;
  remove(...args: unknown[]): void {
    this[seriesSet].remove(this[seriesSet].placeOfArguments(args));
  }

  /**
   * Removes all series that have these labels, and any others; `{}` removes all series. A label given as `undefined`,
   * `null` or `''` matches series without that label. Goes through all series.
   *
   * @returns the number of removed series
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  removeMatching<P = never>(...args: Over<P, [labels: AnyLabels<T>]>): Over<P, number>;
  removeMatching<P = never>(...args: Over<P, [labels: AnyLabels<T>]>): Over<P, number>;
  removeMatching(labels: AnyLabels<T>): number {
    return this[seriesSet].removeMatching(labels);
  }

  /**
   * Creates a series for each combination of these values, with nothing recorded. Existing series stay unchanged.
   * Prometheus can only compute a rate or ratio from the first event on if the series was 0 before.
   *
   * @param values lists of values by label name; a label without a list is absent
   * @throws {LabelError} `UNKNOWN_LABEL`
   * @throws {ConfigurationError} `INVALID_CONFIG` for more combinations than the metric may have series
   */
  init<P = never>(...args: Over<P, [values?: LabelLists<T>]>): Over<P, void>;
  init<P = never>(...args: Over<P, [values?: LabelLists<T>]>): Over<P, void>;
  init(values: LabelLists<T> = {}): void {
    this[seriesSet].init(values);
  }

  /** Restores the state after construction. */
  abstract reset(): void;

  /** What tells metrics of one type and the same labels apart: buckets, percentiles or states. @internal */
  get [valuesOf](): readonly unknown[] {
    return this[seriesSet].bounds;
  }

  /** Called before `get()` reads the values. @internal */
  [beforeReading](): void {}

  /** Runs `collect()`, unless this is called from it. */
  async #collectOnce(): Promise<void> {
    if (this.collect === undefined || isCalledFrom(this)) return;
    const callback = new Callback([this]);
    try {
      await callback.call(() => this.collect?.());
    } finally {
      callback.end();
    }
  }

  /** Runs `collect()` and returns the samples of the metric. */
  async get(): Promise<MetricObjectWithValues<MetricValue<T>>> {
    await this.#collectOnce();
    this[beforeReading]();
    const { name, help, aggregator } = this;
    return { ...toValues(this), name, help, aggregator } as MetricObjectWithValues<MetricValue<T>>;
  }
}

addMembers(Metric.prototype, COMMON_MEMBERS);

/** Lists of values by label name. */
type LabelLists<T extends string> = { readonly [name in T]?: readonly LabelValue[] };

/** A method of a metric, as `childOf` passes calls on to it. */
export type Passed = (...args: never[]) => unknown;

/** Registers a metric in the configured registries; the last step of a constructor. */
export function enter(metric: Metric<string, Series>): void {
  const entered: MetricRegistry[] = [];
  try {
    for (const registry of metric.registers) {
      registry.registerMetric(metric as never);
      entered.push(registry);
    }
  } catch (error) {
    // A metric whose constructor failed must not stay in a registry.
    for (const registry of entered) registry.removeSingleMetric(metric.name);
    throw error;
  }
}

/** True if both have the same type, label names, and buckets, percentiles or states. */
export function isSame(a: Metric<string, Series>, b: Metric<string, Series>): boolean {
  const same = (these: readonly unknown[], those: readonly unknown[]) =>
    these.length === those.length && these.every((value, index) => value === those[index]);
  return a.type === b.type && same(a.labelNames, b.labelNames) && same(a[valuesOf], b[valuesOf]);
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for a configuration that is not an object */
export function checkConfiguration(configuration: unknown): void {
  if (typeof configuration === 'object' && configuration !== null) return;
  throw new ConfigurationError('INVALID_CONFIG', 'constructor expected a config object');
}

function checkNameAndHelp(name: unknown, help: unknown): void {
  if (!help) throw new RegistrationError('INVALID_CONFIG', 'Missing mandatory help parameter');
  if (!name) throw new RegistrationError('INVALID_METRIC_NAME', 'Missing mandatory name parameter');
  if (typeof help !== 'string') {
    throw new ConfigurationError('INVALID_CONFIG', `Expected a string for help but received ${describe(help)}`);
  }
  if (typeof name !== 'string') {
    throw new ConfigurationError('INVALID_CONFIG', `Expected a string for name but received ${describe(name)}`);
  }
}

/** The labels that the format gives the samples of a type itself. */
const RESERVED: Partial<Record<MetricType, readonly string[]>> = { histogram: ['le'], summary: ['quantile'] };

function checkLabelNames(labelNames: readonly unknown[], type: MetricType): void {
  if (!Array.isArray(labelNames) || ![...labelNames].every((label) => typeof label === 'string')) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected an array of strings for labelNames but received ${describe(labelNames)}`,
    );
  }
  checkReserved(labelNames as string[], RESERVED[type] ?? []);
}

function checkedUnit(unit: unknown): string {
  if (typeof unit === 'string') return unit;
  throw new ConfigurationError('INVALID_CONFIG', `Expected a string for unit but received ${describe(unit)}`);
}

function checkCollect(collect: unknown): void {
  if (collect && typeof collect !== 'function') {
    throw new ConfigurationError('INVALID_CONFIG', 'Optional "collect" parameter must be a function');
  }
}

function checkRegisters(registers: unknown): void {
  if (registers === undefined || registers === null) return;
  const usable = (registry: unknown) => typeof (registry as MetricRegistry | null)?.registerMetric === 'function';
  if (Array.isArray(registers) && registers.every(usable)) return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected an array of registries for registers but received ${describe(registers)}`,
  );
}

const AGGREGATORS: readonly unknown[] = ['sum', 'first', 'latest', 'omit', 'average', 'min', 'max'] satisfies (
  | Aggregator
  | 'latest'
)[];

function checkAggregator(aggregator: unknown): void {
  if (AGGREGATORS.includes(aggregator)) return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected one of ${AGGREGATORS.join(', ')} for aggregator but received ${describe(aggregator)}`,
  );
}
