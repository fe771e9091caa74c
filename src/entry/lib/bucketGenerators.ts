/**
 * Serves programs that import prom-client's file `lib/bucketGenerators`.
 */
export { exponentialBuckets, linearBuckets } from '../index';
