// Strangers hold hundreds of connections, from one address and from fifty: probes and scrapes of others are answered.

import { once } from 'node:events';
import net from 'node:net';
import test from 'ava';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { ask, eventually, everything, exporter, rejected } from './support/doors.mjs';
import { seriesRegistry, smallRegistry } from './support/registries.mjs';

const SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

const attacks = {
  'that send nothing': () => {},
  'that have sent one request': (socket) => socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'),
  'that have sent half a head': (socket) => socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nAcc'),
  'that do not read': (socket) => {
    socket.pause();
    socket.write(SCRAPE);
  },
};

/** Holds this many connections; each that is closed is replaced. */
async function crowd(t, { port }, count, addresses, begin) {
  const open = new Set();
  let opened = 0;
  let isOver = false;
  const connect = () => {
    if (isOver) return;
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: addresses[opened++ % addresses.length] });
    open.add(socket);
    socket.on('connect', () => begin(socket));
    socket.on('data', () => {});
    if (begin === attacks['that do not read']) socket.pause();
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      // Not at once: crowd and probes share this thread, and a probe has to get its request written.
      setTimeout(connect, 500 + Math.random() * 1500);
    });
  };
  t.teardown(() => {
    isOver = true;
    for (const socket of open) socket.destroy();
  });
  for (let n = 0; n < count; n++) connect();
  // A client that does not read does not notice that its connection was closed.
  const least = begin === attacks['that do not read'] ? count : count + 20;
  while (opened < least) await new Promise((resolve) => setTimeout(resolve, 10));
}

const FIFTY = Array.from({ length: 50 }, (_, n) => `127.0.1.${n + 1}`);
for (const [origin, addresses] of [
  ['the same address', ['127.0.0.1']],
  ['fifty addresses', FIFTY],
]) {
  for (const [title, begin] of Object.entries(attacks)) {
    // Other systems have one loopback address.
    const run = process.platform === 'linux' || addresses.length === 1 ? test.serial : test.serial.skip;
    run(`200 places, 260 connections ${title}, from ${origin}: probes and scrapes are answered`, async (t) => {
      const registry = begin === attacks['that do not read'] ? seriesRegistry(100_000) : smallRegistry();
      const door = await exporter(t, { registry, maxConnections: 200, compressionEnabled: false });
      await crowd(t, door, 260, addresses, begin);
      for (let round = 0; round < 10; round++) {
        for (const path of ['/health', '/ready', '/metrics?name[]=none']) t.is((await door.ask(path)).status, 200);
      }
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
  registry.getSingleMetric('g').collect = () => new Promise(() => {});
  const limits = { maxConnections: 4, maxConnectionsPerClient: 4, healthConnections: 1 };
  const door = await exporter(t, { registry, timeoutMs: 2000, ...limits });
  const scrapes = await Promise.all(Array.from({ length: 4 }, () => door.connect()));
  for (const socket of scrapes) socket.on('error', () => {}).write(SCRAPE);
  let answer;
  t.true(
    await eventually(async () => {
      answer = await door.ask('/metrics').catch(() => undefined);
      return answer?.status === 503;
    }),
  );
  t.is(answer.body.toString(), 'Too many connections.\n');
  t.is(answer.headers['retry-after'], '1');
  t.is(answer.headers['x-content-type-options'], 'nosniff');
  for (const path of ['/health', '/ready', '/health']) t.is((await door.ask(path)).status, 200);
  for (const socket of scrapes) socket.destroy();
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
