require('@llm-devops/prometheus-metrics/testing/jest');
const { MockClock, MockRegistry } = require('@llm-devops/prometheus-metrics/testing');
const { serve } = require('../application.cjs');

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
