// Label names that belong to the server or to the format, wherever a label can be given.

import { Counter, Gauge, Histogram, RegistrationError, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples } from '../support/exposition.mjs';

const help = 'Some help';
const refused = (name) => ({
  instanceOf: RegistrationError,
  code: 'INVALID_LABEL_NAME',
  message: `${name} is a reserved label keyword`,
});

for (const Class of [Counter, Gauge, Histogram]) {
  test(`${Class.name}: __name__ cannot be declared`, (t) => {
    const registry = new Registry();
    const make = (labelNames) => new Class({ name: 'm', help, labelNames, registers: [registry] });
    t.throws(() => make(['__name__']), refused('__name__'));
    t.throws(() => make(['a', '__name__']), refused('__name__'));
    t.deepEqual(registry.getMetricsAsArray(), []);
    t.notThrows(() => make(['name', '__names__', 'quantile']));
  });
}

for (const name of ['__name__', 'le', 'quantile']) {
  test(`${name} is no default label and no label of a mounted registry`, async (t) => {
    const registry = new Registry();
    new Histogram({ name: 'h', help, buckets: [1], registers: [registry] }).observe(1);
    registry.setDefaultLabels({ pod: 'p' });
    t.throws(() => registry.setDefaultLabels({ pod: 'q', [name]: 'x' }), refused(name));
    t.throws(() => new Registry({ defaultLabels: { [name]: 'x' } }), refused(name));
    t.throws(() => registry.mount(new Registry(), { [name]: 'x' }), refused(name));
    // The default labels are those from before.
    t.deepEqual(await samples(registry), [
      'h_bucket{le="1",pod="p"} 1',
      'h_bucket{le="+Inf",pod="p"} 1',
      'h_sum{pod="p"} 1',
      'h_count{pod="p"} 1',
    ]);
    // A label that is undefined is absent.
    t.notThrows(() => registry.setDefaultLabels({ pod: 'q', [name]: undefined }));
  });
}

test('le is reserved in histograms only', (t) => {
  const make = (Class, labelNames) => () => new Class({ name: 'm', help, labelNames, registers: [] });
  t.throws(make(Histogram, ['a', 'le']), refused('le'));
  for (const Class of [Counter, Gauge]) t.notThrows(make(Class, ['le']));
});

test('__name__ is no label of an exemplar, and nothing is recorded', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ name: 'c', help, registers, enableExemplars: true });
  const histogram = new Histogram({ name: 'h', help, registers, buckets: [1], enableExemplars: true });
  const exemplarLabels = { trace_id: 't', __name__: 'x' };
  t.throws(() => counter.inc({ value: 5, exemplarLabels }), refused('__name__'));
  t.throws(() => histogram.observe({ value: 5, exemplarLabels }), refused('__name__'));
  t.throws(() => histogram.startTimer({}, exemplarLabels)(), refused('__name__'));
  t.deepEqual(await samples(registry), ['c 0', 'h_bucket{le="1"} 0', 'h_bucket{le="+Inf"} 0', 'h_sum 0', 'h_count 0']);
});

test('an object of another library whose samples have __name__ is left out', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const family = { name: 'foreign', help, type: 'gauge', values: [{ value: 1, labels: { __name__: 'x' } }] };
  registry.registerMetric({ name: 'foreign', get: () => family });
  new Gauge({ name: 'g', help, registers: [registry] });
  t.deepEqual(await samples(registry), ['g 0']);
  t.is(warnings.length, 1);
  t.regex(warnings[0], /__name__ is a reserved label keyword/);
});
