// Real receivers take what a pusher sends, and their queries give the totals that the test has counted itself: after normal
// running, through a receiver that fails in every way, and after the end of a process.

import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { Counter, Histogram, Registry, startPusher } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { start } from '../http/exporter/support/children.mjs';
import { freePort } from '../support/ports.mjs';
import { classicForm, EXEMPLAR, everyType, inOpenMetrics, keyed, startOf } from './support/every-type.mjs';
import { Process, poll } from './support/processes.mjs';
import { VENV_PYTHON } from './support/python.mjs';
import { differences } from './support/query.mjs';
import { PROMETHEUS_NEWEST, startPrometheus, startVictoriaMetrics } from './support/scrapers.mjs';

const RECEIVER = { flags: ['--web.enable-remote-write-receiver'] };
const prometheus = async (t, more = {}) => {
  const api = await startPrometheus(t, {}, { ...RECEIVER, ...more });
  return { api, url: `${api.url}/api/v1/write` };
};
const victoria = async (t) => {
  const api = await startVictoriaMetrics(t, {});
  return { api, url: `${api.url}/api/v1/write` };
};

/** A registry whose values the test adds up itself. */
function counted() {
  const registry = new Registry();
  const registers = [registry];
  const rows = new Counter({ name: 'rows_total', help: 'Rows', labelNames: ['table'], registers });
  const step = new Histogram({ name: 'step_seconds', help: 'Steps', buckets: [0.1, 1], registers });
  const totals = { a: 0, 'b "c"\n': 0, steps: 0 };
  return {
    registry,
    totals,
    work(amount) {
      rows.inc({ table: 'a' }, amount);
      rows.inc({ table: 'b "c"\n' });
      step.observe(0.5);
      totals.a += amount;
      totals['b "c"\n'] += 1;
      totals.steps += 1;
    },
  };
}

/** Waits until the receiver shows the totals. */
async function shows(t, api, job, { a, steps, ...others }) {
  const of = async (expression) => {
    // Series that have ended are shown by queries of the past alone.
    const found = await api.query(`last_over_time(${expression}[5m])`);
    return found.length === 1 ? found[0].value : undefined;
  };
  const expected = [a, others['b "c"\n'], steps, steps, 0];
  let last;
  const probe = async () => {
    last = await Promise.all([
      of(`rows_total{table="a",job="${job}"}`),
      of(`rows_total{table="b \\"c\\"\\n",job="${job}"}`),
      of(`step_seconds_count{job="${job}"}`),
      of(`step_seconds_bucket{le="1.0",job="${job}"}`),
      of(`step_seconds_bucket{le="0.1",job="${job}"}`),
    ]);
    return JSON.stringify(last) === JSON.stringify(expected) ? true : undefined;
  };
  await poll(probe, 'the totals', { timeoutMs: 60_000 }).catch(() => {});
  t.deepEqual(last, expected);
}

for (const [name, startReceiver] of [
  ['Prometheus', (t) => prometheus(t)],
  ['the newest Prometheus', (t) => prometheus(t, { program: PROMETHEUS_NEWEST })],
  ['VictoriaMetrics', victoria],
]) {
  for (const protocol of ['remote-write', 'remote-write-1']) {
    test(`${name} has the totals of what was pushed by ${protocol}`, async (t) => {
      const { api, url } = await startReceiver(t);
      const { registry, totals, work } = counted();
      const pusher = await startPusher({ registry, url, protocol, job: 'normal', intervalMs: 200 });
      for (let i = 0; i < 10; i++) {
        work(i);
        await sleep(50);
      }
      await pusher.flush();
      await shows(t, api, 'normal', totals);
      t.deepEqual(await api.query('count(count by (instance) (rows_total))').then(([{ value }]) => value), 1);
      work(100);
      await pusher.close();
      await shows(t, api, 'normal', totals);
      const ended = async () => ((await api.query('rows_total{job="normal"}')).length === 0 ? true : undefined);
      await poll(ended, 'the end of the series');
      t.is(pusher.stats().dropped, 0);
    });
  }
}

/** A proxy that answers some requests itself, as the script says, and passes the others on. */
async function faulty(t, target, script) {
  const seen = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const fault = script[seen.length];
    seen.push(fault);
    if (fault === 'reset') return request.socket.resetAndDestroy();
    if (fault === 'slow') return sleep(400).then(() => response.destroy());
    if (typeof fault === 'number') return response.writeHead(fault).end('as the script says');
    const answer = await fetch(target, { method: 'POST', headers: own(request.headers), body: Buffer.concat(chunks) });
    const written = [...answer.headers].filter(([header]) => header.startsWith('x-prometheus'));
    response.writeHead(answer.status, Object.fromEntries(written)).end(await answer.text());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, seen };
}

const own = ({ connection: _, host: __, 'content-length': ___, ...headers }) => headers;

test('through a receiver that fails in every way, Prometheus gets the totals', async (t) => {
  const { api, url } = await prometheus(t);
  const faults = [429, 500, 'reset', 400, 'slow', 503, 415, 'reset', 500, undefined, 'slow', 400, undefined, 502];
  const proxy = await faulty(t, url, faults);
  const { registry, totals, work } = counted();
  const options = { registry, url: proxy.url, job: 'faulty', intervalMs: 100, timeoutMs: 200 };
  const pusher = await startPusher(options);
  for (let i = 0; proxy.seen.length < faults.length + 3; i++) {
    work(i);
    await sleep(20);
  }
  await pusher.close();
  await shows(t, api, 'faulty', totals);
});

for (const signal of ['SIGTERM', 'SIGINT', undefined]) {
  test(`a process that ends by ${signal ?? 'process.exit()'} has left its totals in Prometheus`, async (t) => {
    const { api, url } = await prometheus(t);
    const program = async ({ argument, client, say, heard }) => {
      const rows = new client.Counter({ name: 'rows_total', help: 'Rows' });
      await client.startPusher({ url: argument, job: 'ending', intervalMs: 60_000 });
      rows.inc(42);
      setInterval(() => {}, 1000);
      await say('ready');
      await heard();
      process.exit(0);
    };
    const child = start(t, program, url);
    await child.heard();
    if (signal === undefined) child.say('exit');
    else child.kill(signal);
    await child.ended;
    t.is(await api.scalar('last_over_time(rows_total{job="ending"}[5m])'), 42);
  });
}

for (const [title, server, isNative] of [
  ['Prometheus 3 with native histograms has them', { features: ['native-histograms'] }, true],
  ['Prometheus 3 without native histograms has their classic form', { features: [] }, false],
  ['the newest Prometheus has native histograms', { program: PROMETHEUS_NEWEST }, true],
]) {
  test(title, async (t) => {
    const { api, url } = await prometheus(t, server);
    const { registry, work } = counted();
    const bucketed = { nativeHistogramBucketFactor: 1.1, buckets: [4], registers: [registry] };
    const size = new Histogram({ name: 'size_bytes', help: 'Sizes', ...bucketed });
    for (let i = 1; i <= 100; i++) size.observe(i === 100 ? -1 : i);
    work(7);
    const pusher = await startPusher({ registry, url, job: 'native', intervalMs: 3_600_000 });
    await pusher.flush();
    t.is(await api.scalar('rows_total{table="a"}'), 7);
    t.is(await api.scalar('size_bytes_bucket{le="4.0"}'), 5);
    t.is(await api.scalar('size_bytes_count'), 100);
    t.deepEqual(
      (await api.query('histogram_count(size_bytes)')).map(({ value }) => value),
      isNative ? [100] : [],
    );
    if (isNative) {
      t.is(await api.scalar('histogram_sum(size_bytes)'), 4949);
      t.is(await api.scalar('histogram_fraction(-Inf, 0, size_bytes)'), 0.01);
      const median = await api.scalar('histogram_quantile(0.5, size_bytes)');
      t.true(Math.abs(median - 49) < 5, `${median}`);
    }
    await pusher.close();
    t.deepEqual(await api.query('count({__name__=~"size_bytes.*"})'), []);
    t.is(pusher.stats().dropped, 0);
  });
}

test('the newest Prometheus has every type, starts and exemplars from remote write 2.0', async (t) => {
  const features = ['st-storage', 'use-start-timestamps', 'promql-experimental-functions', 'exemplar-storage'];
  const { api, url } = await prometheus(t, { program: PROMETHEUS_NEWEST, features });
  const { registry, native, series } = everyType();
  const pusher = await startPusher({ registry, url, job: 'shop', intervalMs: 3_600_000 });
  t.teardown(() => pusher.close());
  await pusher.flush();
  const form = classicForm(native, inOpenMetrics);
  const expected = keyed([...series(inOpenMetrics), ...form]);
  t.deepEqual(differences(await api.seriesOf('shop', 'judged_'), expected), []);
  t.is(await api.scalar('histogram_count(judged_time_seconds)'), native.value().count);
  for (const name of ['judged_events_total', 'judged_time_seconds', 'judged_size_bytes_count', 'judged_wait_ms_sum']) {
    const start = (await api.scalar(`start_timestamp(${name})`)) * 1000;
    t.is(Math.round(start), await startOf(registry, name.replace(/_(count|sum)$/, '')), name);
  }
  const range = { start: Date.now() / 1000 - 600, end: Date.now() / 1000 + 1 };
  const exemplars = await api.get('/api/v1/query_exemplars', { query: '{__name__=~"judged_.*"}', ...range });
  for (const { exemplars: found } of exemplars) t.deepEqual(found[0].labels, EXEMPLAR);
  t.deepEqual(
    exemplars.map(({ seriesLabels }) => seriesLabels.__name__),
    ['judged_events_total', 'judged_time_seconds', 'judged_time_seconds_bucket'],
  );
});

test("OpenTelemetry's own schema reads what is pushed by OTLP", async (t) => {
  const { registry, work } = counted();
  work(7);
  const native = { nativeHistogramBucketFactor: 1.1, enableExemplars: true, registers: [registry] };
  const size = new Histogram({ name: 'size_bytes', help: 'Sizes', unit: 'bytes', ...native });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  size.observe({ value: 2, exemplarLabels: { trace_id: traceId, span_id: 'b7ad6b7169203331', zone: 'a' } });
  size.observe(-3);
  size.observe(0);
  const bodies = [];
  const server = http.createServer(async (request, response) => {
    for await (const chunk of request.pipe(createGunzip())) bodies.push(chunk);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}/v1/metrics`;
  const pusher = await startPusher({ registry, url, protocol: 'otlp', job: 'shop', instance: 'i' });
  await pusher.flush();
  const reader = fileURLToPath(new URL('support/otlp-reader.py', import.meta.url));
  const { stdout, stderr } = spawnSync(VENV_PYTHON, [reader], { input: Buffer.concat(bodies), encoding: 'utf8' });
  t.is(stderr, '');
  const { resource, scopeMetrics } = JSON.parse(stdout).resourceMetrics[0];
  t.like(resource.attributes[0], { key: 'service.name', value: { stringValue: 'shop' } });
  const metric = (wanted) => scopeMetrics[0].metrics.find(({ name }) => name === wanted);
  t.like(metric('rows_total').sum, { aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE', isMonotonic: true });
  const point = { count: '1', sum: 0.5, bucketCounts: ['0', '1', '0'], explicitBounds: [0.1, 1] };
  t.like(metric('step_seconds').histogram.dataPoints[0], point);
  t.like(metric('size_bytes'), { unit: 'By', description: 'Sizes' });
  const [{ exemplars, ...buckets }] = metric('size_bytes').exponentialHistogram.dataPoints;
  t.like(buckets, { count: '3', sum: -1, scale: 3, zeroCount: '1', zeroThreshold: 2 ** -128 });
  // Prometheus' bucket 8 of this scale ends with 2; here it has the number 7.
  t.deepEqual(buckets.positive, { offset: 7, bucketCounts: ['1'] });
  t.deepEqual(buckets.negative, { offset: 12, bucketCounts: ['1'] });
  t.like(exemplars[0], { asDouble: 2, traceId: Buffer.from(traceId, 'hex').toString('base64') });
  t.deepEqual(exemplars[0].filteredAttributes, [{ key: 'zone', value: { stringValue: 'a' } }]);
  await pusher.close();
});

test('a process that is killed has left what its last push had', async (t) => {
  const { api, url } = await prometheus(t);
  const program = async ({ argument, client, say }) => {
    const rows = new client.Counter({ name: 'rows_total', help: 'Rows' });
    const pusher = await client.startPusher({ url: argument, job: 'killed', intervalMs: 60_000 });
    rows.inc(42);
    await pusher.flush();
    rows.inc(1);
    setInterval(() => {}, 1000);
    await say('ready');
  };
  const child = start(t, program, url);
  await child.heard();
  child.kill('SIGKILL');
  await child.ended;
  t.is(await api.scalar('rows_total{job="killed"}'), 42);
});

test('a Pushgateway has the group of the pusher', async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  const gateway = new Process('prometheus-pushgateway', [`--web.listen-address=${address}`, '--log.level=warn']);
  t.teardown(() => gateway.stop());
  const url = `http://${address}`;
  await gateway.until(async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined), 'it was ready');
  const { registry, totals, work } = counted();
  work(5);
  const labels = { path: '/var/tmp', zone: 'eu west' };
  const options = { registry, url, protocol: 'pushgateway', job: 'nightly/backup', instance: 'é', labels };
  const pusher = await startPusher(options);
  await pusher.flush();
  work(6);
  await pusher.close();
  const { data } = await (await fetch(`${url}/api/v1/metrics`)).json();
  t.deepEqual(data[0].labels, { job: 'nightly/backup', instance: 'é', ...labels });
  const [{ value }] = data[0].rows_total.metrics.filter(({ labels: { table } }) => table === 'a');
  t.is(Number(value), totals.a);
  t.is(data.length, 1);
});
