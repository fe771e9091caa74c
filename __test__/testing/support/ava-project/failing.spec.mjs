import {
  assertCounted,
  assertMetric,
  assertValidExposition,
  MockClock,
  MockRegistry,
} from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { serve } from '../application.cjs';

const registry = new MockRegistry().isolate();
const clock = new MockClock().install();
serve('/chat', '200', () => clock.advanceSeconds(2));
serve('/chat', '404');

test('another label', () => {
  assertCounted(registry, 'app_requests_total', { route: '/chat', status: /^50/ }, 2);
});
test('another name', () => {
  assertMetric(registry, 'app_inflight', {}, 1);
});
test('negated', () => {
  registry.assertNotCounted('app_requests_total', { route: '/chat' });
});
test('no exposition', () => {
  assertValidExposition('a 1\nb{ 2\n');
});
