// collectDefaultMetrics(): every name that prom-client and its successor give, with figures that are true, chosen,
// stopped, and seen alike by all who scrape.

import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import { collectDefaultMetrics, Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { withoutSelfMetrics } from '../support/exposition.mjs';
import { collectGarbage } from '../support/garbage.mjs';
import { attempt, run } from '../threads/support/process.mjs';
import { block, collect, collected, linux, namesIn, PROCESS, RUNTIME, read } from './support/default-metrics.mjs';

const require = createRequire(import.meta.url);
const peers = ['prom-client', '@prometheus-io/client'];

// ---- the peers ----

for (const peer of peers) {
  linux(`every metric of ${peer} is there, with its help text, type, aggregator and labels`, async (t) => {
    const client = require(peer);
    const theirs = new client.Registry();
    client.collectDefaultMetrics({ register: theirs });
    const { registry } = collect(t);
    // Something of every kind that has a type, and a collection that both see.
    const server = createServer().listen(0);
    t.teardown(() => server.close());
    await collected(registry, 'major');
    await sleep(250);
    const shapeOf = async (either) => {
      const shape = {};
      for (const { name, help, type, aggregator, values } of await either.getMetricsAsJSON()) {
        const labels = new Set(values.flatMap((value) => Object.keys(value.labels ?? {})));
        shape[name] = {
          ...{ help, type, aggregator },
          labels: [...labels].sort(),
          samples: [...new Set(values.map((v) => v.metricName ?? name))],
        };
      }
      return shape;
    };
    const [expected, ours] = [await shapeOf(theirs), await shapeOf(registry)];
    t.true(Object.keys(expected).length >= 30);
    const shared = Object.fromEntries(Object.keys(expected).map((name) => [name, ours[name]]));
    t.deepEqual(shared, expected);
    // In their order too, with the successor's two among those of its forerunner.
    t.deepEqual(
      Object.keys(ours).filter((name) => name in expected),
      Object.keys(expected),
    );
    for (const name of client.collectDefaultMetrics.metricsList)
      t.true(collectDefaultMetrics.metricsList.includes(name));
  });
}

linux('figures of the process are those that prom-client reads', async (t) => {
  const client = require('prom-client');
  const theirs = new client.Registry();
  client.collectDefaultMetrics({ register: theirs });
  const { registry } = collect(t, { include: ['process'] });
  const differenceOf = async (name) => {
    const expected = (await theirs.getSingleMetric(name).get()).values[0].value;
    const ours = (await registry.getSingleMetric(name).get()).values[0].value;
    return Math.abs(ours - expected);
  };
  // One asks for memory, the other for resident memory first: the group is read by its first metric.
  await theirs.metrics();
  t.is(await differenceOf('process_max_fds'), 0);
  t.true((await differenceOf('process_start_time_seconds')) < 2);
  t.true((await differenceOf('process_open_fds')) < 3);
  for (const name of ['resident', 'virtual']
    .map((kind) => `process_${kind}_memory_bytes`)
    .concat('process_heap_bytes')) {
    t.true((await differenceOf(name)) < 32e6, name);
  }
});

// ---- figures ----

linux('CPU time is that of the process from its start', async (t) => {
  const { registry } = collect(t, { include: ['processCpuTotal'] });
  const seconds = async (what) => read(registry, `process_cpu_${what}seconds_total`);
  const before = await seconds('user_');
  const idle = process.cpuUsage();
  while (process.cpuUsage(idle).user < 2e5);
  const after = await seconds('user_');
  t.true(after - before >= 0.19, `${before} then ${after}`);
  const { user, system } = process.cpuUsage();
  t.true(Math.abs((await seconds('user_')) - user / 1e6) < 0.1);
  t.true(Math.abs((await seconds('system_')) - system / 1e6) < 0.1);
  const all = await registry.getMetricsAsJSON();
  const [userTime, systemTime, both] = all.map(({ values }) => values[0].value);
  t.is(both.toFixed(6), (userTime + systemTime).toFixed(6));
});

linux('open descriptors are counted exactly', async (t) => {
  const { registry } = collect(t, { include: ['processOpenFileDescriptors'] });
  const count = () => read(registry, 'process_open_fds');
  const before = await count();
  const files = Array.from({ length: 20 }, () => openSync('/dev/null'));
  // Figures are shared for a millisecond.
  await sleep(5);
  t.is(await count(), before + 20);
  files.forEach(closeSync);
  await sleep(5);
  t.is(await count(), before);
});

linux('resident memory grows with what is touched', async (t) => {
  const { registry } = collect(t, { include: ['osMemoryHeap'] });
  const before = await read(registry, 'process_resident_memory_bytes');
  const touched = Buffer.alloc(64e6, 1);
  await sleep(5);
  const after = await read(registry, 'process_resident_memory_bytes');
  t.true(Math.abs(after - before - touched.length) < 20e6);
  t.true(Math.abs(after - process.memoryUsage.rss()) < 20e6);
});

test.serial('the heap is that of the engine', async (t) => {
  const { registry } = collect(t, { include: ['heapSizeAndUsed', 'heapSpacesSizeAndUsed'] });
  const statistics = () => ({ ...v8.getHeapStatistics(), external: process.memoryUsage().external });
  const [before, spacesBefore] = [statistics(), v8.getHeapSpaceStatistics()];
  const families = Object.fromEntries((await registry.getMetricsAsJSON()).map(({ name, values }) => [name, values]));
  const [after, spaces] = [statistics(), v8.getHeapSpaceStatistics()];
  // The engine may collect garbage between the readings.
  const near = (value, readings, name) => {
    const [least, most] = [Math.min(...readings), Math.max(...readings)];
    t.true(value > least - 4e6 && value < most + 4e6, `${name}: ${value}, ${readings}`);
  };
  for (const [name, key] of Object.entries({
    nodejs_heap_size_total_bytes: 'total_heap_size',
    nodejs_heap_size_used_bytes: 'used_heap_size',
    nodejs_external_memory_bytes: 'external',
  })) {
    near(families[name][0].value, [before[key], after[key]], name);
  }
  for (const [what, key] of Object.entries({
    total: 'space_size',
    used: 'space_used_size',
    available: 'space_available_size',
  })) {
    const values = families[`nodejs_heap_space_size_${what}_bytes`];
    t.deepEqual(
      values.map(({ labels }) => `${labels.space}_space`),
      spaces.map(({ space_name }) => space_name),
    );
    for (const [at, { value, labels }] of values.entries())
      near(value, [spacesBefore[at][key], spaces[at][key]], `${labels.space} ${what}`);
  }
});

test.serial('the version is that of Node.js, numbers as numbers, and is back after a reset', async (t) => {
  const { registry } = collect(t, { include: ['version'] });
  const [major, minor, patch] = process.versions.node.split('.').map(Number);
  for (const _ of [1, 2]) {
    const [{ values }] = await registry.getMetricsAsJSON();
    t.deepEqual(values, [{ value: 1, labels: { version: process.version, major, minor, patch } }]);
    registry.resetMetrics();
  }
});

test.serial('handles and resources are counted by type; a type that has nothing left has no series', async (t) => {
  const { registry } = collect(t, { include: ['processHandles', 'processResources'] });
  const counts = async (name) => {
    const { values } = (await registry.getMetricsAsJSON()).find((family) => family.name === name);
    return Object.fromEntries(values.map(({ labels, value }) => [labels.type ?? 'all', value]));
  };
  const before = await counts('nodejs_active_handles');
  const { all } = await counts('nodejs_active_handles_total');
  t.is(before.Server, undefined);
  const servers = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise((resolve) =>
          createServer().listen(0, function () {
            resolve(this);
          }),
        ),
    ),
  );
  t.deepEqual(await counts('nodejs_active_handles'), { ...before, Server: 3 });
  t.deepEqual(await counts('nodejs_active_handles_total'), { all: all + 3 });
  t.is((await counts('nodejs_active_resources')).TCPServerWrap, 3);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  // A handle is there until its turn to close has come.
  await sleep(5);
  t.deepEqual(await counts('nodejs_active_handles'), before);
  t.is((await counts('nodejs_active_resources')).TCPServerWrap, undefined);
});

test.serial('a scrape does not count its own timer among the resources', async (t) => {
  const { registry } = collect(t, { include: ['runtime'] });
  const timeouts = process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
  const [total, shown] = [
    process.getActiveResourcesInfo().length,
    await read(registry, 'nodejs_active_resources_total'),
  ];
  t.is(shown, total);
  const { values } = await registry.getSingleMetric('nodejs_active_resources').get();
  t.is(values.find(({ labels }) => labels.type === 'Timeout')?.value ?? 0, timeouts);
});

test.serial('collections of garbage are counted by kind', async (t) => {
  const { registry } = collect(t, { include: ['gc'], gcDurationBuckets: [0.5, 10], labels: { app: 'gateway' } });
  // Without a turn of the loop, so that one report brings all of them.
  for (let round = 0; round < 20; round++) {
    collectGarbage();
    collectGarbage({ type: 'minor' });
  }
  await sleep(50);
  const [{ name, type, values }] = await registry.getMetricsAsJSON();
  t.is(name, 'nodejs_gc_duration_seconds');
  t.is(type, 'histogram');
  const shown = (kind) => values.filter(({ labels }) => labels.kind === kind);
  t.true(shown('major').length > 0 && shown('minor').length > 0);
  for (const kind of ['major', 'minor']) {
    const [first, second, all, sum, count] = shown(kind);
    t.deepEqual(
      [first, second, all].map(({ labels }) => labels),
      [0.5, 10, '+Inf'].map((le) => ({ le, kind, app: 'gateway' })),
    );
    t.true(count.value >= 20, `${kind}: ${count.value}`);
    t.true(sum.value > 0 && sum.value < 30);
  }
  t.deepEqual(
    values.filter(({ labels }) => !['major', 'minor', 'incremental', 'weakcb'].includes(labels.kind)),
    [],
  );
});

// ---- the event loop ----

test.serial('two scrapers see the same delays, and the last turn', async (t) => {
  const { registry } = collect(t, { include: ['eventLoopLag'] });
  await sleep(50);
  block(200);
  await sleep(50);
  const lag = async () => {
    const families = await registry.getMetricsAsJSON();
    return Object.fromEntries(
      families.map(({ name, values }) => [name.slice('nodejs_eventloop_lag_'.length), values[0].value]),
    );
  };
  const [one, other] = [await lag(), await lag()];
  for (const seen of [one, other]) {
    t.true(seen.max_seconds >= 0.19 && seen.max_seconds < 5, JSON.stringify(seen));
    t.true(seen.min_seconds > 0 && seen.min_seconds <= seen.p50_seconds);
    t.true(seen.p50_seconds <= seen.p90_seconds && seen.p90_seconds <= seen.p99_seconds);
    t.true(seen.mean_seconds > seen.min_seconds && seen.mean_seconds < seen.max_seconds);
    t.true(seen.stddev_seconds > 0 && seen.stddev_seconds < seen.max_seconds);
  }
  t.is(other.max_seconds, one.max_seconds);
  // What was asked for by a scrape comes with the next turn, and the next scrape shows it.
  await lag();
  block(100);
  await turn();
  t.true((await lag()).seconds >= 0.09);
});

test.serial('a delay leaves the window by time, not by scrapes', async (t) => {
  const { registry } = collect(t, { include: ['eventLoopLag'], eventLoopLagWindowSeconds: 0.5 });
  const max = () => read(registry, 'nodejs_eventloop_lag_max_seconds');
  await sleep(30);
  block(450);
  await sleep(30);
  t.true((await max()) >= 0.44);
  // At least for one window, at most for two.
  await sleep(1500);
  t.true((await max()) < 0.44);
});

test.serial('before anything was seen the statistics are not a number', async (t) => {
  const { registry } = collect(t, { include: ['eventLoopLag'] });
  const [lag, ...statistics] = (await registry.getMetricsAsJSON()).map(({ values }) => values[0].value);
  t.is(lag, 0);
  t.deepEqual(statistics, Array(7).fill(Number.NaN));
});

test.serial('utilisation is seen in intervals, and once for each that was blocked', async (t) => {
  const labels = { app: 'gateway' };
  const began = performance.now();
  const { registry } = collect(t, {
    include: ['eventLoopUtilization'],
    eventLoopUtilizationTimeout: 20,
    eventLoopUtilizationBuckets: [0.5],
    eventLoopUtilizationPercentiles: [0, 0.5, 1],
    labels,
  });
  const [summary, histogram] = registry.getMetricsAsArray();
  t.deepEqual(
    (await summary.get()).values.slice(0, 3).map(({ value }) => value),
    [Number.NaN, Number.NaN, Number.NaN],
  );
  await sleep(10);
  block(400);
  await sleep(30);
  const { count, sum, buckets } = histogram.value(labels);
  const intervals = (performance.now() - began) / 20;
  t.true(count >= 20 && count <= intervals + 1, `${count} of ${intervals}`);
  // Busy in most of the intervals.
  t.true(count - buckets[0].count >= 15);
  const { values } = await summary.get();
  const [least, middle, most, summed, counted] = values;
  t.deepEqual(least.labels, { quantile: 0, app: 'gateway' });
  t.true(least.value <= middle.value && middle.value > 0.5 && most.value <= 1 && most.value >= middle.value);
  t.deepEqual([summed.value.toFixed(9), counted.value], [sum.toFixed(9), count]);
  registry.resetMetrics();
  t.deepEqual(
    (await summary.get()).values.slice(-2).map(({ value }) => value),
    [0, 0],
  );
});

// ---- in a registry ----

linux('a scrape asks JavaScript for no figure of the process', async (t) => {
  const { registry } = collect(t, { include: ['process'] });
  for (const metric of registry.getMetricsAsArray()) {
    metric.get = () => {
      throw new Error('asked');
    };
  }
  for (const text of [await registry.metrics(), withoutSelfMetrics(String((await registry.scrape()).body))]) {
    t.deepEqual(
      [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name),
      PROCESS,
    );
    t.is(text.match(/^process_\w+ [\d.e+]+$/gm).length, PROCESS.length);
  }
});

linux('figures of the process are metrics like others', async (t) => {
  const { registry } = collect(t, { include: ['process'], labels: { own: 1 } });
  registry.setDefaultLabels({ own: 'default', zone: 'a' });
  const metric = registry.getSingleMetric('process_max_fds');
  const { value } = (await metric.get()).values[0];
  const help = 'Maximum number of open file descriptors.';
  t.deepEqual(await metric.get(), {
    name: 'process_max_fds',
    help,
    type: 'gauge',
    aggregator: 'sum',
    values: [{ value, labels: { own: 1 } }],
  });
  const text = `# HELP process_max_fds ${help}\n# TYPE process_max_fds gauge\nprocess_max_fds{own="1",zone="a"} ${value}`;
  t.is(await registry.getSingleMetricAsString('process_max_fds'), text);
  t.is(await registry.getMetricsAsString(metric), text);
  t.is(String((await registry.scrape({ names: ['process_max_fds'] })).body), `${text}\n`);
  const json = await registry.getMetricsAsJSON();
  t.deepEqual(json.find(({ name }) => name === 'process_max_fds').values, [{ value, labels: { own: 1, zone: 'a' } }]);
  t.is(json.find(({ name }) => name === 'process_start_time_seconds').aggregator, 'omit');

  // Another registry may have it as well, and either may lose it.
  const merged = Registry.merge([registry]);
  t.is(merged.getSingleMetric('process_max_fds'), metric);
  registry.removeSingleMetric('process_max_fds');
  t.is(registry.getSingleMetric('process_max_fds'), undefined);
  t.deepEqual(namesIn(registry), PROCESS.slice(0, -1));
  t.false((await registry.metrics()).includes('process_max_fds'));
  t.true((await merged.metrics()).includes(`process_max_fds{own="1"} ${value}\n`));
  registry.registerMetric(metric);
  t.throws(() => new Gauge({ name: 'process_max_fds', help, registers: [registry] }), { code: 'DUPLICATE_METRIC' });
  registry.clear();
  t.is(await registry.metrics(), '\n');
});

linux('the names of figures are kept from other metrics', (t) => {
  const registry = new Registry();
  const { Histogram } = require('@llm-devops/prometheus-metrics');
  new Histogram({ name: 'process_open', help: 'Some help', registers: [registry] });
  t.teardown(collectDefaultMetrics({ register: registry, include: ['process'], prefix: 'h_' }));
  // A histogram writes samples of three more names.
  const taken = new Registry();
  new Histogram({ name: 'app', help: 'Some help', registers: [taken] });
  t.throws(() => new Gauge({ name: 'app_count', help: 'Some help', registers: [taken] }), { code: 'DUPLICATE_METRIC' });
  t.throws(() => new Gauge({ name: 'h_process_open_fds', help: 'Some help', registers: [registry] }), {
    code: 'DUPLICATE_METRIC',
  });
});

test.serial('all of a group is read for one of its metrics', async (t) => {
  const { registry } = collect(t, { include: ['heapSizeAndUsed'] });
  registry.resetMetrics();
  const text = await registry.getSingleMetricAsString('nodejs_heap_size_used_bytes');
  t.regex(text, /\nnodejs_heap_size_used_bytes [1-9]\d{5,}$/);
});

// ---- processes and threads ----

test('it keeps no process alive', async (t) => {
  const { code, signal, stderr } = await attempt(({ client }) => {
    client.collectDefaultMetrics();
    return client.register.metrics().then((text) => text.length);
  });
  t.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
});

test('a worker has its own, keeps no thread alive, and is part of the totals', async (t) => {
  const seen = await run(async ({ client, thread, scrape, sleep }) => {
    client.collectDefaultMetrics({ include: ['process', 'heapSizeAndUsed', 'gc'] });
    const before = (await scrape(client)).nodejs_heap_size_used_bytes;
    const worker = thread(async ({ client, say, heard }) => {
      const kept = Array.from({ length: 4e5 }, (_, index) => ({ index }));
      client.collectDefaultMetrics();
      const text = await client.register.metrics();
      say({ kept: kept.length, text });
      await heard();
    });
    const { text } = await worker.heard();
    const during = await scrape(client);
    worker.say('end');
    await worker.ended;
    await sleep(10);
    const after = await scrape(client);
    return { before, during, after, workerNames: [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name) };
  });
  t.deepEqual(seen.workerNames, process.platform === 'linux' ? [...PROCESS, ...RUNTIME] : RUNTIME);
  // The worker's heap counts in, and its figures of the process, which are the same as ours, do not.
  t.true(seen.during.nodejs_heap_size_used_bytes > seen.before + 5e6);
  t.true(seen.after.nodejs_heap_size_used_bytes < seen.during.nodejs_heap_size_used_bytes);
  t.is(seen.during.process_max_fds, seen.after.process_max_fds);
  t.is(seen.during.nodejs_version_info, undefined);
});
