/**
 * Implements the common part of counters, gauges and histograms: configuration, label arguments, reading. Each type
 * implements recording itself. Depends on registries only through `MetricRegistry`.
 */
import { ConfigurationError, describe, RegistrationError } from '../errors';
import type { SummaryDescription } from '../native/addon';
import { type FamilyDefinition, SUMMARY_CELLS } from '../native/contributor';
import { optionNames, warnOfMisspelledNames } from '../options';
import type {
  Aggregator,
  CardinalityOptions,
  LabelValue,
  LabelValues,
  MetricObjectWithValues,
  MetricType,
  MetricValue,
} from '../types';
import { checkedTtl, watchExpiry } from './expiry';
import { checkedLimits } from './limits';
import { readCells, type Series, type SeriesType } from './series';
import { SeriesSet } from './series-set';
import type { SummaryOptions } from './summary-options';
import { toValues } from './values';

/** Configuration of every metric. */
export interface MetricConfiguration<T extends string, M> {
  /** A name that matches `[a-zA-Z_:][a-zA-Z0-9_:]*`. */
  name: string;
  /** One line that says what is measured, and in which unit. Must not be empty. */
  help: string;
  /** Names of the labels, each matching `[a-zA-Z_][a-zA-Z0-9_]*`. @default [] */
  labelNames?: readonly T[] | undefined;
  /**
   * The registries that the metric is registered in; `[]` for none.
   *
   * @default [register]
   */
  registers?: readonly MetricRegistry[] | undefined;
  /** The way in which a scrape combines the values of several threads. @default 'sum' */
  aggregator?: Aggregator | undefined;
  /** Called at each scrape before the values are read; may return a promise. */
  collect?: ((this: M) => void | Promise<void>) | undefined;
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
type TypesOptions = 'buckets' | keyof SummaryOptions | 'states' | 'initial' | 'identity';

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
  percentiles: true,
  maxAgeSeconds: true,
  ageBuckets: true,
  pruneAgedBuckets: true,
  compressCount: true,
  states: true,
  initial: true,
  identity: true,
});

/** A registry as its metrics see it. */
export interface MetricRegistry {
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
}

let registries: Registries | undefined;

/** Called once, when the room of registries is loaded. @internal */
export function connectRegistries(connected: Registries): void {
  registries = connected;
}

/** The parts of a metric that `isSameAs()` compares. */
interface AnyMetricLike {
  readonly type: MetricType;
  readonly labelNames: readonly string[];
  readonly series: { readonly bounds: readonly number[] };
}

/** A family of series with one name: the base class of all metrics. */
export abstract class Metric<T extends string, S extends Series> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregator;
  readonly labelNames: readonly T[];
  readonly collect: (() => void | Promise<void>) | undefined;
  /** @internal */
  readonly series: SeriesSet<S>;
  /** @internal */
  protected readonly exemplars: boolean;
  readonly #registers: readonly MetricRegistry[];
  readonly #width: number;

  /** @internal */
  protected constructor(
    type: FamilyDefinition['kind'],
    configuration: MetricConfiguration<T, never>,
    buckets: readonly number[],
    series: SeriesType<S>,
    summary?: SummaryDescription,
  ) {
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
    checkNameAndHelp(name, help);
    checkLabelNames(labelNames, type);
    checkCollect(collect);
    checkAggregator(aggregator);
    checkRegisters(registers);
    this.name = name;
    this.help = help;
    this.type = type;
    this.aggregator = aggregator;
    this.labelNames = [...labelNames];
    this.collect = collect as (() => void | Promise<void>) | undefined;
    this.exemplars = enableExemplars === true;
    this.#registers = registers ?? (registries === undefined ? [] : [registries.defaultRegistry()]);
    this.#width = type === 'summary' ? SUMMARY_CELLS : type === 'histogram' ? buckets.length + 2 : 1;
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
      ...(unit === undefined ? {} : { unit: checkedUnit(unit) }),
    };
    this.series = new SeriesSet(description, series, (message) => this.#warn(message));
    if (ttlSeconds !== undefined || summary?.prune) watchExpiry(this.series);
  }

  /** Registers the metric in the configured registries; the last step of a constructor. @internal */
  protected register(): void {
    const entered: MetricRegistry[] = [];
    try {
      for (const registry of this.#registers) {
        registry.registerMetric(this as never);
        entered.push(registry);
      }
    } catch (error) {
      // A metric whose constructor failed must not stay in a registry.
      for (const registry of entered) registry.removeSingleMetric(this.name);
      throw error;
    }
  }

  #warn(message: string): void {
    registries?.warn(this.#registers[0], message);
  }

  /** @internal */
  protected unlabelled(): S {
    return this.series.unlabelled();
  }

  /** @internal */
  protected peekCells(labels: LabelValues<T> | undefined): number[] | undefined {
    const place = this.series.placeOfArguments([labels ?? {}]);
    return this.series.peek(place)?.[readCells](this.#width);
  }

  /**
   * The series of these label values, given in the order of `labelNames` or as an object. An exposition shows it from
   * its first write on. Keep a reference where you record often.
   *
   * @throws {LabelError} `LABEL_COUNT`, `UNKNOWN_LABEL`
   */
  labels(...values: (string | number)[]): S;
  labels(labels: LabelValues<T>): S;
  labels(...args: unknown[]): S {
    return this.series.handle(this.series.placeOfArguments(args));
  }

  /**
   * Removes the series of these label values, given in the order of `labelNames` or as an object. A label that the
   * object does not name is absent.
   *
   * @throws {LabelError} `LABEL_COUNT`, `UNKNOWN_LABEL`
   */
  remove(...values: (string | number)[]): void;
  remove(labels: LabelValues<T>): void;
  remove(...args: unknown[]): void {
    this.series.remove(this.series.placeOfArguments(args));
  }

  /**
   * Removes all series that have these labels, and any others; `{}` removes all series. A label given as `undefined`,
   * `null` or `''` matches series without that label. Goes through all series.
   *
   * @returns the number of removed series
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  removeMatching(labels: LabelValues<T>): number {
    return this.series.removeMatching(labels);
  }

  /**
   * Creates a series for each combination of these values, with nothing recorded. Existing series stay unchanged.
   * Prometheus can only compute a rate or ratio from the first event on if the series was 0 before.
   *
   * @param values lists of values by label name; a label without a list is absent
   * @throws {LabelError} `UNKNOWN_LABEL`
   * @throws {ConfigurationError} `INVALID_CONFIG` for more combinations than the metric may have series
   */
  init(values: { readonly [name in T]?: readonly LabelValue[] } = {}): void {
    this.series.init(values);
  }

  /** @internal */
  isSameAs(other: AnyMetricLike): boolean {
    const same = (a: readonly unknown[], b: readonly unknown[]) =>
      a.length === b.length && a.every((value, index) => value === b[index]);
    return (
      this.type === other.type &&
      same(this.labelNames, other.labelNames) &&
      same(this.series.bounds, other.series.bounds)
    );
  }

  /** Restores the state after construction. */
  abstract reset(): void;

  /** Runs `collect()` and returns the samples of the metric. */
  async get(): Promise<MetricObjectWithValues<MetricValue<T>>> {
    await this.collect?.();
    return toValues(this) as MetricObjectWithValues<MetricValue<T>>;
  }
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

function checkLabelNames(labelNames: readonly unknown[], type: MetricType): void {
  if (!Array.isArray(labelNames) || ![...labelNames].every((label) => typeof label === 'string')) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected an array of strings for labelNames but received ${describe(labelNames)}`,
    );
  }
  const reserved = type === 'histogram' ? 'le' : 'quantile';
  if ((type === 'histogram' || type === 'summary') && labelNames.includes(reserved)) {
    throw new RegistrationError('INVALID_LABEL_NAME', `${reserved} is a reserved label keyword`);
  }
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

const AGGREGATORS: readonly unknown[] = ['sum', 'first', 'omit', 'average', 'min', 'max'] satisfies Aggregator[];

function checkAggregator(aggregator: unknown): void {
  if (AGGREGATORS.includes(aggregator)) return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected one of ${AGGREGATORS.join(', ')} for aggregator but received ${describe(aggregator)}`,
  );
}
