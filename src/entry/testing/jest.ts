/**
 * The matchers for Jest. Importing this module extends `expect` and its TypeScript types.
 */
import { expect } from '@jest/globals';
import type { MetricMatchers } from '../../testing/matchers';
import { metricMatchers } from '../testing';

expect.extend(metricMatchers);

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends MetricMatchers<R> {}
}

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: the type parameters must match those of the extended interface
    interface Matchers<R, T = {}> extends MetricMatchers<R> {}
  }
}
