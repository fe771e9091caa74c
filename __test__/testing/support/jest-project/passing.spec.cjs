require('@llm-devops/prometheus-metrics/testing/jest');
const { register } = require('@llm-devops/prometheus-metrics');
const { MockClock, MockRegistry } = require('@llm-devops/prometheus-metrics/testing');
const { serve } = require('../application.cjs');

test('passes', async () => {
  serve('/before', '200');
  const registry = new MockRegistry().isolate();
  const clock = new MockClock({ now: 1_000_000 }).install();
  serve('/chat', '200', () => clock.advanceSeconds(0.25));
  serve('/chat', '404', () => clock.advanceMs(500));
  expect(registry).toHaveCounted('app_requests_total', { route: '/chat' }, 2);
  expect(registry).toHaveCounted('app_requests_total', { route: expect.any(String), status: 404 }, 1);
  expect(registry).toHaveCounted('app_requests_total', expect.objectContaining({ status: '200' }));
  expect(registry).not.toHaveCounted('app_requests_total', { status: /^5/ });
  expect(registry).toHaveObserved('app_request_seconds', { route: '/chat' }, { count: 2, sum: expect.closeTo(0.75) });
  expect(registry.getSingleMetric('app_request_seconds')).toHaveObserved({ route: '/chat' });
  expect(registry).toHaveMetric('app_in_flight', 0);
  expect(registry.getSingleMetric('app_in_flight')).not.toHaveMetric({}, 1);
  const text = await registry.metrics();
  expect(text).toHaveMetric('app_request_seconds_count', { route: '/chat' }, 2);
  expect(text).toBeValidExposition();
  expect(await registry.scrape({ accept: 'application/openmetrics-text' })).toBeValidExposition();
  expect(`${text}!`).not.toBeValidExposition({ format: 'text' });
  clock.restore();
  registry.restore();
  expect(register).toHaveCounted('app_requests_total', { route: '/before' }, 1);
  expect(register).not.toHaveMetric('app_requests_total', { route: '/chat' });
});
