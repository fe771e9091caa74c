// Tests what a pusher does with receivers that fail, are slow, refuse, or need credentials.

import { rename, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry, startPusher } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { certificates } from '../http/exporter/support/certificates.mjs';
import { seriesValue } from '../support/exposition.mjs';
import { answers, pushing, SHOP, shop, until } from './support/pushers.mjs';
import { remoteWrite, valuesOf } from './support/requests.mjs';

const timeOf = (request) => remoteWrite(request).series[0].samples[0].timestamp;

for (const status of [429, 500, 502, 503, 504]) {
  test(`a push that is answered ${status} is sent again as it was`, async (t) => {
    const { registry } = shop();
    const { pusher, requests } = await pushing(t, answers(status, status, 204), { registry });
    await pusher.flush();
    t.is(requests.length, 3);
    t.deepEqual(requests[1].body, requests[0].body);
    t.deepEqual(requests[2].body, requests[0].body);
    const { pushes, failures, dropped } = pusher.stats();
    t.deepEqual({ pushes, failures, dropped }, { pushes: 1, failures: 2, dropped: 0 });
  });
}

for (const status of [301, 307, 400, 401, 403, 404, 413, 422]) {
  test(`a push that is answered ${status} is dropped, with the receiver's words`, async (t) => {
    const { registry, warnings } = shop();
    const elsewhere = { Location: '/elsewhere' };
    const { pusher, requests } = await pushing(t, answers([status, elsewhere, 'no, "thanks"\n']), { registry });
    const error = await t.throwsAsync(pusher.flush());
    t.is(error.code, 'PUSH_FAILED');
    t.regex(error.message, new RegExp(`did not accept the push; last failure: it answered ${status}: no, "thanks"`));
    t.is(requests.length, 1, 'redirects are not followed');
    t.is(pusher.stats().dropped, 1);
    await until(() => warnings.length > 0);
    t.regex(warnings[0], new RegExp(`refused a push, which is dropped: it answered ${status}`));
    t.is(
      seriesValue(
        await scraped(registry),
        `llmdevops_push_dropped_total{receiver="${receiverOf(error)}",reason="refused"}`,
      ),
      1,
    );
  });
}

const receiverOf = (error) => /127\.0\.0\.1:\d+/.exec(error.message)[0];
const scraped = async (registry) => (await registry.scrape({ accept: 'text/plain' })).body.toString();

test('Retry-After is waited for', async (t) => {
  const { registry } = shop();
  const { pusher, requests } = await pushing(t, answers([429, { 'Retry-After': '1' }], 204), { registry });
  const arrived = [];
  const begun = performance.now();
  await pusher.flush();
  arrived.push(performance.now() - begun);
  t.is(requests.length, 2);
  t.true(arrived[0] >= 1000);
});

test('a receiver that resets connections, then is not there, then is back, gets all values', async (t) => {
  const { registry, sales } = shop();
  let isUp = false;
  const { pusher, requests } = await pushing(
    t,
    (request, response) => (isUp ? response.writeHead(204).end() : request.socket.resetAndDestroy()),
    { registry, intervalMs: 100 },
  );
  await until(() => requests.length > 2);
  sales.inc({ shop: 'new', Area: 'x' }, 7);
  await until(() => pusher.stats().queued > 2);
  isUp = true;
  await pusher.flush();
  const last = valuesOf(requests.at(-1));
  t.is(last['sales_total{Area="x",job="test",shop="new"}'], 7);
  const accepted = requests.slice(-4).map(timeOf);
  t.deepEqual(accepted, [...accepted].sort());
  // Each interval adds a push, so the queue is empty only between two of them.
  await until(() => pusher.stats().queued === 0);
});

test('while a receiver does not answer, the newest pushes wait, and the dropped ones are counted', async (t) => {
  const { registry } = shop();
  const server = net.createServer(() => {}).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const pusher = await startPusher({ registry, url, intervalMs: 100, timeoutMs: 50, queueLength: 3 });
  await until(() => pusher.stats().dropped > 2);
  t.is(pusher.stats().queued, 3);
  t.regex(pusher.stats().lastError, /no answer in time/);
  await t.throwsAsync(pusher.flush(200), {
    code: 'PUSH_FAILED',
    message: /has not answered in time; last failure: no answer/,
  });
  const before = performance.now();
  await pusher.close(300);
  t.true(performance.now() - before < 5000);
});

/** A pusher, and a server that sends these bytes for each connection and closes it. */
async function pusherOf(t, nextReply) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(nextReply()));
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { registry } = shop();
  const url = `http://127.0.0.1:${server.address().port}/`;
  const pusher = await startPusher({ registry, url, protocol: 'remote-write-1', intervalMs: 3_600_000 });
  t.teardown(() => pusher.close(0));
  return pusher;
}

test('an answer may be chunked, follow an interim one, or come before the whole request was read', async (t) => {
  const replies = [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\n',
    'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig',
  ];
  const pusher = await pusherOf(t, () => replies.shift());
  await pusher.flush();
  await t.throwsAsync(pusher.flush(), { message: /it answered 400: hello$/ });
  await pusher.flush();
  await t.throwsAsync(pusher.flush(), { message: /it answered 413: big$/ });
});

test('garbage is not an answer, and the push is sent again', async (t) => {
  const replies = ['SSH-2.0-OpenSSH_9\r\n', '', 'HTTP/1.1 2', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`];
  const pusher = await pusherOf(t, () => replies.shift() ?? 'HTTP/1.1 204 No Content\r\n\r\n');
  await pusher.flush();
  t.is(pusher.stats().failures, 4);
});

test('credentials are sent, and no text has them', async (t) => {
  const { registry, warnings } = shop();
  const echo = (request, response) => response.writeHead(400).end(`not for ${request.headers.authorization}`);
  for (const [options, expected] of [
    [{ username: 'me', password: 'pass word' }, `Basic ${Buffer.from('me:pass word').toString('base64')}`],
    [{ bearerToken: 'token-0815' }, 'Bearer token-0815'],
    [{ headers: { Authorization: 'Token abcdefgh', 'X-Scope-OrgID': 'a=b' } }, 'Token abcdefgh'],
  ]) {
    const { pusher, requests } = await pushing(t, echo, { registry, ...options });
    const error = await t.throwsAsync(pusher.flush());
    t.is(requests[0].headers.authorization, expected);
    const secret = expected.split(' ')[1];
    t.false(error.message.includes(secret), error.message);
    t.false(`${pusher.stats().lastError}${warnings}`.includes(secret));
  }
});

test('user and password in the URL are sent, and no text has them', async (t) => {
  const { registry, warnings } = shop();
  const { pusher, requests } = await pushing(t, answers(500, 403), ({ url }) => ({
    registry,
    url: url.replace('//', '//me:hunter%402@'),
  }));
  const error = await t.throwsAsync(pusher.flush());
  t.is(requests[0].headers.authorization, `Basic ${Buffer.from('me:hunter@2').toString('base64')}`);
  await until(() => warnings.length > 1);
  t.false(`${error.message}${warnings}${await scraped(registry)}`.includes('hunter'));
});

test('a token is read again from its file', async (t) => {
  const { registry } = shop();
  const { folder } = await certificates(t);
  const bearerTokenFile = join(folder, 'token');
  await writeFile(bearerTokenFile, 'first\n');
  const { pusher, requests } = await pushing(t, answers(204), { registry, bearerTokenFile });
  await pusher.flush();
  await writeFile(bearerTokenFile, 'second');
  await pusher.flush();
  t.deepEqual(
    requests.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  );
});

test('https needs a certificate of a known authority, and may ask for one of the pusher', async (t) => {
  const { registry } = shop();
  const made = await certificates(t);
  const secure = {
    key: made.read('server.key'),
    cert: made.read('server.crt'),
    ca: made.read('ca.crt'),
    requestCert: true,
    rejectUnauthorized: true,
  };
  const tlsCaFile = made.path('ca.crt');
  const own = { tlsCertFile: made.path('client.crt'), tlsKeyFile: made.path('client.key') };
  const { pusher, requests } = await pushing(t, answers(204), { registry, tlsCaFile, ...own }, secure);
  await pusher.flush();
  t.deepEqual(valuesOf(requests[0]), SHOP);
  for (const [what, options] of [
    ['no certificate', { tlsCaFile }],
    ['another authority', { tlsCaFile: made.path('other-ca.crt'), ...own }],
    ["the system's authorities", own],
  ]) {
    const other = await pushing(t, answers(204), { registry, ...options }, secure);
    await t.throwsAsync(other.pusher.flush(300), { code: 'PUSH_FAILED' }, what);
    t.is(other.requests.length, 0, what);
  }
});

test('a replaced authority is used from the next connection on', async (t) => {
  const { registry } = shop();
  const made = await certificates(t);
  const secure = { key: made.read('server.key'), cert: made.read('server.crt') };
  const tlsCaFile = join(made.folder, 'used.crt');
  await writeFile(tlsCaFile, made.read('other-ca.crt'));
  const { pusher } = await pushing(t, answers(204), { registry, tlsCaFile }, secure);
  await t.throwsAsync(pusher.flush(300), { message: /certificate/i });
  await writeFile(`${tlsCaFile}.new`, made.read('ca.crt'));
  await rename(`${tlsCaFile}.new`, tlsCaFile);
  await pusher.flush();
  t.pass();
});

test('values that collectors set are pushed; a collector that is late costs nothing', async (t) => {
  const registry = new Registry();
  registry.gauge({
    name: 'collected',
    help: 'C',
    collect() {
      this.set(Date.now());
    },
  });
  const { pusher, requests } = await pushing(t, answers(204), { registry });
  await pusher.flush();
  const first = valuesOf(requests[0])['collected{job="test"}'];
  await sleep(5);
  await pusher.flush();
  t.true(valuesOf(requests[1])['collected{job="test"}'] > first);
});

test('a time that is too long for a timer is a long one', async (t) => {
  const { registry } = shop();
  const { pusher } = await pushing(t, answers(503, 204), { registry });
  await pusher.flush(Number.POSITIVE_INFINITY);
  await t.throwsAsync(pusher.flush(Number.NaN), { code: 'INVALID_CONFIG' });
  await t.throwsAsync(pusher.close(-1), { code: 'INVALID_CONFIG' });
  t.is(pusher.stats().pushes, 1);
});

test('closing twice is closing once, and nothing is pushed afterwards', async (t) => {
  const { registry } = shop();
  const { pusher, requests } = await pushing(t, answers(204), { registry, intervalMs: 100 });
  await Promise.all([pusher.close(), pusher.close()]);
  const count = requests.length;
  t.true(count > 0);
  await t.throwsAsync(pusher.flush(), { code: 'PUSH_FAILED', message: /closed/ });
  await sleep(250);
  t.is(requests.length, count);
});

test('the metrics of pushers are shown once there is one', async (t) => {
  const { registry } = shop();
  t.false((await scraped(registry)).includes('llmdevops_push'));
  const { pusher, port } = await pushing(t, answers(204), { registry });
  await pusher.flush();
  const text = await scraped(registry);
  const value = (name) => seriesValue(text, `llmdevops_push_${name}{receiver="127.0.0.1:${port}"}`);
  t.is(value('pushes_total'), 1);
  t.is(value('samples_total'), pusher.stats().samples);
  t.is(value('bytes_total'), pusher.stats().bytes);
  t.true(Math.abs(value('last_success_timestamp_seconds') - Date.now() / 1000) < 60);
});
