// Summary and the handles that labels() returns.

import { LabelError, openMetricsContentType, Registry, Summary } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { samples, text } from '../support/exposition.mjs';
import { settled, stoppedClock } from '../support/time.mjs';

const HEAD = ['# HELP s Some help', '# TYPE s summary'];

function summaryOf(labelNames = [], { registry: contentType, ...more } = {}) {
  const registry = new Registry(contentType);
  const config = { name: 's', help: 'Some help', labelNames, percentiles: [0.5, 0.9], registers: [registry] };
  return { registry, summary: new Summary({ ...config, ...more }) };
}

/** The lines of one series. */
function lines(labels, [median, high], sum, count) {
  const quantile = (q, value) => `s{quantile="${q}"${labels && `,${labels}`}} ${value}`;
  const braces = labels && `{${labels}}`;
  return [quantile(0.5, median), quantile(0.9, high), `s_sum${braces} ${sum}`, `s_count${braces} ${count}`];
}

/** Quantiles by definition: ranks are interpolated between the middles of equal values. */
function quantileOf(values, q) {
  const sorted = Float64Array.from(values).sort();
  const rank = q * sorted.length;
  let before = 0;
  let lower;
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (end < sorted.length && sorted[end] === sorted[at]) end += 1;
    const middle = before + (end - at) / 2;
    if (rank < middle) {
      if (lower === undefined) return sorted[at];
      return lower.value + ((rank - lower.middle) * (sorted[at] - lower.value)) / (middle - lower.middle);
    }
    lower = { value: sorted[at], middle };
    before += end - at;
    at = end;
  }
  return lower.value;
}

test('a summary without labels starts at 0', async (t) => {
  const { registry } = summaryOf();
  t.is(await registry.metrics(), text(...HEAD, ...lines('', [0, 0], 0, 0)));
});

test('a summary with labels starts without series', async (t) => {
  const { registry, summary } = summaryOf(['a']);
  const child = summary.labels('x');
  t.is(await registry.metrics(), text(...HEAD));
  child.observe(4);
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="x"', [4, 4], 4, 1)));
});

test('every argument form observes', async (t) => {
  const { registry, summary } = summaryOf(['a', 'b']);
  t.is(summary.observe(1), undefined);
  summary.observe({}, 2);
  summary.observe(null, 3);
  summary.observe(undefined, 4);
  summary.observe({ b: 'y', a: 'x' }, 5);
  summary.labels('x', 'y').observe(6);
  summary.labels({ a: 'x', b: 'y' }).observe(70);
  t.is(await registry.metrics(), text(...HEAD, ...lines('', [2.5, 4], 10, 4), ...lines('b="y",a="x"', [6, 70], 81, 3)));
});

test('values that are not finite numbers are refused, and make no series', async (t) => {
  const { registry, summary } = summaryOf(['a']);
  for (const value of [Number.NaN, Infinity, -Infinity, '5', null, undefined, 5n, true]) {
    for (const observe of [() => summary.observe({ a: 'x' }, value), () => summary.labels('x').observe(value)]) {
      t.throws(observe, { code: 'INVALID_VALUE', message: /^Value is not a valid number: / });
    }
  }
  t.throws(() => summary.observe({ c: 'x' }, 1), { instanceOf: LabelError, code: 'UNKNOWN_LABEL' });
  t.throws(() => summary.labels('x', 'y'), { instanceOf: LabelError, code: 'LABEL_COUNT' });
  t.is(await registry.metrics(), text(...HEAD));
});

test('OpenMetrics has canonical quantiles, and the unit', async (t) => {
  const { registry, summary } = summaryOf([], {
    registry: openMetricsContentType,
    percentiles: [1, 0],
    name: 's_bytes',
    unit: 'bytes',
  });
  summary.observe(7);
  t.is(
    await registry.metrics(),
    text(
      ...['# HELP s_bytes Some help', '# TYPE s_bytes summary', '# UNIT s_bytes bytes'],
      ...['s_bytes{quantile="0.0"} 7', 's_bytes{quantile="1.0"} 7', 's_bytes_sum 7', 's_bytes_count 1', '# EOF'],
    ),
  );
});

test('default labels follow the quantile; quantile itself is refused as a default label', async (t) => {
  const { registry, summary } = summaryOf();
  registry.setDefaultLabels({ app: 'y' });
  t.throws(() => registry.setDefaultLabels({ quantile: 'x' }), { code: 'INVALID_LABEL_NAME' });
  summary.observe(1);
  t.deepEqual(await samples(registry), [
    's{quantile="0.5",app="y"} 1',
    's{quantile="0.9",app="y"} 1',
    's_sum{app="y"} 1',
    's_count{app="y"} 1',
  ]);
});

test('invalid options are refused', (t) => {
  const make = (more) => () => summaryOf([], more);
  for (const percentiles of [[1.1], [-0.1], [0.5, 0.5], ['0.5'], [Number.NaN], 0.5, null]) {
    t.throws(make({ percentiles }), { code: 'INVALID_CONFIG', message: /percentiles/ });
  }
  for (const maxAgeSeconds of [-1, Number.NaN, Infinity, '5']) {
    t.throws(make({ maxAgeSeconds, ageBuckets: 5 }), { code: 'INVALID_CONFIG', message: /maxAgeSeconds/ });
  }
  for (const ageBuckets of [-1, 1.5, '5', 1e9]) {
    t.throws(make({ maxAgeSeconds: 5, ageBuckets }), { code: 'INVALID_CONFIG', message: /ageBuckets/ });
  }
  t.throws(() => summaryOf(['quantile']), {
    code: 'INVALID_LABEL_NAME',
    message: 'quantile is a reserved label keyword',
  });
});

test('without percentiles there are the sum and the count', async (t) => {
  const { registry, summary } = summaryOf([], { percentiles: [] });
  summary.observe(3);
  t.deepEqual(await samples(registry), ['s_sum 3', 's_count 1']);
  t.deepEqual(summary.value(), { count: 1, sum: 3, quantiles: [] });
});

test('value() and get() read the quantiles', async (t) => {
  const { summary } = summaryOf(['a']);
  t.deepEqual(summary.value({ a: 1 }), {
    count: 0,
    sum: 0,
    quantiles: [
      { quantile: 0.5, value: 0 },
      { quantile: 0.9, value: 0 },
    ],
  });
  for (const value of [1, 2, 3]) summary.observe({ a: 1 }, value);
  t.deepEqual(summary.value({ a: 1 }), {
    count: 3,
    sum: 6,
    quantiles: [
      { quantile: 0.5, value: 2 },
      { quantile: 0.9, value: 3 },
    ],
  });
  t.deepEqual((await summary.get()).values, [
    { labels: { quantile: 0.5, a: 1 }, value: 2 },
    { labels: { quantile: 0.9, a: 1 }, value: 3 },
    { metricName: 's_sum', labels: { a: 1 }, value: 6 },
    { metricName: 's_count', labels: { a: 1 }, value: 3 },
  ]);
});

test('reset() keeps the series at 0, remove() and zero() act on one', async (t) => {
  const { registry, summary } = summaryOf(['a']);
  // More than a buffer, so that some values are digested and some are not.
  for (let i = 0; i < 300; i += 1) for (const a of ['x', 'y', 'z']) summary.observe({ a }, 5);
  const kept = summary.labels('z');
  summary.remove('x');
  summary.zero({ a: 'y' });
  t.deepEqual(await samples(registry), [...lines('a="y"', [0, 0], 0, 0), ...lines('a="z"', [5, 5], 1500, 300)]);
  summary.reset();
  t.deepEqual(await samples(registry), [...lines('a="y"', [0, 0], 0, 0), ...lines('a="z"', [0, 0], 0, 0)]);
  kept.observe(8);
  summary.observe({ a: 'x' }, 7);
  t.deepEqual(await samples(registry), [
    ...lines('a="y"', [0, 0], 0, 0),
    ...lines('a="z"', [8, 8], 8, 1),
    ...lines('a="x"', [7, 7], 7, 1),
  ]);
});

test('a removed series that is written again begins anew', async (t) => {
  const { registry, summary } = summaryOf(['a']);
  const child = summary.labels('x');
  for (let i = 0; i < 3; i += 1) {
    for (let j = 0; j < 200; j += 1) child.observe(i);
    t.deepEqual(await samples(registry), lines('a="x"', [i, i], 200 * i, 200));
    summary.remove('x');
    t.deepEqual(await samples(registry), []);
  }
});

test('timers read their start labels when they end', async (t) => {
  const { summary } = summaryOf(['a', 'b']);
  const labels = {};
  const end = summary.startTimer(labels);
  labels.a = 'x';
  const seconds = end({ b: 'y' });
  t.true(seconds >= 0);
  t.like(summary.value({ a: 'x', b: 'y' }), { count: 1, sum: seconds });
  const more = summary.labels('x', '').startTimer()({ b: 'y' });
  t.is(summary.value({ a: 'x', b: 'y' }).count, 2);
  t.is(summary.value({ a: 'x', b: 'y' }).sum, seconds + more);
  t.is(
    summary.time({ a: 'x', b: 'y' }, () => 'result'),
    'result',
  );
  t.is(await summary.time(async () => 'later'), 'later');
  t.is(summary.value({ a: 'x', b: 'y' }).count, 3);
  t.is(summary.value().count, 1);
});

test('label sets over a limit are folded', async (t) => {
  const { registry, summary } = summaryOf(['a'], { cardinality: { maxSeries: 2 } });
  for (let round = 0; round < 50; round += 1) for (const a of ['w', 'x', 'y', 'z']) summary.observe({ a }, 4);
  t.deepEqual(await samples(registry), [
    ...lines('a="w"', [4, 4], 200, 50),
    ...lines('a="x"', [4, 4], 200, 50),
    ...lines('a="other"', [4, 4], 400, 100),
  ]);
  const { registry: dropping, summary: dropped } = summaryOf(['a'], { cardinality: { maxSeries: 1, policy: 'drop' } });
  for (let round = 0; round < 200; round += 1) for (const a of ['w', 'x']) dropped.observe({ a }, 4);
  t.deepEqual(await samples(dropping), lines('a="w"', [4, 4], 800, 200));
});

test.serial('a window forgets observations step by step, and is NaN when it has forgotten all', async (t) => {
  const pass = stoppedClock(t);
  const { registry, summary } = summaryOf([], { maxAgeSeconds: 10, ageBuckets: 5 });
  const shown = async () => (await samples(registry)).map((line) => line.split(' ')[1]);
  t.deepEqual(await shown(), ['0', '0', '0', '0']);
  summary.observe(100);
  pass(3);
  summary.observe(10);
  summary.observe(20);
  for (let step = 0; step < 3; step += 1) {
    t.deepEqual(await shown(), ['20', '100', '130', '3']);
    pass(2);
  }
  // Nine seconds: the first step is not forgotten before ten.
  pass(1.1);
  t.deepEqual(await shown(), ['15', '20', '130', '3']);
  t.deepEqual(summary.value().quantiles, [
    { quantile: 0.5, value: 15 },
    { quantile: 0.9, value: 20 },
  ]);
  pass(2);
  t.deepEqual(await shown(), ['NaN', 'NaN', '130', '3']);
  t.deepEqual(summary.value().quantiles[0], { quantile: 0.5, value: Number.NaN });
  // As in the peers. JSON has no NaN.
  for (const [{ values }] of [[await summary.get()], await registry.getMetricsAsJSON()]) {
    t.deepEqual(
      values.map(({ value }) => value),
      [0, 0, 130, 3],
    );
  }
  summary.observe(1);
  t.deepEqual(await shown(), ['1', '1', '131', '4']);
});

test.serial('observations of a step stay apart from those of the next, read or not', async (t) => {
  const pass = stoppedClock(t);
  const { summary } = summaryOf(['a'], { maxAgeSeconds: 4, ageBuckets: 4 });
  // No scrape in between, so that only the writer tells the steps apart.
  for (let step = 0; step < 10; step += 1) {
    for (let i = 0; i < 10; i += 1) summary.observe({ a: 'x' }, step);
    pass(1.0001);
  }
  // The steps 7, 8 and 9, and the current one.
  const [median, high] = summary.value({ a: 'x' }).quantiles;
  t.deepEqual([median.value, high.value], [8, 9]);
});

test.serial('pruneAgedBuckets removes a series whose observations are all forgotten', async (t) => {
  const pass = stoppedClock(t);
  const { registry, summary } = summaryOf(['a'], { maxAgeSeconds: 10, ageBuckets: 5, pruneAgedBuckets: true });
  summary.observe({ a: 'x' }, 1);
  pass(6);
  summary.observe({ a: 'y' }, 2);
  pass(6);
  t.deepEqual(await samples(registry), lines('a="y"', [2, 2], 2, 1));
  await settled();
  t.is(registry.cardinality().series, 1);
  summary.observe({ a: 'x' }, 3);
  t.deepEqual(await samples(registry), [...lines('a="y"', [2, 2], 2, 1), ...lines('a="x"', [3, 3], 3, 1)]);
  pass(11);
  t.deepEqual((await summary.get()).values, []);
  t.is(registry.cardinality().series, 0);
});

test.serial('a series that is not written expires', async (t) => {
  const pass = stoppedClock(t);
  const { registry, summary } = summaryOf(['a'], { ttlSeconds: 60 });
  summary.observe({ a: 'x' }, 1);
  summary.observe({ a: 'y' }, 1);
  await samples(registry);
  // What a scrape takes out of the buffer is no change.
  pass(30);
  await samples(registry);
  summary.observe({ a: 'y' }, 1);
  await samples(registry);
  pass(30);
  t.deepEqual(await samples(registry), lines('a="y"', [1, 1], 2, 2));
});

test('a registry returns the summary that it has', (t) => {
  const registry = new Registry();
  const config = { name: 's', help: 'Some help', labelNames: ['a'], percentiles: [0.5] };
  const summary = registry.summary(config);
  t.is(registry.summary(config), summary);
  t.throws(() => registry.summary({ ...config, percentiles: [0.9] }), { code: 'TYPE_MISMATCH' });
  t.throws(() => registry.histogram({ name: 's', help: 'h', labelNames: ['a'] }), { code: 'TYPE_MISMATCH' });
  t.throws(() => registry.counter({ name: 's_count', help: 'h' }), { code: 'DUPLICATE_METRIC' });
});

test('quantiles of up to 600 distinct values are those of the values, however they are read', async (t) => {
  const operation = fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
    { weight: 10, arbitrary: fc.integer({ min: -5, max: 5 }) },
    { weight: 1, arbitrary: fc.constant('read') },
    { weight: 1, arbitrary: fc.constant('scrape') },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 600, size: 'max' }), async (operations) => {
      const percentiles = [0, 0.01, 0.25, 0.5, 0.9, 0.999, 1];
      const { registry, summary } = summaryOf([], { percentiles });
      const values = [];
      for (const operation of operations) {
        if (operation === 'read') summary.value();
        else if (operation === 'scrape') await registry.scrape();
        else {
          summary.observe(operation);
          // -0 is recorded as 0.
          values.push(operation + 0);
        }
      }
      if (values.length === 0) return;
      const { count, quantiles } = summary.value();
      t.is(count, values.length);
      t.deepEqual(
        quantiles,
        percentiles.map((quantile) => ({ quantile, value: quantileOf(values, quantile) })),
      );
    }),
    { numRuns: 60 },
  );
  t.pass();
});

test('quantiles of many values are near those of the values', (t) => {
  const { summary } = summaryOf([], { percentiles: [0.01, 0.5, 0.9, 0.99, 0.999] });
  const values = Float64Array.from({ length: 100_003 }, (_, i) => Math.exp(((i * 7919) % 100_003) / 20_000));
  for (const value of values) summary.observe(value);
  const sorted = values.sort();
  for (const { quantile, value } of summary.value().quantiles) {
    const rank = sorted.findIndex((other) => other >= value) / sorted.length;
    t.true(Math.abs(rank - quantile) < 0.005 * 4 * quantile * (1 - quantile) + 1e-4, `${quantile} is at ${rank}`);
  }
});
