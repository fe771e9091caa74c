// Tests the options of collectDefaultMetrics(): which metrics it makes, their names and labels, invalid options, and the end.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, MetricsError, Registry, register } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { collectGarbage } from '../support/garbage.mjs';
import {
  ACTIVE,
  collect,
  collected,
  HEAP,
  linux,
  namesIn,
  PROCESS,
  RUNTIME,
  SPACES,
} from './support/default-metrics.mjs';

test.serial('all metrics, in the order of their collectors', async (t) => {
  const { registry } = collect(t);
  const expected = process.platform === 'linux' ? [...PROCESS, ...RUNTIME] : RUNTIME;
  t.deepEqual(namesIn(registry).slice(-expected.length), expected);
  t.deepEqual(collectDefaultMetrics.metricsList, [
    'processCpuTotal',
    'processStartTime',
    'osMemoryHeap',
    'processOpenFileDescriptors',
    'processMaxFileDescriptors',
    'eventLoopLag',
    'eventLoopUtilization',
    'processResources',
    'processHandles',
    'processRequests',
    'heapSizeAndUsed',
    'heapSpacesSizeAndUsed',
    'version',
    'gc',
  ]);
});

for (const [title, options, expected] of [
  ['the runtime', { include: ['runtime'] }, RUNTIME],
  ['one collector', { include: ['version'] }, ['nodejs_version_info']],
  [
    'two, in the order of the list',
    { include: ['gc', 'version'] },
    ['nodejs_version_info', 'nodejs_gc_duration_seconds'],
  ],
  [
    'a group without one',
    { include: ['runtime'], exclude: ['eventLoopLag', 'eventLoopUtilization', 'gc'] },
    [...ACTIVE, ...HEAP, ...SPACES, 'nodejs_version_info'],
  ],
  ['a group and what is in it', { include: ['runtime', 'version'] }, RUNTIME],
  ['what is excluded and included', { include: ['version'], exclude: ['runtime'] }, []],
  ['nothing', { include: [] }, []],
]) {
  test.serial(`include and exclude: ${title}`, (t) => {
    t.deepEqual(namesIn(collect(t, options).registry), expected);
  });
}

linux('include and exclude: the process', (t) => {
  t.deepEqual(namesIn(collect(t, { include: ['process'] }).registry), PROCESS);
  t.deepEqual(namesIn(collect(t, { exclude: ['runtime'] }).registry), PROCESS);
});

test.serial('prefix and labels are on everything', async (t) => {
  const { registry } = collect(t, { prefix: 'app_', labels: { service: 'gateway', port: 80, absent: undefined } });
  await collected({ getSingleMetric: (name) => prefixed(registry, name) }, 'major');
  await sleep(150);
  const families = await registry.getMetricsAsJSON();
  t.deepEqual(
    families.filter(({ name }) => !/^app_(process|nodejs)_/.test(name)),
    [],
  );
  for (const { name, values } of families) {
    for (const { labels } of values) {
      t.like(labels, { service: 'gateway', port: 80 }, name);
      t.false('absent' in labels, name);
    }
  }
  // And in text.
  const text = await registry.metrics();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.deepEqual(
    lines.filter((line) => !/^app_(process|nodejs)_\w+\{.*service="gateway",port="80"\} /.test(line)),
    [],
  );
});

/** As `collected` looks for it, with the labels of the test. */
function prefixed(registry, name) {
  const metric = registry.getSingleMetric(`app_${name}`);
  return { value: (labels) => metric.value({ ...labels, service: 'gateway', port: 80 }) };
}

test.serial('ending takes the metrics out, and stops what feeds them', async (t) => {
  const { registry, stop } = collect(t, { eventLoopUtilizationTimeout: 5 });
  const other = new Gauge({ name: 'other', help: 'Some help', registers: [registry] });
  const utilization = registry.getSingleMetric('nodejs_eventloop_utilization_histogram');
  const collections = registry.getSingleMetric('nodejs_gc_duration_seconds');
  await collected(registry, 'major');
  await sleep(30);
  t.true(utilization.value().count > 0);
  stop();
  t.deepEqual(registry.getMetricsAsArray(), [other]);
  await turn();
  const seen = [utilization.value().count, collections.value({ kind: 'major' }).count];
  collectGarbage();
  await sleep(50);
  t.deepEqual([utilization.value().count, collections.value({ kind: 'major' }).count], seen);
  stop();
  // The names are free again, and what is registered under them is not the ended collection's to take.
  const { registry: _, ...rest } = { registry, again: collectDefaultMetrics({ register: registry }) };
  stop();
  t.true(namesIn(registry).includes('nodejs_version_info'));
  rest.again[Symbol.dispose]();
  t.deepEqual(registry.getMetricsAsArray(), [other]);
});

test.serial('a second collection in one registry is refused, and changes nothing', async (t) => {
  const { registry } = collect(t);
  const before = registry.getMetricsAsArray();
  const error = t.throws(() => collectDefaultMetrics({ register: registry }));
  t.true(error instanceof MetricsError);
  t.is(error.code, 'DUPLICATE_METRIC');
  t.regex(error.message, /^A metric with the name \w+ has already been registered\.$/);
  t.deepEqual(registry.getMetricsAsArray(), before);
  // Another prefix is another name.
  collectDefaultMetrics({ register: registry, prefix: 'again_' })();
  t.deepEqual(registry.getMetricsAsArray(), before);
});

test.serial('what a refused collection had begun is gone, and asking for handles ends no process', async (t) => {
  const { registry } = collect(t);
  for (let round = 0; round < 20; round++) t.throws(() => collectDefaultMetrics({ register: registry }));
  for (let round = 0; round < 5; round++) {
    collectGarbage();
    // With the finalizers of garbage still to come, and after them.
    await registry.metrics();
    await turn();
    await registry.metrics();
  }
  t.pass();
});

test.serial('a name that is taken is refused, and nothing is registered', (t) => {
  const registry = new Registry();
  const own = new Gauge({ name: 'nodejs_gc_duration_seconds', help: 'Some help', registers: [registry] });
  t.throws(() => collectDefaultMetrics({ register: registry }), { code: 'DUPLICATE_METRIC' });
  t.deepEqual(registry.getMetricsAsArray(), [own]);
});

test.serial('the groups can be collected by a call each', (t) => {
  const registry = new Registry();
  for (const group of ['runtime', 'process'])
    t.teardown(collectDefaultMetrics({ register: registry, include: [group] }));
  t.deepEqual(
    namesIn(registry).filter((name) => name.startsWith('nodejs_')),
    RUNTIME,
  );
});

test.serial('a collection whose registry was cleared is ended by the next', async (t) => {
  const { registry } = collect(t, { include: ['eventLoopUtilization'], eventLoopUtilizationTimeout: 5 });
  const left = registry.getSingleMetric('nodejs_eventloop_utilization_histogram');
  registry.clear();
  t.teardown(collectDefaultMetrics({ register: registry, include: ['eventLoopUtilization'] }));
  const { count } = left.value();
  await sleep(50);
  t.is(left.value().count, count);
});

test.serial('without a registry it is the default one', (t) => {
  const stop = collectDefaultMetrics({ include: ['version'] });
  t.deepEqual(namesIn(register), ['nodejs_version_info']);
  stop();
  t.throws(() => collectDefaultMetrics([]), { message: 'config must be null, undefined, or an object' });
  for (const options of [undefined, null, {}]) collectDefaultMetrics(options)();
  t.deepEqual(namesIn(register), []);
});

for (const [options, message] of [
  // The message of prom-client.
  ['all', 'config must be null, undefined, or an object'],
  [{ register: {} }, 'Expected a registry for register but received an object of type Object'],
  [{ register: null }, 'Expected a registry for register but received null'],
  [{ prefix: 5 }, 'Expected a string for prefix but received 5 of type number'],
  [{ labels: 'app' }, 'Expected an object for labels but received "app" of type string'],
  [
    { include: 'process' },
    'Expected an array of collectors or groups for include but received "process" of type string',
  ],
  [
    { exclude: ['gcs'] },
    /^Expected process, runtime, processCpuTotal, .*, gc for exclude but received "gcs" of type string$/,
  ],
  [{ include: [Symbol('gc')] }, /for include but received Symbol\(gc\) of type symbol$/],
  [{ gcDurationBuckets: 1 }, 'Expected an array of numbers for gcDurationBuckets but received 1 of type number'],
  [
    { gcDurationBuckets: ['1', ''] },
    'Expected an array of numbers for gcDurationBuckets but received an object of type Array',
  ],
  [
    { eventLoopMonitoringPrecision: 0.5 },
    'Expected a whole number from 1 to 2147483647 for eventLoopMonitoringPrecision but received 0.5 of type number',
  ],
  [
    { eventLoopMonitoringPrecision: '10' },
    'Expected a whole number from 1 to 2147483647 for eventLoopMonitoringPrecision but received "10" of type string',
  ],
  [
    { eventLoopLagWindowSeconds: 0 },
    'Expected a number above 0 and up to 2147483.647 for eventLoopLagWindowSeconds but received 0 of type number',
  ],
  [
    { eventLoopUtilizationTimeout: Number.NaN },
    'Expected a number above 0 and up to 2147483647 for eventLoopUtilizationTimeout but received NaN of type number',
  ],
  [
    { eventLoopUtilizationPercentiles: [1.5] },
    'Expected numbers from 0 to 1 for eventLoopUtilizationPercentiles but received an object of type Array',
  ],
  [
    { eventLoopUtilizationAgeBuckets: 0 },
    'Expected a whole number from 1 to 1000 for eventLoopUtilizationAgeBuckets but received 0 of type number',
  ],
  [
    { eventLoopUtilizationMaxAgeSeconds: -1 },
    'Expected a number above 0 and up to 2147483647 for eventLoopUtilizationMaxAgeSeconds but received -1 of type number',
  ],
]) {
  test.serial(`refused: ${message}`, (t) => {
    const error = t.throws(() => collectDefaultMetrics(options), { instanceOf: TypeError, code: 'INVALID_CONFIG' });
    if (typeof message === 'string') t.is(error.message, message);
    else t.regex(error.message, message);
  });
}

test.serial('what the metrics themselves refuse, they refuse as ever', (t) => {
  const registry = new Registry();
  for (const [options, code] of [
    [{ prefix: '0' }, 'INVALID_METRIC_NAME'],
    [{ labels: { 'a-b': 1 } }, 'INVALID_LABEL_NAME'],
    [{ labels: { __name__: 'x' } }, 'INVALID_LABEL_NAME'],
    [{ gcDurationBuckets: [2, 1] }, 'INVALID_BUCKETS'],
    [{ eventLoopUtilizationBuckets: [Number.NaN] }, 'INVALID_BUCKETS'],
  ]) {
    t.throws(() => collectDefaultMetrics({ register: registry, ...options }), { code }, JSON.stringify(options));
    t.deepEqual(registry.getMetricsAsArray(), []);
  }
});

/** The labels of the default metrics' own, by metric. `le` and `quantile` belong to the formats. */
const OWN = {
  nodejs_version_info: ['version', 'major', 'minor', 'patch'],
  nodejs_gc_duration_seconds: ['kind', 'le'],
  nodejs_eventloop_utilization_histogram: ['le'],
  nodejs_eventloop_utilization_summary: ['quantile'],
  ...Object.fromEntries(
    ['total', 'used', 'available'].map((what) => [`nodejs_heap_space_size_${what}_bytes`, ['space']]),
  ),
  ...Object.fromEntries(['resources', 'handles', 'requests'].map((what) => [`nodejs_active_${what}`, ['type']])),
};

for (const label of [...new Set(Object.values(OWN).flat())]) {
  test.serial(`a label ${label} for all metrics gives way where a metric has one itself`, async (t) => {
    const { registry } = collect(t, { labels: { [label]: 'given', team: 'a' } });
    collectGarbage();
    await turn();
    const families = await registry.getMetricsAsJSON();
    t.true(families.length > 20);
    for (const { name, values } of families) {
      const isOwn = OWN[name]?.includes(label) === true;
      for (const { labels } of values) {
        t.is(labels.team, 'a', name);
        if (isOwn) t.not(labels[label], 'given', name);
        else t.is(labels[label], 'given', name);
      }
    }
    // Each line has the label once: a scraper refuses a repeated one.
    for (const line of (await registry.metrics()).split('\n')) {
      const names = [...line.matchAll(/[{,](\w+)="/g)].map(([, found]) => found);
      t.is(new Set(names).size, names.length, line);
    }
  });
}

test.serial('bounds of buckets as numeric strings are numbers', async (t) => {
  const { registry } = collect(t, { gcDurationBuckets: ['0.5', '1'] });
  const { bucketValues } = registry.getSingleMetric('nodejs_gc_duration_seconds');
  t.deepEqual(bucketValues, { 0.5: 0, 1: 0 });
});
