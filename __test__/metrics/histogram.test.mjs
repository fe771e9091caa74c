// Histogram and the handles that labels() returns.

import { Histogram, LabelError, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { samples, text } from '../support/exposition.mjs';

const HEAD = ['# HELP h Some help', '# TYPE h histogram'];

function histogramOf(labelNames = [], more = {}) {
  const registry = new Registry();
  const config = { name: 'h', help: 'Some help', labelNames, buckets: [1, 2.5, 10], registers: [registry], ...more };
  return { registry, histogram: new Histogram(config) };
}

/** The lines of a series of the buckets above: four cumulative counts, and the sum. */
function lines(labels, counts, sum) {
  const bucket = (le, count) => `h_bucket{le="${le}"${labels && `,${labels}`}} ${count}`;
  const braces = labels && `{${labels}}`;
  return [
    ...['1', '2.5', '10', '+Inf'].map((le, at) => bucket(le, counts[at])),
    `h_sum${braces} ${sum}`,
    `h_count${braces} ${counts[3]}`,
  ];
}

test('a histogram without labels starts at 0', async (t) => {
  const { registry } = histogramOf();
  t.is(await registry.metrics(), text(...HEAD, ...lines('', [0, 0, 0, 0], 0)));
});

test('a histogram with labels starts without series', async (t) => {
  const { registry } = histogramOf(['a']);
  t.is(await registry.metrics(), text(...HEAD));
});

test('an observation counts in every bucket whose bound is not below it', async (t) => {
  const { registry, histogram } = histogramOf();
  const all = [-1, 0, 0.5, 1, 1.0000000000000002, 2.5, 2.6, 10, 10.5];
  for (const value of all) t.is(histogram.observe(value), undefined);
  const sum = all.reduce((total, value) => total + value, 0);
  t.is(await registry.metrics(), text(...HEAD, ...lines('', [4, 6, 8, 9], sum)));
});

test('every argument form observes', async (t) => {
  const { registry, histogram } = histogramOf(['a', 'b']);
  histogram.observe(1);
  histogram.observe({}, 2);
  histogram.observe(null, 3);
  histogram.observe(undefined, 4);
  histogram.observe({ b: 'y', a: 'x' }, 5);
  histogram.labels('x', 'y').observe(6);
  histogram.labels({ a: 'x', b: 'y' }).observe(70);
  t.is(
    await registry.metrics(),
    text(...HEAD, ...lines('', [1, 2, 4, 4], 10), ...lines('b="y",a="x"', [0, 0, 2, 3], 81)),
  );
});

test('labels() alone creates no series', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  const child = histogram.labels('x');
  t.is(await registry.metrics(), text(...HEAD));
  child.observe(0);
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="x"', [1, 1, 1, 1], 0)));
});

test('label arguments that do not fit are refused, and make no series', async (t) => {
  const { registry, histogram } = histogramOf(['a', 'b']);
  const unknown = {
    instanceOf: LabelError,
    code: 'UNKNOWN_LABEL',
    message: "Added label \"le\" is not included in initial labelset: [ 'a', 'b' ]",
  };
  for (const call of [
    () => histogram.observe({ le: '1' }, 1),
    () => histogram.labels({ le: '1' }),
    () => histogram.remove({ le: '1' }),
    () => histogram.zero({ le: '1' }),
    () => histogram.value({ le: '1' }),
    () => histogram.startTimer({ le: '1' })(),
  ]) {
    t.throws(call, unknown);
  }
  t.throws(() => histogram.labels('x', 'y', 'z'), {
    instanceOf: LabelError,
    code: 'LABEL_COUNT',
    message: 'Invalid number of arguments (3): "x, y, z" for label names (2): "a, b".',
  });
  t.is(await registry.metrics(), text(...HEAD));
});

test('zero() makes a series with nothing observed, and one that exists starts anew', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  histogram.zero({ a: 'x' });
  histogram.observe({ a: 'y' }, 1);
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="x"', [0, 0, 0, 0], 0), ...lines('a="y"', [1, 1, 1, 1], 1)));
  const child = histogram.labels('y');
  histogram.zero({ a: 'y' });
  child.observe(2);
  t.deepEqual(await samples(registry), [...lines('a="x"', [0, 0, 0, 0], 0), ...lines('a="y"', [0, 1, 1, 1], 2)]);
});

test('remove() takes a series away', async (t) => {
  const { registry, histogram } = histogramOf(['a', 'b']);
  histogram.observe({ a: '1', b: '1' }, 1);
  histogram.observe({ a: '2', b: '2' }, 2);
  histogram.observe({ b: '3' }, 3);
  histogram.remove('1', '1');
  histogram.remove({ b: '3' });
  histogram.remove({ a: '2' });
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="2",b="2"', [0, 1, 1, 1], 2)));
});

test('after reset() a histogram has no series until it observes again', async (t) => {
  const { registry, histogram } = histogramOf();
  histogram.observe(1);
  histogram.reset();
  t.is(await registry.metrics(), text(...HEAD));
  histogram.observe(2);
  t.is(await registry.metrics(), text(...HEAD, ...lines('', [0, 1, 1, 1], 2)));
});

test('value() reads count, sum and cumulative buckets, without creating', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  for (const value of [0.5, 2, 3, 100]) histogram.observe({ a: 1 }, value);
  t.deepEqual(histogram.value({ a: '1' }), {
    count: 4,
    sum: 105.5,
    buckets: [
      { le: 1, count: 1 },
      { le: 2.5, count: 2 },
      { le: 10, count: 3 },
      { le: Number.POSITIVE_INFINITY, count: 4 },
    ],
  });
  const nothing = {
    count: 0,
    sum: 0,
    buckets: [1, 2.5, 10, Number.POSITIVE_INFINITY].map((le) => ({ le, count: 0 })),
  };
  t.deepEqual(histogram.value({ a: 'z' }), nothing);
  t.deepEqual(histogram.value(), nothing);
  t.deepEqual(await samples(registry), lines('a="1"', [1, 2, 3, 4], 105.5));
});

test('get() returns the samples as prom-client has them', async (t) => {
  const { histogram } = histogramOf(['a'], {
    buckets: [0.1, 5],
    collect() {
      this.observe({ a: 1 }, 0.05);
    },
  });
  histogram.observe({ a: 1 }, 5);
  const bucket = (le, value) => ({ value, metricName: 'h_bucket', exemplar: null, labels: { le, a: 1 } });
  t.deepEqual(await histogram.get(), {
    name: 'h',
    help: 'Some help',
    type: 'histogram',
    aggregator: 'sum',
    values: [
      bucket(0.1, 1),
      bucket(5, 2),
      bucket('+Inf', 2),
      { value: 5.05, metricName: 'h_sum', labels: { a: 1 } },
      { value: 2, metricName: 'h_count', labels: { a: 1 } },
    ],
  });
});

test('the labels of samples are objects of their own', async (t) => {
  const { histogram } = histogramOf(['a']);
  histogram.observe({ a: 'x' }, 1);
  const { values } = await histogram.get();
  for (const { labels } of values) labels.a = 'changed';
  t.is(new Set(values.map(({ labels }) => labels)).size, 6);
  t.is((await histogram.get()).values[5].labels.a, 'x');
});

test('a kept child observes on after remove(), reset() and clear()', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  const child = histogram.labels('x');
  child.observe(1);
  histogram.remove('x');
  t.is(await registry.metrics(), text(...HEAD));
  child.observe(2);
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="x"', [0, 1, 1, 1], 2)));
  histogram.reset();
  child.observe(3);
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="x"', [0, 0, 1, 1], 3)));
  registry.clear();
  child.observe(4);
  t.is(await registry.metrics(), '\n');
  registry.registerMetric(histogram);
  t.is(await registry.metrics(), text(...HEAD, ...lines('a="x"', [0, 0, 2, 2], 7)));
});

test('a kept child never writes the cells of another series', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  const children = Array.from({ length: 100 }, (_, i) => histogram.labels(`old${i}`));
  for (const child of children) child.observe(5);
  histogram.reset();
  // Freed cells are used again once no scrape can read them; a new series starts at 0 all the same.
  for (let i = 0; i < 100; i++) histogram.observe({ a: `new${i}` }, 1);
  for (const child of children) child.observe(100);
  t.deepEqual(
    await samples(registry),
    ['new', 'old'].flatMap((name) =>
      Array.from({ length: 100 }, (_, i) => {
        const counts = name === 'new' ? [1, 1, 1, 1] : [0, 0, 0, 1];
        return lines(`a="${name}${i}"`, counts, name === 'new' ? 1 : 100);
      }).flat(),
    ),
  );
});

test('two handles taken before the series exists observe the same series', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  const [one, other] = [histogram.labels('x'), histogram.labels({ a: 'x' })];
  one.observe(1);
  other.observe(2);
  histogram.observe({ a: 'x' }, 3);
  t.deepEqual(await samples(registry), lines('a="x"', [1, 2, 3, 3], 6));
  histogram.remove('x');
  other.observe(1);
  one.observe(2);
  t.deepEqual(await samples(registry), lines('a="x"', [1, 2, 2, 2], 3));
});

test('the handle of a removed series observes the one that another handle has made since', async (t) => {
  const { registry, histogram } = histogramOf(['a']);
  const old = histogram.labels('x');
  old.observe(1);
  histogram.remove('x');
  histogram.labels('x').observe(2);
  old.observe(3);
  t.deepEqual(await samples(registry), lines('a="x"', [0, 1, 2, 2], 5));
});

test('a value that is one of many bounds belongs to its bucket', (t) => {
  // Beyond 32 bounds the search halves before it goes one by one.
  for (const size of [31, 32, 33, 34, 65, 500]) {
    const buckets = Array.from({ length: size }, (_, i) => i);
    const histogram = new Histogram({ name: 'h', help: 'Some help', buckets, registers: [] });
    for (const bound of buckets) {
      histogram.observe(bound);
      histogram.observe(bound - 0.5);
    }
    histogram.observe(size);
    t.deepEqual(
      histogram.value().buckets.map(({ count }) => count),
      [...buckets.map((bound) => 2 * (bound + 1)), 2 * size + 1],
    );
  }
});

test('_count is +Inf, and buckets are what counting by hand says, for any bounds and values', async (t) => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const bounds = fc
    .uniqueArray(fc.oneof(number, fc.integer({ min: -60, max: 60 })), {
      maxLength: 120,
      size: 'max',
      comparator: (a, b) => a === b,
    })
    .map((all) => all.sort((a, b) => a - b));
  const program = (buckets, given) => {
    const values = given.map((value) => (value.index < buckets.length ? buckets[value.index] : value.number));
    const histogram = new Histogram({ name: 'h', help: 'Some help', buckets, registers: [] });
    let sum = 0;
    for (const value of values) {
      histogram.observe(value);
      sum += value;
    }
    t.deepEqual(histogram.value(), {
      count: values.length,
      sum,
      buckets: [...buckets, Number.POSITIVE_INFINITY].map((le) => ({
        le,
        count: values.filter((value) => value <= le).length,
      })),
    });
  };
  // Half of the values are bounds themselves.
  const value = fc.record({ index: fc.nat(240), number: fc.oneof(number, fc.integer({ min: -70, max: 70 })) });
  await fc.assert(fc.property(bounds, fc.array(value, { maxLength: 60 }), program), { numRuns: 300 });
});
