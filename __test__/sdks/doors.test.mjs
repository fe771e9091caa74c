// Tests doors, collectors, timers and agents with the `Promise` of the process: the engine's, or the one that a preload has
// put in its place (see .ci/sdks.mjs).

import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  AgentMetricsCollector,
  Counter,
  createFetchHandler,
  createMetricsHandler,
  Gauge,
  Histogram,
  Registry,
  startExporter,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';

const EnginePromise = (async () => {})().constructor;

/** A promise of the global class, which settles in a later turn of the loop. */
const later = (value) => new Promise((resolve) => setTimeout(resolve, 5, value));

test.serial('the global Promise is the one that was asked for', (t) => {
  const wanted = process.env.REPLACED_PROMISE ?? 'none';
  t.is(wanted, Promise === EnginePromise ? 'none' : typeof Promise.coroutine === 'function' ? 'bluebird' : 'zone');
});

function world() {
  const registry = new Registry({
    logger: {
      warn(message) {
        throw new Error(message);
      },
    },
  });
  new Gauge({
    name: 'answered',
    help: 'h',
    registers: [registry],
    collect() {
      return later().then(() => this.set(1));
    },
  });
  registry.registerMetric({
    name: 'foreign',
    get: () => later({ name: 'foreign', help: 'h', type: 'gauge', values: [{ labels: {}, value: 2 }] }),
  });
  const options = { registry, authenticate: () => later(true), checks: { database: () => later(true) } };
  return { registry, options };
}

async function check(t, ask) {
  const metrics = await ask('/metrics');
  t.is(metrics.status, 200);
  const text = await metrics.text();
  t.regex(text, /^answered 1$/m);
  t.regex(text, /^foreign 2$/m);
  t.is((await ask('/ready')).status, 200);
  t.is((await ask('/health')).status, 200);
}

async function serve(t, listener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (path) => fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: { connection: 'close' } });
}

test.serial('the handler for node:http', async (t) => {
  await check(t, await serve(t, createMetricsHandler(world().options)));
});

test.serial('the handler as a middleware, and a refused request', async (t) => {
  const handler = createMetricsHandler({ ...world().options, authenticate: () => later(false) });
  const ask = await serve(t, (request, response) => handler(request, response, (error) => response.end(`${error}`)));
  t.is((await ask('/metrics')).status, 401);
  t.is(await (await ask('/other')).text(), 'undefined');
});

test.serial('the handler for Koa', async (t) => {
  const { koa } = createMetricsHandler(world().options);
  const context = { req: { method: 'GET', headers: {}, url: '/metrics' }, url: '/metrics', set() {} };
  await koa(context, () => later());
  t.is(context.status, 200);
  t.regex(String(context.body), /^answered 1$/m);
});

test.serial('the handler of Request and Response', async (t) => {
  const handler = createFetchHandler(world().options);
  await check(t, (path) => handler(new Request(`http://localhost${path}`)));
});

test.serial('the exporter', async (t) => {
  const exporter = await startExporter({ ...world().options, host: '127.0.0.1', port: 0 });
  await check(t, (path) => fetch(`${exporter.url}${path}`));
  await exporter.close();
});

test.serial('a check, a collector and authenticate() that reject', async (t) => {
  const registry = new Registry({ logger: { warn: () => Promise.reject(new Error('a logger')) } });
  new Counter({ name: 'c', help: 'h', registers: [registry] }).inc();
  const failing = () => later().then(() => Promise.reject(new Error('expected')));
  new Gauge({ name: 'g', help: 'h', registers: [registry], collect: failing });
  const ask = await serve(t, createMetricsHandler({ registry, checks: { failing } }));
  t.is((await ask('/metrics')).status, 200);
  t.is((await ask('/ready')).status, 503);
  const guarded = await serve(t, createMetricsHandler({ registry, authenticate: failing }));
  t.is((await guarded('/metrics')).status, 503);
});

test.serial('timers and agents wait for promises', async (t) => {
  const registry = new Registry();
  const histogram = new Histogram({ name: 'h', help: 'h', buckets: [0.004], registers: [registry] });
  t.is(await histogram.time(() => later('result')), 'result');
  await t.throwsAsync(async () => histogram.time(() => later().then(() => Promise.reject(new Error('x')))));
  const agents = new AgentMetricsCollector({ registry });
  t.is(await agents.run('bot', () => later('answer')), 'answer');
  await t.throwsAsync(async () => agents.run('bot', () => later().then(() => Promise.reject(new Error('x')))));
  const text = await registry.metrics();
  t.regex(text, /^h_bucket\{le="0.004"\} 0$/m);
  t.regex(text, /^h_count 2$/m);
  for (const status of ['success', 'failed']) {
    t.regex(text, new RegExp(`^llmdevops_agent_executions_total\\{agent_type="bot",status="${status}"\\} 1$`, 'm'));
  }
});
