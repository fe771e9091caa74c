import '@llm-devops/prometheus-metrics/testing/vitest';
import { MockClock, MockRegistry } from '@llm-devops/prometheus-metrics/testing';
import { expect, test } from 'vitest';
import { serve } from '../application.cjs';

const registry = new MockRegistry().isolate();
const clock = new MockClock().install();
serve('/chat', '200', () => clock.advanceSeconds(2));
serve('/chat', '404');

test('another label', () => {
  expect(registry).toHaveCounted('app_requests_total', { route: '/chat', status: expect.stringContaining('50') }, 2);
});
test('another name', () => {
  expect(registry).toHaveMetric('app_inflight', {}, 1);
});
test('negated', () => {
  expect(registry).not.toHaveObserved('app_request_seconds', { route: '/chat' }, { count: 2 });
});
test('no exposition', () => {
  expect('a 1\nb{ 2\n').toBeValidExposition();
});
