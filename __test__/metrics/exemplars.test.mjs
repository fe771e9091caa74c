// Tests exemplars: enableExemplars records them, OpenMetrics and get() show them, text 0.0.4 does not have them.

import { Counter, Histogram, LabelError, openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples, samplesOf } from '../support/exposition.mjs';

function of(Class, more = {}) {
  const registry = new Registry();
  const config = { name: 'm', help: 'Some help', labelNames: ['a'], registers: [registry], enableExemplars: true };
  const metric = new Class({ ...config, ...(Class === Histogram && { buckets: [1, 5] }), ...more });
  return { registry, metric };
}

/** The samples in OpenMetrics. The time of an exemplar is checked, and shown as T. */
async function openMetrics(t, registry) {
  const { body } = await registry.scrape({ accept: openMetricsContentType });
  return samplesOf(body.toString()).map((line) =>
    line.replace(/ # .* (\S+)$/, (exemplar, time) => {
      const age = Date.now() / 1000 - Number(time);
      t.true(age >= 0 && age < 60, line);
      return exemplar.replace(time, 'T');
    }),
  );
}

for (const [what, absent] of [
  ['no labels', {}],
  ['undefined', undefined],
  ['null', null],
  ['an undefined label', { trace_id: undefined }],
  ['a null label', { trace_id: null, span_id: undefined }],
  ['an empty label', { trace_id: '' }],
]) {
  test(`an exemplar with ${what} leaves the one before it in place`, async (t) => {
    const counter = of(Counter);
    counter.metric.inc({ labels: { a: 'x' }, exemplarLabels: absent });
    t.deepEqual(await openMetrics(t, counter.registry), ['m_total{a="x"} 1']);
    counter.metric.inc({ labels: { a: 'x' }, value: 2, exemplarLabels: { trace_id: 'real' } });
    counter.metric.inc({ labels: { a: 'x' }, value: 3, exemplarLabels: absent });
    t.deepEqual(await openMetrics(t, counter.registry), ['m_total{a="x"} 6 # {trace_id="real"} 2 T']);
    const { registry, metric } = of(Histogram, { labelNames: [], buckets: [] });
    metric.observe({ value: 1, exemplarLabels: { trace_id: 'real' } });
    metric.observe({ value: 2, exemplarLabels: absent });
    const end = metric.startTimer({}, { trace_id: 'at the start' });
    end({}, { trace_id: undefined });
    const [bucket] = await openMetrics(t, registry);
    t.is(bucket, 'm_bucket{le="+Inf"} 3 # {trace_id="real"} 1 T');
  });
}

test('an absent label is left out of an exemplar', async (t) => {
  const { registry, metric } = of(Counter);
  metric.inc({ labels: { a: 'x' }, exemplarLabels: { trace_id: 't', span_id: undefined, other: null } });
  t.deepEqual(await openMetrics(t, registry), ['m_total{a="x"} 1 # {trace_id="t"} 1 T']);
});

test('a counter shows the last exemplar of each series', async (t) => {
  const { registry, metric } = of(Counter);
  metric.inc({ labels: { a: 'x' }, value: 3, exemplarLabels: { trace_id: 'one' } });
  metric.inc({ labels: { a: 'x' }, value: 0.5, exemplarLabels: { trace_id: 'two', span_id: 'q"\\\n' } });
  metric.inc({ labels: { a: 'y' }, exemplarLabels: { trace_id: 'three' } });
  metric.inc({ value: 2, exemplarLabels: { trace_id: 5 } });
  metric.inc({ labels: { a: 'z' } });
  t.deepEqual(await openMetrics(t, registry), [
    'm_total{a="x"} 3.5 # {span_id="q\\"\\\\\\n",trace_id="two"} 0.5 T',
    'm_total{a="y"} 1 # {trace_id="three"} 1 T',
    'm_total 2 # {trace_id="5"} 2 T',
    'm_total{a="z"} 1',
  ]);
  t.deepEqual(await samples(registry), ['m{a="x"} 3.5', 'm{a="y"} 1', 'm 2', 'm{a="z"} 1']);
});

test('a histogram shows the last exemplar of each bucket', async (t) => {
  const { registry, metric } = of(Histogram);
  const observe = (value, trace) =>
    metric.observe({ labels: { a: 'x' }, value, exemplarLabels: trace && { trace_id: trace } });
  observe(0.5, 'first');
  observe(1, 'bound');
  observe(2);
  observe(100, 'infinite');
  t.deepEqual(await openMetrics(t, registry), [
    'm_bucket{le="1.0",a="x"} 2 # {trace_id="bound"} 1 T',
    'm_bucket{le="5.0",a="x"} 3',
    'm_bucket{le="+Inf",a="x"} 4 # {trace_id="infinite"} 100 T',
    'm_sum{a="x"} 103.5',
    'm_count{a="x"} 4',
  ]);
  t.true((await samples(registry)).every((line) => !line.includes('#')));
});

test('get() has exemplars as objects', async (t) => {
  const counter = of(Counter).metric;
  counter.inc({ labels: { a: 'x' }, value: 3, exemplarLabels: { trace_id: 'é"\\\n' } });
  const [{ exemplar, ...rest }] = (await counter.get()).values;
  t.deepEqual(rest, { value: 3, labels: { a: 'x' } });
  t.deepEqual({ ...exemplar, timestamp: 0 }, { labelSet: { trace_id: 'é"\\\n' }, value: 3, timestamp: 0 });
  t.true(Math.abs(exemplar.timestamp - Date.now() / 1000) < 60);

  const histogram = of(Histogram).metric;
  histogram.observe({ value: 2, exemplarLabels: { trace_id: 'x' } });
  const shown = (await histogram.get()).values.map(({ metricName, labels, exemplar: it }) => [
    metricName,
    labels.le,
    it === null ? null : it?.labelSet,
  ]);
  t.deepEqual(shown, [
    ['m_bucket', 1, null],
    ['m_bucket', 5, { trace_id: 'x' }],
    ['m_bucket', '+Inf', null],
    ['m_sum', undefined, undefined],
    ['m_count', undefined, undefined],
  ]);
});

test('an exemplar is optional: plain values, handles, {labels, value}', async (t) => {
  const counter = of(Counter);
  counter.metric.inc();
  counter.metric.inc(2);
  counter.metric.inc({});
  counter.metric.inc({ value: null });
  counter.metric.inc({ labels: null, value: 4 });
  counter.metric.labels('x').inc(5);
  counter.metric.inc({ labels: { a: 'x' }, exemplarLabels: null });
  counter.metric.inc({ labels: { a: 'x' }, exemplarLabels: {} });
  t.deepEqual(await openMetrics(t, counter.registry), ['m_total 9', 'm_total{a="x"} 7']);

  const histogram = of(Histogram, { buckets: [1] });
  histogram.metric.observe(2);
  histogram.metric.observe({ value: 3 });
  histogram.metric.labels('x').observe(4);
  t.deepEqual(await samples(histogram.registry), [
    'm_bucket{le="1"} 0',
    'm_bucket{le="+Inf"} 2',
    'm_sum 5',
    'm_count 2',
    'm_bucket{le="1",a="x"} 0',
    'm_bucket{le="+Inf",a="x"} 1',
    'm_sum{a="x"} 4',
    'm_count{a="x"} 1',
  ]);
});

test('labels and exemplar labels are read during the call, and not kept', async (t) => {
  const { registry, metric } = of(Counter);
  const labels = { a: 'x' };
  const exemplarLabels = { trace_id: 'one' };
  metric.inc({ labels, exemplarLabels });
  labels.a = 'y';
  exemplarLabels.trace_id = 'two';
  t.deepEqual(await openMetrics(t, registry), ['m_total{a="x"} 1 # {trace_id="one"} 1 T']);
});

test('an exemplar goes with its series', async (t) => {
  for (const Class of [Counter, Histogram]) {
    const { registry, metric } = of(Class);
    const method = Class === Counter ? 'inc' : 'observe';
    const record = (exemplarLabels) => metric[method]({ labels: { a: 'x' }, value: 1, exemplarLabels });
    record({ trace_id: 'one' });
    metric.remove('x');
    record();
    t.true((await openMetrics(t, registry)).every((line) => !line.includes('#')));
    record({ trace_id: 'two' });
    metric.reset();
    record();
    t.true((await openMetrics(t, registry)).every((line) => !line.includes('#')));
  }
});

test('an exemplar reaches the series without labels also after it was removed and made again', async (t) => {
  const { registry, metric } = of(Counter, { labelNames: [] });
  metric.remove();
  metric.labels().inc();
  metric.inc({ value: 2, exemplarLabels: { trace_id: 'one' } });
  t.deepEqual(await openMetrics(t, registry), ['m_total 3 # {trace_id="one"} 2 T']);
});

test('names and values together may have 128 characters; a call over this limit records nothing', async (t) => {
  for (const Class of [Counter, Histogram]) {
    const { registry, metric } = of(Class);
    const method = Class === Counter ? 'inc' : 'observe';
    const record = (exemplarLabels) => metric[method]({ labels: { a: 'x' }, value: 1, exemplarLabels });
    for (const exemplarLabels of [
      { a: 'é'.repeat(128) },
      { a: '🦀'.repeat(128) },
      { abc: 'x'.repeat(62), d: 'x'.repeat(63) },
    ]) {
      t.throws(() => record(exemplarLabels), {
        instanceOf: LabelError,
        code: 'INVALID_LABEL_VALUE',
        message: 'Label set size must be smaller than 128 UTF-8 chars',
      });
      t.deepEqual(await samples(registry), []);
    }
    record({ a: '🦀'.repeat(127) });
    record({ abc: 'x'.repeat(62), d: 'x'.repeat(62) });
    const value = metric.value({ a: 'x' });
    t.is(Class === Counter ? value : value.count, 2);
  }
});

test('a call with an invalid name of an exemplar label records nothing', async (t) => {
  for (const Class of [Counter, Histogram]) {
    const { registry, metric } = of(Class);
    const method = Class === Counter ? 'inc' : 'observe';
    t.throws(() => metric[method]({ labels: { a: 'x' }, value: 1, exemplarLabels: { 'trace-id': 'x' } }), {
      code: 'INVALID_LABEL_NAME',
      message: 'At least one label name is invalid: trace-id',
    });
    t.throws(() => metric[method]({ labels: { a: 'x' }, value: 1, exemplarLabels: { a: Object.create(null) } }), {
      code: 'INVALID_LABEL_VALUE',
    });
    t.deepEqual(await samples(registry), []);
  }
});

test('a rejected value or label leaves no exemplar and no series', async (t) => {
  const { registry, metric } = of(Counter);
  const exemplarLabels = { trace_id: 'one' };
  t.throws(() => metric.inc({ labels: { a: 'x' }, value: -1, exemplarLabels }), { code: 'NEGATIVE_INCREMENT' });
  t.throws(() => metric.inc({ labels: { a: 'x' }, value: Number.NaN, exemplarLabels }), { code: 'INVALID_VALUE' });
  t.throws(() => metric.inc({ labels: { q: 'x' }, value: 1, exemplarLabels }), { code: 'UNKNOWN_LABEL' });
  const histogram = of(Histogram);
  t.throws(() => histogram.metric.observe({ labels: { a: 'x' }, exemplarLabels }), { code: 'INVALID_VALUE' });
  t.deepEqual(await samples(registry), []);
  t.deepEqual(await samples(histogram.registry), []);
});

test('without enableExemplars, labels, value and exemplarLabels are labels like any other', async (t) => {
  const { registry, metric } = of(Counter, { enableExemplars: false, labelNames: ['labels', 'value'] });
  metric.inc({ labels: 'x', value: 5 });
  t.deepEqual(await samples(registry), ['m{labels="x",value="5"} 1']);
  t.throws(() => metric.inc({ exemplarLabels: {} }), { code: 'UNKNOWN_LABEL' });
});

test('a timer takes exemplar labels from its start and its end', async (t) => {
  const { registry, metric } = of(Histogram, { buckets: [60] });
  const end = metric.startTimer({ a: 'x' }, { trace_id: 'start', span_id: 's' });
  const seconds = end({ a: 'y' }, { trace_id: 'end' });
  t.deepEqual(await openMetrics(t, registry), [
    `m_bucket{le="60.0",a="y"} 1 # {span_id="s",trace_id="end"} ${seconds} T`,
    'm_bucket{le="+Inf",a="y"} 1',
    `m_sum{a="y"} ${seconds}`,
    'm_count{a="y"} 1',
  ]);
});
