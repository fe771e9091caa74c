/**
 * The matchers in Jest: importing this extends `expect`, and tells TypeScript so.
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
    // biome-ignore lint/complexity/noBannedTypes: type parameters have to be those of the interface that is extended
    interface Matchers<R, T = {}> extends MetricMatchers<R> {}
  }
}
