// Tests the pieces in which the JavaScript doors send large answers: their buffers are used again as soon as the response
// has sent them, and never while anybody else may hold them.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { Duplex, Transform } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { Counter, createMetricsHandler, Registry } from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import test from 'ava';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { certificates } from './exporter/support/certificates.mjs';
import { DOORS } from './frameworks/doors.mjs';
import { listen } from './metrics/support/ledger.mjs';

/** Some 12 MB of text, no two pieces of it alike. */
const registry = new Registry();
const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
for (let i = 0; i < 4000; i++) counter.inc({ a: `${i}`.repeat(800), b: i });
const TEXT = await registry.metrics();
const DIGEST = digestOf(TEXT);

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The digest of the answer's body, read without memory for the whole body. `seen` is called after each read. */
async function read(port, seen = () => {}) {
  const END = '\r\n\r\n';
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(256 * 1024);
  let head = '';
  function take(bytes) {
    if (head.includes(END)) return hash.update(bytes);
    const before = head.length;
    head += bytes.latin1Slice();
    const end = head.indexOf(END);
    if (end >= 0) hash.update(bytes.subarray(end + END.length - before));
  }
  const callback = (count) => {
    take(buffer.subarray(0, count));
    seen(socket);
    return true;
  };
  const socket = net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } });
  socket.write('GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n');
  await new Promise((resolve, reject) => socket.once('close', resolve).once('error', reject));
  return hash.digest('hex');
}

/** Stops reading now and then, so that the buffers of the connection fill up. */
function slowly() {
  let reads = 0;
  return (socket) => {
    if (++reads % 10 !== 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), 3);
  };
}

const ALL = { 'node:http': (options) => ({ server: http.createServer(createMetricsHandler(options)) }), ...DOORS };
for (const [name, create] of Object.entries(ALL)) {
  test.serial(`${name}: an answer arrives whole, read at once or with pauses`, async (t) => {
    const { server } = await create({ registry, selfMetrics: false });
    const port = await listen(t, server);
    t.is(await read(port), DIGEST);
    t.is(await read(port, slowly()), DIGEST);
    t.deepEqual(await Promise.all([read(port), read(port, slowly()), read(port)]), [DIGEST, DIGEST, DIGEST]);
  });
}

for (const name of ['node:http', 'Express 5', 'Koa', 'Fastify']) {
  test.serial(`${name}: pieces of one answer share buffers`, async (t) => {
    const { server } = await ALL[name]({ registry, selfMetrics: false });
    const port = await listen(t, server);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    await read(port, () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    });
    t.true(most < TEXT.length / 6, `${most} bytes`);
  });
}

/** Ways to get at pieces and to keep them until later, by what the application does. */
const KEEPERS = {
  'a middleware that replaces write() and end()': () => {
    const app = express();
    app.use((_request, response, next) => {
      const held = [];
      const { end, write } = response;
      response.write = (chunk) => held.push(chunk) > 0;
      response.end = () => {
        for (const chunk of held) write.call(response, chunk);
        end.call(response);
      };
      next();
    });
    app.use(createMetricsHandler({ registry, selfMetrics: false }));
    return http.createServer(app);
  },
  'a socket whose write() is replaced': () => {
    const handler = createMetricsHandler({ registry, selfMetrics: false });
    return http.createServer((request, response) => {
      const { socket } = response;
      const write = socket.write.bind(socket);
      let last = Promise.resolve();
      socket.write = (chunk, ...rest) => {
        last = last.then(() => wait(1)).then(() => write(chunk, ...rest));
        return true;
      };
      socket.end = (...rest) => last.then(() => net.Socket.prototype.end.apply(socket, rest));
      socket.destroySoon = () => last.then(() => net.Socket.prototype.destroySoon.call(socket));
      handler(request, response);
    });
  },
  'a connection within the process, whose other end keeps what it gets': () => {
    const inner = http.createServer(createMetricsHandler({ registry, selfMetrics: false }));
    const server = net.createServer((socket) => {
      const kept = [];
      const connection = new Duplex({
        read() {},
        write: (chunk, _encoding, done) => {
          kept.push(chunk);
          done();
        },
      });
      connection.on('finish', () => socket.end(Buffer.concat(kept)));
      socket.on('data', (chunk) => connection.push(chunk));
      inner.emit('connection', connection);
    });
    return Object.assign(server, { closeAllConnections() {} });
  },
  'a Koa middleware that pipes the body through a slow stream': () => {
    const app = new Koa();
    app.use(async (context, next) => {
      await next();
      context.body = context.body.pipe(keeping());
    });
    app.use(createMetricsHandler({ registry, selfMetrics: false }).koa);
    return http.createServer(app.callback());
  },
  'a Fastify hook that pipes the body through a slow stream': async () => {
    const app = Fastify({ forceCloseConnections: true });
    app.addHook('onSend', async (_request, _reply, payload) => payload.pipe(keeping()));
    app.register(fastifyMetrics, { registry, selfMetrics: false });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server;
  },
};
for (const [title, create] of Object.entries(KEEPERS)) {
  test.serial(`an answer arrives whole through ${title}`, async (t) => {
    t.is(await read(await listen(t, await create())), DIGEST);
  });
}

/** A stream that passes chunks on a millisecond later. */
function keeping() {
  return new Transform({
    highWaterMark: 1024 * 1024,
    transform: (chunk, _encoding, done) => setTimeout(done, 1, null, chunk),
  });
}

test.serial('a second reader of a body keeps what it gets', async (t) => {
  const kept = [];
  const app = new Koa();
  app.use(async (context, next) => {
    await next();
    context.body.on('data', (chunk) => kept.push(chunk));
  });
  app.use(createMetricsHandler({ registry, selfMetrics: false }).koa);
  t.is(await read(await listen(t, http.createServer(app.callback()))), DIGEST);
  t.is(digestOf(Buffer.concat(kept)), DIGEST);
});

test.serial('pipelined answers arrive whole', async (t) => {
  const port = await listen(t, http.createServer(createMetricsHandler({ registry, selfMetrics: false })));
  const socket = net.connect({ port, host: '127.0.0.1' });
  const request = (connection) => `GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`;
  socket.write(request('keep-alive') + request('close'));
  const all = Buffer.concat(await socket.toArray());
  const bodies = [all.subarray(-TEXT.length), all.subarray(all.indexOf('\r\n\r\n') + 4).subarray(0, TEXT.length)];
  t.deepEqual(bodies.map(digestOf), [DIGEST, DIGEST]);
});

test.serial('an answer over TLS arrives whole', async (t) => {
  const handler = createMetricsHandler({ registry, selfMetrics: false });
  const { client } = await certificates(t);
  const server = https.createServer(client('server'), handler);
  const port = await listen(t, server);
  const body = await new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/metrics', rejectUnauthorized: false, agent: false };
    https.get(options, async (response) => resolve(Buffer.concat(await response.toArray()))).on('error', reject);
  });
  t.is(digestOf(body), DIGEST);
});

test.serial('an answer over HTTP/2 arrives whole, read at once or with pauses', async (t) => {
  const server = http2.createServer(createMetricsHandler({ registry, selfMetrics: false }));
  // Servers of HTTP/2 have no such method.
  server.closeAllConnections = () => {};
  const client = http2.connect(`http://127.0.0.1:${await listen(t, server)}`);
  t.teardown(() => client.destroy());
  for (const seen of [() => {}, slowly()]) {
    const hash = createHash('sha256');
    const stream = client.request({ ':path': '/metrics' });
    stream.on('data', (chunk) => {
      hash.update(chunk);
      seen(stream);
    });
    await once(stream, 'end');
    t.is(hash.digest('hex'), DIGEST);
  }
});
