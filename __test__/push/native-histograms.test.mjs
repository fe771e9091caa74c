// Tests how pushes show native histograms: as such in remote write 2.0 and OTLP, by their classic form in version 1.0.

import { Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { answers, pushing, WRITTEN } from './support/pushers.mjs';
import { otlp, remoteWrite, valuesOf } from './support/requests.mjs';

const SCHEMA = 3;

/** A registry with one native histogram, and what a receiver must have of it: each value's bucket by its definition. */
function measured(values, options = {}) {
  const registry = new Registry();
  const wait = new Histogram({
    ...{ name: 'wait_seconds', help: 'Waiting', nativeHistogramBucketFactor: 1.1, registers: [registry] },
    ...{ nativeHistogramMaxBuckets: 0, buckets: [] },
    ...options,
  });
  const expected = { count: values.length, sum: 0, schema: SCHEMA, zeroCount: 0, positive: {}, negative: {} };
  for (const value of values) {
    wait.observe(value);
    expected.sum += value;
    if (value === 0) expected.zeroCount += 1;
    else {
      const side = value > 0 ? expected.positive : expected.negative;
      const key = Math.ceil(Math.log2(Math.abs(value)) * 2 ** SCHEMA);
      side[key] = (side[key] ?? 0) + 1;
    }
  }
  return { registry, expected, wait };
}

const seriesOf = (request, wanted) =>
  remoteWrite(request).series.filter(({ labels }) => Object.fromEntries(labels).__name__ === wanted);

/** Values that lie far from the bounds between buckets, where a logarithm decides. */
const values = () =>
  fc.array(
    fc
      .tuple(fc.integer({ min: -400, max: 400 }), fc.constantFrom(-1, 0, 1, 1))
      .map(([key, sign]) => sign * 2 ** ((key - 0.5) / 2 ** SCHEMA) + 0),
    { maxLength: 60 },
  );

test('remote write 2.0 has the buckets of native histograms, and one series for all', async (t) => {
  await fc.assert(
    fc.asyncProperty(values(), async (observed) => {
      const { registry, expected } = measured(observed);
      const { pusher, requests } = await pushing(t, answers([204, WRITTEN]), { registry, protocol: 'remote-write' });
      await pusher.flush();
      await pusher.close(0);
      const [{ samples, histograms, metadata }, ...others] = seriesOf(requests[0], 'wait_seconds');
      t.deepEqual([samples, others], [[], []]);
      const [{ timestamp, start, zeroThreshold, ...shown }] = histograms;
      t.deepEqual({ ...shown, sum: 0 }, { ...expected, sum: 0 });
      t.true(Math.abs(shown.sum - expected.sum) <= 1e-9 * Math.max(1, ...observed.map(Math.abs)) * 100);
      t.is(zeroThreshold, 2 ** -128);
      t.true(Math.abs(timestamp - Date.now()) < 60_000 && start <= timestamp);
      t.is(metadata.type, 3);
      t.deepEqual(seriesOf(requests[0], 'wait_seconds_bucket'), []);
    }),
    { numRuns: count(8, 100) },
  );
});

test('a histogram with both kinds of buckets has both in remote write 2.0, and its exemplars', async (t) => {
  const { registry, wait } = measured([], { buckets: [1, 5], enableExemplars: true });
  wait.observe({ value: 2, exemplarLabels: { trace_id: 'abc' } });
  const { pusher, requests } = await pushing(t, answers([204, WRITTEN]), { registry, protocol: 'remote-write' });
  await pusher.flush();
  const [{ histograms, exemplars }] = seriesOf(requests[0], 'wait_seconds');
  t.like(histograms[0], { count: 1, sum: 2, positive: { 8: 1 } });
  t.like(exemplars[0], { labels: [['trace_id', 'abc']], value: 2 });
  t.like(valuesOf(requests[0]), {
    'wait_seconds_bucket{job="test",le="1.0"}': 0,
    'wait_seconds_bucket{job="test",le="5.0"}': 1,
    'wait_seconds_count{job="test"}': 1,
  });
});

test('version 1.0 has the classic form', async (t) => {
  const { registry } = measured([0.5, 2], { buckets: [1] });
  const { pusher, requests } = await pushing(t, answers(204), { registry });
  await pusher.flush();
  t.deepEqual(seriesOf(requests[0], 'wait_seconds'), []);
  t.like(valuesOf(requests[0]), {
    'wait_seconds_bucket{job="test",le="1.0"}': 1,
    'wait_seconds_bucket{job="test",le="+Inf"}': 2,
    'wait_seconds_sum{job="test"}': 2.5,
  });
});

test('a receiver that takes no native histograms gets version 1.0 from then on', async (t) => {
  const { registry } = measured([0.5], { buckets: [1] });
  const answer = (request, response) => {
    const isSecond = request.headers['x-prometheus-remote-write-version'] === '2.0.0';
    if (isSecond) response.writeHead(500).end('native histograms are disabled\n');
    else response.writeHead(204).end();
  };
  const { pusher, requests } = await pushing(t, answer, { registry, protocol: 'remote-write' });
  await pusher.flush();
  await pusher.flush();
  const versions = requests.map(({ headers }) => headers['x-prometheus-remote-write-version']);
  t.deepEqual(versions, ['2.0.0', '0.1.0', '0.1.0']);
  t.is(valuesOf(requests[2])['wait_seconds_count{job="test"}'], 1);
});

test('OTLP has native histograms as exponential ones', async (t) => {
  await fc.assert(
    fc.asyncProperty(values(), async (observed) => {
      const { registry, expected } = measured(observed);
      const { pusher, requests } = await pushing(t, answers(200), { registry, protocol: 'otlp' });
      await pusher.flush();
      await pusher.close(0);
      const [metric, ...others] = otlp(requests[0]).metrics.filter(({ name }) => name === 'wait_seconds');
      t.deepEqual(others, []);
      t.like(metric, { type: 'exponential', temporality: 2 });
      const [{ labels, time, start, zeroThreshold, ...shown }] = metric.points;
      t.deepEqual({ ...shown, sum: 0 }, { ...expected, sum: 0 });
      t.deepEqual([labels, zeroThreshold], [{}, 2 ** -128]);
      t.true(start <= time);
    }),
    { numRuns: count(8, 100) },
  );
});

test('a native histogram whose values lie far apart has a lower resolution in OTLP', async (t) => {
  const { registry } = measured([1e-30, 1e300, -1], { nativeHistogramBucketFactor: 1.003 });
  const { pusher, requests } = await pushing(t, answers(200), { registry, protocol: 'otlp' });
  await pusher.flush();
  const [{ points }] = otlp(requests[0]).metrics.filter(({ name }) => name === 'wait_seconds');
  const keys = [1e-30, 1e300].map((value) => Math.ceil(Math.log2(value) * 2 ** points[0].schema));
  t.deepEqual(
    Object.keys(points[0].positive)
      .map(Number)
      .sort((a, b) => a - b),
    keys,
  );
  t.true(keys[1] - keys[0] < 2048 && 2 * (keys[1] - keys[0]) >= 2048);
  t.deepEqual(points[0].negative, { 0: 1 });
  t.is(points[0].count, 3);
});
