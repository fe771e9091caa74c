// Tests every kind of value with every call that takes one: the value is recorded, or it is rejected, with nothing recorded
// and no series made.

import {
  Counter,
  Gauge,
  Histogram,
  NegativeIncrementError,
  Registry,
  ValueError,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples } from '../support/exposition.mjs';

/** Every call that takes a value, by the rule for its values. */
const doors = {
  counter: {
    'inc(v)': (metric, value) => metric.inc(value),
    'inc({}, v)': (metric, value) => metric.inc({}, value),
    'inc({a}, v)': (metric, value) => metric.inc({ a: 'x' }, value),
    'labels({}).inc(v)': (metric, value) => metric.labels({}).inc(value),
    'labels(a).inc(v)': (metric, value) => metric.labels('x').inc(value),
  },
  set: {
    'set(v)': (metric, value) => metric.set(value),
    'set({}, v)': (metric, value) => metric.set({}, value),
    'set({a}, v)': (metric, value) => metric.set({ a: 'x' }, value),
    'labels(a).set(v)': (metric, value) => metric.labels('x').set(value),
  },
  delta: {
    'inc(v)': (metric, value) => metric.inc(value),
    'inc({}, v)': (metric, value) => metric.inc({}, value),
    'inc({a}, v)': (metric, value) => metric.inc({ a: 'x' }, value),
    'labels(a).inc(v)': (metric, value) => metric.labels('x').inc(value),
    'dec(v)': (metric, value) => metric.dec(value),
    'dec({}, v)': (metric, value) => metric.dec({}, value),
    'dec({a}, v)': (metric, value) => metric.dec({ a: 'x' }, value),
    'labels(a).dec(v)': (metric, value) => metric.labels('x').dec(value),
  },
  histogram: {
    'observe(v)': (metric, value) => metric.observe(value),
    'observe({}, v)': (metric, value) => metric.observe({}, value),
    'observe({a}, v)': (metric, value) => metric.observe({ a: 'x' }, value),
    'labels(a).observe(v)': (metric, value) => metric.labels('x').observe(value),
  },
};

const classes = { counter: Counter, set: Gauge, delta: Gauge, histogram: Histogram };

function metricOf(rule, labelNames, more) {
  const registry = new Registry();
  const Class = classes[rule];
  return { registry, metric: new Class({ name: 'm', help: 'Some help', labelNames, registers: [registry], ...more }) };
}

/** Values that no call accepts as a number, and how a message shows each. */
const noNumbers = [
  ['5', '5'],
  ['', ''],
  [`${'x'.repeat(300)}`, `${'x'.repeat(200)}…`],
  [5n, '5n'],
  [true, 'true'],
  [false, 'false'],
  [Symbol('s'), 'Symbol(s)'],
  [() => {}, '[Function (anonymous)]'],
];
/** Objects: as the first argument of a call they are labels. */
const objects = [
  [{}, '{}'],
  [[], '[]'],
  [[5], '[ 5 ]'],
  [{ valueOf: () => 5 }, '{ valueOf: [Function: valueOf] }'],
  [new Number(5), '[Number: 5]'],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
];
const infinite = [
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
];
const absent = [
  [undefined, 'undefined'],
  [null, 'null'],
];

const refused = {
  counter: [...noNumbers, ...objects, ...infinite],
  set: [...noNumbers, ...objects, ...absent],
  delta: [...noNumbers, ...objects],
  histogram: [...noNumbers, ...objects, ...infinite, ...absent],
};

for (const [rule, calls] of Object.entries(doors)) {
  for (const [title, call] of Object.entries(calls)) {
    const valueComesFirst = title.startsWith('labels(') || !title.includes('{');
    const isMetric = !title.startsWith('labels(');
    const name = `${classes[rule].name}: ${title}`;

    test(`${name} rejects values that are not numbers, and makes no series`, async (t) => {
      const { registry, metric } = metricOf(rule, ['a']);
      for (const [value, shown] of refused[rule]) {
        // As the first argument of a metric's call, an object is labels.
        if (valueComesFirst && isMetric && typeof value === 'object' && value !== null) continue;
        t.throws(
          () => call(metric, value),
          {
            instanceOf: ValueError,
            name: 'TypeError',
            code: 'INVALID_VALUE',
            // observe(null) has neither labels nor a value.
            message: `${rule === 'delta' ? 'Delta' : 'Value'} is not a valid number: ${title === 'observe(v)' && value === null ? undefined : shown}`,
          },
          shown,
        );
        t.deepEqual(await samples(registry), [], shown);
      }
    });

    test(`${name} changes nothing when it rejects a value`, async (t) => {
      const { registry, metric } = metricOf(rule, ['a'], classes[rule] === Histogram ? { buckets: [1] } : {});
      call(metric, 3);
      const before = await samples(registry);
      for (const [value] of refused[rule]) {
        if (valueComesFirst && isMetric && typeof value === 'object' && value !== null) continue;
        t.throws(() => call(metric, value), { code: 'INVALID_VALUE' });
      }
      t.deepEqual(await samples(registry), before);
    });
  }
}

for (const [title, call] of Object.entries(doors.counter)) {
  test(`Counter: ${title} rejects a negative number, however small, and makes no series`, async (t) => {
    const { registry, metric } = metricOf('counter', ['a']);
    for (const value of [-1, -5e-324, -1e308]) {
      t.throws(() => call(metric, value), {
        instanceOf: NegativeIncrementError,
        name: 'Error',
        code: 'NEGATIVE_INCREMENT',
        message: 'It is not possible to decrease a counter',
      });
      t.deepEqual(await samples(registry), []);
    }
  });
}

/** Numbers at the edges of double precision, and how an exposition shows them. */
const edges = [
  [0, '0'],
  [-0, '0'],
  [5e-324, '5e-324'],
  [2.2250738585072014e-308, '2.2250738585072014e-308'],
  [1e-7, '1e-7'],
  [0.000001, '0.000001'],
  [0.1, '0.1'],
  [123456789.125, '123456789.125'],
  [2 ** 53 - 1, '9007199254740991'],
  [2 ** 53, '9007199254740992'],
  [2 ** 53 + 2, '9007199254740994'],
  [1e20, '100000000000000000000'],
  [1e21, '1e+21'],
  [1e308, '1e+308'],
  [Number.MAX_VALUE, '1.7976931348623157e+308'],
];

for (const [value, shown] of edges) {
  test(`${Object.is(value, -0) ? '-0' : value} is recorded by every metric, and shown as ${shown}`, async (t) => {
    const registers = [new Registry()];
    const counter = new Counter({ name: 'c', help: 'Some help', registers });
    const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames: ['by'], registers });
    const histogram = new Histogram({ name: 'h', help: 'Some help', buckets: [1], registers });
    counter.inc(value);
    gauge.set({ by: 'set' }, value);
    gauge.set({ by: 'less' }, -value);
    gauge.inc({ by: 'inc' }, value);
    gauge.dec({ by: 'dec' }, value);
    gauge.labels('child').set(value);
    histogram.observe(value);
    const negative = shown === '0' ? '0' : `-${shown}`;
    t.deepEqual(await samples(registers[0]), [
      `c ${shown}`,
      `g{by="set"} ${shown}`,
      `g{by="less"} ${negative}`,
      `g{by="inc"} ${shown}`,
      `g{by="dec"} ${negative}`,
      `g{by="child"} ${shown}`,
      `h_bucket{le="1"} ${value <= 1 ? 1 : 0}`,
      'h_bucket{le="+Inf"} 1',
      `h_sum ${shown}`,
      'h_count 1',
    ]);
    t.is(counter.value(), value + 0);
    t.is(gauge.value({ by: 'set' }) + 0, value + 0);
  });
}

test('a gauge keeps the sign of zero, and shows 0', async (t) => {
  const { registry, metric } = metricOf('set', []);
  metric.set(-0);
  t.true(Object.is(metric.value(), -0));
  t.deepEqual(await samples(registry), ['m 0']);
});

test('gauges take NaN and infinities, set and added', async (t) => {
  const { registry, metric } = metricOf('set', ['a']);
  metric.set({ a: 'nan' }, Number.NaN);
  metric.set({ a: 'inf' }, Number.POSITIVE_INFINITY);
  metric.labels('-inf').set(Number.NEGATIVE_INFINITY);
  metric.inc({ a: 'inc' }, Number.POSITIVE_INFINITY);
  metric.dec({ a: 'dec' }, Number.POSITIVE_INFINITY);
  metric.labels('both').inc(Number.POSITIVE_INFINITY);
  metric.labels('both').dec(Number.POSITIVE_INFINITY);
  metric.inc(Number.NaN);
  t.deepEqual(await samples(registry), [
    'm{a="nan"} NaN',
    'm{a="inf"} +Inf',
    'm{a="-inf"} -Inf',
    'm{a="inc"} +Inf',
    'm{a="dec"} -Inf',
    'm{a="both"} NaN',
    'm NaN',
  ]);
  metric.set({ a: 'nan' }, 1);
  t.is(metric.value({ a: 'nan' }), 1);
});

test('a gauge takes null and undefined as a delta of 1', async (t) => {
  const { registry, metric } = metricOf('delta', ['a']);
  for (const nothing of [undefined, null]) {
    metric.inc(nothing);
    metric.inc({ a: 'x' }, nothing);
    metric.labels('x').inc(nothing);
    metric.dec({ a: 'y' }, nothing);
    metric.labels('y').dec(nothing);
  }
  t.deepEqual(await samples(registry), ['m 2', 'm{a="x"} 4', 'm{a="y"} -4']);
});

test('a counter overflows to +Inf, and keeps this value', async (t) => {
  const { registry, metric } = metricOf('counter', []);
  metric.inc(1e308);
  metric.inc(1e308);
  t.deepEqual(await samples(registry), ['m +Inf']);
  metric.inc();
  t.is(metric.value(), Number.POSITIVE_INFINITY);
});

test('the sum of a histogram overflows to infinity, its counts do not', async (t) => {
  const { registry, metric } = metricOf('histogram', [], { buckets: [1] });
  metric.observe(1e308);
  metric.observe(1e308);
  const infinite = ['m_bucket{le="1"} 0', 'm_bucket{le="+Inf"} 2', 'm_sum +Inf', 'm_count 2'];
  t.deepEqual(await samples(registry), infinite);
  metric.reset();
  metric.observe(-1e308);
  metric.observe(-1e308);
  t.is(metric.value().sum, Number.NEGATIVE_INFINITY);
  t.is(metric.value().count, 2);
});

test('a sum of numbers too small to be told from 0 is exact', (t) => {
  const { metric } = metricOf('counter', []);
  for (let i = 0; i < 1000; i++) metric.inc(5e-324);
  t.is(metric.value(), 1000 * 5e-324);
  metric.inc(1);
  t.is(metric.value(), 1);
});

test('2^53 plus 1 is 2^53: a double cannot hold the sum', (t) => {
  const { metric } = metricOf('counter', []);
  metric.inc(2 ** 53);
  metric.inc();
  t.is(metric.value(), 2 ** 53);
  metric.inc(2);
  t.is(metric.value(), 2 ** 53 + 2);
});
