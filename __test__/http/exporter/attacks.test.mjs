// Sends malicious and malformed requests: each is bounded and counted, and the next scrape is served.

import { once } from 'node:events';
import test from 'ava';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { eventually, everything, exporter, rejected } from './support/doors.mjs';
import { smallRegistry } from './support/registries.mjs';

const SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

/** Checks that an exporter still serves, and has counted a reason `times` times. */
async function serves(t, { text }, reason, times) {
  t.true(await eventually(async () => rejected(await text(), reason) >= times), `${reason}: ${times}`);
  const body = await text();
  t.is(rejected(body, reason), times);
  t.deepEqual(samplesOf(body), ['c 2', 'g 3']);
}

/** Sends these bytes, and returns all that the connection answers until it ends. */
async function answerTo(door, bytes) {
  const socket = await door.connect();
  socket.on('error', () => {});
  socket.write(bytes);
  return everything(socket).catch(({ code }) => code);
}

const garbage = {
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n',
  'zero bytes': Buffer.alloc(4096),
  'the first bytes of TLS': Buffer.from('160301020001000001fc0303', 'hex'),
  'a line that is not a request': 'GET\r\n\r\n',
  'another protocol': 'GET /metrics SPDY/3\r\n\r\n',
  'a header without a colon': 'GET /metrics HTTP/1.1\r\nHost x\r\n\r\n',
  'a header with a space before its colon': 'GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n',
  'a header with a zero byte': 'GET /metrics HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n',
  'an invalid length': 'GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  'two lengths': 'GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
};
for (const [title, bytes] of Object.entries(garbage)) {
  test.serial(`${title} gets 400, and the connection ends`, async (t) => {
    const door = await exporter(t, { registry: smallRegistry() });
    const answer = await answerTo(door, bytes);
    t.regex(answer, /^HTTP\/1\.[01] 400 /);
    t.is(answer.match(/HTTP\/1/g).length, 1);
    await serves(t, door, 'malformed', 1);
  });
}

test.serial('a target that is only a host has no page', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  for (const target of ['metrics', 'example.com:80', 'user@example.com']) {
    for (const method of ['GET', 'CONNECT']) {
      const bytes = `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      t.regex(await answerTo(door, bytes), /^HTTP\/1\.1 4\d\d /, bytes);
    }
  }
});

test.serial('a request with a body is rejected, and requests hidden behind it are not served', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  const bodies = [
    `POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: ${SCRAPE.length}\r\n\r\n${SCRAPE}`,
    `GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: ${SCRAPE.length}\r\n\r\n${SCRAPE}`,
    `GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SCRAPE}`,
  ];
  for (const bytes of bodies) {
    const socket = await door.connect();
    socket.write(bytes);
    const answer = await everything(socket);
    const statuses = answer.match(/HTTP\/1\.1 \d+/g);
    t.true(['HTTP/1.1 405', 'HTTP/1.1 413'].includes(statuses[0]), `${statuses}`);
    // The bytes behind a rejected request may be its body, so they are not read as a request.
    t.is(statuses.length, 1);
    t.regex(answer, /\r\nconnection: close\r\n/);
  }
  await serves(t, door, 'body', 2);
});

test.serial('a huge body is rejected before it is sent', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  const socket = await door.connect();
  socket.on('error', () => {});
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n');
  t.regex(await everything(socket), /^HTTP\/1.1 413 /);
  await serves(t, door, 'body', 1);
});

test.serial('1 MB of headers gets 431', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  const socket = await door.connect();
  socket.on('error', () => {});
  const answered = everything(socket).catch(({ code }) => code);
  socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(2 ** 20)}\r\n\r\n`);
  t.regex(await answered, /^(HTTP\/1\.1 431 |ECONNRESET|EPIPE)/);
  await serves(t, door, 'malformed', 1);
});

test.serial(
  'more bytes of headers than there may be are answered with 431, as many as there may be are not',
  async (t) => {
    const door = await exporter(t, { registry: smallRegistry(), maxHeaderBytes: 8192 });
    const request = (length) =>
      `GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: ${'x'.repeat(length)}\r\n\r\n`;
    t.regex(await answerTo(door, request(8000)), /^HTTP\/1\.1 200 /);
    t.regex(await answerTo(door, request(8400)), /^(HTTP\/1\.1 431 |ECONNRESET)/);
    await serves(t, door, 'malformed', 1);
  },
);

test.serial('1,000 headers get 431; the largest allowed number does not', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), maxHeaders: 20, maxHeaderBytes: 65_536 });
  const request = (count) =>
    `GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Array.from({ length: count - 2 }, (_, i) => `A${i}: b\r\n`).join('')}\r\n`;
  t.regex(await answerTo(door, request(20)), /^HTTP\/1\.1 200 /);
  t.regex(await answerTo(door, request(21)), /^HTTP\/1\.1 431 /);
  t.regex(await answerTo(door, request(1000)), /^HTTP\/1\.1 431 /);
  await serves(t, door, 'malformed', 2);
});

test.serial('an unknown target of 8 KB gets 404, with any query', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  t.is((await door.ask(`/${'x'.repeat(8000)}`)).status, 404);
  t.is((await door.ask(`/metrics?${'%'.repeat(4000)}&${'='.repeat(4000)}`)).status, 200);
  await serves(t, door, 'malformed', 0);
});

/** Waits until the exporter ends a connection; resolves with the time it took. */
async function ending(socket) {
  const started = performance.now();
  socket.on('error', () => {});
  socket.resume();
  // A client that still sends gets a reset, which once() would report as a failure.
  await new Promise((resolve) => socket.once('close', resolve));
  return performance.now() - started;
}

const silent = {
  nothing: [],
  'half a line': ['GET /met'],
  'half a head': ['GET /metrics HTTP/1.1\r\nHost: x\r\nAcc'],
  'a request and then half a head': [SCRAPE, 'GET /metrics HTTP/1.1\r\nHo'],
};
for (const [title, parts] of Object.entries(silent)) {
  test.serial(`a client that sends ${title} is cut off`, async (t) => {
    const door = await exporter(t, { registry: smallRegistry(), headerTimeoutMs: 300, idleTimeoutMs: 86_400_000 });
    const socket = await door.connect();
    for (const part of parts) {
      if (part !== parts[0]) await once(socket, 'data');
      socket.write(part);
    }
    const took = await ending(socket);
    t.true(took >= 200, `${took} ms`);
    await serves(t, door, 'request_timeout', 1);
  });
}

test.serial('a client that sends its head byte by byte gets no extra time', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), headerTimeoutMs: 400 });
  const socket = await door.connect();
  const drip = setInterval(() => socket.write('x'), 50);
  t.teardown(() => clearInterval(drip));
  socket.write('GET /metrics HTTP/1.1\r\nA: ');
  const took = await ending(socket);
  t.true(took >= 300, `${took} ms`);
  await serves(t, door, 'request_timeout', 1);
});

test.serial('a head that comes slowly but in time is served', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), headerTimeoutMs: 10_000 });
  const socket = await door.connect();
  for (const byte of 'GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') {
    socket.write(byte);
    await new Promise(setImmediate);
  }
  t.regex(await everything(socket), /^HTTP\/1\.1 200 OK\r\n/);
});

test.serial('a connection without requests is closed after a while, and not counted as rejected', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), headerTimeoutMs: 86_400_000, idleTimeoutMs: 300 });
  const socket = await door.connect();
  socket.write(SCRAPE);
  await once(socket, 'data');
  const took = await ending(socket);
  t.true(took >= 200, `${took} ms`);
  const body = await door.text();
  for (const reason of ['request_timeout', 'write_timeout', 'malformed']) t.is(rejected(body, reason), 0, reason);
});

test.serial('pipelined requests are all answered, in turn', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  const socket = await door.connect();
  const paths = Array.from(
    { length: 100 },
    (_, i) => ['/metrics?name[]=c', '/nowhere', '/ready', '/metrics?name[]=g'][i % 4],
  );
  const head = (path, i) => `${i % 5 === 4 ? 'HEAD' : 'GET'} ${path} HTTP/1.1\r\nHost: x\r\n`;
  socket.write(
    `${paths.map((path, i) => `${head(path, i)}\r\n`).join('')}GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  const all = await everything(socket);
  const statuses = all.match(/HTTP\/1\.1 \d+/g).map((line) => line.slice(9));
  t.deepEqual(statuses, [...paths.map((path) => (path === '/nowhere' ? '404' : '200')), '200']);
  const bodies = all.match(/^(c 2|g 3|Not found\.|\{"status":"ready"\})$/gm);
  const expected = { '/metrics?name[]=c': 'c 2', '/nowhere': 'Not found.', '/ready': '{"status":"ready"}' };
  t.deepEqual(
    bodies,
    paths.filter((_, i) => i % 5 !== 4).map((path) => expected[path] ?? 'g 3'),
  );
  t.true(all.endsWith('}\n'));
});

test.serial('HTTP/1.0: the connection ends with the answer, unless the client asks for more', async (t) => {
  const door = await exporter(t, { registry: smallRegistry(), selfMetrics: false });
  const answer = await answerTo(door, 'GET /metrics HTTP/1.0\r\n\r\n');
  t.regex(answer, /^HTTP\/1\.0 200 OK\r\n/);
  t.true(
    answer.endsWith('\r\n\r\n# HELP c Some help\n# TYPE c counter\nc 2\n\n# HELP g Some help\n# TYPE g gauge\ng 3\n'),
  );
  const socket = await door.connect();
  socket.write('GET /ready HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const [first] = await once(socket, 'data');
  t.regex(first.toString(), /^HTTP\/1\.0 200 OK\r\n(.*\r\n)*connection: keep-alive\r\n/i);
  socket.write('GET /ready HTTP/1.0\r\n\r\n');
  t.regex(await everything(socket), /^HTTP\/1\.0 200 OK\r\n/);
});

test.serial('a connection is kept for the next request', async (t) => {
  const door = await exporter(t, { registry: smallRegistry() });
  const socket = await door.connect();
  for (let round = 0; round < 20; round++) {
    socket.write('GET /ready HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = await once(socket, 'data');
    t.regex(answer.toString(), /^HTTP\/1\.1 200 OK\r\n/);
  }
  t.is(seriesValue(await door.text(), 'llmdevops_metrics_connections'), 2);
  socket.destroy();
});
