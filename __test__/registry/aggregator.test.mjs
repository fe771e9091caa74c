// getMetricsAsArray() and getMetricsAsJSON() with an aggregator, as the successor of prom-client has them. Its own filter
// needs Node.js 22, so the expected values stand here.

import { Counter, Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const help = 'Some help';
const names = (list) => list.map(({ name }) => name);

function scene() {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({ name: 'summed', help, registers }).set(1);
  new Gauge({ name: 'first', help, registers, aggregator: 'first' }).set(2);
  new Counter({ name: 'counted', help, registers }).inc();
  const foreign = { name: 'foreign', help, type: 'gauge', values: [{ value: 4, labels: {} }] };
  registry.registerMetric({ name: 'foreign', get: () => foreign });
  registry.registerMetric({ name: 'omitted', aggregator: 'omit', get: () => ({ ...foreign, name: 'omitted' }) });
  return registry;
}

for (const [aggregator, expected] of [
  [undefined, ['summed', 'first', 'counted', 'foreign', 'omitted']],
  // An object of another library without an aggregator counts as `sum`.
  ['sum', ['summed', 'counted', 'foreign']],
  ['first', ['first']],
  ['omit', ['omitted']],
  ['max', []],
  ['', []],
]) {
  test(`the metrics with the aggregator ${JSON.stringify(aggregator)}`, async (t) => {
    const registry = scene();
    t.deepEqual(names(registry.getMetricsAsArray(aggregator)), expected);
    t.deepEqual(names(await registry.getMetricsAsJSON(aggregator)), expected);
  });
}

test('default labels are shown in the selected metrics', async (t) => {
  const registry = scene();
  registry.setDefaultLabels({ pod: 'p' });
  const [{ values }] = await registry.getMetricsAsJSON('first');
  t.deepEqual(values, [{ value: 2, labels: { pod: 'p' } }]);
});

test('an object without a name is selected by its own aggregator', async (t) => {
  const registry = new Registry();
  const answer = { name: 'nameless', help, type: 'gauge', values: [{ value: 4, labels: {} }] };
  registry.registerMetric({ aggregator: 'max', get: () => answer });
  t.deepEqual(names(await registry.getMetricsAsJSON('max')), ['nameless']);
  t.deepEqual(names(await registry.getMetricsAsJSON('sum')), []);
});
