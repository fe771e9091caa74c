// Native histograms: their buckets against the definition, their life, and what each format shows of them.

import { Histogram, Registry } from '@llm-devops/prometheus-metrics';
import { MockClock, MockRegistry, parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { samplesOf, text } from '../support/exposition.mjs';

const OPENMETRICS_2 = 'application/openmetrics-text;version=2.0.0';
const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

function histogramOf(more = {}, registry = new Registry()) {
  const config = { name: 'h', help: 'Some help', nativeHistogramBucketFactor: 1.1, registers: [registry] };
  return { registry, histogram: new Histogram({ ...config, ...more }) };
}

async function scraped(registry, accept) {
  const { body } = await registry.scrape({ accept, acceptEncoding: 'identity', names: ['h'] });
  return body;
}

const openMetrics2 = async (registry) => samplesOf((await scraped(registry, OPENMETRICS_2)).toString());

/** Fails unless the values are in the buckets that say so. */
function agrees(t, { count, sum, buckets, native }, values, bounds = []) {
  const among = (is) => values.filter(is).length;
  t.is(count, values.length);
  // Where values differ by many orders, the order of additions shows.
  const total = values.reduce((total, value) => total + value, 0);
  t.true(Object.is(sum, total) || Math.abs(sum - total) <= 1e-9 * Math.max(...values.map(Math.abs)), `${sum}`);
  t.deepEqual(
    buckets,
    [...bounds, Infinity].map((le) => ({ le, count: among((value) => value <= le) })),
  );
  t.is(
    native.zeroCount,
    among((value) => Math.abs(value) <= native.zeroThreshold),
  );
  for (const { lower, upper, count } of native.buckets) {
    const isIn = (value) => (upper > 0 ? value > lower && value <= upper : value >= lower && value < upper);
    t.is(
      count,
      among((value) => Math.abs(value) > native.zeroThreshold && isIn(value)),
      `${lower} to ${upper}`,
    );
  }
  const inBuckets = native.buckets.reduce((total, { count }) => total + count, 0);
  t.is(inBuckets + native.zeroCount, count);
}

const magnitude = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -400, max: 200 }).map((power) => 1.05 ** power) },
  { weight: 1, arbitrary: fc.integer({ min: -40, max: 40 }).map((power) => 2 ** power) },
  { weight: 1, arbitrary: fc.double({ min: 1e-300, max: 1e100, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2 ** -1022, 2 ** -1000, 1e299) },
);
const value = fc.tuple(magnitude, fc.constantFrom(1, 1, 1, -1)).map(([value, sign]) => sign * value);
const options = fc.record({
  nativeHistogramBucketFactor: fc.constantFrom(1.001, 1.02, 1.1, 1.5, 2, 4, 1e9),
  nativeHistogramMaxBuckets: fc.constantFrom(0, 1, 5, 160),
  nativeHistogramZeroThreshold: fc.constantFrom(0, 2 ** -128, 0.01),
  nativeHistogramMaxZeroThreshold: fc.constantFrom(0, 0.5),
  buckets: fc.constantFrom(undefined, [0.1, 1, 10]),
});

test('every observation is in its bucket, however it is recorded', (t) => {
  const values = fc.array(fc.tuple(value, fc.nat(2), fc.integer({ min: 1, max: 3 })), { maxLength: 120 });
  fc.assert(
    fc.property(options, values, (options, recorded) => {
      const { histogram } = histogramOf({ ...options, labelNames: ['a'] });
      const child = histogram.labels('x');
      const all = [];
      for (const [value, way, times] of recorded) {
        for (let time = 0; time < times; time++) {
          if (way === 0) child.observe(value);
          else if (way === 1) histogram.observe({ a: 'x' }, value);
          else histogram.labels({ a: 'x' }).observe(value);
          all.push(value);
        }
      }
      if (all.length > 0) agrees(t, histogram.value({ a: 'x' }), all, options.buckets);
    }),
    { numRuns: count(200, 2000) },
  );
});

test('series come, go and begin anew, and none of them counts for another', async (t) => {
  const command = fc.record({
    what: fc.constantFrom('observe', 'observe', 'observe', 'observe', 'child', 'remove', 'zero', 'reset', 'scrape'),
    a: fc.constantFrom('x', 'y', 'z'),
    value,
  });
  await fc.assert(
    fc.asyncProperty(options, fc.array(command, { maxLength: 150 }), async (options, commands) => {
      const { registry, histogram } = histogramOf({ ...options, labelNames: ['a'] });
      const model = new Map();
      const children = new Map(['x', 'y', 'z'].map((a) => [a, histogram.labels(a)]));
      for (const { what, a, value } of commands) {
        if (what === 'observe' || what === 'child') {
          if (what === 'child') children.get(a).observe(value);
          else histogram.observe({ a }, value);
          model.set(a, [...(model.get(a) ?? []), value]);
        } else if (what === 'remove') {
          histogram.remove(a);
          model.delete(a);
        } else if (what === 'zero') {
          histogram.zero({ a });
          model.set(a, []);
        } else if (what === 'reset') {
          histogram.reset();
          model.clear();
        } else await scraped(registry, PROTOBUF);
      }
      for (const [a, values] of model) agrees(t, histogram.value({ a }), values, options.buckets);
      t.is((await openMetrics2(registry)).length, model.size);
    }),
    { numRuns: count(100, 1000) },
  );
});

test('text and OpenMetrics 1.0 show the classic form', async (t) => {
  const { registry, histogram } = histogramOf();
  histogram.observe(3);
  histogram.observe(-1);
  const lines = ['h_bucket{le="+Inf"} 2', 'h_sum 2', 'h_count 2'];
  t.is(await registry.metrics(), text('# HELP h Some help', '# TYPE h histogram', ...lines));
  t.deepEqual(samplesOf((await scraped(registry, 'application/openmetrics-text;version=1.0.0')).toString()), lines);
  t.deepEqual(
    (await histogram.get()).values.map(({ metricName, labels, value }) => [metricName, labels, value]),
    [
      ['h_bucket', { le: '+Inf' }, 2],
      ['h_sum', {}, 2],
      ['h_count', {}, 2],
    ],
  );
});

test.serial('OpenMetrics 2.0 shows spans and counts, classic buckets beside them, and exemplars', async (t) => {
  const clock = new MockClock({ now: 1_000_000 }).install();
  t.teardown(() => clock.restore());
  const { registry, histogram } = histogramOf({ nativeHistogramBucketFactor: 2, enableExemplars: true });
  t.deepEqual(await openMetrics2(registry), [
    'h {count:0,sum:0,schema:0,zero_threshold:2.938735877055719e-39,zero_count:0} st@1000',
  ]);
  for (const value of [1, 2, 3, 16, -0.5, 0]) histogram.observe({ value });
  histogram.observe({ value: 100, exemplarLabels: { trace_id: 'a' } });
  histogram.observe({ value: 1, exemplarLabels: { trace_id: 'b' } });
  t.deepEqual(await openMetrics2(registry), [
    'h {count:8,sum:122.5,schema:0,zero_threshold:2.938735877055719e-39,zero_count:1,' +
      'negative_spans:[-1:1],negative_buckets:[1],positive_spans:[0:8],positive_buckets:[2,1,1,0,1,0,0,1]} st@1000 ' +
      '# {trace_id="b"} 1 1000 # {trace_id="a"} 100 1000',
  ]);
  const beside = histogramOf({ nativeHistogramBucketFactor: 2, buckets: [1, 10] });
  for (const value of [1, 1, 5, 50]) beside.histogram.observe(value);
  t.deepEqual(await openMetrics2(beside.registry), [
    'h {count:4,sum:57,schema:0,zero_threshold:2.938735877055719e-39,zero_count:0,' +
      'positive_spans:[0:7],positive_buckets:[2,0,0,1,0,0,1],bucket:[1:2,10:3,+Inf:4]} st@1000',
  ]);
});

test('protobuf and OpenMetrics 2.0 show the same', async (t) => {
  await fc.assert(
    fc.asyncProperty(options, fc.array(value, { maxLength: 60 }), async (options, values) => {
      const { registry, histogram } = histogramOf(options);
      for (const value of values) histogram.observe(value);
      const protobuf = parseExposition(await scraped(registry, PROTOBUF), { format: 'protobuf', strict: true });
      const openMetrics = parseExposition(await scraped(registry, OPENMETRICS_2), {
        format: 'openmetrics2',
        strict: true,
      });
      const [own, others] = [protobuf, openMetrics].map(({ families }) => families[0].samples);
      // Without classic buckets and observations, a span of length 0 tells that the histogram is native.
      for (const { nativeHistogram } of [own[0], others[0]]) {
        nativeHistogram.positiveSpans = nativeHistogram.positiveSpans.filter(([, length]) => length > 0);
      }
      const classic = (samples) => samples.filter(({ nativeHistogram }) => nativeHistogram === undefined);
      t.deepEqual(own[0].nativeHistogram, others[0].nativeHistogram);
      if (options.buckets !== undefined) t.deepEqual(classic(own), classic(others));
      t.is(own[0].nativeHistogram.count, values.length);
    }),
    { numRuns: count(100, 1000) },
  );
});

test.serial('with too many buckets a histogram begins anew, if that is allowed', async (t) => {
  const clock = new MockClock({ now: 1_000_000 }).install();
  t.teardown(() => clock.restore());
  const { registry, histogram } = histogramOf({ nativeHistogramMaxBuckets: 4, nativeHistogramMinResetSeconds: 60 });
  const observe = (values) => {
    for (const value of values) histogram.observe(value);
  };
  clock.advanceSeconds(60);
  observe([1, 2, 4, 8]);
  t.is(histogram.value().count, 4);
  histogram.observe(16);
  t.deepEqual(histogram.value().count, 1, 'only the last one');
  t.true((await openMetrics2(registry))[0].endsWith(' st@1060'));
  // Too early: the resolution is lowered, and the next reset is due.
  observe([1, 2, 4, 8]);
  t.true(histogram.value().native.schema < 3);
  clock.advanceSeconds(60);
  t.is(histogram.value().count, 5);
  histogram.observe(1);
  t.is(histogram.value().count, 1);
  t.is(histogram.value().native.schema, 3);
  t.true((await openMetrics2(registry))[0].endsWith(' st@1120'));
  // A reading has to find that the reset is due.
  observe([2, 4, 8, 16, 1, 1, 1]);
  clock.advanceSeconds(60);
  histogram.observe(1);
  t.is(histogram.value().count, 9);
  histogram.observe(1);
  t.is(histogram.value().count, 1);
});

test.serial('an observation of 0 keeps a series alive', async (t) => {
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  const { registry, histogram } = histogramOf({ labelNames: ['a'], ttlSeconds: 60 });
  for (const a of ['x', 'y']) histogram.observe({ a }, 0);
  await registry.metrics();
  clock.advanceSeconds(59);
  histogram.observe({ a: 'x' }, 0);
  clock.advanceSeconds(1);
  t.deepEqual(samplesOf(await registry.metrics()), [
    'h_bucket{le="+Inf",a="x"} 2',
    'h_sum{a="x"} 0',
    'h_count{a="x"} 2',
  ]);
});

for (const policy of ['fold', 'drop']) {
  test(`over a limit, observations go where the policy says: ${policy}`, async (t) => {
    const { registry, histogram } = histogramOf({ labelNames: ['a'], cardinality: { maxSeries: 2, policy } });
    for (let at = 0; at < 50; at++) histogram.observe({ a: `v${at}` }, at / 8);
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('h_count'));
    const other = policy === 'fold' ? ['h_count{a="other"} 48'] : [];
    t.deepEqual(lines, ['h_count{a="v0"} 1', 'h_count{a="v1"} 1', ...other]);
  });
}

test.serial('a registry that a test borrows gets its buckets back', (t) => {
  const histogram = new Histogram({ name: 'h', help: 'H', nativeHistogramBucketFactor: 1.5, buckets: [1] });
  const child = histogram.labels();
  const before = [1, 1, 5, -2, 0];
  for (const value of before) histogram.observe(value);
  const registry = new MockRegistry().isolate();
  agrees(t, histogram.value(), [], [1]);
  histogram.observe(7);
  child.observe(7);
  agrees(t, histogram.value(), [7, 7], [1]);
  t.deepEqual(
    registry.operations().map(({ type, value }) => [type, value]),
    [
      ['observe', 7],
      ['observe', 7],
    ],
  );
  registry.restore();
  agrees(t, histogram.value(), before, [1]);
  child.observe(-2);
  histogram.observe(8);
  agrees(t, histogram.value(), [...before, -2, 8], [1]);
});

test('invalid options are refused', (t) => {
  const refused = (options, message) => t.throws(() => histogramOf(options), { code: 'INVALID_CONFIG', message });
  for (const factor of [1, 0, Number.NaN, Number.POSITIVE_INFINITY, '2', null]) {
    refused({ nativeHistogramBucketFactor: factor }, /Expected a number above 1 for nativeHistogramBucketFactor/);
  }
  refused({ nativeHistogramMaxBuckets: -1 }, /Expected a whole number from 0 to 65536 for nativeHistogramMaxBuckets/);
  refused({ nativeHistogramMaxBuckets: 1.5 }, /nativeHistogramMaxBuckets/);
  for (const name of ['MinResetSeconds', 'ZeroThreshold', 'MaxZeroThreshold']) {
    refused({ [`nativeHistogram${name}`]: -1 }, new RegExp(`Expected a number from 0 for nativeHistogram${name}`));
    const alone = { nativeHistogramBucketFactor: undefined, [`nativeHistogram${name}`]: 1 };
    refused(alone, new RegExp(`nativeHistogramBucketFactor beside nativeHistogram${name}`));
  }
});

test('a zero threshold of -0 is 0', async (t) => {
  const { registry, histogram } = histogramOf({ nativeHistogramZeroThreshold: -0 });
  t.true(Object.is(histogram.value().native.zeroThreshold, 0));
  t.regex((await openMetrics2(registry))[0], /zero_threshold:0,/);
  const config = { name: 'h', help: 'Some help', nativeHistogramBucketFactor: 1.1 };
  t.is(registry.histogram({ ...config, nativeHistogramZeroThreshold: 0 }), histogram);
});

test('only finite numbers are observed', (t) => {
  const { histogram } = histogramOf();
  const child = histogram.labels();
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '1', undefined, null, {}]) {
    t.throws(() => child.observe(value), { code: 'INVALID_VALUE' });
  }
  t.is(histogram.value().count, 0);
});

test('a registry gives a histogram only to those who want the same', (t) => {
  const registry = new Registry();
  const config = { name: 'h', help: 'H', nativeHistogramBucketFactor: 1.1 };
  const histogram = registry.histogram(config);
  t.is(registry.histogram(config), histogram);
  for (const other of [{ nativeHistogramBucketFactor: 2 }, { nativeHistogramBucketFactor: undefined, buckets: [] }]) {
    t.throws(() => registry.histogram({ ...config, ...other }), { code: 'TYPE_MISMATCH' });
  }
});
