/**
 * Checks the options of `collectDefaultMetrics()` and fills in the defaults. It must not make or register metrics.
 */
import { ConfigurationError, describe } from '../errors';
import { numberOf } from '../metrics/buckets';
import { optionNames, warnOfMisspelledNames } from '../options';
import type { Registry } from '../registry/registry';
import type { AnyLabels, RegistryContentType } from '../types';
import type { LagSettings } from './event-loop-lag';
import type { UtilizationSettings } from './event-loop-utilization';
import type { Naming } from './part';

/** The collectors by group, in the order of the exposition. */
export const GROUPS = {
  process: [
    'processCpuTotal',
    'processStartTime',
    'osMemoryHeap',
    'processOpenFileDescriptors',
    'processMaxFileDescriptors',
  ],
  runtime: [
    'eventLoopLag',
    'eventLoopUtilization',
    'processResources',
    'processHandles',
    'processRequests',
    'heapSizeAndUsed',
    'heapSpacesSizeAndUsed',
    'version',
    'gc',
  ],
} as const;

/** A collector of default metrics. */
export type DefaultMetric = (typeof GROUPS)[DefaultMetricsGroup][number];

/** The source of a group of default metrics: the operating system, or Node.js. */
export type DefaultMetricsGroup = keyof typeof GROUPS;

/** Which default metrics to collect, and into which registry. */
export interface DefaultMetricsCollectorConfiguration<_T extends RegistryContentType = RegistryContentType> {
  /** @default the default registry */
  register?: Registry | undefined;
  /** A prefix of all names. @default '' */
  prefix?: string | undefined;
  /** Labels for all samples. @default {} */
  labels?: AnyLabels | object | undefined;
  /** Only these collectors, or groups of them. @default all */
  include?: readonly (DefaultMetric | DefaultMetricsGroup)[] | undefined;
  /** All except these collectors, or groups of them. @default [] */
  exclude?: readonly (DefaultMetric | DefaultMetricsGroup)[] | undefined;
  /** Upper bounds of `nodejs_gc_duration_seconds`, in seconds. @default [0.001, 0.01, 0.1, 1, 2, 5] */
  gcDurationBuckets?: readonly number[] | undefined;
  /** How often the delay of the event loop is measured, in whole milliseconds. @default 10 */
  eventLoopMonitoringPrecision?: number | undefined;
  /**
   * The window of `nodejs_eventloop_lag_min_seconds` and the other statistics, in seconds. They cover at least one window and
   * at most two. Set it to the scrape interval, and no delay is missed.
   *
   * @default 60
   */
  eventLoopLagWindowSeconds?: number | undefined;
  /** How often the utilisation of the event loop is sampled, in milliseconds. @default 100 */
  eventLoopUtilizationTimeout?: number | undefined;
  /**
   * Upper bounds of `nodejs_eventloop_utilization_histogram`.
   *
   * @default [0.01, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1]
   */
  eventLoopUtilizationBuckets?: readonly number[] | undefined;
  /** Quantiles of the summary, from 0 to 1. @default [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999] */
  eventLoopUtilizationPercentiles?: readonly number[] | undefined;
  /** In how many steps the summary drops old samples. @default 5 */
  eventLoopUtilizationAgeBuckets?: number | undefined;
  /** How long a sample counts in the summary's quantiles, in seconds. @default 60 */
  eventLoopUtilizationMaxAgeSeconds?: number | undefined;
}

const OPTIONS = optionNames<DefaultMetricsCollectorConfiguration>('collectDefaultMetrics', {
  register: true,
  prefix: true,
  labels: true,
  include: true,
  exclude: true,
  gcDurationBuckets: true,
  eventLoopMonitoringPrecision: true,
  eventLoopLagWindowSeconds: true,
  eventLoopUtilizationTimeout: true,
  eventLoopUtilizationBuckets: true,
  eventLoopUtilizationPercentiles: true,
  eventLoopUtilizationAgeBuckets: true,
  eventLoopUtilizationMaxAgeSeconds: true,
});

/** Checked options with all defaults. */
export interface Settings {
  /** Undefined for the default registry. */
  readonly register: Registry | undefined;
  readonly naming: Naming;
  readonly wanted: ReadonlySet<DefaultMetric>;
  readonly gcBuckets: readonly number[] | undefined;
  readonly lag: LagSettings;
  readonly utilization: UtilizationSettings;
}

/** The longest timer of Node.js; a longer one fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** 1,000 ages need 4 MB of counts. */
const AGE_BUCKETS_MAX = 1000;

const ALL: readonly DefaultMetric[] = Object.values(GROUPS).flat();

/** @throws {ConfigurationError} `INVALID_CONFIG` with the option, the expected and the received value */
export function checkedSettings(options: DefaultMetricsCollectorConfiguration | null | undefined): Settings {
  if (options !== undefined && (typeof options !== 'object' || Array.isArray(options))) {
    throw new ConfigurationError('INVALID_CONFIG', 'config must be null, undefined, or an object');
  }
  warnOfMisspelledNames(options, OPTIONS);
  const given = options ?? {};
  const { register, include, exclude } = given;
  if (register !== undefined && typeof register?.registerMetric !== 'function') {
    throw refused('register', 'a registry', register);
  }
  const left = selection('exclude', exclude ?? []);
  return {
    register,
    naming: { prefix: checkedPrefix(given.prefix), labels: checkedLabels(given.labels) },
    wanted: new Set(selection('include', include ?? ALL).filter((metric) => !left.includes(metric))),
    gcBuckets: given.gcDurationBuckets === undefined ? undefined : numbers('gcDurationBuckets', given),
    lag: {
      precisionMs: whole('eventLoopMonitoringPrecision', given, 10, TIMER_MS_MAX),
      windowMs: 1000 * above0('eventLoopLagWindowSeconds', given, 60, TIMER_MS_MAX / 1000),
    },
    utilization: checkedUtilization(given),
  };
}

function checkedUtilization(given: DefaultMetricsCollectorConfiguration): UtilizationSettings {
  const buckets = [0.01, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 1];
  const percentiles = numbers('eventLoopUtilizationPercentiles', given, [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999]);
  if (!percentiles.every((part) => part >= 0 && part <= 1)) {
    throw refused('eventLoopUtilizationPercentiles', 'numbers from 0 to 1', percentiles);
  }
  return {
    intervalMs: above0('eventLoopUtilizationTimeout', given, 100, TIMER_MS_MAX),
    buckets: numbers('eventLoopUtilizationBuckets', given, buckets),
    percentiles,
    maxAgeMs: 1000 * above0('eventLoopUtilizationMaxAgeSeconds', given, 60, TIMER_MS_MAX),
    ageBuckets: whole('eventLoopUtilizationAgeBuckets', given, 5, AGE_BUCKETS_MAX),
  };
}

function selection(option: 'include' | 'exclude', names: unknown): DefaultMetric[] {
  if (!Array.isArray(names)) throw refused(option, 'an array of collectors or groups', names);
  return names.flatMap((name): readonly DefaultMetric[] => {
    if (ALL.includes(name)) return [name];
    if (Object.hasOwn(GROUPS, name)) return GROUPS[name as DefaultMetricsGroup];
    throw refused(option, `${Object.keys(GROUPS).join(', ')}, ${ALL.join(', ')}`, name);
  });
}

function checkedPrefix(prefix: unknown): string {
  if (prefix === undefined || prefix === null) return '';
  if (typeof prefix === 'string') return prefix;
  throw refused('prefix', 'a string', prefix);
}

/** A copy without undefined and null labels, which are not printed. */
function checkedLabels(labels: unknown): AnyLabels {
  if (labels === undefined || labels === null) return {};
  if (typeof labels !== 'object' || Array.isArray(labels)) throw refused('labels', 'an object', labels);
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined && value !== null));
}

type NumberOption = {
  [K in keyof DefaultMetricsCollectorConfiguration]-?: DefaultMetricsCollectorConfiguration[K] extends
    | number
    | undefined
    ? K
    : never;
}[keyof DefaultMetricsCollectorConfiguration];

type NumbersOption = 'gcDurationBuckets' | 'eventLoopUtilizationBuckets' | 'eventLoopUtilizationPercentiles';

function above0(
  option: NumberOption,
  given: DefaultMetricsCollectorConfiguration,
  standard: number,
  most: number,
): number {
  const value: unknown = given[option] ?? standard;
  if (typeof value === 'number' && value > 0 && value <= most) return value;
  throw refused(option, `a number above 0 and up to ${most}`, value);
}

function whole(
  option: NumberOption,
  given: DefaultMetricsCollectorConfiguration,
  standard: number,
  most: number,
): number {
  const value: unknown = given[option] ?? standard;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw refused(option, `a whole number from 1 to ${most}`, value);
}

function numbers(
  option: NumbersOption,
  given: DefaultMetricsCollectorConfiguration,
  standard?: readonly number[],
): readonly number[] {
  const value: unknown = given[option] ?? standard;
  const read = Array.isArray(value) ? [...value].map(numberOf) : undefined;
  if (read?.every((entry): entry is number => typeof entry === 'number')) return read;
  throw refused(option, 'an array of numbers', value);
}

function refused(option: string, expected: string, value: unknown): ConfigurationError {
  return new ConfigurationError('INVALID_CONFIG', `Expected ${expected} for ${option} but received ${describe(value)}`);
}
