// Strangers hold hundreds of connections, from one address and from fifty: probes and scrapes of others are answered.

import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { ask, eventually, everything, exporter, rejected } from './support/doors.mjs';
import { longRegistry, seriesRegistry, smallRegistry } from './support/registries.mjs';

const SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

/** What each connection of a crowd sends, and whether it reads. */
const attacks = {
  'that send nothing': { request: '', reads: true },
  'that have sent one request': { request: 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n', reads: true },
  'that have sent half a head': { request: 'GET /metrics HTTP/1.1\r\nHost: x\r\nAcc', reads: true },
  'that do not read': { request: SCRAPE, reads: false },
};

/** What a new connection has for its request. On a busy machine this process itself may send later. */
const GRACE_MS = 100;

/** The status of an answer or the code of its failure, and how long the request took to be sent. */
function probe({ port }, path) {
  return new Promise((resolve) => {
    const started = performance.now();
    let sentAfterMs = Number.POSITIVE_INFINITY;
    const request = http.get({ host: '127.0.0.1', port, path, agent: false });
    request.on('finish', () => {
      sentAfterMs = performance.now() - started;
    });
    request.on('response', (response) => {
      response.resume().on('close', () => resolve({ status: response.statusCode, sentAfterMs }));
    });
    request.on('error', ({ code }) => resolve({ status: code, sentAfterMs }));
  });
}

/** Holds this many connections; each that is closed is replaced. */
async function crowd(t, { port }, count, addresses, attack) {
  const workerData = { port, count, addresses, ...attack };
  const worker = new Worker(new URL('support/crowd.mjs', import.meta.url), { workerData });
  t.teardown(() => worker.terminate());
  await once(worker, 'message');
}

const FIFTY = Array.from({ length: 50 }, (_, n) => `127.0.1.${n + 1}`);
for (const [origin, addresses] of [
  ['the same address', ['127.0.0.1']],
  ['fifty addresses', FIFTY],
]) {
  for (const [title, attack] of Object.entries(attacks)) {
    // Other systems have one loopback address.
    const run = process.platform === 'linux' || addresses.length === 1 ? test.serial : test.serial.skip;
    run(`200 places, 260 connections ${title}, from ${origin}: probes and scrapes are answered`, async (t) => {
      const registry = attack.reads ? smallRegistry() : longRegistry();
      const door = await exporter(t, { registry, maxConnections: 200, compressionEnabled: false });
      await crowd(t, door, 260, addresses, attack);
      const lost = [];
      let counted = 0;
      for (let round = 0; round < 20 && counted < 30; round++) {
        for (const path of ['/health', '/ready', '/metrics?name[]=none']) {
          const { status, sentAfterMs } = await probe(door, path);
          if (status !== 200 && sentAfterMs > GRACE_MS / 2) continue;
          counted++;
          if (status !== 200) lost.push(`${path}: ${status}`);
        }
      }
      t.is(counted, 30, 'the machine is too busy to send requests');
      // The exporter too may come late to a request that was sent in time.
      t.true(lost.length <= 1, lost.join(', '));
      const body = await door.text('/metrics?name[]=llmdevops_metrics_displaced_total');
      const displaced = ['idle', 'silent', 'unread', 'answering'].map((state) =>
        seriesValue(body, `llmdevops_metrics_displaced_total{state="${state}"}`),
      );
      t.log(`displaced: ${displaced}`);
      t.true(displaced.reduce((sum, count) => sum + count) > 0);
    });
  }
}

test.serial('a client may hold half of the connections; the others stay free', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), maxConnections: 10 });
  const held = await Promise.all(Array.from({ length: 5 }, () => door.connect()));
  for (const socket of held) {
    // The one that is displaced may be reset.
    socket.on('error', () => {});
    socket.write('GET /ready HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
  }
  const closed = once(held[0].resume(), 'close');
  // The sixth takes the place of the first, though five places are free.
  t.is((await door.ask('/health')).status, 200);
  await closed;
  t.is(held.filter((socket) => socket.destroyed).length, 1);
  for (const socket of held) socket.destroy();
});

test.serial('scrapes that wait for a collector leave places for health checks', async (t) => {
  const registry = smallRegistry();
  const collector = new EventEmitter();
  const released = once(collector, 'release');
  registry.getSingleMetric('g').collect = () => {
    collector.emit('call');
    return released;
  };
  const limits = { maxConnections: 4, maxConnectionsPerClient: 4, healthConnections: 1 };
  const door = await exporter(t, { registry, timeoutMs: 30_000, ...limits });
  const scrapes = await Promise.all(Array.from({ length: 4 }, () => door.connect()));
  const called = once(collector, 'call');
  // A connection whose request has not been read would be displaced. The health check's answer says that it has been: the
  // exporter reads what arrived with one request before it turns to other connections.
  for (const socket of scrapes) {
    socket.on('error', () => {}).write(`GET /health HTTP/1.1\r\nHost: x\r\n\r\n${SCRAPE}`);
    await once(socket, 'data');
  }
  await called;
  const answer = await door.ask('/metrics');
  t.is(answer.status, 503);
  t.is(answer.body.toString(), 'Too many connections.\n');
  t.is(answer.headers['retry-after'], '1');
  t.is(answer.headers['x-content-type-options'], 'nosniff');
  for (const path of ['/health', '/ready', '/health']) t.is((await door.ask(path)).status, 200);
  for (const socket of scrapes) socket.destroy();
  collector.emit('release');
  t.true(await eventually(async () => (await door.ask('/metrics').catch(() => ({}))).status === 200));
});

test.serial('connections over the limit displace the one that was idle for longest', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), maxConnections: 5, maxConnectionsPerClient: 5 });
  const sockets = await Promise.all(Array.from({ length: 5 }, () => door.connect()));
  const ends = sockets.map((socket) => once(socket.resume(), 'close'));
  for (const socket of sockets) {
    socket.write('GET /ready HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
  }
  for (let extra = 0; extra < 3; extra++) {
    // Kept open: otherwise the next one may find a free place.
    const socket = await door.connect();
    sockets.push(socket);
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    await ends[extra];
  }
  const body = await door.text();
  t.true(seriesValue(body, 'llmdevops_metrics_connections') <= 5);
  t.is(rejected(body, 'connections'), 0);
  t.deepEqual(samplesOf(body), ['c 2', 'g 3']);
  for (const socket of sockets) socket.destroy();
});

test.serial('a client that ends its side after its request gets the answer', async (t) => {
  const door = await exporter(t, { registry: seriesRegistry(20_000), selfMetrics: false });
  const socket = net.connect({ port: door.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(SCRAPE);
  const answer = await everything(socket);
  t.regex(answer, /^HTTP\/1\.1 200 OK\r\n/);
  t.is(samplesOf(answer.slice(answer.indexOf('\r\n\r\n') + 4)).length, 20_000);
  t.is((await ask({ port: door.port }, '/health')).status, 200);
});
