/**
 * Checks the options that only native histograms have, and converts them to the form that the core takes.
 */
import { refuseOption } from '../errors';
import type { NativeHistogramDescription } from '../native/addon';

/** Options of a native histogram, which makes its buckets itself. */
export interface NativeHistogramOptions {
  /**
   * Above 1: each bucket is at most by this factor wider than the one before. Makes the histogram native, without classic
   * buckets unless `buckets` is set.
   */
  nativeHistogramBucketFactor?: number | undefined;
  /** With more buckets it begins anew, or widens its zero bucket, or halves its resolution. 0: no limit. @default 160 */
  nativeHistogramMaxBuckets?: number | undefined;
  /** Seconds after which it may begin anew, unless other threads record too; 0: never. @default 0 */
  nativeHistogramMinResetSeconds?: number | undefined;
  /** Values up to this distance from 0 are in the zero bucket. @default 2 ** -128 */
  nativeHistogramZeroThreshold?: number | undefined;
  /** How wide the zero bucket may become. @default 0 */
  nativeHistogramMaxZeroThreshold?: number | undefined;
}

/** Fewer buckets are too few for a distribution, more are too many for a server. */
const MOST_BUCKETS = 65_536;

/** @throws {ConfigurationError} `INVALID_CONFIG` @internal */
export function checkedNative(
  options: NativeHistogramOptions | null | undefined,
): NativeHistogramDescription | undefined {
  const {
    nativeHistogramBucketFactor: factor,
    nativeHistogramMaxBuckets: maxBuckets = 160,
    nativeHistogramMinResetSeconds: minResetSeconds = 0,
    nativeHistogramZeroThreshold: zeroThreshold = 2 ** -128,
    nativeHistogramMaxZeroThreshold: maxZeroThreshold = 0,
  } = options ?? {};
  if (factor === undefined) {
    const other = Object.entries(options ?? {}).find(
      ([name, value]) => name.startsWith('nativeHistogram') && value !== undefined,
    );
    if (other !== undefined) refuseOption('a number above 1', `nativeHistogramBucketFactor beside ${other[0]}`, factor);
    return undefined;
  }
  if (!(isSize(factor) && factor > 1)) refuseOption('a number above 1', 'nativeHistogramBucketFactor', factor);
  if (!(Number.isInteger(maxBuckets) && maxBuckets >= 0 && maxBuckets <= MOST_BUCKETS)) {
    refuseOption(`a whole number from 0 to ${MOST_BUCKETS}`, 'nativeHistogramMaxBuckets', maxBuckets);
  }
  const sizes = { MinResetSeconds: minResetSeconds, ZeroThreshold: zeroThreshold, MaxZeroThreshold: maxZeroThreshold };
  for (const [name, size] of Object.entries(sizes)) {
    if (!isSize(size)) refuseOption('a number from 0', `nativeHistogram${name}`, size);
  }
  // Formats would show -0, and a registry tells it from 0.
  return { bucketFactor: factor, maxBuckets, minResetSeconds, zeroThreshold: zeroThreshold + 0, maxZeroThreshold };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
