// Tests createMetricsHandler() over real sockets.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { gunzipSync } from 'node:zlib';
import {
  Counter,
  createMetricsHandler,
  Gauge,
  openMetricsContentType,
  Registry,
  register,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samplesOf, text } from '../support/exposition.mjs';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** A server around a handler; closed when the test ends. */
async function serve(t, listener) {
  const server = http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  return {
    server,
    port,
    /** Sends a request and reads the whole answer. */
    async ask(path, { method = 'GET', headers = {}, body } = {}) {
      const request = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false });
      request.end(body);
      const [response] = await once(request, 'response');
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
    },
  };
}

/** The headers that the handler sets, without those of Node.js and the date. */
function own({ connection: _, date: __, 'keep-alive': ___, ...headers }) {
  return headers;
}

function smallRegistry() {
  const registry = new Registry();
  new Counter({ name: 'c', help: 'Some help', registers: [registry] }).inc(2);
  new Gauge({ name: 'g', help: 'Some help', registers: [registry] }).set(3);
  return registry;
}

/** Some 6 MB of text, in 20,000 series. */
function largeRegistry() {
  const registry = new Registry();
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
  for (let i = 0; i < 20_000; i++) counter.inc({ a: 'x'.repeat(280), b: i });
  return registry;
}

test('GET /metrics', async (t) => {
  const registry = smallRegistry();
  const { ask } = await serve(t, createMetricsHandler({ registry, selfMetrics: false }));
  const { status, headers, body } = await ask('/metrics');
  t.is(status, 200);
  const expected = text(
    '# HELP c Some help',
    '# TYPE c counter',
    'c 2',
    '',
    '# HELP g Some help',
    '# TYPE g gauge',
    'g 3',
  );
  t.is(body.toString(), expected);
  t.deepEqual(own(headers), {
    'content-type': TEXT,
    'content-length': `${expected.length}`,
    'cache-control': 'no-store',
    vary: 'accept, accept-encoding',
  });
});

test('HEAD /metrics has the headers of GET, and no body', async (t) => {
  const { ask } = await serve(t, createMetricsHandler({ registry: smallRegistry(), selfMetrics: false }));
  const get = await ask('/metrics');
  const head = await ask('/metrics', { method: 'HEAD' });
  t.is(head.status, 200);
  t.is(head.body.length, 0);
  t.deepEqual(own(head.headers), own(get.headers));
});

for (const path of ['/metrics', '/health', '/ready']) {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    test(`${method} ${path} is not allowed`, async (t) => {
      const { ask } = await serve(t, createMetricsHandler({ registry: smallRegistry() }));
      const { status, headers, body } = await ask(path, { method, body: method === 'POST' ? 'x' : undefined });
      t.is(status, 405);
      t.is(headers.allow, 'GET, HEAD');
      t.is(headers['content-type'], 'text/plain; charset=utf-8');
      t.is(body.toString(), 'Method not allowed: use GET or HEAD.\n');
      t.is(headers['content-length'], `${body.length}`);
    });
  }
}

test('Accept and Accept-Encoding are obeyed', async (t) => {
  const registry = largeRegistry();
  const { ask } = await serve(t, createMetricsHandler({ registry, selfMetrics: false }));
  const headers = { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' };
  const zipped = await ask('/metrics', { headers });
  t.is(zipped.headers['content-type'], openMetricsContentType);
  t.is(zipped.headers['content-encoding'], 'gzip');
  t.is(zipped.headers['content-length'], `${zipped.body.length}`);
  registry.setContentType(openMetricsContentType);
  const expected = Buffer.from(await registry.metrics());
  t.true(gunzipSync(zipped.body).equals(expected));
  const plain = await ask('/metrics', { headers: { accept: openMetricsContentType } });
  t.is(plain.headers['content-encoding'], undefined);
  t.true(plain.body.equals(expected));
});

test('name[] shows these families', async (t) => {
  const { ask } = await serve(t, createMetricsHandler({ registry: smallRegistry() }));
  const shown = async (query) => samplesOf((await ask(`/metrics${query}`)).body.toString());
  t.deepEqual(await shown('?name[]=g'), ['g 3']);
  t.deepEqual(await shown('?name%5B%5D=g'), ['g 3']);
  t.deepEqual(await shown('?name[]=g&name[]=c'), ['c 2', 'g 3']);
  t.deepEqual(await shown('?name[]=%63'), ['c 2']);
  t.deepEqual(await shown('?name[]=none'), []);
  t.deepEqual(await shown('?name=g&other[]=g'), ['c 2', 'g 3']);
  t.deepEqual(await shown('?'), ['c 2', 'g 3']);
  t.deepEqual(await shown('?%zz&==&name[]=%ff'), []);
});

test('/health and /ready, and setReady()', async (t) => {
  const handler = createMetricsHandler({ registry: smallRegistry() });
  const { ask } = await serve(t, handler);
  const headers = (length) => ({
    'content-type': JSON_TYPE,
    'cache-control': 'no-store',
    'content-length': `${length}`,
  });
  const healthy = (body) => {
    const { process: seen, ...others } = JSON.parse(body);
    t.deepEqual(others, { status: 'ok', event_loop: { stalled_seconds: 0 } });
    t.deepEqual(Object.keys(seen), ['pid', 'uptime_seconds']);
    t.is(seen.pid, process.pid);
    t.true(seen.uptime_seconds >= 0 && seen.uptime_seconds < 180, body);
    t.true(body.endsWith('}\n'));
  };
  const answers = async (path, status, body) => {
    const answer = await ask(path);
    t.is(answer.status, status);
    if (typeof body === 'function') body(answer.body.toString());
    else t.is(answer.body.toString(), body);
    t.deepEqual(own(answer.headers), headers(answer.body.length));
    const head = await ask(path, { method: 'HEAD' });
    t.is(head.status, status);
    t.is(head.body.length, 0);
    // The body contains a time, so its length may differ.
    const { 'content-length': length, ...others } = own(head.headers);
    t.deepEqual({ ...others, 'content-length': `${answer.body.length}` }, headers(answer.body.length));
    if (typeof body === 'string') t.is(length, `${answer.body.length}`);
  };
  await answers('/health', 200, healthy);
  await answers('/ready', 200, '{"status":"ready"}\n');
  t.is(handler.setReady(false), undefined);
  await answers('/ready', 503, '{"status":"not ready"}\n');
  await answers('/health?probe=1', 200, healthy);
  handler.setReady(true);
  await answers('/ready?x', 200, '{"status":"ready"}\n');
});

test("readiness is each handler's own", async (t) => {
  const [one, other] = [createMetricsHandler(), createMetricsHandler()];
  one.setReady(false);
  const { ask } = await serve(t, (request, response) => {
    (request.headers.which === 'one' ? one : other)(request, response);
  });
  t.is((await ask('/ready', { headers: { which: 'one' } })).status, 503);
  t.is((await ask('/ready', { headers: { which: 'other' } })).status, 200);
});

test('other paths get 404, or are passed to next()', async (t) => {
  const handler = createMetricsHandler({ registry: smallRegistry() });
  const alone = await serve(t, handler);
  const chained = await serve(t, (request, response) => {
    handler(request, response, (error) => {
      response.end(`next ${error} ${request.url}`);
    });
  });
  for (const path of [
    '/',
    '/metrics/',
    '/metricsx',
    '/METRICS',
    '//metrics',
    '/health/x',
    '/readyz?a=/ready',
    '/%6detrics',
  ]) {
    const { status, headers, body } = await alone.ask(path);
    t.is(status, 404, path);
    t.is(headers['content-type'], 'text/plain; charset=utf-8');
    t.is(body.toString(), 'Not found.\n');
    t.is((await chained.ask(path)).body.toString(), `next undefined ${path}`);
    t.is((await chained.ask(path, { method: 'POST' })).body.toString(), `next undefined ${path}`);
  }
  for (const path of ['/metrics', '/health', '/ready']) {
    t.is((await chained.ask(path)).status, 200);
    t.is((await chained.ask(path, { method: 'POST' })).status, 405);
  }
});

test('the path of the exposition may be another', async (t) => {
  const { ask } = await serve(t, createMetricsHandler({ registry: smallRegistry(), path: '/internal/prom' }));
  t.deepEqual(samplesOf((await ask('/internal/prom?name[]=c')).body.toString()), ['c 2']);
  t.is((await ask('/metrics')).status, 404);
  t.is((await ask('/health')).status, 200);
});

test('without options the default registry is shown', async (t) => {
  const name = 'handler_default';
  new Gauge({ name, help: 'Some help' }).set(5);
  const { ask } = await serve(t, createMetricsHandler());
  t.deepEqual(samplesOf((await ask(`/metrics?name[]=${name}`)).body.toString()), [`${name} 5`]);
  register.removeSingleMetric(name);
});

const wrong = [
  [{ registry: {} }, 'Expected a Registry for registry but received an object of type Object'],
  [{ registry: null }, 'Expected a Registry for registry but received null'],
  [{ registry: 'default' }, 'Expected a Registry for registry but received "default" of type string'],
  [
    { path: 'metrics' },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received "metrics" of type string',
  ],
  [
    { path: '' },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received "" of type string',
  ],
  [
    { path: '/' },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received "/" of type string',
  ],
  [
    { path: '/ready' },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received "/ready" of type string',
  ],
  [
    { path: '/a?b' },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received "/a?b" of type string',
  ],
  [
    { path: null },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received null',
  ],
  [
    { path: /metrics/ },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received an object of type RegExp',
  ],
];
for (const [options, message] of wrong) {
  test(`createMetricsHandler() rejects ${Object.keys(options)}: ${Object.values(options)[0]}`, (t) => {
    t.throws(() => createMetricsHandler(options), { instanceOf: TypeError, code: 'INVALID_CONFIG', message });
  });
}

test('createMetricsHandler() rejects an unknown scope', (t) => {
  t.throws(() => createMetricsHandler({ scope: 'everything' }), {
    instanceOf: TypeError,
    code: 'INVALID_CONFIG',
    message: /scope/,
  });
});

for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '100', null]) {
  test(`createMetricsHandler() rejects a timeoutMs of ${JSON.stringify(timeoutMs)} (${timeoutMs})`, (t) => {
    // At once, and not at the first scrape: its failure might stay unseen.
    t.throws(() => createMetricsHandler({ timeoutMs }), {
      instanceOf: TypeError,
      code: 'INVALID_CONFIG',
      message: /timeoutMs/,
    });
  });
}

test('a hanging collector holds a scrape for nine tenths of the scraper’s timeout', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  new Gauge({ name: 'g', help: 'g', registers: [registry], collect: () => new Promise(() => {}) });
  const { ask } = await serve(t, createMetricsHandler({ registry }));
  const { status, body } = await ask('/metrics', { headers: { 'x-prometheus-scrape-timeout-seconds': '0.050' } });
  t.is(status, 200);
  t.is(samplesOf(body.toString())[0], 'g 0');
  t.regex(warnings[0], /^COLLECTOR_TIMEOUT: collect\(\) of "g" took longer than 45 ms/);
});

for (const seconds of [undefined, 'nonsense', '', '0', '-1', 'Infinity', 'NaN', '1e400', '10s']) {
  test(`an invalid scrape timeout (${seconds}) is ignored, and the option holds`, async (t) => {
    const warnings = [];
    const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
    new Gauge({ name: 'g', help: 'g', registers: [registry], collect: () => new Promise(() => {}) });
    const { ask } = await serve(t, createMetricsHandler({ registry, timeoutMs: 20 }));
    const headers = seconds === undefined ? {} : { 'x-prometheus-scrape-timeout-seconds': seconds };
    t.is((await ask('/metrics', { headers })).status, 200);
    t.regex(warnings[0], /took longer than 20 ms/);
  });
}

test('the timeout of the scraper overrides the option', async (t) => {
  const registry = new Registry();
  const collect = async function () {
    await new Promise((resolve) => setTimeout(resolve, 100));
    this.set(1);
  };
  new Gauge({ name: 'g', help: 'g', registers: [registry], collect });
  const { ask } = await serve(t, createMetricsHandler({ registry, timeoutMs: 1 }));
  const headers = { 'x-prometheus-scrape-timeout-seconds': ' 60.5 ' };
  t.deepEqual(samplesOf((await ask('/metrics', { headers })).body.toString()), ['g 1']);
});

test('a client that disconnects during the body affects no other client', async (t) => {
  const registry = largeRegistry();
  const handler = createMetricsHandler({ registry, selfMetrics: false });
  const closed = [];
  const { port, ask } = await serve(t, (request, response) => {
    closed.push(once(response, 'close'));
    handler(request, response);
  });
  for (let round = 0; round < 5; round++) {
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    const [first] = await once(socket, 'data');
    t.regex(first.toString(), /^HTTP\/1.1 200 OK\r\n/);
    socket.destroy();
    await closed[round];
  }
  const { body } = await ask('/metrics');
  t.is(body.toString(), await registry.metrics());
});

test('a client that disconnects before its scrape is made affects no other client', async (t) => {
  const registry = smallRegistry();
  let begun;
  let finish;
  const collecting = new Promise((resolve) => {
    begun = resolve;
  });
  const collect = () => {
    begun();
    return new Promise((resolve) => {
      finish = resolve;
    });
  };
  new Gauge({ name: 'slow', help: 'Some help', registers: [registry], collect });
  const handler = createMetricsHandler({ registry });
  let gone;
  const { port, ask } = await serve(t, (request, response) => {
    gone ??= once(response, 'close');
    handler(request, response);
  });
  const socket = net.connect(port, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await collecting;
  socket.destroy();
  await gone;
  finish();
  t.is((await ask('/health')).status, 200);
});

test('a client that reads slowly gets every byte', async (t) => {
  const registry = largeRegistry();
  const { port } = await serve(t, createMetricsHandler({ registry, selfMetrics: false }));
  const socket = net.connect({ port, host: '127.0.0.1', highWaterMark: 1024 });
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const chunks = [];
  for await (const chunk of socket) {
    chunks.push(chunk);
    await new Promise(setImmediate);
  }
  const answer = Buffer.concat(chunks);
  const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4);
  t.is(body.toString(), await registry.metrics());
});

test('50 concurrent scrapes are answered whole', async (t) => {
  const registry = largeRegistry();
  const { ask } = await serve(t, createMetricsHandler({ registry, selfMetrics: false }));
  const expected = Buffer.from(await registry.metrics());
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => ask('/metrics', { headers: i % 2 ? { 'accept-encoding': 'gzip' } : {} })),
  );
  for (const [i, { status, body }] of answers.entries()) {
    t.is(status, 200);
    t.true((i % 2 ? gunzipSync(body) : body).equals(expected));
  }
});

test('requests on one connection are answered in turn', async (t) => {
  const { port } = await serve(t, createMetricsHandler({ registry: smallRegistry() }));
  const socket = net.connect(port, '127.0.0.1');
  const head = (method, path) => `${method} ${path} HTTP/1.1\r\nHost: x\r\n`;
  socket.write(
    `${head('GET', '/metrics?name[]=c')}\r\n${head('HEAD', '/metrics')}\r\n${head('GET', '/nowhere')}\r\n` +
      `${head('GET', '/ready')}Connection: close\r\n\r\n`,
  );
  let all = '';
  for await (const chunk of socket) all += chunk;
  t.deepEqual(all.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  t.is(all.match(/^c 2$/gm).length, 1);
  t.true(all.endsWith('{"status":"ready"}\n'));
});
