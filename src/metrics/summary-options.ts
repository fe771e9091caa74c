/**
 * Checks the options that only summaries have, and converts them to the form that the core takes.
 */
import { refuseOption } from '../errors';
import type { SummaryDescription } from '../native/addon';

/** Options that only summaries have. */
export interface SummaryOptions {
  /**
   * The quantiles to show, from 0 to 1. An exposition shows them in ascending order.
   *
   * @default [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999]
   */
  percentiles?: number[] | undefined;
  /**
   * The age in seconds at which the quantiles forget an observation. Needs `ageBuckets`.
   *
   * @default no age: the quantiles are of all observations
   */
  maxAgeSeconds?: number | undefined;
  /**
   * The number of steps in which observations are forgotten: with 600 seconds and 5 steps, the quantiles are of the last
   * 480 to 600 seconds. Needs `maxAgeSeconds`.
   */
  ageBuckets?: number | undefined;
  /** True to remove a series when the quantiles have forgotten all of its observations. @default false */
  pruneAgedBuckets?: boolean | undefined;
  /** Accepted for programs written for prom-client, and without effect: the core compresses when it has to. */
  compressCount?: number | undefined;
}

type GivenOptions = Omit<SummaryOptions, 'percentiles'> & { percentiles?: readonly number[] | undefined };

const DEFAULT_PERCENTILES: readonly number[] = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999];

/** @throws {ConfigurationError} `INVALID_CONFIG` @internal */
export function checkedSummary(options: GivenOptions | null | undefined): SummaryDescription {
  const { percentiles = DEFAULT_PERCENTILES, maxAgeSeconds, ageBuckets, pruneAgedBuckets } = options ?? {};
  const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
  const usable = Array.isArray(percentiles) && [...percentiles].every(isShare);
  if (!usable || new Set(percentiles).size < percentiles.length) {
    refuseOption('different numbers from 0 to 1', 'percentiles', percentiles);
  }
  // As in prom-client, there is a window only with both, and 0 is no window.
  const window = isSet(maxAgeSeconds) && isSet(ageBuckets);
  if (isSet(maxAgeSeconds) && !(isNumber(maxAgeSeconds) && maxAgeSeconds >= LEAST_AGE)) {
    refuseOption(`seconds from ${LEAST_AGE}`, 'maxAgeSeconds', maxAgeSeconds);
  }
  if (isSet(ageBuckets) && !(Number.isInteger(ageBuckets) && isNumber(ageBuckets) && ageBuckets <= MOST_BUCKETS)) {
    refuseOption(`a whole number from 1 to ${MOST_BUCKETS}`, 'ageBuckets', ageBuckets);
  }
  return {
    quantiles: [...percentiles].sort((a, b) => a - b),
    ...(window ? { maxAgeSeconds } : {}),
    ageBuckets: window ? ageBuckets : 1,
    prune: Boolean(pruneAgedBuckets),
  };
}

/** The shortest window, in seconds. */
const LEAST_AGE = 0.001;
/** The largest number of steps. Each has a digest of its own in each series. */
const MOST_BUCKETS = 1000;

function isSet<V>(value: V | null | undefined): value is V {
  return value !== undefined && value !== null && value !== 0;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
