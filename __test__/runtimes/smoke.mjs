/**
 * Uses the library as an application does. Prints one line of JSON for each step: its name, and the error if it failed.
 * The step of the default metrics also prints which of them have a value.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import {
  AgentMetricsCollector,
  Counter,
  collectDefaultMetrics,
  createFetchHandler,
  createHttpMetrics,
  createMetricsHandler,
  Gauge,
  Histogram,
  LlmMetricsCollector,
  Registry,
  register,
  startExporter,
  startPusher,
} from '@llm-devops/prometheus-metrics';

const jobs = new Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['queue', 'status'] });

const steps = {
  'records counters, gauges and histograms'() {
    jobs.inc({ queue: 'mail', status: 'ok' }, 2);
    const registers = [new Registry()];
    const depth = new Gauge({ name: 'depth', help: 'Depth', registers });
    depth.set(3);
    depth.dec(4.5);
    const seconds = new Histogram({ name: 'seconds', help: 'Duration', buckets: [1, 2], registers });
    seconds.observe(1.5);
    seconds.startTimer()();
    assert.equal(jobs.value({ queue: 'mail', status: 'ok' }), 2);
    assert.equal(depth.value(), -1.5);
    assert.equal(seconds.value().count, 2);
  },

  async 'shows labels as text, escaped'() {
    const registry = new Registry();
    const odd = registry.counter({ name: 'odd_total', help: 'Odd', labelNames: ['text', 'number'] });
    odd.inc({ text: 'ü "\\\n😀', number: 1e21 });
    odd.inc({ text: '\ud800', number: true });
    assert.equal(
      await registry.metrics(),
      `# HELP odd_total Odd
# TYPE odd_total counter
odd_total{text="ü \\"\\\\\\n😀",number="1e+21"} 1
odd_total{text="\ufffd",number="true"} 1
`,
    );
    assert.throws(() => odd.inc({ unknown: 'x' }), /unknown/);
  },

  async 'adds up threads, also after they ended'() {
    const worker = new Worker(fileURLToPath(import.meta.url));
    await once(worker, 'message');
    const running = await register.getSingleMetricAsString('jobs_total');
    worker.postMessage('end');
    await once(worker, 'exit');
    const ended = await register.getSingleMetricAsString('jobs_total');
    for (const text of [running, ended]) assert.match(text, /^jobs_total\{queue="mail",status="ok"\} 42$/m);
  },

  async 'scrapes many series off the event loop'() {
    const registry = new Registry();
    const many = registry.counter({ name: 'many_total', help: 'Many', labelNames: ['n'] });
    for (let n = 0; n < 5000; n += 1) many.inc({ n }, n);
    const { body, headers } = await registry.scrape({ accept: 'application/openmetrics-text' });
    assert.match(headers['content-type'], /^application\/openmetrics-text/);
    const lines = String(body).split('\n');
    assert.equal(lines.filter((line) => line.startsWith('many_total{')).length, 5000);
    assert.ok(lines.includes('many_total{n="4999"} 4999'));
    globalThis.gc?.();
    await setTimeout(20);
    many.inc({ n: 1 });
    assert.equal(many.value({ n: 1 }), 2);
  },

  async 'answers node:http requests'() {
    const server = http.createServer(createMetricsHandler({ selfMetrics: false })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    const answer = await fetch(`${url}/metrics`);
    assert.match(await answer.text(), /^jobs_total\{/m);
    assert.equal((await fetch(`${url}/ready`)).status, 200);
    assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
    server.closeAllConnections();
    server.close();
  },

  async "answers the runtime's own server"() {
    const registry = new Registry();
    registry.counter({ name: 'served_total', help: 'Served' }).inc();
    const metrics = createFetchHandler({ registry, selfMetrics: false });
    const { port, stop } = await serve(metrics);
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.equal(await answer.text(), '# HELP served_total Served\n# TYPE served_total counter\nserved_total 1\n');
    assert.equal((await metrics(new Request('http://localhost/other'))).status, 404);
    await stop();
  },

  async 'measures requests of node:http'() {
    const registry = new Registry();
    const measure = createHttpMetrics({ registry });
    const server = http
      .createServer((request, response) => measure(request, response, () => response.end('done')))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text();
    await setTimeout(50);
    assert.match(
      await registry.metrics(),
      /^llmdevops_http_requests_total\{.*method="GET".*status="2xx".*\} 1$|_count\{.*\} 1$/m,
    );
    server.closeAllConnections();
    server.close();
  },

  async 'answers from a thread of its own while the event loop is blocked'() {
    const exporter = await startExporter({ port: 0, host: '127.0.0.1', selfMetrics: false });
    const blocked = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const http = require('node:http');
       http.get(workerData + '/metrics', { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
         const parts = [];
         answer.on('data', (part) => parts.push(part));
         answer.on('end', () => {
           Atomics.store(shared, 0, 1);
           parentPort.postMessage({ encoding: answer.headers['content-encoding'], bytes: Buffer.concat(parts) });
         });
       });
       let shared;
       parentPort.once('message', (array) => { shared = array; });`,
      { eval: true, workerData: exporter.url },
    );
    const flag = new Int32Array(new SharedArrayBuffer(4));
    blocked.postMessage(flag);
    const message = once(blocked, 'message');
    const deadline = performance.now() + 10_000;
    while (Atomics.load(flag, 0) === 0 && performance.now() < deadline);
    assert.equal(Atomics.load(flag, 0), 1, 'the answer comes while the loop is blocked');
    const [{ encoding, bytes }] = await message;
    const text = String(encoding === 'gzip' ? gunzipSync(bytes) : Buffer.from(bytes));
    assert.match(text, /^jobs_total\{/m);
    await blocked.terminate();
    await exporter.close();
    await assert.rejects(fetch(`${exporter.url}/metrics`));
  },

  async 'pushes while the event loop is blocked'() {
    const receiver = new Worker(
      `const { parentPort } = require('node:worker_threads');
       let shared;
       parentPort.once('message', (array) => { shared = array; });
       const server = require('node:http').createServer((request, response) => {
         request.resume().on('end', () => {
           response.writeHead(204).end();
           if (shared) Atomics.add(shared, 0, 1);
         });
       });
       server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
      { eval: true },
    );
    const [port] = await once(receiver, 'message');
    const requests = new Int32Array(new SharedArrayBuffer(4));
    receiver.postMessage(requests);
    const registry = new Registry();
    registry.counter({ name: 'pushed_total', help: 'Pushed' }).inc();
    const url = `http://127.0.0.1:${port}/`;
    const pusher = await startPusher({ registry, url, protocol: 'remote-write-1', intervalMs: 100 });
    await pusher.flush();
    const before = Atomics.load(requests, 0);
    const deadline = performance.now() + 10_000;
    while (Atomics.load(requests, 0) < before + 2 && performance.now() < deadline);
    assert.ok(Atomics.load(requests, 0) >= before + 2, 'pushes come while the loop is blocked');
    await pusher.close();
    await receiver.terminate();
  },

  async 'runs collectors and readiness checks for the exporter'() {
    const registry = new Registry();
    registry.gauge({
      name: 'asked',
      help: 'Asked',
      async collect() {
        await setTimeout(1);
        this.set(7);
      },
    });
    const exporter = await startExporter({
      port: 0,
      host: '127.0.0.1',
      registry,
      selfMetrics: false,
      checks: { database: async () => false },
    });
    assert.match(await (await fetch(`${exporter.url}/metrics`)).text(), /^asked 7$/m);
    assert.equal((await fetch(`${exporter.url}/ready`)).status, 503);
    await exporter.close();
  },

  async 'counts requests to models for the agent that makes them'() {
    const registry = new Registry();
    const llm = new LlmMetricsCollector({ registry, prices: { small: { input: 1, output: 2 } } });
    const agents = new AgentMetricsCollector({ registry });
    const ask = async (inputTokens) => {
      await setTimeout(5);
      await Promise.all([null, undefined]);
      llm.recordRequest({
        model: 'small',
        provider: 'openai',
        operation: 'chat',
        status: 'success',
        durationSeconds: 0.1,
        inputTokens,
        outputTokens: 1,
      });
    };
    await Promise.all([
      agents.run('writer', async () => Promise.all([ask(1), ask(10)])),
      agents.run('reader', async () => ask(100)),
    ]);
    await ask(1000);
    const text = await registry.metrics();
    for (const line of ['{agent_type="reader",type="input"} 100', '{agent_type="writer",type="input"} 11']) {
      assert.ok(
        text.includes(`llmdevops_agent_tokens_total${line}\n`),
        `${line} in\n${text.match(/^.*agent_tokens.*$/gm)}`,
      );
    }
  },

  async 'collects default metrics'() {
    const registry = new Registry();
    const server = http.createServer().listen(0, '127.0.0.1');
    collectDefaultMetrics({ register: registry });
    const garbage = [];
    for (let n = 0; n < 2_000_000; n += 1) garbage[n % 1000] = { n };
    await setTimeout(500);
    const text = await registry.metrics();
    server.close();
    // The timers and observers of the metrics end.
    registry.clear();
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const withValue = samples.filter((line) => Math.abs(Number(line.split(' ').at(-1))) > 0);
    const names = withValue.map((line) => line.slice(0, line.search(/[{ ]/)));
    // Counts of zeros tell nothing.
    return [...new Set(names.filter((name) => !/_(bucket|count)$/.test(name)))].sort();
  },
};

/** Serves with what the runtime has, which tells the handler the address of the client. */
async function serve(metrics) {
  if (globalThis.Bun) {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request, self) => metrics(request, self) });
    return { port: server.port, stop: () => server.stop(true) };
  }
  if (globalThis.Deno) {
    const options = { port: 0, hostname: '127.0.0.1', onListen() {} };
    const server = Deno.serve(options, (request, info) => metrics(request, info));
    return { port: server.addr.port, stop: () => server.shutdown() };
  }
  const server = http.createServer(async (request, response) => {
    const answer = await metrics(new Request(`http://127.0.0.1${request.url}`), { peer: '127.0.0.1' });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: server.address().port, stop: () => server.close() };
}

async function main() {
  for (const [step, run] of Object.entries(steps)) {
    try {
      console.log(JSON.stringify({ step, value: await run() }));
    } catch (error) {
      console.log(JSON.stringify({ step, error: `${error.stack ?? error}` }));
    }
  }
  console.log(JSON.stringify({ step: 'ends' }));
}

if (isMainThread) {
  await main();
} else {
  const { parentPort } = await import('node:worker_threads');
  jobs.inc({ queue: 'mail', status: 'ok' }, 40);
  parentPort.once('message', () => undefined);
  parentPort.postMessage('recorded');
}
