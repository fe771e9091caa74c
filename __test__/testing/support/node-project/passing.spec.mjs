import { test } from 'node:test';
import { register } from '@llm-devops/prometheus-metrics';
import {
  assertCounted,
  assertMetric,
  assertObserved,
  assertValidExposition,
  MockClock,
  MockRegistry,
} from '@llm-devops/prometheus-metrics/testing';
import { serve } from '../application.cjs';

test('passes', async () => {
  serve('/before', '200');
  const registry = new MockRegistry().isolate();
  const clock = new MockClock({ now: 1_000_000 }).install();
  serve('/chat', '200', () => clock.advanceSeconds(0.25));
  serve('/chat', '404', () => clock.advanceMs(500));
  registry.assertCounted('app_requests_total', { route: '/chat' }, 2);
  registry.assertNotCounted('app_requests_total', { status: /^5/ });
  registry.assertObserved('app_request_seconds', { route: '/chat' }, { count: 2, sum: 0.75 });
  registry.assertGauge('app_in_flight', 0);
  assertMetric(await registry.metrics(), 'app_request_seconds_count', { route: '/chat' }, 2);
  assertObserved(registry.getSingleMetric('app_request_seconds'), 'app_request_seconds', { route: /^\/c/ });
  assertValidExposition(await registry.metrics());
  clock.restore();
  registry.restore();
  assertCounted(register, 'app_requests_total', {}, 1);
});
