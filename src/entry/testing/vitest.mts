/**
 * The matchers in Vitest: importing this extends `expect`, and tells TypeScript so.
 */
import { expect } from 'vitest';
import type { MetricMatchers } from '../../testing/matchers.js';
import { metricMatchers } from '../testing.js';

expect.extend(metricMatchers);

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: type parameters have to be those of the interface that is extended
  interface Assertion<T = any> extends MetricMatchers {}
}
