/**
 * The matchers for Vitest. Importing this module extends `expect` and its TypeScript types.
 */
import { expect } from 'vitest';
import { metricMatchers } from '../testing.js';
import type { MetricMatchers } from './matchers.js';

expect.extend(metricMatchers);

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the type parameters must match those of the extended interface
  interface Assertion<T = any> extends MetricMatchers {}
}
