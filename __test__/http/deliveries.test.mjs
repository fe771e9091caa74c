// Tests how the JavaScript doors send answers: to clients that read slowly, never read or leave, through responses that
// middleware has wrapped, and what the promise of the handler tells.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Counter, createFetchHandler, createMetricsHandler, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import express from 'express';
import { IS_FULL } from '../support/count.mjs';
import { seriesValue } from '../support/exposition.mjs';
import { heldTimers, stoppedReading } from '../support/time.mjs';
import { eventually, rejected } from './exporter/support/doors.mjs';
import { DOORS } from './frameworks/doors.mjs';
import { ask, listen } from './metrics/support/ledger.mjs';

/** Some 12 MB of text, more than the buffers of a connection hold. */
const registry = new Registry();
const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
for (let i = 0; i < 4000; i++) counter.inc({ a: 'x'.repeat(2980), b: i });
const LENGTH = (await registry.metrics()).length;
/** The endpoint's own metrics that the tests read. */
const OWN = '/metrics?name[]=llmdevops_metrics_body_bytes&name[]=llmdevops_metrics_rejected_total';

/** A connection that has asked for an exposition of its own and reads nothing. */
async function neverReads(port, n) {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET /metrics?name[]=c&name[]=none${n} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

/** Reads what is left, and waits for the end of the connection. */
async function closed(socket) {
  socket.resume();
  if (!socket.destroyed) await once(socket, 'close');
}

/** The doors that write in ways of their own; the others are Express 5 in another dress. */
const DISTINCT = ['Express 5', 'Fastify', 'a fetch handler'];
for (const [name, create] of Object.entries(DOORS).filter(([name]) => IS_FULL || DISTINCT.includes(name))) {
  test.serial(`${name}: a client that does not read is disconnected after writeTimeoutMs`, async (t) => {
    const { server } = await create({ registry, writeTimeoutMs: 1500 });
    const port = await listen(t, server);
    const connections = [];
    server.on('connection', (connection) => {
      connections.push(new Promise((resolve) => connection.once('close', resolve)));
    });
    const sockets = await Promise.all([0, 1, 2].map((n) => neverReads(port, n)));
    await Promise.all(connections);
    t.is(connections.length, 3);
    t.is((await ask(port, 'GET', '/metrics')).body.length, LENGTH);
    for (const socket of sockets) socket.destroy();
  });

  test.serial(`${name}: clients that do not read do not shut out others`, async (t) => {
    // Room for two expositions.
    const { server } = await create({ registry, maxBodyBytes: 2 * LENGTH - 1 });
    const port = await listen(t, server);
    const sockets = [];
    for (let n = 0; n < 4; n++) {
      for (let i = 0; i < 3; i++) sockets.push(await neverReads(port, `${n}x${i}`));
      // At once, unless several scrapes wait for the same memory.
      t.true(await eventually(async () => (await ask(port, 'GET', `/metrics?name[]=c&name[]=own${n}`)).status === 200));
    }
    for (const socket of sockets) socket.destroy();
    t.is((await ask(port, 'GET', '/metrics')).body.length, LENGTH);
  });
}

test.serial('a scrape waits for the memory of clients that have only just begun not to read', async (t) => {
  const handler = createMetricsHandler({ registry, maxBodyBytes: 2 * LENGTH - 1, writeTimeoutMs: 60_000 });
  const port = await listen(t, http.createServer(handler));
  const sockets = await Promise.all([0, 1].map((n) => neverReads(port, n)));
  // Their answers have begun; Node.js reads no more of them than it keeps for a reader.
  await Promise.all(sockets.map((socket) => once(socket, 'readable')));
  t.is((await ask(port, 'GET', '/metrics?name[]=c')).status, 200);
  for (const socket of sockets) socket.destroy();
});

test.serial('memory of clients that were given up comes back at once, and each is counted', async (t) => {
  const port = await listen(t, http.createServer(createMetricsHandler({ registry, maxBodyBytes: 3 * LENGTH })));
  const shown = async () => (await ask(port, 'GET', OWN)).body.toString();
  const held = async () => seriesValue(await shown(), 'llmdevops_metrics_body_bytes');
  const sockets = [];
  for (let n = 0; n < 8; n++) {
    sockets.push(await neverReads(port, n));
    await wait(700);
    t.true((await held()) < 4.5 * LENGTH);
  }
  t.true(rejected(await shown(), 'overload') >= 4);
  for (const socket of sockets) socket.destroy();
  t.true(await eventually(async () => (await held()) < LENGTH));
});

test.serial('a client that reads is not displaced by clients that do not', async (t) => {
  const port = await listen(t, http.createServer(createMetricsHandler({ registry, maxBodyBytes: 2 * LENGTH - 1 })));
  const reader = net.connect({ port, host: '127.0.0.1', highWaterMark: 256 * 1024 });
  reader.write('GET /metrics?name[]=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let bytes = 0;
  const sockets = [];
  // The clock goes with the reader, so that a busy machine does not make it slow.
  const pass = stoppedReading(t);
  for await (const chunk of reader) {
    bytes += chunk.length;
    pass(20);
    await wait(1);
    if (sockets.length < 20) sockets.push(await neverReads(port, sockets.length));
  }
  t.true(bytes > LENGTH, `${bytes} bytes`);
  for (const socket of sockets) socket.destroy();
});

test.serial('a client that does not read a small answer is counted and disconnected too', async (t) => {
  const small = new Registry();
  new Counter({ name: 'd', help: 'x'.repeat(40_000), registers: [small] });
  const handler = createMetricsHandler({ registry: small, writeTimeoutMs: 300 });
  const server = http.createServer(handler);
  const port = await listen(t, server);
  const connection = once(server, 'connection');
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.pause();
  // Pipelined requests fill the buffers of the connection.
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(400));
  const [accepted] = await connection;
  await once(accepted, 'close');
  t.true(rejected((await ask(port, 'GET', OWN)).body.toString(), 'write_timeout') > 0);
  socket.destroy();
});

test.serial('a Response that is never read gives its memory back after writeTimeoutMs', async (t) => {
  const pass = heldTimers(t);
  const handler = createFetchHandler({ registry, writeTimeoutMs: 200 });
  const held = async () => {
    const response = await handler(new Request(`http://h${OWN}`));
    return seriesValue(await response.text(), 'llmdevops_metrics_body_bytes');
  };
  const responses = await Promise.all([0, 1].map((n) => handler(new Request(`http://h/metrics?name[]=c&name[]=${n}`))));
  const begun = responses[1].body.getReader();
  t.is((await begun.read()).done, false);
  t.true((await held()) >= 2 * LENGTH);
  await pass(200);
  t.true(await eventually(async () => (await held()) < LENGTH));
  await t.throwsAsync(responses[0].text(), { message: /not read the exposition in time/ });
  await t.throwsAsync(begun.read(), { message: /not read the exposition in time/ });
});

const WRAPPERS = {
  'returns nothing': (write) => (chunk) => {
    write(chunk);
  },
  'returns true': (write) => (chunk) => write(chunk) || true,
  'returns null': (write) => (chunk) => {
    write(chunk);
    return null;
  },
};
for (const [title, wrap] of Object.entries(WRAPPERS)) {
  test.serial(`scrapes on one connection arrive whole through a write() that ${title}`, async (t) => {
    const app = express();
    app.use((_request, response, next) => {
      response.write = wrap(response.write.bind(response));
      next();
    });
    app.use(createMetricsHandler({ registry, selfMetrics: false }));
    const port = await listen(t, http.createServer(app));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    for (let round = 0; round < 4; round++) {
      t.is((await ask(port, 'GET', '/metrics', { agent })).body.length, LENGTH, `scrape ${round}`);
    }
  });
}

test.serial('a write() that asks to wait and never drains ends with the time-out', async (t) => {
  const handler = createMetricsHandler({ registry, writeTimeoutMs: 200 });
  let settled;
  const server = http.createServer((request, response) => {
    response.write = () => false;
    settled = handler(request, response);
  });
  const port = await listen(t, server);
  await t.throwsAsync(ask(port, 'GET', '/metrics'));
  await t.notThrowsAsync(settled);
});

test.serial('the promise is resolved when the client has read the answer', async (t) => {
  const handler = createMetricsHandler({ registry });
  const states = [];
  const server = http.createServer(async (request, response) => {
    const result = await handler(request, response);
    states.push([request.url, result, response.writableFinished]);
  });
  const port = await listen(t, server);
  for (const path of ['/metrics', '/ready', '/health', '/nowhere']) {
    await ask(port, 'GET', path);
    await ask(port, 'HEAD', path);
  }
  t.true(await eventually(() => states.length === 8));
  t.true(states.every(([, result, finished]) => result === undefined && finished));

  const socket = await neverReads(port, 0);
  await wait(100);
  t.is(states.length, 8);
  await closed(socket);
});

test.serial('the promise is resolved when the client has left, and when the request was passed on', async (t) => {
  const handler = createMetricsHandler({ registry });
  let settled;
  const server = http.createServer((request, response) => {
    settled = handler(request, response, () => response.end('next'));
  });
  const port = await listen(t, server);
  const socket = await neverReads(port, 0);
  await once(server, 'request');
  socket.destroy();
  await t.notThrowsAsync(settled);
  t.is((await ask(port, 'GET', '/other')).body.toString(), 'next');
  await t.notThrowsAsync(settled);
});

test.serial('a pipelined request whose turn never comes frees its memory when the client leaves', async (t) => {
  const handler = createMetricsHandler({ registry });
  const settled = [];
  const server = http.createServer((request, response) => {
    if (request.url === '/never') return;
    settled.push(handler(request, response));
  });
  const port = await listen(t, server);
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  t.true(await eventually(() => settled.length === 1));
  const held = async () => seriesValue((await ask(port, 'GET', OWN)).body.toString(), 'llmdevops_metrics_body_bytes');
  t.true(await eventually(async () => (await held()) >= LENGTH));
  socket.destroy();
  await settled[0];
  t.true((await held()) < LENGTH);
});
