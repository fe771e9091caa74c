// Tests foreign metrics in a registry: objects with the interface of prom-client's metrics.

import { Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import promClient from 'prom-client';
import { samples, samplesOf, text } from '../support/exposition.mjs';
import { counterIn, gaugeIn } from './support/metrics.mjs';

const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;

test('a foreign metric is shown in its place, if it answers synchronously or with a promise', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p' } });
  const answer = {
    name: 'f',
    help: 'Foreign "help"',
    type: 'gauge',
    aggregator: 'sum',
    values: [
      { value: 1.5, labels: { a: 'x"y', n: 5 } },
      { value: Number.NaN, labels: { pod: 'own' } },
      { value: -1, labels: {} },
    ],
  };
  counterIn(registry, 'first');
  const foreign = { name: 'f', get: () => answer };
  registry.registerMetric(foreign);
  registry.registerMetric({ name: 'later', get: async () => ({ ...answer, name: 'later', values: [] }) });
  counterIn(registry, 'last');
  t.is(registry.getSingleMetric('f'), foreign);
  t.is(
    await registry.metrics(),
    text(
      '# HELP first Some help',
      '# TYPE first counter',
      'first{pod="p"} 0',
      '',
      '# HELP f Foreign "help"',
      '# TYPE f gauge',
      'f{a="x\\"y",n="5",pod="p"} 1.5',
      'f{pod="own"} NaN',
      'f{pod="p"} -1',
      '',
      '# HELP later Foreign "help"',
      '# TYPE later gauge',
      '',
      '# HELP last Some help',
      '# TYPE last counter',
      'last{pod="p"} 0',
    ),
  );
});

test('a foreign histogram is shown with its sample names', async (t) => {
  const registry = new Registry();
  registry.registerMetric({
    name: 'f',
    get: () => ({
      name: 'f',
      help: 'F',
      type: 'histogram',
      values: [
        { metricName: 'f_bucket', value: 1, labels: { le: 1, a: 'x' } },
        { metricName: 'f_bucket', value: 2, labels: { le: '+Inf', a: 'x' } },
        { metricName: 'f_sum', value: 7, labels: { a: 'x' } },
        { metricName: 'f_count', value: 2, labels: { a: 'x' } },
      ],
    }),
  });
  const lines = (le) => [
    `f_bucket{le="${le}",a="x"} 1`,
    'f_bucket{le="+Inf",a="x"} 2',
    'f_sum{a="x"} 7',
    'f_count{a="x"} 2',
  ];
  t.deepEqual(await samples(registry), lines('1'));
  registry.setContentType(OPENMETRICS);
  t.deepEqual(await samples(registry), lines('1.0'));
});

test("prom-client's own metrics in our registry print as in prom-client's", async (t) => {
  const theirs = new promClient.Registry();
  const config = (name, more) => ({ name, help: `Help of ${name}`, labelNames: ['a'], registers: [theirs], ...more });
  const counter = new promClient.Counter(config('c'));
  counter.inc({ a: 'x' }, 2);
  new promClient.Gauge(
    config('g', {
      async collect() {
        this.set({ a: 'y"\\\n' }, -0.5);
      },
    }),
  );
  const histogram = new promClient.Histogram(config('h', { buckets: [0.5, 1] }));
  histogram.observe({ a: 'x' }, 0.7);
  histogram.observe({ a: 'y' }, 7);
  const summary = new promClient.Summary(config('s', { percentiles: [0.5, 0.9] }));
  summary.observe({ a: 'x' }, 3);
  const ours = new Registry();
  for (const metric of theirs.getMetricsAsArray()) ours.registerMetric(metric);
  const expected = await theirs.metrics();
  t.is(samplesOf(expected).length, 16);
  t.is(await ours.metrics(), expected);
  ours.resetMetrics();
  t.deepEqual(counter.hashMap, {});
});

const nonsense = {
  'that throws': () => {
    throw new Error('no');
  },
  'that rejects': () => Promise.reject(new Error('no')),
  'that answers nothing': () => undefined,
  'that answers null': () => null,
  'that answers a number': () => 5,
  'that answers an empty object': () => ({}),
  'whose values are no list': () => ({ name: 'f', help: 'F', type: 'gauge', values: 5 }),
  'whose values are null': () => ({ name: 'f', help: 'F', type: 'gauge', values: [null] }),
  'with a bad name': () => ({ name: 'a-b', help: 'F', type: 'gauge', values: [] }),
  'with a bad sample name': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: 1, labels: {}, metricName: 'a b' }],
  }),
  'with a bad label name': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: 1, labels: { 'a b': 'x' } }],
  }),
  'with a label that cannot be printed': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: 1, labels: { a: Object.create(null) } }],
  }),
  'with a value that is not a number': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: Symbol('1'), labels: {} }],
  }),
};
for (const [title, get] of Object.entries(nonsense)) {
  test(`a foreign metric ${title} is left out and reported, and all others are shown`, async (t) => {
    const warnings = [];
    const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
    counterIn(registry);
    registry.registerMetric({ name: 'f', get });
    gaugeIn(registry);
    const alone = (name, type) => [`# HELP ${name} Some help`, `# TYPE ${name} ${type}`, `${name} 0`];
    const shown = text(...alone('c', 'counter'), '', ...alone('g', 'gauge'));
    const badName = title === 'with a bad name' ? 'a-b' : 'f';
    const comment = `# "${badName}" is not shown: invalid name\n`;
    t.is(await registry.metrics(), /bad .*name/.test(title) ? shown + comment : shown);
    t.is(warnings.length, 1);
    t.regex(warnings[0], /^COLLECTOR_FAILED: collect\(\) of "f" failed: /);
    // JSON has no rules for names.
    t.is((await registry.getMetricsAsJSON()).length, /bad .*name/.test(title) ? 3 : 2);
  });
}

test('a comment in the text names a metric with an invalid name, and OpenMetrics has no comments', async (t) => {
  const registry = new Registry({ logger: { warn() {} } });
  const name = '# HELP "\\\n\r\ud800 metric 1\nforged 5';
  registry.registerMetric({ name, get: () => ({ name, help: 'F', type: 'gauge', values: [] }) });
  counterIn(registry, 'c');
  const lines = (await registry.metrics()).split('\n');
  t.deepEqual(lines.slice(3), ['# "# HELP \\"\\\\\\n\\r\\ud800 metric 1\\nforged 5" is not shown: invalid name', '']);
  registry.setContentType(OPENMETRICS);
  t.true((await registry.metrics()).endsWith('\nc_total 0\n# EOF\n'));
});

test('JSON has foreign metrics whose names no exposition can have, in their place', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const foreign = (name, values) => {
    const answer = { name, help: 'F', type: 'gauge', aggregator: 'max', values };
    registry.registerMetric({ name, aggregator: 'max', get: () => answer });
  };
  counterIn(registry, 'first');
  foreign('some other name', [{ value: 1, labels: { a: 'x' } }]);
  foreign('fine');
  foreign('bad_label', [{ value: 2, labels: { 'not fine': 'x' } }]);
  counterIn(registry, 'last');
  registry.setDefaultLabels({ pod: 'p' });
  const shown = (await registry.getMetricsAsJSON()).map(({ name, values }) => [name, values.at(-1)?.labels]);
  t.deepEqual(shown, [
    ['first', { pod: 'p' }],
    ['some other name', { a: 'x', pod: 'p' }],
    ['fine', undefined],
    ['bad_label', { 'not fine': 'x', pod: 'p' }],
    ['last', { pod: 'p' }],
  ]);
  t.deepEqual(
    (await registry.getMetricsAsJSON('max')).map(({ name }) => name),
    ['some other name', 'fine', 'bad_label'],
  );
  t.deepEqual(await samples(registry), ['first{pod="p"} 0', 'last{pod="p"} 0']);
  t.true(warnings.some((message) => message.includes('Invalid metric name: some other name')));
});

test('a foreign metric has a unit in OpenMetrics, if its name ends with it', async (t) => {
  const registry = new Registry(OPENMETRICS);
  const foreign = (name, unit) => {
    registry.registerMetric({ name, get: () => ({ name, help: 'F', type: 'gauge', unit, values: [] }) });
  };
  foreign('a_seconds', 'seconds');
  foreign('jobs', 's');
  foreign('other', 'seconds');
  foreign('odd_seconds', 5);
  const units = (await registry.metrics()).split('\n').filter((line) => line.startsWith('# UNIT'));
  t.deepEqual(units, ['# UNIT a_seconds seconds']);
});
