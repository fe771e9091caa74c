// METRICS_ENABLED=false: a program without the addon runs, records nothing, and is warned once.

import { createRequire } from 'node:module';
import test from 'ava';
import { ADDON, HERE, install, LOAD, NAME, run } from './support/installed.mjs';

const require = createRequire(import.meta.url);
const addon = require(ADDON);
const { createStandIn } = require('../../dist/native/stand-in.js');

const DISABLED = { env: { METRICS_ENABLED: 'false' } };

test('every kind of recording returns, and nothing is shown', async (t) => {
  const { shown, stderr } = await run(
    await install(t),
    `const client = require('${NAME}');
     const { Counter, Gauge, Histogram, Registry, register } = client;
     (async () => {
       const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['a'] });
       counter.inc({ a: 'x' }, 2);
       const child = counter.labels('y');
       child.inc();
       child.inc();
       counter.init({ a: ['1', '2'] });
       counter.remove('y');
       counter.reset();
       new Counter({ name: 'plain_total', help: 'h' }).inc();
       const summary = new client.Summary({ name: 's', help: 'h', labelNames: ['a'], maxAgeSeconds: 5, ageBuckets: 5 });
       for (let i = 0; i < 500; i += 1) summary.observe({ a: 'x' }, i);
       summary.reset();
       new client.Info({ name: 'i', help: 'h', labelNames: ['v'] }).set({ v: '1' });
       new client.StateSet({ name: 'st', help: 'h', states: ['on'] }).set('on');
       const gauge = new Gauge({ name: 'g', help: 'h', ttlSeconds: 1 });
       gauge.set(3);
       gauge.dec();
       const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['a'], enableExemplars: true });
       histogram.observe({ labels: { a: 'x' }, value: 1, exemplarLabels: { trace_id: '1' } });
       histogram.startTimer({ a: 'y' })();
       const limited = new Registry({ cardinality: { maxSeries: 1, policy: 'throw' }, sanitize: true, ttlSeconds: 5 });
       const held = limited.counter({ name: 'held_total', help: 'h', labelNames: ['a'] });
       held.inc({ a: '1' });
       held.inc({ a: '2' });
       register.mount(limited, { tenant: 'a' });
       register.setDefaultLabels({ app: 'a' });
       client.collectDefaultMetrics();
       console.log(JSON.stringify({
         text: await register.metrics(),
         one: await register.getSingleMetricAsString('c_total'),
         json: await register.getMetricsAsJSON(),
         got: (await counter.get()).values,
         scrape: String((await register.scrape({ accept: 'application/openmetrics-text' })).body),
         series: register.cardinality().series,
         valid: [client.validateMetricName('a:b'), client.validateMetricName('1')],
       }));
     })();`,
    DISABLED,
  );
  const nothing = { text: '', one: '', json: [], got: [], scrape: '', series: 0 };
  t.deepEqual(shown, { ...nothing, valid: [true, false] });
  t.is(stderr.match(/PrometheusMetricsWarning/g).length, 1, stderr);
  t.regex(stderr, /METRICS_ENABLED is false, so the program runs without metrics\. .* could not load its native addon/);
});

test('label sets leave no memory behind', async (t) => {
  const { shown } = await run(
    await install(t),
    `const { Counter } = require('${NAME}');
     const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['a'] });
     const used = () => (gc(), process.memoryUsage().heapUsed);
     const record = (round) => { for (let n = 0; n < 50_000; n++) counter.inc({ a: 'value ' + round + ' ' + n }); };
     record(0);
     const before = used();
     for (let round = 1; round < 5; round++) record(round);
     console.log(JSON.stringify(used() - before));`,
    { ...DISABLED, flags: ['--expose-gc'] },
  );
  // 200,000 series would take some 40 MB.
  t.true(shown < 2_000_000, `${shown} bytes`);
});

test('collectors of LLM requests and agents return', async (t) => {
  const { shown } = await run(
    await install(t),
    `const { AgentMetricsCollector, LlmMetricsCollector, register } = require('${NAME}');
     const failures = [];
     process.on('warning', ({ message }) => failures.push(message.split('\\n')[0]));
     (async () => {
       const llm = new LlmMetricsCollector({ genAiNames: true, prices: { m: { input: 1, output: 2 } } });
       llm.registerModel({ model: 'm', provider: 'openai' });
       const call = llm.startRequest({ model: 'm', provider: 'openai' });
       call.chunk();
       call.chunk();
       call.end({ inputTokens: 1, outputTokens: 2, finishReason: 'stop' });
       llm.startRequest({ model: 'n', provider: 'openai' }).fail(new Error('x'));
       llm.setBudget('b', { limitUsd: 1, remainingUsd: 1 });
       const agents = new AgentMetricsCollector({ genAiNames: true });
       const execution = agents.startExecution('a');
       execution.step('llm', () => 1);
       execution.end();
       await agents.run('b', async () => agents.tool('t', {}, async () => 1));
       await new Promise((resolve) => setTimeout(resolve, 10));
       console.log(JSON.stringify([await register.metrics(), failures.length]));
     })();`,
    DISABLED,
  );
  // One warning: the addon is missing. A collector that fails warns too.
  t.deepEqual(shown, ['', 1]);
});

test('the endpoint is disabled, and an explicit wish for it fails', async (t) => {
  const { shown } = await run(
    await install(t),
    `const { configFromEnv, createMetricsHandler, startExporter } = require('${NAME}');
     (async () => {
       const exporter = await startExporter({ port: 1, path: '/m' });
       exporter.setReady(false);
       await exporter.close();
       let passed = 0;
       const handler = createMetricsHandler({ cacheTtlMs: 5 });
       await handler({ method: 'GET', url: '/metrics', headers: {} }, {}, () => passed++);
       const wish = await startExporter({ enabled: true }).catch(({ code }) => code);
       console.log(JSON.stringify([exporter.url, exporter.port, passed, configFromEnv().enabled, wish]));
     })();`,
    DISABLED,
  );
  t.deepEqual(shown, ['', 0, 1, false, 'ADDON_NOT_FOUND']);
});

test('every word for false counts, and no other', async (t) => {
  const folder = await install(t);
  for (const word of ['false', 'FALSE', '0', 'no', 'off', ' false ']) {
    t.deepEqual((await run(folder, LOAD, { env: { METRICS_ENABLED: word } })).shown, { text: '' }, word);
  }
  for (const word of ['true', '', 'never']) {
    t.is((await run(folder, LOAD, { env: { METRICS_ENABLED: word } })).shown.code, 'ADDON_NOT_FOUND', word);
  }
});

test('with the addon, METRICS_ENABLED=false changes nothing that is recorded', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  const { shown, stderr } = await run(folder, LOAD, DISABLED);
  t.is(shown.text, '# HELP loaded_total h\n# TYPE loaded_total counter\nloaded_total 2\n');
  t.is(stderr, '');
});

test('the stand-in has everything that the addon has', (t) => {
  const standIn = createStandIn(new Error('no addon'));
  t.deepEqual(Object.keys(standIn).sort(), Object.keys(addon).sort());
  t.deepEqual(
    standIn.labelWords().map(({ words }) => words),
    addon.labelWords().map(({ words }) => words),
  );
  t.deepEqual(
    standIn.catalogue(false).map(({ name }) => name),
    addon.catalogue(false).map(({ name }) => name),
  );
  t.deepEqual(new standIn.NativeConfig([]).values(), { ...new addon.NativeConfig([]).values(), enabled: false });
  t.is(standIn.beatIntervalMs(), addon.beatIntervalMs());
});
