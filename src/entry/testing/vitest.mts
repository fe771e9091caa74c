/**
 * Adds the matchers to Vitest's `expect`, for TypeScript too, when it is imported.
 */
import { expect } from 'vitest';
import type { MetricMatchers } from '../../testing/matchers.js';
import { metricMatchers } from '../testing.js';

expect.extend(metricMatchers);

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the type parameters must equal those of the extended interface
  interface Assertion<T = any> extends MetricMatchers {}
}
