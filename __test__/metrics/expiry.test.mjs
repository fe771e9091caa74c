// Tests how series end: time to live, removeMatching(), series made by init(), and the memory of removed series.

import { getHeapSpaceStatistics } from 'node:v8';
import { Counter, Gauge, Histogram, openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples, samplesOf, text } from '../support/exposition.mjs';
import { collectGarbage } from '../support/garbage.mjs';
import { settled, stoppedClock } from '../support/time.mjs';

/** A metric of two labels in a registry of its own. */
function of(Class, { registry = {}, ...more } = {}) {
  const registers = [new Registry(registry)];
  const config = { name: 'm', help: 'Some help', labelNames: ['a', 'b'], registers };
  const metric = new Class({ ...config, ...(Class === Histogram && { buckets: [] }), ...more });
  return { registry: registers[0], metric };
}

/** Lets the realm remove the expired series that scrapes have found. */
const removed = settled;

test.serial('series whose value does not change are hidden by a scrape, and then removed', async (t) => {
  const pass = stoppedClock(t);
  const registry = new Registry({ ttlSeconds: 60 });
  const config = { help: 'Some help', labelNames: ['a'], registers: [registry] };
  const counter = new Counter({ ...config, name: 'c' });
  const gauge = new Gauge({ ...config, name: 'g' });
  const histogram = new Histogram({ ...config, name: 'h', buckets: [] });
  new Counter({ name: 'alone', help: 'Some help', registers: [registry] }).inc();
  for (const a of ['x', 'y']) {
    counter.inc({ a });
    gauge.set({ a }, 5);
    histogram.observe({ a }, 0);
  }
  const all = await registry.metrics();
  pass(59.999);
  t.is(await registry.metrics(), all);
  // A gauge set to its value again is unchanged; a counter that counts is changed.
  counter.inc({ a: 'x' }, 0);
  gauge.set({ a: 'x' }, 5);
  histogram.observe({ a: 'x' }, 0);
  gauge.inc({ a: 'y' });
  pass(0.001);
  t.is(
    await registry.metrics(),
    text(
      '# HELP c Some help',
      '# TYPE c counter',
      '',
      '# HELP g Some help',
      '# TYPE g gauge',
      'g{a="y"} 6',
      '',
      '# HELP h Some help',
      '# TYPE h histogram',
      'h_bucket{le="+Inf",a="x"} 2',
      'h_sum{a="x"} 0',
      'h_count{a="x"} 2',
      '',
      '# HELP alone Some help',
      '# TYPE alone counter',
      'alone 1',
    ),
  );
  await removed();
  t.is(registry.cardinality().series, 3);
  t.is(gauge.value({ a: 'x' }), 0);
  counter.inc({ a: 'x' }, 7);
  t.is((await samples(registry))[0], 'c{a="x"} 7');
  pass(60);
  t.deepEqual(await samples(registry), ['alone 1']);
});

test.serial('the time to live of a metric overrides that of its registry; 0 means never', async (t) => {
  const pass = stoppedClock(t);
  const registry = new Registry({ ttlSeconds: 60 });
  const config = { help: 'h', labelNames: ['a'], registers: [registry] };
  for (const [name, ttlSeconds] of Object.entries({ never: 0, short: 0.5, long: 1e300, registrys: undefined })) {
    new Counter({ ...config, name, ttlSeconds }).inc({ a: 'x' });
  }
  await samples(registry);
  pass(0.5);
  t.deepEqual(await samples(registry), ['never{a="x"} 1', 'long{a="x"} 1', 'registrys{a="x"} 1']);
  pass(60);
  t.deepEqual(await samples(registry), ['never{a="x"} 1', 'long{a="x"} 1']);
  registry.setTtl(5);
  const later = new Counter({ ...config, name: 'later' });
  later.inc({ a: 'x' });
  await samples(registry);
  pass(5);
  t.deepEqual(await samples(registry), ['never{a="x"} 1', 'long{a="x"} 1']);
  await removed();
  registry.setTtl(0);
  later.inc({ a: 'x' });
  await samples(registry);
  pass(1e9);
  t.deepEqual(await samples(registry), ['never{a="x"} 1', 'long{a="x"} 1', 'later{a="x"} 1']);
});

test.serial('a series that is written before its owner removes it keeps its old count', async (t) => {
  const pass = stoppedClock(t);
  const { registry, metric } = of(Counter, { ttlSeconds: 60 });
  const kept = metric.labels('x', 'y');
  kept.inc(3);
  metric.inc({ a: 'gone' });
  await samples(registry);
  pass(60);
  // Both happen before the event loop turns: hidden by the scrape, then written.
  const { body } = await Promise.resolve(registry.scrape({}));
  t.deepEqual(samplesOf(body.toString()), []);
  kept.inc();
  await removed();
  t.deepEqual(await samples(registry), ['m{a="x",b="y"} 4']);
  pass(60);
  t.deepEqual(await samples(registry), []);
  await removed();
  // Removed, then written by an old handle: a new series, from 0.
  t.is(registry.cardinality().series, 0);
  kept.inc(5);
  t.deepEqual(await samples(registry), ['m{a="x",b="y"} 5']);
});

test.serial('series with unusual labels expire like others', async (t) => {
  const pass = stoppedClock(t);
  const { registry, metric } = of(Gauge, { labelNames: ['__proto__', 'constructor'], ttlSeconds: 1 });
  const values = ['"\\\n', '\ud800', 5, true, undefined, '', 'other', '{}'];
  for (const value of values) metric.labels(value, 'x').set(1);
  metric.set(2);
  await samples(registry);
  pass(1);
  t.deepEqual(await samples(registry), []);
  await removed();
  t.is(registry.cardinality().series, 0);
  for (const value of values) t.is(metric.removeMatching({ constructor: value }), 0);
});

test.serial('expired series make room under the limit, thousands of them too', async (t) => {
  const pass = stoppedClock(t);
  const { registry, metric } = of(Counter, { ttlSeconds: 1, cardinality: { maxSeries: 5000 } });
  for (let n = 0; n < 6000; n++) metric.inc({ a: n });
  t.is(metric.value({ a: 'other', b: 'other' }), 1000);
  await samples(registry);
  pass(1);
  await samples(registry);
  for (let turn = 0; turn < 500 && registry.cardinality().series > 0; turn++) await removed();
  t.is(registry.cardinality().series, 0);
  metric.inc({ a: 5999 });
  t.deepEqual(await samples(registry), ['m{a="5999"} 1']);
});

for (const [ttlSeconds, shown] of [
  [-1, '-1 of type number'],
  ['5', '"5" of type string'],
  [Number.NaN, 'NaN of type number'],
  [Number.POSITIVE_INFINITY, 'Infinity of type number'],
  [null, 'null'],
]) {
  test(`${shown} is an invalid time to live`, (t) => {
    const error = { code: 'INVALID_CONFIG', message: `Expected seconds from 0 for ttlSeconds but received ${shown}` };
    t.throws(() => of(Counter, { ttlSeconds }), error);
    t.throws(() => new Registry({ ttlSeconds }), error);
    t.throws(() => new Registry().setTtl(ttlSeconds), error);
  });
}

test('removeMatching() removes the series that have some labels', async (t) => {
  const { registry, metric } = of(Gauge);
  const record = () => {
    for (const a of ['x', 1, undefined]) for (const b of ['p', 'q', '']) metric.set({ a, b }, 1);
  };
  record();
  const kept = metric.labels(1, 'p');
  t.is(metric.removeMatching({ a: '1' }), 3);
  t.is(metric.removeMatching({ a: 1 }), 0);
  t.is(metric.removeMatching({ b: 'q' }), 2);
  t.is(metric.removeMatching({ a: 'x', b: 'nothing' }), 0);
  t.deepEqual(await samples(registry), ['m{a="x",b="p"} 1', 'm{a="x",b=""} 1', 'm{b="p"} 1', 'm{b=""} 1']);
  // `undefined` selects the series that do not have the label.
  t.is(metric.removeMatching({ a: undefined }), 2);
  t.is(metric.removeMatching({ a: 'x', b: null }), 1);
  kept.set(5);
  t.deepEqual(await samples(registry), ['m{a="x",b="p"} 1', 'm{a="1",b="p"} 5']);
  t.is(metric.removeMatching({}), 2);
  t.deepEqual(await samples(registry), []);
  t.throws(() => metric.removeMatching({ c: 1 }), {
    code: 'UNKNOWN_LABEL',
    message: /^Added label "c" is not included in initial labelset/,
  });
  record();
  for (const [labels, shown] of [
    [undefined, 'undefined of type undefined'],
    [null, 'null'],
    [5, '5 of type number'],
    ['a', '"a" of type string'],
  ]) {
    const message = `Expected labels for removeMatching() but received ${shown}`;
    t.throws(() => metric.removeMatching(labels), { code: 'INVALID_CONFIG', message });
  }
  t.is(registry.cardinality().series, 9);
});

test('init() makes series that start at 0', async (t) => {
  const counter = of(Counter);
  counter.metric.inc({ a: 'x', b: '2' }, 7);
  counter.metric.init({ a: ['x', 'y', 'x'], b: [1, 2, undefined] });
  counter.metric.init({ b: ['alone'] });
  counter.metric.init();
  counter.metric.init({ a: [] });
  counter.metric.labels('y', '1').inc();
  t.deepEqual(await samples(counter.registry), [
    'm{a="x",b="2"} 7',
    'm{a="x",b="1"} 0',
    'm{a="x"} 0',
    'm{a="y",b="1"} 1',
    'm{a="y",b="2"} 0',
    'm{a="y"} 0',
    'm{b="alone"} 0',
    'm 0',
  ]);
  const histogram = of(Histogram);
  histogram.metric.init({ a: ['x'] });
  t.deepEqual(await samples(histogram.registry), ['m_bucket{le="+Inf",a="x"} 0', 'm_sum{a="x"} 0', 'm_count{a="x"} 0']);
  const gauge = of(Gauge, { labelNames: [] });
  gauge.metric.set(4);
  gauge.metric.init();
  t.deepEqual(await samples(gauge.registry), ['m 4']);
  for (const [values, error] of [
    [{ c: [] }, { code: 'UNKNOWN_LABEL' }],
    [
      { a: 'x' },
      {
        code: 'INVALID_CONFIG',
        message: 'Expected an array of values for the label "a" but received "x" of type string',
      },
    ],
    [
      { a: null },
      { code: 'INVALID_CONFIG', message: 'Expected an array of values for the label "a" but received null' },
    ],
    [null, { code: 'INVALID_CONFIG', message: 'Expected values by label name for init() but received null' }],
    [5, { code: 'INVALID_CONFIG', message: 'Expected values by label name for init() but received 5 of type number' }],
  ]) {
    t.throws(() => counter.metric.init(values), error);
  }
  const full = of(Counter, { cardinality: { maxSeries: 3 } });
  const many = { a: [1, 2], b: [1, 2] };
  const message = 'Expected at most 3 combinations for init() but received 4';
  t.throws(() => full.metric.init(many), { code: 'INVALID_CONFIG', message });
  t.deepEqual(await samples(full.registry), []);
  const huge = Array.from({ length: 10_000 }, (_, n) => n);
  t.throws(() => full.metric.init({ a: huge, b: huge }), { message: /received 100000000$/ });
  // init() makes series up to the limit; the rest is counted as over it.
  full.metric.inc({ a: 'before' });
  full.metric.init({ a: [1, 2, 3] });
  t.deepEqual(await samples(full.registry), [
    'm{a="before"} 1',
    'm{a="1"} 0',
    'm{a="2"} 0',
    'm{a="other",b="other"} 0',
  ]);
});

test('an exemplar goes with its series', async (t) => {
  const { registry, metric } = of(Counter, { enableExemplars: true });
  metric.inc({ labels: { a: 'x' }, exemplarLabels: { trace_id: 't' } });
  t.is(metric.removeMatching({ a: 'x' }), 1);
  metric.init({ a: ['x'] });
  const { body } = await registry.scrape({ accept: openMetricsContentType });
  t.deepEqual(samplesOf(body.toString()), ['m_total{a="x"} 0']);
});

test.serial('the memory of removed series is reused, round after round', async (t) => {
  const pass = stoppedClock(t);
  const registry = new Registry({ ttlSeconds: 1 });
  const config = { help: 'Some help', labelNames: ['a', 'b'], registers: [registry] };
  const counter = new Counter({ ...config, name: 'c' });
  const histogram = new Histogram({ ...config, name: 'h' });
  const ROUNDS = 63;
  const [early, late] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = 0; n < 1000; n++) {
      counter.inc({ a: `round ${round}`, b: n });
      histogram.observe({ a: n, b: `${round}` }, 1);
    }
    if (round % 3 === 0) {
      counter.removeMatching({ a: `round ${round}` });
      histogram.removeMatching({ b: round });
    } else if (round % 3 === 1) {
      registry.resetMetrics();
    } else {
      await samples(registry);
      pass(1);
      await samples(registry);
      for (let turn = 0; turn < 500 && registry.cardinality().series > 0; turn++) await removed();
    }
    t.is(registry.cardinality().series, 0, `round ${round}`);
    const measured = round >= 15 && round < 23 ? early : round >= ROUNDS - 5 ? late : undefined;
    if (measured === undefined) continue;
    // Garbage that the engine has not collected yet is not a leak.
    collectGarbage();
    // The engine enlarges its young generation when much is allocated, even if nothing stays.
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    measured.push(process.memoryUsage.rss() - young.space_size);
  }
  // A round takes some 300 KB in the core alone, so forty rounds that leak would take 12 MB.
  t.true(Math.min(...late) - Math.max(...early) < 8 * 2 ** 20, `${early} … ${late}`);
});
