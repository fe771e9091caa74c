// The matchers on Jest's `expect`.

import '@llm-devops/prometheus-metrics/testing/jest';
import { expect } from '@jest/globals';
import { Registry } from '@llm-devops/prometheus-metrics';

const registry = new Registry();
expect(registry).toHaveMetric('g', { a: expect.any(String), b: /x/ }, 1);
expect(registry).not.toHaveCounted('c_total', { status: '500' });
expect(registry).toHaveCounted('c_total', 2);
expect(registry).toHaveObserved('h', expect.objectContaining({ a: 'x' }), { count: 1, sum: expect.closeTo(0.1) });
await expect(registry.metrics()).resolves.toBeValidExposition({ format: 'text' });
// @ts-expect-error: a part of a distribution is not a number
expect(registry).toHaveObserved('h', {}, 1);
// @ts-expect-error: an unknown format
expect('').toBeValidExposition({ format: 'json' });
