// Tests the formats that a scraper can ask for: content types, bodies, both doors, and when each series began.

import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  Counter,
  createFetchHandler,
  createMetricsHandler,
  Gauge,
  Histogram,
  Info,
  Registry,
  StateSet,
  Summary,
  startExporter,
} from '@llm-devops/prometheus-metrics';
import { assertValidExposition, MockClock, parseExposition, replay } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { run } from '../threads/support/process.mjs';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const OPENMETRICS_2 = 'application/openmetrics-text; version=2.0.0; charset=utf-8';
const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const START_MS = Date.UTC(2026, 0, 1);

/** By what a scraper asks for: the content type that it gets, and the format's name in the testing kit. */
const FORMATS = [
  ['text/plain;version=0.0.4', TEXT, 'text'],
  ['text/plain;version=1.0.0;escaping=dots', 'text/plain; version=1.0.0; charset=utf-8; escaping=dots', 'text'],
  ['application/openmetrics-text;version=1.0.0', OPENMETRICS, 'openmetrics'],
  [
    'application/openmetrics-text;version=2.0.0;escaping=allow-utf-8',
    `${OPENMETRICS_2}; escaping=allow-utf-8`,
    'openmetrics2',
  ],
  [PROTOBUF, PROTOBUF, 'protobuf'],
];

/** The families of `everyType()`: without the endpoint's own. */
const NAMES = ['jobs_seconds_total', 'g', 'wait', 'size', 'build', 'mode'];

/** A clock that stands still. */
function stopped(t) {
  const clock = new MockClock({ now: START_MS }).install();
  t.teardown(() => clock.restore());
  return clock;
}

/** A registry of one family of each type, with two series of a counter. */
function everyType(options) {
  const registry = new Registry({ defaultLabels: { zone: 'z' }, ...options });
  const registers = [registry];
  const counter = new Counter({
    name: 'jobs_seconds_total',
    help: 'a "b"',
    unit: 'seconds',
    labelNames: ['q'],
    enableExemplars: true,
    registers,
  });
  counter.inc({ labels: { q: 'é"\\\n' }, value: 2, exemplarLabels: { trace_id: 't' } });
  counter.inc({ labels: { q: 'other' } });
  new Gauge({ name: 'g', help: 'h', registers }).set(Number.NEGATIVE_INFINITY);
  const wait = new Histogram({
    name: 'wait',
    help: 'h',
    buckets: [0.5, 1],
    labelNames: ['q'],
    enableExemplars: true,
    registers,
  });
  wait.observe({ labels: { q: 'a' }, value: 0.75, exemplarLabels: { trace_id: 'w' } });
  wait.observe({ labels: { q: 'a' }, value: 7 });
  new Summary({ name: 'size', help: 'h', percentiles: [0.5], registers }).observe(3);
  new Info({ name: 'build', help: 'h', labelNames: ['v'], registers }).set({ v: '1' });
  new StateSet({ name: 'mode', help: 'h', states: ['on', 'off'], registers }).set('on');
  return registry;
}

/** What all formats have in common: each sample's name, labels and value, and the exemplars' values. */
function comparable({ families }, exemplars) {
  const samples = families.flatMap((family) => family.samples);
  const shown = samples.filter(({ name }) => !name.endsWith('_created'));
  return shown.map(({ name, labels, value, exemplar }) => {
    const bounds = labels.le === undefined ? {} : { le: Number(labels.le.replace('+Inf', 'Infinity')) };
    const quantile = labels.quantile === undefined ? {} : { quantile: Number(labels.quantile) };
    return {
      name,
      labels: { ...labels, ...bounds, ...quantile },
      value,
      ...(exemplars ? { exemplar: exemplar?.value } : {}),
    };
  });
}

test.serial('registry.scrape() shows the same values in every format', async (t) => {
  stopped(t);
  const registry = everyType();
  const read = new Map();
  for (const [accept, contentType, format] of FORMATS) {
    const answer = await registry.scrape({ accept, acceptEncoding: 'identity', names: NAMES });
    t.is(answer.headers['content-type'], contentType);
    t.regex(answer.headers.vary, /\baccept\b/);
    assertValidExposition(answer);
    const exposition = parseExposition(answer.body, { format });
    t.is(exposition.format, format);
    read.set(contentType, exposition);
    if (format !== 'text')
      t.deepEqual(comparable(exposition, true), comparable(read.get(OPENMETRICS) ?? exposition, true));
    t.deepEqual(comparable(exposition), comparable(read.get(TEXT)));
  }
  for (const type of [FORMATS[3][1], PROTOBUF]) {
    const exposition = read.get(type);
    t.is(exposition.family('jobs_seconds_total').help, 'a "b"');
    t.is(exposition.family('jobs_seconds_total').unit, 'seconds');
    t.deepEqual(exposition.samples('jobs_seconds_total', { q: 'é"\\\n' })[0].exemplar, {
      labels: { trace_id: 't' },
      value: 2,
      timestamp: START_MS / 1000,
    });
    for (const name of ['jobs_seconds_total', 'wait_count', 'size_sum']) {
      t.is(exposition.samples(name)[0].start, START_MS / 1000, name);
    }
    t.is(exposition.samples('g')[0].start, undefined);
    // A recorded exposition becomes a registry again.
    const again = await replay(exposition).scrape({ accept: type, names: NAMES });
    t.deepEqual(
      parseExposition(again.body, { format: exposition.format }).value('wait_count', { q: 'a', zone: 'z' }),
      2,
    );
  }
});

test('every door answers in every format', async (t) => {
  const registry = everyType();
  const options = { registry, selfMetrics: false };
  const server = createServer(createMetricsHandler(options)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const exporter = await startExporter({ ...options, host: '127.0.0.1', port: 0 });
  const answer = createFetchHandler(options);
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await exporter.close({ timeoutMs: 0 });
  });
  for (const [accept, contentType] of FORMATS) {
    const expected = await registry.scrape({ accept, acceptEncoding: 'identity', names: NAMES });
    for (const url of [`http://127.0.0.1:${server.address().port}`, exporter.url, undefined]) {
      const asked = [`${url ?? 'http://host'}/metrics`, { headers: { accept, 'accept-encoding': 'gzip' } }];
      const response = url === undefined ? await answer(new Request(...asked)) : await fetch(...asked);
      t.is(response.headers.get('content-type'), contentType);
      t.is(response.headers.get('vary'), 'accept, accept-encoding');
      const body = Buffer.from(await response.arrayBuffer());
      t.true(body.equals(expected.body), `${accept} of ${url}`);
    }
  }
});

const openMetricsOf = async (registry) => parseExposition((await registry.scrape({ accept: OPENMETRICS })).body);

test.serial('created shows when each series began, and is off by default', async (t) => {
  const clock = stopped(t);
  const registry = everyType();
  t.false(
    (await openMetricsOf(registry)).families.some(({ samples }) => samples.some(({ name }) => /_created$/.test(name))),
  );
  registry.setCreated(true);
  clock.advanceSeconds(2.5);
  const late = new Counter({ name: 'late_total', help: 'h', registers: [registry] });
  const shown = await openMetricsOf(registry);
  t.is(shown.value('jobs_seconds_created', { q: 'other', zone: 'z' }), START_MS / 1000);
  t.is(shown.value('wait_created', { q: 'a', zone: 'z' }), START_MS / 1000);
  t.is(shown.value('size_created', { zone: 'z' }), START_MS / 1000);
  t.is(shown.value('late_created', { zone: 'z' }), START_MS / 1000 + 2.5);
  t.deepEqual(shown.samples('g_created'), []);
  // Also in metrics() of a registry with that format, as a whole and for one metric.
  const own = everyType({ created: true, contentType: OPENMETRICS });
  t.regex(await own.metrics(), /\nwait_created\{zone="z",q="a"\} 1767225602\.5\n/);
  t.regex(await own.getSingleMetricAsString('wait'), /\nwait_created\{/);
  t.regex(await own.getMetricsAsString(late), /\nlate_created\{zone="z"\} 1767225602\.5$/);
  t.notRegex(await everyType({ created: true }).metrics(), /_created/);
  for (const created of [1, 'true', null]) {
    t.throws(() => new Registry({ created }), { code: 'INVALID_CONFIG', message: /true or false for created/ });
  }
});

test.serial('a series begins anew by reset, by removal and by clear', async (t) => {
  const clock = stopped(t);
  const registry = new Registry({ created: true });
  const registers = [registry];
  const counter = new Counter({ name: 'c_total', help: 'h', registers });
  const labelled = new Counter({ name: 'l_total', help: 'h', labelNames: ['a'], registers });
  const histogram = new Histogram({ name: 'h', help: 'h', registers });
  const summary = new Summary({ name: 's', help: 'h', registers });
  const kept = labelled.labels('x');
  const record = () => {
    for (const metric of [counter, kept]) metric.inc();
    for (const metric of [histogram, summary]) metric.observe(1);
  };
  const begun = async () => {
    const shown = await openMetricsOf(registry);
    return ['c', 'l', 'h', 's'].map((name) => shown.samples(`${name}_created`)[0]?.value - START_MS / 1000);
  };
  record();
  t.deepEqual(await begun(), [0, 0, 0, 0]);
  clock.advanceSeconds(1);
  record();
  t.deepEqual(await begun(), [0, 0, 0, 0]);
  registry.resetMetrics();
  record();
  t.deepEqual(await begun(), [1, 1, 1, 1]);
  clock.advanceSeconds(1);
  labelled.remove('x');
  record();
  t.deepEqual(await begun(), [1, 2, 1, 1]);
});

test.serial('a series that several threads have began with the first of them, also after its end', async (t) => {
  const { before, own, after } = await run(async ({ client, thread }) => {
    client.register.setCreated(true);
    const accept = 'application/openmetrics-text;version=1.0.0';
    const begun = async () => {
      const { body } = await client.register.scrape({ accept });
      return Number(/^c_created (.*)$/m.exec(body.toString())?.[1]);
    };
    const before = Date.now() / 1000;
    const worker = thread(async ({ client, say }) => {
      new client.Counter({ name: 'c_total', help: 'h' }).inc();
      say('made');
    });
    await worker.heard();
    await worker.ended;
    await new Promise((done) => setTimeout(done, 50));
    const own = Date.now() / 1000;
    new client.Counter({ name: 'c_total', help: 'h' }).inc();
    return { before, own, after: await begun() };
  });
  t.true(before <= after && after < own, `${before} ${after} ${own}`);
});

test('the testing kit refuses a wrong format', async (t) => {
  const { body } = await everyType().scrape({ accept: PROTOBUF, acceptEncoding: 'identity' });
  t.throws(() => parseExposition(body.subarray(0, -1), { format: 'protobuf' }), {
    code: 'INVALID_EXPOSITION',
    message: /family \d+/,
  });
  t.throws(() => parseExposition('text', { format: 'protobuf' }), { code: 'INVALID_CONFIG', message: /bytes/ });
  t.throws(() => parseExposition('a 1\n', { format: 'openmetrics2' }), { code: 'INVALID_EXPOSITION' });
  t.throws(() => parseExposition('a 1\n', { format: 'other' }), { code: 'INVALID_CONFIG', message: /openmetrics2/ });
  t.is(parseExposition('x 1 st@2.5\n# EOF\n', { format: 'openmetrics2' }).samples('x')[0].start, 2.5);
});
