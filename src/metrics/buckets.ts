/**
 * Defines the upper bounds of histogram buckets: the defaults, two generators, and the check of a configuration.
 */
import { ConfigurationError, describe, RegistrationError } from '../errors';

/** The default buckets of most Prometheus clients, in seconds. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Creates `count` bounds: `start`, `start + width`, `start + 2 * width`, …
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for a count below 1
 */
export function linearBuckets(start: number, width: number, count: number): number[] {
  if (!(count >= 1)) throw new ConfigurationError('INVALID_CONFIG', 'Linear buckets needs a positive count');
  return Array.from({ length: count }, (_, index) => start + index * width);
}

/**
 * Creates `count` bounds, beginning with `start`; each is `factor` times the one before.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for a start of 0 or less, a count below 1, or a factor of 1 or less
 */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  if (!(start > 0)) throw new ConfigurationError('INVALID_CONFIG', 'Exponential buckets needs a positive start');
  if (!(count >= 1)) throw new ConfigurationError('INVALID_CONFIG', 'Exponential buckets needs a positive count');
  if (!(factor > 1)) {
    throw new ConfigurationError('INVALID_CONFIG', 'Exponential buckets needs a factor greater than 1');
  }
  const bounds = [start];
  while (bounds.length < count) bounds.push(bounds[bounds.length - 1] * factor);
  return bounds;
}

/**
 * The finite bounds of a configuration. A last bound of `Infinity` is implied and may be given.
 *
 * @throws {RegistrationError} `INVALID_BUCKETS`
 */
export function checkedBuckets(buckets: unknown): readonly number[] {
  if (buckets === undefined) return DEFAULT_BUCKETS;
  // Numbers as text come from environment variables and configuration files.
  const bounds: readonly unknown[] | undefined = Array.isArray(buckets) ? [...buckets].map(numberOf) : undefined;
  if (bounds === undefined || !bounds.every((bound) => typeof bound === 'number')) {
    throw new RegistrationError(
      'INVALID_BUCKETS',
      `Expected an array of numbers for buckets but received ${describe(buckets)}`,
    );
  }
  const finite = bounds.at(-1) === Number.POSITIVE_INFINITY ? bounds.slice(0, -1) : bounds;
  // The core checks the rest: order, NaN, duplicates.
  return finite.includes(Number.POSITIVE_INFINITY) ? bounds : finite;
}

/** The number that a text shows; anything else unchanged. */
export function numberOf(bound: unknown): unknown {
  return typeof bound === 'string' && bound.trim() !== '' && !Number.isNaN(Number(bound)) ? Number(bound) : bound;
}

/** Bounds are counted in steps of as many. */
const STEP = 4;
/** With more bounds than this, halving comes first. */
const HALVING_FROM = 32;

/** The buckets of a histogram as recording needs them. */
export class Buckets {
  /** The upper bounds, with infinite ones behind them up to a multiple of four, for `findBucket()`. */
  readonly bounds: Float64Array;
  /** The number of cells before the sum. */
  readonly sum: number;

  constructor(bounds: readonly number[]) {
    this.bounds = new Float64Array(Math.ceil(bounds.length / STEP) * STEP).fill(Number.POSITIVE_INFINITY);
    this.bounds.set(bounds);
    this.sum = bounds.length + 1;
  }
}

/**
 * The index of the first bucket whose bound is not smaller than a finite value: the number of bounds that are. Counts them
 * without a branch, because the processor cannot predict where a loop would stop.
 */
export function findBucket(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (high - low > HALVING_FROM) {
    const middle = low + (((high - low) >>> 3) << 2);
    if (value > bounds[middle]) low = middle;
    else high = middle;
  }
  let bucket = low;
  for (let at = low; at < high; at += STEP) {
    bucket +=
      Number(value > bounds[at]) +
      Number(value > bounds[at + 1]) +
      Number(value > bounds[at + 2]) +
      Number(value > bounds[at + 3]);
  }
  return bucket;
}
