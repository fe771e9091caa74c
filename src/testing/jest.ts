/**
 * The matchers for Jest. Importing this module extends `expect` and its TypeScript types.
 */
import { expect } from '@jest/globals';
import { metricMatchers } from '../testing';
import type { MetricMatchers } from './matchers';

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
