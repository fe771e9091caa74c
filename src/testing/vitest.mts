/**
 * The matchers in Vitest: importing this extends `expect`, and tells TypeScript so.
 */
import { expect } from 'vitest';
import { metricMatchers } from '../testing.js';
import type { MetricMatchers } from './matchers.js';

expect.extend(metricMatchers);

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: type parameters have to be those of the interface that is extended
  interface Assertion<T = any> extends MetricMatchers {}
}
