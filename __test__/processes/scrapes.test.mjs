// Scrapes of a cluster whose workers this test plays: what reaches the exposition, and what shutdown() waits for. And of
// threads that another thread than the main one collects.

import { execFile } from 'node:child_process';
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ClusterRegistry, Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const message = (word) => `@prometheus-io/client:${word}`;

/** A cluster of workers that answer with these families, after the primary has asked. */
function play(t, ...families) {
  const registry = new ClusterRegistry(Registry.OPENMETRICS_CONTENT_TYPE);
  const workers = families.map((list, index) => ({
    id: index + 1,
    isConnected: () => true,
    send(asked) {
      const answer = { type: message('getMetricsRes'), requestId: asked.requestId, metrics: [list] };
      if (asked.type === message('getMetricsReq')) setImmediate(() => cluster.emit('message', this, answer));
    },
  }));
  cluster.workers = Object.fromEntries(workers.map((worker) => [worker.id, worker]));
  for (const worker of workers) cluster.emit('message', worker, { type: message('announcement') });
  t.teardown(() => {
    for (const worker of workers) cluster.emit('disconnect', worker);
    cluster.workers = {};
  });
  return registry;
}

test.serial('units travel with metrics, packed or not', async (t) => {
  const registry = new Registry();
  const config = { help: 'h', registers: [registry] };
  new Gauge({ ...config, name: 'age_seconds', unit: 'seconds' }).set(3);
  new Histogram({ ...config, name: 'size_bytes', unit: 'bytes', buckets: [1] }).observe(2);
  new Gauge({ ...config, name: 'plain' }).set(1);
  const json = JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()));
  t.deepEqual(
    json.map(({ unit }) => unit),
    ['seconds', 'bytes', undefined],
  );
  t.is((await registry.getSingleMetric('age_seconds').get()).unit, 'seconds');
  const [slots, labels] = [json[1].values.map(({ metricName, labels }) => [metricName, labels.le]), [{}]];
  const { values, ...head } = json[1];
  const packed = { ...head, slots, labels, numbers: values.map(({ value }) => value) };
  for (const histogram of [json[1], packed]) {
    const text = await play(t, [json[0], histogram, json[2]], [json[0], histogram]).clusterMetrics();
    t.deepEqual(
      text.split('\n').filter((line) => /^# UNIT|^age|_count/.test(line)),
      ['# UNIT age_seconds seconds', 'age_seconds 6', '# UNIT size_bytes bytes', 'size_bytes_count 2'],
    );
  }
  const aggregated = ClusterRegistry.aggregate([json, json], Registry.OPENMETRICS_CONTENT_TYPE);
  t.true((await aggregated.metrics()).includes('# UNIT age_seconds seconds\n'));
});

test.serial('shutdown() of the primary waits until the expositions are written', async (t) => {
  const registry = play(t, [
    { name: 'g', help: 'h', type: 'gauge', aggregator: 'sum', values: [{ value: 7, labels: {} }] },
  ]);
  const settled = [];
  const scrape = registry.clusterMetrics().then((text) => settled.push(text.includes('g 7\n')));
  await Promise.all([scrape, registry.shutdown().then(() => settled.push('shutdown'))]);
  t.deepEqual(settled, [true, 'shutdown']);
  await registry.shutdown();
});

test('a worker thread collects the others: each answers for itself, as in the successor', async (t) => {
  const program = fileURLToPath(new URL('./support/collector-program.cjs', import.meta.url));
  const [ours, theirs] = await Promise.all(
    ['@llm-devops/prometheus-metrics', '@prometheus-io/client'].map(async (library) => {
      const { stdout } = await promisify(execFile)(process.execPath, [program, library]);
      return stdout;
    }),
  );
  t.true(ours.includes('jobs_total 103\n'));
  t.is(ours, theirs);
});

test.serial('gauges of a goodbye are kept if a worker of the successor said it', async (t) => {
  const families = ['counter', 'gauge'].map((type) => ({
    name: `last_${type}`,
    help: 'h',
    type,
    aggregator: 'sum',
    values: [{ value: 7, labels: {} }],
  }));
  const registry = play(t);
  const shown = async () => (await registry.clusterMetrics()).match(/^last_.*/gm);
  const sayGoodbye = (id, more) => {
    const worker = { id, isConnected: () => true, send() {} };
    cluster.emit('message', worker, { type: message('goodbye'), requestId: 0, metrics: [families], ...more });
  };
  sayGoodbye(71, { endsGauges: true });
  t.deepEqual(await shown(), ['last_counter_total 7']);
  sayGoodbye(72);
  t.deepEqual(await shown(), ['last_counter_total 14', 'last_gauge 7']);
  sayGoodbye(73, { endsGauges: true });
  t.deepEqual(await shown(), ['last_counter_total 21', 'last_gauge 7']);
});
