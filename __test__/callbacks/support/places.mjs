/**
 * The places where the library calls code of the program. Each calls `fail` there, and then uses the library on: what is
 * asked must be answered. Runs in a child process, so that an uncaught error ends it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
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
  startExporter,
} from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import fastify from 'fastify';

const silent = { warn() {} };

/** A registry with a counter that every exposition has to show. */
function usable(options = {}) {
  const registry = new Registry({ logger: silent, ...options });
  new Counter({ name: 'still_here', help: 'h', registers: [registry] }).inc();
  return registry;
}

async function serve(listener, ask) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await ask(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Asks every door for one path, and passes status and text to `check`. */
async function throughAllDoors(path, options, check) {
  const ask = async (url) => {
    const response = await fetch(url + path);
    check(response.status, await response.text());
  };
  await serve(createMetricsHandler(options), ask);
  await serve(
    (request, response) =>
      createMetricsHandler(options)(request, response, (error) => {
        response.writeHead(500).end(`next() was called: ${typeof error}`);
      }),
    ask,
  );
  const answer = await createFetchHandler(options)(new Request(`http://x${path}`));
  check(answer.status, await answer.text());
  const exporter = await startExporter({ host: '127.0.0.1', port: 0, ...options });
  try {
    await ask(exporter.url);
  } finally {
    await exporter.close({ timeoutMs: 1000 });
  }
}

const shows = (status, text) => {
  assert.equal(status, 200);
  assert.match(text, /^still_here(_total)? 1$/m);
};

async function readInAllWays(registry) {
  assert.match(await registry.metrics(), /still_here 1/);
  assert.match((await registry.scrape()).body.toString(), /still_here 1/);
  await registry.getMetricsAsJSON().then(
    (families) => assert.ok(families.some(({ name }) => name === 'still_here')),
    (error) => assert.ok(error !== undefined),
  );
}

async function readThroughAllDoors(registry) {
  await readInAllWays(registry);
  await throughAllDoors('/metrics', { registry }, shows);
}

/**
 * Where the engine calls the callback: it is a getter, a trap or a conversion, and no one gets the promise that it returns.
 * It is not called with manners that reject.
 */
export const CALLED_BY_THE_ENGINE = [
  'values of a metric of another library',
  'a getter of the logger',
  'label values, options and their getters',
  'a listener of warnings',
  'a getter for collect() or get()',
];

/** Calls what the program itself calls: there an error is the program's to catch. */
async function attempt(call) {
  try {
    await call();
  } catch {}
}

/** By name: what is done with the failing callback. */
export const places = {
  async 'collect() of a metric'(fail) {
    const registry = usable();
    const gauge = new Gauge({ name: 'g', help: 'h', registers: [registry], collect: fail });
    await readThroughAllDoors(registry);
    await attempt(() => gauge.get());
    await attempt(() => registry.getMetricsAsString(gauge));
  },
  async 'collect() of a mounted registry'(fail) {
    const [registry, tenant] = [usable(), new Registry({ logger: silent })];
    new Gauge({ name: 'g', help: 'h', registers: [tenant], collect: fail });
    registry.mount(tenant, { tenant: 'a' });
    await readInAllWays(registry);
  },
  async 'a getter for collect() or get()'(fail) {
    const registry = usable();
    for (const name of ['collect', 'get']) {
      const gauge = new Gauge({ name: `g_${name}`, help: 'h', registers: [registry] });
      Object.defineProperty(gauge, name, { get: fail });
    }
    let isReady = false;
    const trap = (target, ...more) => (isReady ? fail() : Reflect.get(target, ...more));
    const foreign = { name: 'f', get: async () => ({ name: 'f', help: 'h', type: 'gauge', values: [] }) };
    registry.registerMetric(new Proxy(foreign, { get: trap }));
    isReady = true;
    await readThroughAllDoors(registry);
    new Gauge({ name: 'later', help: 'h', registers: [registry] });
  },
  async 'get() of a metric of another library'(fail) {
    const registry = usable();
    registry.registerMetric({ name: 'foreign', get: fail });
    await readThroughAllDoors(registry);
  },
  async 'values of a metric of another library'(fail) {
    const registry = usable();
    const bad = { toString: fail, [Symbol.toPrimitive]: fail };
    for (const [name, answer] of Object.entries({
      labels: { name: 'f', help: 'h', type: 'gauge', values: [{ labels: { a: bad }, value: 1 }] },
      value: { name: 'f', help: 'h', type: 'gauge', values: [{ labels: {}, value: bad }] },
      help: { name: 'f', help: bad, type: bad, values: [] },
      entries: { name: 'f', help: 'h', type: 'gauge', values: [null, 5] },
      nothing: { name: 'f' },
    })) {
      registry.registerMetric({ name: `foreign_${name}`, get: async () => answer });
    }
    await readInAllWays(registry);
  },
  async 'the logger'(fail) {
    const registry = usable({ logger: { warn: fail }, cardinality: { maxSeries: 2 } });
    new Gauge({
      name: 'g',
      help: 'h',
      registers: [registry],
      collect: () => {
        throw new Error('logged');
      },
    });
    const counter = new Counter({ name: 'c', help: 'h', registers: [registry], labelNames: ['a'] });
    for (let at = 0; at < 300; at++) counter.inc({ a: `${at}` });
    await readThroughAllDoors(registry);
  },
  async 'a getter of the logger'(fail) {
    const registry = usable({ logger: Object.defineProperty({}, 'warn', { get: fail }) });
    new Gauge({
      name: 'g',
      help: 'h',
      registers: [registry],
      collect: () => {
        throw new Error('logged');
      },
    });
    await readInAllWays(registry);
  },
  async 'authenticate()'(fail) {
    const options = { registry: usable(), authenticate: fail };
    await throughAllDoors('/metrics', options, (status) => assert.ok([401, 403, 503].includes(status), `${status}`));
  },
  async 'a readiness check'(fail, manner) {
    const options = { registry: usable(), checks: { good: () => true, bad: fail } };
    const failing = manner !== 'returns';
    await throughAllDoors('/ready', options, (status) => {
      if (failing) assert.equal(status, 503);
      else assert.ok([200, 503].includes(status), `${status}`);
    });
    await throughAllDoors('/metrics', options, shows);
  },
  async 'next() of a handler'(fail, manner) {
    const handler = createMetricsHandler({ registry: usable() });
    const listener = async (request, response) => {
      await handler(request, response, fail);
      if (!response.headersSent) response.end('passed on');
    };
    await serve(listener, async (url) => {
      const expected = manner === 'returns' ? [200, 500] : [500];
      assert.ok(expected.includes((await fetch(`${url}/other`)).status));
      assert.equal((await fetch(`${url}/metrics`)).status, 200);
    });
  },
  async "a function that tells a client's address"(fail) {
    const { status } = await createFetchHandler({ registry: usable() })(new Request('http://x/metrics'), {
      requestIP: fail,
    });
    assert.equal(status, 200);
  },
  async 'isReady of Fastify'(fail) {
    const app = fastify();
    app.register(fastifyMetrics, { registry: usable(), isReady: fail });
    const { statusCode } = await app.inject('/ready');
    assert.ok([200, 503].includes(statusCode));
    await app.close();
  },
  async 'ignore and route of HTTP metrics'(fail) {
    for (const options of [{ ignore: fail }, { route: fail }]) {
      const registry = usable();
      const record = createHttpMetrics({ registry, ...options });
      const listener = (request, response) => record(request, response, () => response.end('answered'));
      await serve(listener, async (url) => assert.equal(await (await fetch(`${url}/a`)).text(), 'answered'));
      await readInAllWays(registry);
    }
  },
  async normalizeModel(fail) {
    const registry = usable();
    const llm = new LlmMetricsCollector({ registry, normalizeModel: fail });
    const call = llm.startRequest({ model: 'm', provider: 'openai' });
    call.end({ usage: { inputTokens: 1, outputTokens: 1 } });
    await readInAllWays(registry);
  },
  async 'errors that requests and agents fail with'(fail) {
    const registry = usable();
    const llm = new LlmMetricsCollector({ registry });
    const agents = new AgentMetricsCollector({ registry });
    const [thrown] = await outcome(fail);
    llm.startRequest({ model: 'm', provider: 'openai' }).fail(thrown);
    agents.startExecution('a').fail(thrown);
    agents.startExecution('a').recordError(thrown);
    await attempt(() => agents.run('a', fail));
    await attempt(() => agents.run('a', (execution) => execution.tool('t', thrown, fail)));
    await attempt(() => agents.run('a', (execution) => execution.step('llm', fail)));
    await readInAllWays(registry);
  },
  async 'a function that is timed'(fail) {
    const registry = usable();
    const histogram = new Histogram({ name: 'h', help: 'h', registers: [registry] });
    if (typeof histogram.time === 'function') await attempt(() => histogram.time(fail));
    await readInAllWays(registry);
  },
  async 'label values, options and their getters'(fail) {
    const registry = usable();
    const counter = new Counter({ name: 'c', help: 'h', registers: [registry], labelNames: ['a', 'b'] });
    const bad = { toString: fail, [Symbol.toPrimitive]: fail };
    const getter = Object.defineProperty({}, 'a', { get: fail, enumerable: true });
    const trap = new Proxy({}, { get: fail, ownKeys: fail, has: fail, getPrototypeOf: fail });
    for (const labels of [{ a: bad }, { a: 'x', b: bad }, getter, trap, bad]) {
      await attempt(() => counter.inc(labels));
      await attempt(() => counter.labels(labels).inc());
      await attempt(() => counter.remove(labels));
      await attempt(() => counter.removeMatching(labels));
      await attempt(() => counter.init(labels));
      await attempt(() => registry.setDefaultLabels(labels));
      registry.setDefaultLabels({});
      await attempt(() => new Registry(labels));
      await attempt(() => new Gauge(labels));
      await attempt(() => createMetricsHandler(labels));
      await attempt(() => startExporter(labels).then((exporter) => exporter.close()));
      await attempt(() => collectDefaultMetrics({ register: registry, labels })());
    }
    const peer = Object.defineProperty({}, 'peer', { get: fail });
    assert.equal((await createFetchHandler({ registry })(new Request('http://x/metrics'), peer)).status, 200);
    for (const value of [bad, trap]) {
      await attempt(() => counter.inc(value));
      await attempt(() => counter.inc({}, value));
      await attempt(() => registry.registerMetric(value));
    }
    await readInAllWays(registry);
  },
  async 'a listener of warnings'(fail) {
    process.on('warning', fail);
    const registry = usable({ logger: undefined });
    new Gauge({
      name: `g${Math.random()}`.replace('.', '_'),
      help: 'h',
      registers: [registry],
      collect: () => {
        throw new Error('warned of');
      },
    });
    await readInAllWays(registry);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', fail);
  },
  async 'process.emitWarning'(fail) {
    const { emitWarning } = process;
    process.emitWarning = fail;
    const registry = usable({ logger: undefined });
    new Gauge({
      name: 'g',
      help: 'h',
      registers: [registry],
      collect: () => {
        throw new Error('warned of');
      },
    });
    await readThroughAllDoors(registry);
    process.emitWarning = emitWarning;
  },
};

/** The value that the callback throws or returns, in an array: the value itself may have a `then` that fails. */
async function outcome(fail) {
  try {
    return [await fail()];
  } catch (error) {
    return [error];
  }
}
