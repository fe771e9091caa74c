// Tests replay(): it turns a recorded exposition into a registry that writes the same exposition.

import {
  Counter,
  Gauge,
  Histogram,
  openMetricsContentType,
  prometheusContentType,
  Registry,
} from '@llm-devops/prometheus-metrics';
import { diffSnapshots, parseExposition, replay, synthesize } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fc from 'fast-check';
import promClient from 'prom-client';
import { text } from '../support/exposition.mjs';

test('an exposition of this library comes back byte by byte', async (t) => {
  const options = fc.record({
    seed: fc.integer(),
    families: fc.integer({ min: 0, max: 20 }),
    series: fc.integer({ min: 1, max: 20 }),
    hostile: fc.boolean(),
    contentType: fc.constantFrom(prometheusContentType, openMetricsContentType),
  });
  const again = fc.asyncProperty(options, async (each) => {
    const recorded = await synthesize(each).metrics();
    if (recorded !== (await replay(recorded).metrics())) throw new Error('Another text came back');
    return recorded === (await replay(parseExposition(recorded)).metrics());
  });
  await t.notThrowsAsync(fc.assert(again, { numRuns: 40 }));
});

test('odd values, labels that not every series has, and exemplars come back', async (t) => {
  for (const contentType of [prometheusContentType, openMetricsContentType]) {
    const registry = new Registry({ contentType, defaultLabels: { host: 'a' } });
    const gauge = registry.gauge({ name: 'g', help: 'Some\\help\n"x"', labelNames: ['a', 'b'] });
    for (const value of [Number.NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308, 2 ** 53]) {
      gauge.set({ b: String(value) }, value);
    }
    gauge.set({}, 1);
    gauge.set({ b: 'x', a: 'y' }, 2);
    gauge.set({ a: '', b: 'empty' }, 3);
    registry.counter({ name: 'nothing_yet', help: 'Some help', labelNames: ['a'] });
    registry.counter({ name: 'plain', help: 'Some help' });
    const histogram = registry.histogram({
      name: 'h',
      help: 'Some help',
      labelNames: ['a'],
      buckets: [-1, 0.1, 1e6],
      enableExemplars: contentType === openMetricsContentType,
    });
    for (const value of [-5, 0.05, 0.2, 1e9]) {
      const labels = { a: 'x' };
      if (contentType === openMetricsContentType)
        histogram.observe({ labels, value, exemplarLabels: { id: `i${value}` } });
      else histogram.observe(labels, value);
    }
    registry.histogram({ name: 'no_buckets', help: 'Some help', buckets: [] }).observe(2.5);
    const recorded = await registry.metrics();
    t.is(await replay(recorded).metrics(), recorded);
  }
});

test('metrics have their types and values, and can be recorded to', async (t) => {
  const registry = replay(
    text(
      '# HELP jobs_total Jobs',
      '# TYPE jobs_total counter',
      'jobs_total{queue="mail"} 3',
      '# HELP depth Depth',
      '# TYPE depth gauge',
      'depth 4',
      '# HELP wait Wait',
      '# TYPE wait histogram',
      'wait_bucket{le="1"} 2',
      'wait_bucket{le="+Inf"} 3',
      'wait_sum 5.5',
      'wait_count 3',
    ),
  );
  const [jobs, depth, wait] = registry.getMetricsAsArray();
  t.deepEqual([jobs.constructor, depth.constructor, wait.constructor], [Counter, Gauge, Histogram]);
  jobs.inc({ queue: 'mail' }, 2);
  depth.dec();
  wait.observe(0.5);
  t.is(jobs.value({ queue: 'mail' }), 5);
  t.is(depth.value(), 3);
  t.deepEqual(wait.value(), {
    count: 4,
    sum: 6,
    buckets: [
      { le: 1, count: 3 },
      { le: Infinity, count: 4 },
    ],
  });
});

test('samples that no metric can hold stay unchanged', async (t) => {
  const recorded = text(
    '# HELP rpc Calls',
    '# TYPE rpc summary',
    'rpc{quantile="0.5"} 1',
    'rpc_sum 2',
    'rpc_count 3',
    '',
    '# HELP half Without its sum',
    '# TYPE half histogram',
    'half_bucket{le="1"} 2',
    'half_bucket{le="+Inf"} 3',
    '',
    '# HELP mixed With buckets of two kinds',
    '# TYPE mixed histogram',
    'mixed_bucket{le="1",a="x"} 2',
    'mixed_bucket{le="+Inf",a="x"} 3',
    'mixed_sum{a="x"} 3',
    'mixed_count{a="x"} 3',
    'mixed_bucket{le="2",a="y"} 2',
    'mixed_bucket{le="+Inf",a="y"} 3',
    'mixed_sum{a="y"} 3',
    'mixed_count{a="y"} 3',
    '',
    '# HELP odd Says nothing of its type',
    '# TYPE odd untyped',
    'odd{a="b"} 1',
  );
  const registry = replay(recorded);
  t.is(await registry.metrics(), recorded);
  t.true(registry.getMetricsAsArray().every(({ inc, observe }) => inc === undefined && observe === undefined));
  // A type that registries do not have.
  const info = replay(text('# TYPE build info', 'build_info{version="1"} 1', '# EOF'));
  t.deepEqual(parseExposition(await info.metrics()).families, [
    {
      name: 'build_info',
      type: 'gauge',
      help: '',
      unit: '',
      samples: [{ name: 'build_info', labels: { version: '1' }, value: 1 }],
    },
  ]);
});

test('information that a registry does not keep is left out completely', async (t) => {
  const registry = replay(
    text(
      '# TYPE a_seconds counter',
      '# UNIT a_seconds seconds',
      'a_seconds_total 1 1.5 # {id="x"} 1',
      'a_seconds_created 0 1.5',
      '# TYPE nh histogram',
      'nh {count:1,sum:1,schema:1,zero_threshold:1,zero_count:1}',
      '# EOF',
    ),
  );
  t.is(
    await registry.metrics(),
    text(
      '# HELP a_seconds  ',
      '# TYPE a_seconds counter',
      'a_seconds_total 1',
      '# HELP nh ',
      '# TYPE nh histogram',
      '# EOF',
    ),
  );
});

test("prom-client's expositions come back with the same content", async (t) => {
  const registry = new promClient.Registry();
  promClient.collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new promClient.Summary({ name: 's', help: 'Some help', labelNames: ['a'], registers }).observe({ a: 'b' }, 1.5);
  new promClient.Histogram({ name: 'h', help: 'Some help', labelNames: ['a'], registers }).observe({ a: 'b' }, 1.5);
  const recorded = await registry.metrics();
  const replayed = await replay(recorded).metrics();
  t.is(String(diffSnapshots(recorded, replayed)), 'Nothing changed');
  t.deepEqual(parseExposition(replayed), parseExposition(recorded));
});

test('an exposition that no registry can hold throws with the name', (t) => {
  t.throws(() => replay('{"a.b"} 1\n'), { code: 'INVALID_METRIC_NAME', message: /received "a\.b" of type string$/ });
  t.throws(() => replay('a{b:c="1"} 1\n'), {
    code: 'INVALID_LABEL_NAME',
    message: /received "b:c" of type string in a$/,
  });
  t.throws(() => replay('a 1\n# TYPE a gauge\na 2\n'), {
    code: 'DUPLICATE_METRIC',
    message: 'Expected one type of "a" of type string but received unknown and gauge',
  });
  t.throws(() => replay('a one'), { code: 'INVALID_EXPOSITION' });
});
