// Tests registering metrics, get-or-create, default labels and merged registries.

import {
  Counter,
  Gauge,
  Histogram,
  LabelError,
  RegistrationError,
  Registry,
  register,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples } from '../support/exposition.mjs';
import { counterIn, gaugeIn, histogramIn } from './support/metrics.mjs';

const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;

// Registering.

test('a metric is registered in the default registry unless `registers` is given', async (t) => {
  t.is(Registry.globalRegistry, register);
  const counter = new Counter({ name: 'in_default', help: 'Some help' });
  t.is(register.getSingleMetric('in_default'), counter);
  const nowhere = new Counter({ name: 'nowhere', help: 'Some help', registers: [] });
  t.is(register.getSingleMetric('nowhere'), undefined);
  nowhere.inc();
  t.is(nowhere.value(), 1);
  register.removeSingleMetric('in_default');
});

test('one metric may be in several registries', async (t) => {
  const [one, other] = [new Registry({ defaultLabels: { r: '1' } }), new Registry(OPENMETRICS)];
  const counter = new Counter({ name: 'c', help: 'Some help', registers: [one, other] });
  counter.inc();
  t.deepEqual(await samples(one), ['c{r="1"} 1']);
  t.deepEqual(await samples(other), ['c_total 1']);
  one.clear();
  counter.inc();
  t.is(await one.metrics(), '\n');
  t.deepEqual(await samples(other), ['c_total 2']);
});

test('a name can be registered once; registering the same metric again changes nothing', async (t) => {
  const registry = new Registry();
  const counter = counterIn(registry);
  registry.registerMetric(counter);
  const taken = {
    instanceOf: RegistrationError,
    name: 'Error',
    code: 'DUPLICATE_METRIC',
    message: 'A metric with the name c has already been registered.',
  };
  t.throws(() => counterIn(registry), taken);
  t.throws(() => gaugeIn(registry, 'c'), taken);
  t.throws(() => registry.registerMetric({ name: 'c', get: () => ({}) }), taken);
  t.deepEqual(registry.getMetricsAsArray(), [counter]);
  t.deepEqual(await samples(registry), ['c 0']);
});

test('a metric that would write samples of another is rejected, and leaves nothing behind', async (t) => {
  const clash = (sample, name) => ({
    instanceOf: RegistrationError,
    code: 'DUPLICATE_METRIC',
    message: `A metric that writes samples named ${sample} has already been registered, and ${name} would write them too.`,
  });
  for (const suffix of ['_count', '_sum', '_bucket']) {
    const counterFirst = new Registry();
    const counter = counterIn(counterFirst, `x${suffix}`);
    t.throws(() => histogramIn(counterFirst, 'x'), clash(`x${suffix}`, 'x'));
    t.deepEqual(counterFirst.getMetricsAsArray(), [counter]);
    t.is(counterFirst.getSingleMetric('x'), undefined);
    t.deepEqual(await samples(counterFirst), [`x${suffix} 0`]);
    counterFirst.removeSingleMetric(`x${suffix}`);
    t.notThrows(() => histogramIn(counterFirst, 'x'));

    const histogramFirst = new Registry();
    const histogram = histogramIn(histogramFirst, 'x');
    t.throws(() => gaugeIn(histogramFirst, `x${suffix}`), clash(`x${suffix}`, `x${suffix}`));
    t.throws(
      () => histogramFirst.counter({ name: `x${suffix}`, help: 'Some help' }),
      clash(`x${suffix}`, `x${suffix}`),
    );
    t.deepEqual(histogramFirst.getMetricsAsArray(), [histogram]);
    histogramFirst.clear();
    t.notThrows(() => gaugeIn(histogramFirst, `x${suffix}`));
  }
  const registry = new Registry();
  histogramIn(registry, 'x');
  t.notThrows(() => counterIn(registry, 'x_total'));
  t.notThrows(() => counterIn(registry, 'x_count_total'));
});

test('a foreign metric with a sample name of another metric is rejected', (t) => {
  const registry = new Registry();
  histogramIn(registry, 'x');
  t.throws(() => registry.registerMetric({ name: 'x_count', get: () => ({}) }), {
    instanceOf: RegistrationError,
    code: 'DUPLICATE_METRIC',
  });
  registry.registerMetric({ name: 'y_sum', get: () => ({}) });
  t.throws(() => histogramIn(registry, 'y'), { instanceOf: RegistrationError, code: 'DUPLICATE_METRIC' });
});

test('a value that is not a metric is rejected', (t) => {
  const registry = new Registry();
  for (const value of [{ name: 'x' }, { name: 'x', get: 5 }, null, undefined, 5, 'x', {}]) {
    t.throws(() => registry.registerMetric(value), { instanceOf: TypeError, code: 'INVALID_CONFIG' });
  }
  t.deepEqual(registry.getMetricsAsArray(), []);
});

test('getSingleMetric(), getMetricsAsArray() and removeSingleMetric()', async (t) => {
  const registry = new Registry();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => counterIn(registry, name));
  t.is(registry.getSingleMetric('b'), b);
  t.is(registry.getSingleMetric('q'), undefined);
  t.deepEqual(registry.getMetricsAsArray(), [a, b, c]);
  t.deepEqual({ ...registry._metrics }, { a, b, c });
  registry.getMetricsAsArray().pop();
  t.is(registry.removeSingleMetric('b'), undefined);
  registry.removeSingleMetric('q');
  t.deepEqual(registry.getMetricsAsArray(), [a, c]);
  b.inc();
  t.deepEqual(await samples(registry), ['a 0', 'c 0']);
  registry.registerMetric(b);
  t.deepEqual(await samples(registry), ['a 0', 'c 0', 'b 1']);
});

test('clear() removes all metrics and the default labels; the metrics still work', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p' } });
  const counter = counterIn(registry);
  registry.registerMetric({ name: 'f', get: () => ({ name: 'f', help: 'F', type: 'gauge', values: [] }) });
  counter.inc();
  registry.clear();
  t.is(await registry.metrics(), '\n');
  t.deepEqual(registry.getMetricsAsArray(), []);
  t.deepEqual(await registry.getMetricsAsJSON(), []);
  counter.inc();
  registry.registerMetric(counter);
  t.deepEqual(await samples(registry), ['c 2']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values, [{ value: 2, labels: {} }]);
});

test('resetMetrics() resets all metrics, foreign ones that can be reset too', async (t) => {
  const registry = new Registry();
  counterIn(registry).inc();
  gaugeIn(registry, 'g', { labelNames: ['a'] }).set({ a: 'x' }, 2);
  histogramIn(registry).observe(1);
  let resets = 0;
  const get = () => ({ name: 'f', help: 'F', type: 'gauge', values: [] });
  registry.registerMetric({ name: 'f', get, reset: () => resets++ });
  registry.registerMetric({ name: 'without_reset', get });
  registry.resetMetrics();
  t.deepEqual(await samples(registry), ['c 0']);
  t.is(resets, 1);
});

// Get or create.

test('counter(), gauge() and histogram() make a metric once', (t) => {
  const registry = new Registry();
  for (const [method, Class] of [
    ['counter', Counter],
    ['gauge', Gauge],
    ['histogram', Histogram],
  ]) {
    const config = { name: method, help: 'Some help', labelNames: ['a', 'b'] };
    const metric = registry[method](config);
    t.true(metric instanceof Class);
    t.is(registry[method]({ ...config, help: 'Other help' }), metric);
    t.is(registry.getSingleMetric(method), metric);
    t.is(register.getSingleMetric(method), undefined);
  }
  t.is(registry.getMetricsAsArray().length, 3);
});

test('counter(), gauge() and histogram() return a metric made with new, and register nowhere else', (t) => {
  const [registry, other] = [new Registry(), new Registry()];
  const histogram = histogramIn(registry, 'h', { buckets: [1, 2] });
  t.is(registry.histogram({ name: 'h', help: 'h', buckets: [1, 2, Number.POSITIVE_INFINITY] }), histogram);
  registry.gauge({ name: 'g', help: 'g', registers: [other] });
  t.deepEqual(other.getMetricsAsArray(), []);
});

test('get-or-create rejects another type, other labels, another order of labels and other buckets', (t) => {
  const registry = new Registry();
  registry.counter({ name: 'c', help: 'c', labelNames: ['a', 'b'] });
  registry.histogram({ name: 'h', help: 'h', buckets: [1, 2] });
  registry.registerMetric({ name: 'f', get: () => ({}) });
  const mismatch = (name, was, is) => ({
    instanceOf: RegistrationError,
    code: 'TYPE_MISMATCH',
    message: `Expected ${name} to be the ${was} it was registered as, with the same label names and buckets, but received another ${is}`,
  });
  const labelNames = ['a', 'b'];
  t.throws(() => registry.gauge({ name: 'c', help: 'c', labelNames }), mismatch('c', 'counter', 'gauge'));
  t.throws(() => registry.histogram({ name: 'c', help: 'c', labelNames }), mismatch('c', 'counter', 'histogram'));
  t.throws(() => registry.counter({ name: 'c', help: 'c' }), mismatch('c', 'counter', 'counter'));
  t.throws(() => registry.counter({ name: 'c', help: 'c', labelNames: ['b', 'a'] }), { code: 'TYPE_MISMATCH' });
  t.throws(
    () => registry.histogram({ name: 'h', help: 'h', buckets: [1, 3] }),
    mismatch('h', 'histogram', 'histogram'),
  );
  t.throws(() => registry.histogram({ name: 'h', help: 'h' }), { code: 'TYPE_MISMATCH' });
  t.throws(() => registry.counter({ name: 'h', help: 'h' }), mismatch('h', 'histogram', 'counter'));
  t.throws(() => registry.gauge({ name: 'f', help: 'f' }), mismatch('f', 'metric', 'gauge'));
  t.is(registry.getMetricsAsArray().length, 3);
});

test('get-or-create rejects an invalid configuration, also for an existing name', (t) => {
  const registry = new Registry();
  registry.counter({ name: 'c', help: 'c' });
  t.throws(() => registry.counter({ name: 'c' }), { message: 'Missing mandatory help parameter' });
  t.throws(() => registry.counter({ name: 'd' }), { message: 'Missing mandatory help parameter' });
  t.throws(() => registry.counter({ help: 'd' }), { message: 'Missing mandatory name parameter' });
  t.throws(() => registry.histogram({ name: 'h', help: 'h', buckets: [2, 1] }), { code: 'INVALID_BUCKETS' });
  for (const none of [undefined, null, 5]) {
    t.throws(() => registry.counter(none), { code: 'INVALID_CONFIG', message: 'constructor expected a config object' });
  }
  t.is(registry.getMetricsAsArray().length, 1);
});

// Default labels.

test('default labels: histograms print le, default, own; other types own, default; own win', async (t) => {
  const registry = new Registry();
  const labelNames = ['own', 'pod'];
  const metrics = [counterIn(registry, 'c', { labelNames }), gaugeIn(registry, 'g', { labelNames })];
  const histogram = histogramIn(registry, 'h', { labelNames });
  registry.setDefaultLabels({ pod: 'default', zone: 'z"\\\n' });
  for (const labels of [{ own: 'x' }, { pod: 'own', own: 'y' }, {}]) {
    for (const metric of metrics) metric.inc(labels);
    histogram.observe(labels, 1);
  }
  const zone = 'zone="z\\"\\\\\\n"';
  t.deepEqual(await samples(registry), [
    ...['c', 'g'].flatMap((name) => [
      `${name}{own="x",pod="default",${zone}} 1`,
      `${name}{pod="own",own="y",${zone}} 1`,
      `${name}{pod="default",${zone}} 1`,
    ]),
    ...[`pod="default",${zone},own="x"`, `${zone},pod="own",own="y"`, `pod="default",${zone}`].flatMap((labels) => [
      `h_bucket{le="1",${labels}} 1`,
      `h_bucket{le="+Inf",${labels}} 1`,
      `h_sum{${labels}} 1`,
      `h_count{${labels}} 1`,
    ]),
  ]);
  const json = await registry.getMetricsAsJSON();
  t.deepEqual(
    json[0].values.map(({ labels }) => labels),
    [
      { own: 'x', pod: 'default', zone: 'z"\\\n' },
      { pod: 'own', own: 'y', zone: 'z"\\\n' },
      { pod: 'default', zone: 'z"\\\n' },
    ],
  );
  t.deepEqual((await metrics[0].get()).values[0].labels, { own: 'x' });
});

test('default labels are copied, and replaced as a whole; metrics do not keep them', async (t) => {
  const registry = new Registry();
  gaugeIn(registry);
  const labels = { a: '1' };
  registry.setDefaultLabels(labels);
  labels.a = '2';
  t.deepEqual(await samples(registry), ['g{a="1"} 0']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values, [{ value: 0, labels: { a: '1' } }]);
  registry.setDefaultLabels({ b: 3, c: true });
  t.deepEqual(await samples(registry), ['g{b="3",c="true"} 0']);
  registry.setDefaultLabels({});
  t.deepEqual(await samples(registry), ['g 0']);
});

test('an invalid default label name is rejected, and the default labels do not change', async (t) => {
  const registry = new Registry({ defaultLabels: { a: '1' } });
  gaugeIn(registry);
  t.throws(() => registry.setDefaultLabels({ b: '2', 'a-b': '3' }), {
    instanceOf: RegistrationError,
    code: 'INVALID_LABEL_NAME',
  });
  t.throws(() => registry.setDefaultLabels({ b: Object.create(null) }), {
    instanceOf: LabelError,
    code: 'INVALID_LABEL_VALUE',
  });
  t.deepEqual(await samples(registry), ['g{a="1"} 0']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values[0].labels, { a: '1' });
});

test('an own label wins over a default one in JSON as in text, also where it is 0', async (t) => {
  const registry = new Registry({ defaultLabels: { a: 'default' } });
  gaugeIn(registry, 'g', { labelNames: ['a'] }).set({ a: 0 }, 1);
  t.deepEqual(await samples(registry), ['g{a="0"} 1']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values, [{ value: 1, labels: { a: 0 } }]);
});

// Merging.

test('Registry.merge() has the metrics of all, and shares their values', async (t) => {
  const [one, other] = [new Registry(), new Registry()];
  const counter = counterIn(one);
  const gauge = gaugeIn(other);
  const merged = Registry.merge([one, other]);
  counter.inc();
  gauge.set(5);
  t.true(merged instanceof Registry);
  t.deepEqual(merged.getMetricsAsArray(), [counter, gauge]);
  t.deepEqual(await samples(merged), ['c 1', 'g 5']);
  counterIn(one, 'later');
  t.deepEqual(await samples(merged), ['c 1', 'g 5']);
  merged.clear();
  t.deepEqual(await samples(one), ['c 1', 'later 0']);
});

test('Registry.merge() keeps the content type, and rejects different types and repeated names', async (t) => {
  const openMetrics = new Registry(OPENMETRICS);
  t.is(Registry.merge([openMetrics]).contentType, OPENMETRICS);
  t.is(await Registry.merge([]).metrics(), '\n');
  t.throws(() => Registry.merge([new Registry(), openMetrics]), {
    code: 'INVALID_CONFIG',
    message: 'Registers can only be merged if they have the same content type',
  });
  const [one, other] = [new Registry(), new Registry()];
  const shared = counterIn(one);
  other.registerMetric(shared);
  t.deepEqual(Registry.merge([one, other]).getMetricsAsArray(), [shared]);
  const third = new Registry();
  counterIn(third);
  t.throws(() => Registry.merge([one, third]), { code: 'DUPLICATE_METRIC' });
});
