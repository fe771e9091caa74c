// Tests the buckets of histograms: the defaults, the generators, and the lists that are rejected.

import { exponentialBuckets, Histogram, linearBuckets, RegistrationError } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';

function boundsOf(buckets) {
  const histogram = new Histogram({ name: 'h', help: 'Some help', registers: [], buckets });
  return histogram.value().buckets.map(({ le }) => le);
}

test('linearBuckets() returns `count` bounds, beginning at `start`, `width` apart', (t) => {
  t.deepEqual(linearBuckets(0, 50, 10), [0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
  t.deepEqual(linearBuckets(-2.5, 0.5, 3), [-2.5, -2, -1.5]);
  t.deepEqual(linearBuckets(7, 1, 1), [7]);
  // Each bound is computed from start, so that rounding errors do not add up.
  t.deepEqual(linearBuckets(0, 0.1, 4), [0, 0.1, 0.2, 3 * 0.1]);
});

test('exponentialBuckets() returns `count` bounds, beginning at `start`, each `factor` times the one before', (t) => {
  t.deepEqual(exponentialBuckets(1, 2, 5), [1, 2, 4, 8, 16]);
  t.deepEqual(exponentialBuckets(0.5, 1.5, 3), [0.5, 0.75, 1.125]);
  t.deepEqual(exponentialBuckets(3, 10, 1), [3]);
});

test('generators reject arguments that give no buckets', (t) => {
  const refused = (message) => ({ instanceOf: TypeError, code: 'INVALID_CONFIG', message });
  for (const count of [0, -1, Number.NaN, undefined]) {
    t.throws(() => linearBuckets(1, 1, count), refused('Linear buckets needs a positive count'));
    t.throws(() => exponentialBuckets(1, 2, count), refused('Exponential buckets needs a positive count'));
  }
  for (const start of [0, -1, Number.NaN, undefined]) {
    t.throws(() => exponentialBuckets(start, 2, 3), refused('Exponential buckets needs a positive start'));
  }
  for (const factor of [1, 0.5, 0, -2, Number.NaN, undefined]) {
    t.throws(() => exponentialBuckets(1, factor, 3), refused('Exponential buckets needs a factor greater than 1'));
  }
});

test('a histogram accepts every list of the generators, and the list ascends', (t) => {
  const number = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  const count = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(number, number, fc.double({ min: 1.01, max: 10, noNaN: true }), count, (start, width, factor, many) => {
      for (const bounds of [linearBuckets(start, width, many), exponentialBuckets(start, factor, many)]) {
        t.is(bounds.length, many);
        t.deepEqual(boundsOf(bounds), [...bounds, Number.POSITIVE_INFINITY]);
      }
    }),
  );
});

test('the default buckets are those of every Prometheus client', (t) => {
  const defaults = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, Number.POSITIVE_INFINITY];
  t.deepEqual(boundsOf(undefined), defaults);
});

test('the last bound Infinity is implied, and may be given', (t) => {
  t.deepEqual(boundsOf([1, 2, Number.POSITIVE_INFINITY]), [1, 2, Number.POSITIVE_INFINITY]);
  t.deepEqual(boundsOf([Number.POSITIVE_INFINITY]), [Number.POSITIVE_INFINITY]);
  t.deepEqual(boundsOf([]), [Number.POSITIVE_INFINITY]);
});

test('buckets are copied', async (t) => {
  const buckets = [1, 2];
  const histogram = new Histogram({ name: 'h', help: 'Some help', registers: [], buckets });
  buckets[0] = 5;
  buckets.push(3);
  histogram.observe(1.5);
  t.deepEqual(histogram.value().buckets, [
    { le: 1, count: 0 },
    { le: 2, count: 1 },
    { le: Number.POSITIVE_INFINITY, count: 1 },
  ]);
  const { values } = await histogram.get();
  t.deepEqual(
    values.map(({ labels }) => labels.le),
    [1, 2, '+Inf', undefined, undefined],
  );
  t.deepEqual(boundsOf(Object.freeze([1, 2])), [1, 2, Number.POSITIVE_INFINITY]);
});

test('bounds that are out of order, repeated or not finite are rejected', (t) => {
  for (const buckets of [
    [2, 1],
    [1, 2, 2],
    [1, 1],
    [0, -0],
    [1, Number.NaN],
    [Number.NaN],
    [Number.NEGATIVE_INFINITY, 1],
    [Number.POSITIVE_INFINITY, 1],
    [1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ]) {
    t.throws(
      () => boundsOf(buckets),
      {
        instanceOf: RegistrationError,
        name: 'Error',
        code: 'INVALID_BUCKETS',
        message: /^Expected finite numbers in ascending order for the buckets of h but received \[/,
      },
      String(buckets),
    );
  }
});

test('a value that is not an array of numbers is rejected', (t) => {
  for (const [buckets, shown] of [
    [null, 'null'],
    [5, '5 of type number'],
    ['1,2', '"1,2" of type string'],
    [{ 0: 1, length: 1 }, 'an object of type Object'],
    [['1', ''], 'an object of type Array'],
    [['1', '2s'], 'an object of type Array'],
    [[1, null], 'an object of type Array'],
    // The hole of a sparse array is not a number.
    [new Array(2), 'an object of type Array'],
    [[1n, 2n], 'an object of type Array'],
    [Float64Array.of(1, 2), 'an object of type Float64Array'],
  ]) {
    t.throws(
      () => boundsOf(buckets),
      {
        instanceOf: RegistrationError,
        code: 'INVALID_BUCKETS',
        message: `Expected an array of numbers for buckets but received ${shown}`,
      },
      shown,
    );
  }
});
