// Tests the endpoint in every framework over real connections.

import { once } from 'node:events';
import net from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Counter, Gauge, openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { text } from '../../support/exposition.mjs';
import { ask, listen } from '../metrics/support/ledger.mjs';
import { DOORS } from './doors.mjs';

function smallRegistry() {
  const registry = new Registry();
  new Counter({ name: 'c', help: 'Some help', registers: [registry] }).inc(2);
  new Gauge({ name: 'g', help: 'Some help', registers: [registry] }).set(3);
  return registry;
}

/** Some 6 MB of text, in 2,000 series. Tests that change nothing about it share one. */
function largeRegistry() {
  const registry = new Registry();
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
  for (let i = 0; i < 2000; i++) counter.inc({ a: 'x'.repeat(2980), b: i });
  return registry;
}
const LARGE = largeRegistry();
const LARGE_TEXT = Buffer.from(await LARGE.metrics());

/** The headers that the door sets, without those of Node.js and the date. */
function own({ connection: _, date: __, 'keep-alive': ___, ...headers }) {
  return headers;
}

for (const [name, create] of Object.entries(DOORS)) {
  const start = async (t, options) => {
    const { server, setReady } = await create(options);
    const port = await listen(t, server);
    return { port, setReady, get: (path, more) => ask(port, 'GET', path, more) };
  };

  test(`${name}: GET and HEAD of the exposition`, async (t) => {
    const { port, get } = await start(t, { registry: smallRegistry() });
    const { status, headers, body } = await get('/metrics');
    const expected = text(
      '# HELP c Some help',
      '# TYPE c counter',
      'c 2',
      '',
      '# HELP g Some help',
      '# TYPE g gauge',
      'g 3',
    );
    t.is(status, 200);
    t.is(body.toString(), expected);
    t.deepEqual(own(headers), {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': `${expected.length}`,
      'cache-control': 'no-store',
      vary: 'accept, accept-encoding',
      'x-content-type-options': 'nosniff',
    });
    const head = await ask(port, 'HEAD', '/metrics');
    t.deepEqual([head.status, head.body.length, own(head.headers)], [200, 0, own(headers)]);
  });

  test(`${name}: the headers of a scrape are obeyed, and its query`, async (t) => {
    const registry = largeRegistry();
    const { port, get } = await start(t, { registry });
    const headers = { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' };
    const zipped = await get('/metrics?x=1', { headers });
    registry.setContentType(openMetricsContentType);
    const expected = Buffer.from(await registry.metrics());
    t.is(zipped.headers['content-type'], openMetricsContentType);
    t.is(zipped.headers['content-encoding'], 'gzip');
    t.is(zipped.headers['content-length'], `${zipped.body.length}`);
    t.true(gunzipSync(zipped.body).equals(expected));
    t.is((await get('/metrics?name[]=none')).body.toString(), '\n');
    const head = await ask(port, 'HEAD', '/metrics', { headers });
    t.deepEqual(own(head.headers), own(zipped.headers));
  });

  test(`${name}: a large body arrives whole, also for a slow reader`, async (t) => {
    const { port, get } = await start(t, { registry: LARGE });
    t.true((await get('/metrics')).body.equals(LARGE_TEXT));
    const socket = net.connect({ port, host: '127.0.0.1', highWaterMark: 4096 });
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const chunks = [];
    for await (const chunk of socket) {
      chunks.push(chunk);
      await new Promise(setImmediate);
    }
    const answer = Buffer.concat(chunks);
    t.true(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(LARGE_TEXT));
  });

  test(`${name}: clients that disconnect during the body affect no other client`, async (t) => {
    const { port, get } = await start(t, { registry: LARGE });
    for (let round = 0; round < 5; round++) {
      const socket = net.connect(port, '127.0.0.1');
      socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
      const [first] = await once(socket, 'data');
      t.regex(first.toString(), /^HTTP\/1\.1 200 OK\r\n/);
      socket.destroy();
    }
    t.true((await get('/metrics')).body.equals(LARGE_TEXT));
  });

  test(`${name}: health and readiness`, async (t) => {
    const { port, get, setReady } = await start(t, { registry: smallRegistry() });
    const shown = async (path) => {
      const { status, headers, body } = await get(path);
      const head = await ask(port, 'HEAD', path);
      // The body contains a time, so its length varies.
      const lasting = ({ 'content-length': _, ...rest }) => rest;
      t.deepEqual([head.status, head.body.length, lasting(own(head.headers))], [status, 0, lasting(own(headers))]);
      t.is(headers['content-type'], 'application/json; charset=utf-8');
      return [status, JSON.parse(body.toString()).status];
    };
    t.deepEqual(await shown('/health'), [200, 'ok']);
    t.deepEqual(await shown('/ready?x'), [200, 'ready']);
    setReady(false);
    t.deepEqual(await shown('/ready'), [503, 'not ready']);
    t.deepEqual(await shown('/health'), [200, 'ok']);
    setReady(true);
    t.deepEqual(await shown('/ready'), [200, 'ready']);
  });

  test(`${name}: other methods are not allowed`, async (t) => {
    const { port } = await start(t, { registry: smallRegistry() });
    for (const path of ['/metrics', '/health', '/ready']) {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const request = { body: 'a body', headers: { 'content-type': 'unknown/type', 'content-length': 6 } };
        const { status, headers, body } = await ask(port, method, path, request);
        t.is(status, 405, `${method} ${path}`);
        t.is(headers.allow, 'GET, HEAD');
        t.is(body.toString(), 'Method not allowed: use GET or HEAD.\n');
      }
    }
  });

  test(`${name}: other paths are the application's`, async (t) => {
    const { get } = await start(t, { registry: smallRegistry() });
    t.is((await get('/own')).body.toString(), 'own');
    for (const path of ['/', '/metricsx', '/metrics/x', '/own/metrics']) t.is((await get(path)).status, 404, path);
  });

  test(`${name}: the path of the exposition may be another`, async (t) => {
    const { get } = await start(t, { registry: smallRegistry(), path: '/internal/prom' });
    t.is((await get('/internal/prom')).status, 200);
    t.is((await get('/metrics')).status, 404);
    t.is((await get('/health')).status, 200);
  });
}
