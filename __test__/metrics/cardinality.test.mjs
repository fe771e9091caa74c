// Tests limits on series: which label sets get a series, where the others are counted, what is reported, and what it costs.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CardinalityError,
  Counter,
  Gauge,
  Histogram,
  MetricsError,
  openMetricsContentType,
  Registry,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { count } from '../support/count.mjs';
import { samples, samplesOf, text } from '../support/exposition.mjs';
import { of, overflow, quiet } from './support/limited.mjs';

test('a counter over its limit counts in the overflow series', async (t) => {
  const { registry, metric } = of(Counter, { labelNames: ['a', 'b'], cardinality: { maxSeries: 2 } });
  metric.inc({ a: 'x' });
  metric.inc({ a: 1, b: true });
  metric.inc({ a: 'z' }, 5);
  metric.labels('z', 'w').inc(2);
  metric.inc({ a: '1', b: 'true' });
  metric.inc();
  t.is(
    await registry.metrics(),
    text('# HELP m Some help', '# TYPE m counter', 'm{a="x"} 1', 'm{a="1",b="true"} 2', 'm{a="other",b="other"} 8'),
  );
  t.deepEqual(registry.cardinality(), {
    series: 3,
    maxSeries: 1_000_000,
    bytes: registry.cardinality().metrics[0].bytes,
    metrics: [
      {
        name: 'm',
        type: 'counter',
        series: 3,
        maxSeries: 2,
        policy: 'fold',
        overflow: 3,
        bytes: registry.cardinality().bytes,
        labels: { a: { values: 3 }, b: { values: 2 } },
      },
    ],
  });
});

test('a histogram over its limit observes in the overflow series; a gauge records nothing', async (t) => {
  const histogram = of(Histogram, { cardinality: { maxSeries: 1 } });
  const gauge = of(Gauge, { cardinality: { maxSeries: 1 } });
  for (const a of ['x', 'y', 'z']) {
    histogram.metric.observe({ a }, 0.5);
    histogram.metric.observe({ a }, 2);
    gauge.metric.set({ a }, 5);
    gauge.metric.inc({ a });
    gauge.metric.labels(a).dec(2);
  }
  t.deepEqual(await samples(histogram.registry), [
    'm_bucket{le="1",a="x"} 1',
    'm_bucket{le="+Inf",a="x"} 2',
    'm_sum{a="x"} 2.5',
    'm_count{a="x"} 2',
    'm_bucket{le="1",a="other"} 2',
    'm_bucket{le="+Inf",a="other"} 4',
    'm_sum{a="other"} 5',
    'm_count{a="other"} 4',
  ]);
  t.deepEqual(await samples(gauge.registry), ['m{a="x"} 4']);
  t.is(overflow(histogram.registry), 4);
  t.is(overflow(gauge.registry), 6);
  t.is(gauge.metric.value({ a: 'y' }), 0);
});

test('a value that a policy drops is not recorded', async (t) => {
  const cardinality = { maxSeries: 1, policy: 'drop' };
  for (const [Class, call, expected] of [
    [Counter, (metric, a) => metric.inc({ a }), ['m{a="x"} 1']],
    [Gauge, (metric, a) => metric.set({ a }, 3), ['m{a="x"} 3']],
    [
      Histogram,
      (metric, a) => metric.observe({ a }, 3),
      ['m_bucket{le="1",a="x"} 0', 'm_bucket{le="+Inf",a="x"} 1', 'm_sum{a="x"} 3', 'm_count{a="x"} 1'],
    ],
  ]) {
    const { registry, metric } = of(Class, { cardinality });
    for (const a of ['x', 'y', 'other', 'z']) call(metric, a);
    metric.labels('w');
    t.deepEqual(await samples(registry), expected);
    t.is(overflow(registry), 3);
  }
});

test('a policy that throws names the limit in its error', async (t) => {
  const registry = new Registry({ logger: quiet, cardinality: { policy: 'throw', maxTotal: 3 } });
  const config = { help: 'Some help', labelNames: ['a'], registers: [registry] };
  const first = new Counter({ ...config, name: 'first', cardinality: { maxSeries: 1 } });
  const second = new Gauge({ ...config, name: 'second', cardinality: { maxLabelValues: { a: 1 } } });
  const third = new Histogram({ ...config, name: 'third', buckets: [] });
  first.inc({ a: 'x' });
  second.set({ a: 'x' }, 1);
  third.observe({ a: 'x' }, 1);
  const before = await registry.metrics();
  const beyond = 'received a label set beyond';
  for (const [call, message] of [
    [() => first.inc({ a: 'y' }), `Expected at most 1 series of the metric but first ${beyond}`],
    [() => first.labels('y').inc(), `Expected at most 1 series of the metric but first ${beyond}`],
    [() => first.init({ a: ['y'] }), `Expected at most 1 series of the metric but first ${beyond}`],
    [() => second.set({ a: 'y' }, 1), `Expected at most 1 values of the label "a" but second ${beyond}`],
    [() => third.observe({ a: 'y' }, 1), `Expected at most 3 series of the registry but third ${beyond}`],
    [() => third.zero({ a: 'y' }), `Expected at most 3 series of the registry but third ${beyond}`],
    [() => third.startTimer({ a: 'y' })(), `Expected at most 3 series of the registry but third ${beyond}`],
  ]) {
    for (let turn = 0; turn < 3; turn++) {
      const error = t.throws(call, { instanceOf: CardinalityError, message });
      t.is(error.code, 'CARDINALITY_LIMIT');
      t.true(error instanceof MetricsError && error instanceof Error);
    }
  }
  // An invalid value or label is rejected with its own error.
  t.throws(() => first.inc({ a: 'y' }, -1), { code: 'NEGATIVE_INCREMENT' });
  t.throws(() => first.inc({ b: 'y' }), { code: 'UNKNOWN_LABEL' });
  t.is(await registry.metrics(), before);
  t.deepEqual(
    registry.cardinality().metrics.map(({ overflow }) => overflow),
    [9, 3, 9],
  );
});

test('over the limit of a label, only that label becomes `other`', async (t) => {
  const cardinality = { maxLabelValues: { user: 1, plan: 2 } };
  const { registry, metric } = of(Counter, { labelNames: ['user', 'plan'], cardinality });
  for (const [user, plan] of [
    ['u1', 'free'],
    ['u2', 'free'],
    ['u2', 'pro'],
    [3, 'team'],
    [undefined, 'team'],
    ['other', 'free'],
  ]) {
    metric.inc({ user, plan });
  }
  const folded = ['m{user="other",plan="free"} 2', 'm{user="other",plan="pro"} 1', 'm{user="other",plan="other"} 1'];
  t.deepEqual(await samples(registry), ['m{user="u1",plan="free"} 1', ...folded, 'm{plan="other"} 1']);
  t.deepEqual(registry.cardinality().metrics[0].labels, {
    user: { values: 2, maxValues: 1 },
    plan: { values: 3, maxValues: 2 },
  });
  t.is(overflow(registry), 4);
  metric.remove('u1', 'free');
  metric.inc({ user: 'u9', plan: 'free' });
  t.deepEqual(await samples(registry), [...folded, 'm{plan="other"} 1', 'm{user="u9",plan="free"} 1']);
});

test('a handle counts in the overflow series until there is room', async (t) => {
  const { registry, metric } = of(Counter, { cardinality: { maxSeries: 1 } });
  const first = metric.labels('x');
  const beyond = metric.labels('y');
  first.inc();
  beyond.inc();
  beyond.inc();
  t.deepEqual(await samples(registry), ['m{a="x"} 1', 'm{a="other"} 2']);
  metric.remove('x');
  beyond.inc();
  first.inc();
  t.deepEqual(await samples(registry), ['m{a="other"} 3', 'm{a="y"} 1']);
  metric.remove('other');
  first.inc();
  t.deepEqual(await samples(registry), ['m{a="y"} 1', 'm{a="other"} 1']);
  metric.reset();
  beyond.inc();
  t.deepEqual(await samples(registry), ['m{a="y"} 1']);
});

test('series that one metric gives up may be used by another metric of the registry', async (t) => {
  const registry = new Registry({ logger: quiet, cardinality: { maxTotal: 2 } });
  const config = { help: 'Some help', labelNames: ['a'], registers: [registry] };
  const first = new Counter({ ...config, name: 'first' });
  const second = new Counter({ ...config, name: 'second' });
  const elsewhere = new Counter({ ...config, name: 'first', registers: [new Registry()] });
  for (const a of ['x', 'y']) first.inc({ a });
  second.inc({ a: 'x' });
  elsewhere.inc({ a: 'z' });
  t.deepEqual(await samples(registry), ['first{a="x"} 1', 'first{a="y"} 1', 'second{a="other"} 1']);
  // No limit rejects the overflow series, but it is counted.
  first.remove('x');
  second.inc({ a: 'no room' });
  first.removeMatching({ a: 'y' });
  second.inc({ a: 'after removeMatching()' });
  registry.setCardinality({ maxTotal: 3 });
  second.inc({ a: 'after setCardinality()' });
  second.inc({ a: 'no room' });
  second.remove('after setCardinality()');
  first.inc({ a: 'z' });
  registry.removeSingleMetric('first');
  second.inc({ a: 'after removeSingleMetric()' });
  t.deepEqual(await samples(registry), [
    'second{a="other"} 3',
    'second{a="after removeMatching()"} 1',
    'second{a="after removeSingleMetric()"} 1',
  ]);
  t.is(registry.cardinality().series, 3);
});

test('a policy holds from the moment when it is set', async (t) => {
  const { registry, metric } = of(Counter, { registry: { cardinality: { maxSeries: 1 } } });
  const beyond = () => metric.inc({ a: `${Math.random()}` });
  metric.inc({ a: 'x' });
  for (const policy of ['fold', 'throw', 'drop', 'throw', 'fold', 'drop', 'fold']) {
    registry.setCardinality({ maxSeries: 1, policy });
    for (let turn = 0; turn < 4; turn++) {
      if (policy === 'throw') t.throws(beyond, { code: 'CARDINALITY_LIMIT' });
      else beyond();
    }
  }
  t.deepEqual(await samples(registry), ['m{a="x"} 1', 'm{a="other"} 12']);
  t.is(overflow(registry), 28);
});

test('a metric of several registries meets the limits of each', async (t) => {
  const { registry, metric } = of(Counter);
  for (let n = 0; n < 10_001; n++) metric.inc({ a: n });
  t.is(overflow(registry), 1);
  const wider = new Registry({ cardinality: { maxSeries: 10_001 } });
  wider.registerMetric(metric);
  metric.inc({ a: 'room' });
  metric.inc({ a: 'beyond' });
  t.is(metric.value({ a: 'room' }), 1);
  t.is(overflow(registry), 2);
  wider.removeSingleMetric('m');
  t.is(wider.cardinality().series, 0);
  t.is(registry.cardinality().series, 10_002);
  t.is(registry.cardinality().metrics[0].maxSeries, 10_000);
});

test('an exemplar is attached to the series that was counted in, or dropped', async (t) => {
  const openMetrics = async (registry) => {
    const { body } = await registry.scrape({ accept: openMetricsContentType });
    return samplesOf(body.toString()).map((line) => line.replace(/\S+$/, (time) => (line.includes('#') ? 'T' : time)));
  };
  const record = (metric, a) => metric.inc({ labels: { a }, value: 2, exemplarLabels: { trace_id: a } });
  const enableExemplars = true;
  const folding = of(Counter, { enableExemplars, cardinality: { maxSeries: 1 } });
  const dropping = of(Counter, { enableExemplars, cardinality: { maxSeries: 1, policy: 'drop' } });
  for (const a of ['x', 'y', 'z']) {
    record(folding.metric, a);
    record(dropping.metric, a);
  }
  t.deepEqual(await openMetrics(folding.registry), [
    'm_total{a="x"} 2 # {trace_id="x"} 2 T',
    'm_total{a="other"} 4 # {trace_id="z"} 2 T',
  ]);
  t.deepEqual(await openMetrics(dropping.registry), ['m_total{a="x"} 2 # {trace_id="x"} 2 T']);
});

test('zero() over a limit does not touch the overflow series', async (t) => {
  const { registry, metric } = of(Histogram, { buckets: [], cardinality: { maxSeries: 1 } });
  metric.observe({ a: 'x' }, 1);
  metric.observe({ a: 'y' }, 1);
  metric.zero({ a: 'y' });
  metric.zero({ a: 'z' });
  const others = ['m_bucket{le="+Inf",a="other"} 1', 'm_sum{a="other"} 1', 'm_count{a="other"} 1'];
  t.deepEqual((await samples(registry)).slice(3), others);
  metric.zero({ a: 'x' });
  t.deepEqual(await samples(registry), [
    'm_bucket{le="+Inf",a="x"} 0',
    'm_sum{a="x"} 0',
    'm_count{a="x"} 0',
    ...others,
  ]);
});

test('timers over a limit record like other calls', async (t) => {
  const histogram = of(Histogram, { buckets: [], labelNames: ['a', 'b'], cardinality: { maxSeries: 1 } });
  const gauge = of(Gauge, { labelNames: ['a', 'b'], cardinality: { maxSeries: 1 } });
  for (const { metric } of [histogram, gauge]) {
    metric.startTimer({ a: 'x' })();
    metric.startTimer({ a: 'y' })({ b: 'z' });
    metric.labels('y', 'z').startTimer()();
    metric.labels('y', 'z').startTimer()({ b: 'w' });
    t.is(
      metric.time({ a: 'v' }, () => 5),
      5,
    );
    t.is(await metric.time({ a: 'v' }, async () => 6), 6);
  }
  const { values } = await histogram.metric.get();
  const counts = values.filter(({ metricName }) => metricName === 'm_count');
  t.deepEqual(
    counts.map(({ labels, value }) => [labels, value]),
    [
      [{ a: 'x' }, 1],
      [{ a: 'other', b: 'other' }, 5],
    ],
  );
  t.is((await gauge.metric.get()).values.length, 1);
  t.is(overflow(histogram.registry), 5);
  t.is(overflow(gauge.registry), 5);
});

test('a metric without labels always has its one series', async (t) => {
  const registry = new Registry({ logger: quiet, cardinality: { maxTotal: 1, maxSeries: 1, policy: 'throw' } });
  const registers = [registry];
  new Counter({ name: 'c', help: 'h', registers }).inc();
  new Gauge({ name: 'g', help: 'h', registers }).set(2);
  new Histogram({ name: 'h', help: 'h', buckets: [], registers }).observe(3);
  registry.resetMetrics();
  t.deepEqual(await samples(registry), ['c 0', 'g 0']);
  t.is(registry.cardinality().series, 2);
});

for (const [what, options, message] of [
  ['cardinality', { cardinality: 5 }, 'limits for cardinality but received 5 of type number'],
  ['cardinality', { cardinality: null }, 'limits for cardinality but received null'],
  ['maxSeries', { cardinality: { maxSeries: 0 } }, 'but received 0 of type number'],
  ['maxSeries', { cardinality: { maxSeries: 1.5 } }, 'but received 1.5 of type number'],
  ['maxSeries', { cardinality: { maxSeries: '5' } }, 'but received "5" of type string'],
  ['maxSeries', { cardinality: { maxSeries: 2 ** 32 } }, 'but received 4294967296 of type number'],
  ['maxSeries', { cardinality: { maxSeries: Number.NaN } }, 'but received NaN of type number'],
  ['maxSeries', { cardinality: { maxSeries: null } }, 'but received null'],
  [
    'maxLabelValues',
    { cardinality: { maxLabelValues: 5 } },
    'limits by label for cardinality.maxLabelValues but received 5 of type number',
  ],
  ['maxLabelValues.a', { cardinality: { maxLabelValues: { a: -1 } } }, 'but received -1 of type number'],
  ['maxLabelValues.a', { cardinality: { maxLabelValues: { a: Infinity } } }, 'but received Infinity of type number'],
  [
    'policy',
    { cardinality: { policy: 'Fold' } },
    'fold, drop or throw for cardinality.policy but received "Fold" of type string',
  ],
  ['policy', { cardinality: { policy: null } }, 'fold, drop or throw for cardinality.policy but received null'],
]) {
  const told = message.startsWith('but')
    ? `an integer from 1 to 4294967295 for cardinality.${what} ${message}`
    : message;
  test(`invalid limits are rejected: ${what}, ${message}`, (t) => {
    const error = { code: 'INVALID_CONFIG', instanceOf: TypeError, message: `Expected ${told}` };
    t.throws(() => new Registry(options), error);
    t.throws(() => new Registry().setCardinality(options.cardinality), error);
    t.throws(() => new Counter({ name: 'c', help: 'h', labelNames: ['a'], registers: [], ...options }), error);
  });
}

test('an invalid total is rejected', (t) => {
  t.throws(() => new Registry({ cardinality: { maxTotal: 0 } }), {
    code: 'INVALID_CONFIG',
    message: 'Expected an integer from 1 to 4294967295 for cardinality.maxTotal but received 0 of type number',
  });
});

test('limits are shared by require() and import', (t) => {
  const required = createRequire(import.meta.url)('@llm-devops/prometheus-metrics');
  const { registry, metric } = of(required.Counter, { registry: { cardinality: { maxSeries: 1, policy: 'throw' } } });
  metric.inc({ a: 'x' });
  t.throws(() => metric.inc({ a: 'y' }), { instanceOf: CardinalityError });
  t.is(required.CardinalityError, CardinalityError);
  t.is(overflow(registry), 1);
});

for (const [policy, Class] of [
  ['fold', 'Counter'],
  ['drop', 'Counter'],
  ['fold', 'Histogram'],
  ['fold', 'Gauge'],
]) {
  test(`memory does not grow while a ${Class} gets label sets over its limit (${policy})`, async (t) => {
    const program = fileURLToPath(new URL('support/beyond.mjs', import.meta.url));
    const calls = count(150_000, 3_000_000);
    const flags = ['--expose-gc', '--max-semi-space-size=1'];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, Class, policy, `${calls}`]);
    const { heap, resident, overflow, lines } = JSON.parse(stdout);
    t.is(overflow, calls);
    t.is(lines, Class === 'Histogram' ? 4 * 1001 : policy === 'fold' && Class === 'Counter' ? 1001 : 1000);
    const growth = ([, start, ...later]) => Math.max(...later) - start;
    t.true(growth(heap) < 2 ** 20, `bytes of the heap: ${heap.join(', ')}`);
    t.true(growth(resident) < 12 * 2 ** 20, `resident bytes: ${resident.join(', ')}`);
  });
}
