// Every file of prom-client that programs import by its path gives the same object to `import` and to `require`.

import { createRequire } from 'node:module';
import test from 'ava';
import { entries } from '../../.ci/entries.mjs';

const require = createRequire(import.meta.url);
const PACKAGE = '@llm-devops/prometheus-metrics';
const deep = entries().filter(({ isDeep }) => isDeep);

test('there are deep entries', (t) => {
  t.true(deep.length >= 6);
});

for (const { path } of deep) {
  for (const name of [`${PACKAGE}/${path}`, `${PACKAGE}/${path}.js`]) {
    test(`${name}: import and require`, async (t) => {
      const required = require(name);
      const imported = await import(name);
      t.is(imported.default, required.default ?? required);
      t.true(['function', 'object'].includes(typeof required));
    });
  }
}

test("prom-client's lib/defaultMetrics is the function, which registers the default metrics", async (t) => {
  const { default: collectDefaultMetrics } = await import(`${PACKAGE}/lib/defaultMetrics.js`);
  const { Registry } = require(PACKAGE);
  const register = new Registry();
  collectDefaultMetrics({ register });
  t.teardown(() => register.clear());
  t.regex(await register.metrics(), /^process_cpu_seconds_total /m);
  t.true(collectDefaultMetrics.metricsList.length > 10);
});

const COLLECTORS = require(PACKAGE).collectDefaultMetrics.metricsList;

test('each default metric has the file of the successor, and no other has one', (t) => {
  const files = deep.map(({ path }) => path).filter((path) => path.startsWith('lib/metrics/'));
  t.deepEqual(files, COLLECTORS.map((name) => `lib/metrics/${name}`).sort());
});

for (const name of COLLECTORS) {
  test(`lib/metrics/${name} registers its metrics, with the peers' names`, (t) => {
    const path = `lib/metrics/${name}.js`;
    const ours = require(`${PACKAGE}/${path}`);
    const theirs = require(`@prometheus-io/client/${path}`);
    const { Registry, register } = require(PACKAGE);
    const registry = new Registry();
    ours(registry, { prefix: 'my_' });
    t.teardown(() => registry.clear());
    const names = registry.getMetricsAsArray().map((metric) => metric.name);
    t.deepEqual(names.sort(), theirs.metricNames.map((metric) => `my_${metric}`).sort());
    t.deepEqual([...ours.metricNames].sort(), [...theirs.metricNames].sort());
    t.is(register.getMetricsAsArray().length, 0);
  });
}

test('hashObject() of lib/util makes the keys of hashMap, as in prom-client', (t) => {
  const { hashObject } = require(`${PACKAGE}/lib/util`);
  const theirs = require('prom-client/lib/util').hashObject;
  const { Gauge } = require(PACKAGE);
  const gauge = new Gauge({ name: 'g', help: 'h', labelNames: ['b', 'a'], registers: [] });
  for (const labels of [{}, { a: 1 }, { b: 'x', a: 'y' }, { a: undefined, b: '' }, { b: null }]) {
    t.is(hashObject(labels), theirs(labels));
    t.is(hashObject(labels, ['a', 'b']), theirs(labels, ['a', 'b']));
  }
  gauge.set({ b: 'x', a: 'y' }, 3);
  t.is(gauge.hashMap[hashObject({ b: 'x', a: 'y' })].value, 3);
});

test('every metric is a Metric of lib/metric', (t) => {
  const { Metric } = require(`${PACKAGE}/lib/metric`);
  const { Counter, Gauge, Histogram, Summary, Info, StateSet } = require(PACKAGE);
  for (const Class of [Counter, Gauge, Histogram, Summary]) {
    t.true(new Class({ name: 'm', help: 'h', registers: [] }) instanceof Metric);
  }
  t.true(new Info({ name: 'm', help: 'h', registers: [] }) instanceof Metric);
  t.true(new StateSet({ name: 'm', help: 'h', states: ['a'], registers: [] }) instanceof Metric);
});

test('programs extend Metric itself, as with the successor', async (t) => {
  const run = async (library) => {
    const { Metric } = require(`${library}/lib/metric`);
    const { Registry } = require(library);
    class Answer extends Metric {
      get() {
        const { name, help, aggregator } = this;
        return Promise.resolve({ name, help, aggregator, type: 'gauge', values: [{ value: 42, labels: { a: 'x' } }] });
      }
      reset() {}
    }
    const registers = [new Registry()];
    const errors = [
      null,
      { name: 'm', registers },
      { help: 'h', registers },
      { name: 'm', help: 'h', collect: true },
    ].map((config) => t.throws(() => new Answer(config), { any: true }).message);
    const collect = () => {};
    const metric = new Answer({ name: 'm', help: 'h', labelNames: ['b', 'a'], registers, collect });
    const { aggregator, enableExemplars, labelNames, sortedLabelNames } = metric;
    t.is(metric.collect, collect);
    const text = await registers[0].metrics();
    return { errors, aggregator, enableExemplars, labelNames, sortedLabelNames, text };
  };
  t.deepEqual(await run(PACKAGE), await run('@prometheus-io/client'));
});
