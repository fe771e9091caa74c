// Tests the allowlist, forwarded addresses and the rate limit, through both doors.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsHandler, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { ask as askOf, DOORS, everything, rejected } from './support/doors.mjs';
import { smallRegistry } from './support/registries.mjs';

for (const { door, open } of DOORS) {
  const opened = (t, options) => open(t, { registry: smallRegistry(), ...options });
  const status = async ({ ask }, from, forwarded, path = '/metrics') => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    return (await ask(path, { from, headers })).status;
  };

  test.serial(`${door}: addresses that are not listed are rejected, and counted`, async (t) => {
    const endpoint = await opened(t, { allowlist: ['127.0.0.2', '127.1.0.0/16', '::1'] });
    for (const from of ['127.0.0.2', '127.1.2.3', '127.1.255.255']) t.is(await status(endpoint, from), 200, from);
    for (const from of ['127.0.0.1', '127.0.0.3', '127.2.0.1']) {
      const { status, body, headers } = await endpoint.ask('/metrics', { from });
      t.is(status, 403, from);
      t.is(body.toString(), 'Forbidden.\n');
      t.is(headers['content-type'], 'text/plain; charset=utf-8');
    }
    // Kubelets come from anywhere.
    t.is(await status(endpoint, '127.0.0.1', undefined, '/health'), 200);
    const { body } = await endpoint.ask('/metrics', { from: '127.0.0.2' });
    t.is(rejected(body.toString(), 'address'), 3);
  });

  test.serial(`${door}: protected health is rejected too`, async (t) => {
    const endpoint = await opened(t, { allowlist: ['127.0.0.2'], protectHealth: true });
    t.is(await status(endpoint, '127.0.0.1', undefined, '/health'), 403);
    t.is(await status(endpoint, '127.0.0.2', undefined, '/ready'), 200);
  });

  test.serial(`${door}: X-Forwarded-For from an untrusted address is ignored`, async (t) => {
    const endpoint = await opened(t, { allowlist: ['10.0.0.0/8', '127.0.0.2'] });
    t.is(await status(endpoint, '127.0.0.1', '10.0.0.1'), 403);
    t.is(await status(endpoint, '127.0.0.2', '192.0.2.1'), 200);
  });

  test.serial(`${door}: behind a trusted proxy, the rightmost address that is not a proxy counts`, async (t) => {
    const endpoint = await opened(t, { allowlist: ['10.0.0.0/8'], trustedProxies: ['127.0.0.1', '192.0.2.0/24'] });
    const allowed = [
      '10.0.0.1',
      '203.0.113.9, 10.0.0.1',
      '10.0.0.1, 192.0.2.7',
      ' 10.0.0.1 ,192.0.2.7,192.0.2.8 ',
      '10.0.0.1:4711',
      '::ffff:10.0.0.1',
      'nonsense, 10.0.0.1',
    ];
    const refused = [
      undefined,
      '',
      '203.0.113.9',
      // Written by the client itself.
      '10.0.0.1, 203.0.113.9',
      '10.0.0.1, 203.0.113.9, 192.0.2.7',
      '10.0.0.1, nonsense',
    ];
    for (const forwarded of allowed) t.is(await status(endpoint, '127.0.0.1', forwarded), 200, forwarded);
    for (const forwarded of refused) t.is(await status(endpoint, '127.0.0.1', forwarded), 403, forwarded);
    t.is(await status(endpoint, '127.0.0.5', '10.0.0.1'), 403, 'that proxy is not trusted');
  });

  test.serial(`${door}: an address that the proxy adds in a second header line is used`, async (t) => {
    const endpoint = await opened(t, { allowlist: ['10.0.0.0/8'], trustedProxies: ['127.0.0.1'] });
    const answer = async (...addresses) => {
      const socket = await endpoint.connect();
      const lines = addresses.map((address) => `X-Forwarded-For: ${address}\r\n`).join('');
      socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n${lines}Connection: close\r\n\r\n`);
      return (await everything(socket)).slice(9, 12);
    };
    t.is(await answer('203.0.113.9', '10.0.0.1'), '200');
    t.is(await answer('10.0.0.1', '203.0.113.9'), '403');
  });

  test.serial(`${door}: a client over the rate gets 429 with Retry-After; other clients are served`, async (t) => {
    const endpoint = await opened(t, { rateLimitRps: 1, rateLimitBurst: 3 });
    const statuses = [];
    let last;
    for (let request = 0; request < 6; request++) {
      last = await endpoint.ask('/metrics');
      statuses.push(last.status);
    }
    // A slow machine may earn one more.
    t.deepEqual(statuses.slice(0, 3), [200, 200, 200]);
    t.true(statuses.slice(3).includes(429), `${statuses}`);
    if (last.status === 429) {
      t.is(last.headers['retry-after'], '1');
      t.is(last.body.toString(), 'Too many requests.\n');
    }
    for (let request = 0; request < 10; request++) t.is(await status(endpoint, '127.0.0.1', undefined, '/health'), 200);
    const other = await endpoint.ask('/metrics', { from: '127.0.0.8' });
    t.is(other.status, 200);
    t.is(rejected(other.body.toString(), 'rate_limit'), statuses.filter((code) => code === 429).length);
    await new Promise((resolve) => setTimeout(resolve, 1300));
    t.is(await status(endpoint), 200);
  });

  test.serial(`${door}: the burst is twice the rate unless it is given`, async (t) => {
    const endpoint = await opened(t, { rateLimitRps: 0.01 });
    t.is(await status(endpoint), 200);
    t.is(await status(endpoint), 429);
    const wider = await opened(t, { rateLimitRps: 2.5 });
    for (let request = 0; request < 5; request++) t.is(await status(wider), 200);
  });

  test.serial(`${door}: each client behind a trusted proxy has its own rate`, async (t) => {
    const endpoint = await opened(t, { rateLimitRps: 0.01, rateLimitBurst: 1, trustedProxies: ['127.0.0.1'] });
    for (const client of ['203.0.113.1', '203.0.113.2', '2001:db8::1']) {
      t.is(await status(endpoint, '127.0.0.1', client), 200);
      t.is(await status(endpoint, '127.0.0.1', client), 429);
    }
    // The /64 network of one customer.
    t.is(await status(endpoint, '127.0.0.1', '2001:db8::2'), 429);
  });
}

test.serial('requests over a Unix socket pass: the file system has allowed them', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const socketPath = join(folder, 'metrics.sock');
  const running = await startExporter({ socket: socketPath, registry: smallRegistry(), allowlist: ['10.0.0.0/8'] });
  t.is((await askOf({ socketPath }, '/metrics')).status, 200);
  await running.close();
});

for (const entry of ['10.0.0.0/33', '10.0.0', 'localhost', '10.0.0.0/8/8', '::/129', '*']) {
  test.serial(`${entry} is an invalid address`, async (t) => {
    for (const name of ['allowlist', 'trustedProxies']) {
      const error = { instanceOf: TypeError, code: 'INVALID_CONFIG' };
      const { message } = t.throws(() => createMetricsHandler({ [name]: ['::1', entry] }), error);
      t.regex(message, /^Expected an address or CIDR block for /);
      t.true(message.includes(JSON.stringify(entry)), message);
      await t.throwsAsync(startExporter({ port: 0, [name]: [entry] }), error);
    }
  });
}
