// A test suite that loads its application anew for each test, as suites written for prom-client do.

const first = require('./metrics.cjs');
const metricsOf = async ({ register }) =>
  (await register.metrics()).split('\n').filter((line) => !line.startsWith('#'));

for (const round of [1, 2]) {
  test(`a new registry after resetModules(), round ${round}`, async () => {
    jest.resetModules();
    const again = require('./metrics.cjs');
    again.requests.inc(round);
    expect(again.register).not.toBe(first.register);
    expect(await metricsOf(again)).toEqual([`requests_total ${round}`, '']);
    expect(require('./metrics.cjs')).toBe(again);
  });
}

test('a registry of its own in isolateModules()', async () => {
  let isolated;
  jest.isolateModules(() => {
    isolated = require('./metrics.cjs');
  });
  isolated.requests.inc(7);
  expect(await metricsOf(isolated)).toEqual(['requests_total 7', '']);
});

test('all entries of the package share the new registry', () => {
  jest.resetModules();
  const { register } = require('@llm-devops/prometheus-metrics');
  const { MockRegistry } = require('@llm-devops/prometheus-metrics/testing');
  const mock = new MockRegistry().isolate();
  const { requests } = require('./metrics.cjs');
  requests.inc(3);
  mock.assertCounted('requests_total', 3);
  mock.restore();
  expect(register.getSingleMetric('requests_total')).toBeUndefined();
});

test('the first registry stays as it was', async () => {
  first.requests.inc(5);
  expect(await metricsOf(first)).toEqual(['requests_total 5', '']);
});
