// Tests the addresses on which an exporter listens, and its errors.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointError, Gauge, register, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samplesOf } from '../../support/exposition.mjs';
import { start } from './support/children.mjs';
import { ask, exporter } from './support/doors.mjs';
import { SMALL_TEXT, smallRegistry } from './support/registries.mjs';

/** A path for a socket, in a folder that is removed after the test. */
async function socketPath(t) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'metrics.sock');
}

async function opened(t, options) {
  const running = await startExporter({ registry: smallRegistry(), selfMetrics: false, port: 0, ...options });
  t.teardown(() => running.close({ timeoutMs: 0 }));
  return running;
}

async function fetched(url) {
  return (await fetch(url)).text();
}

test('port 0 takes a free port and shows its number', async (t) => {
  const { url, port } = await opened(t, { host: '127.0.0.1' });
  t.true(port > 1024);
  t.is(url, `http://127.0.0.1:${port}`);
  t.is(await fetched(`${url}/metrics`), SMALL_TEXT);
});

test('by default an exporter listens on all addresses, and its url reaches it', async (t) => {
  const { url, port } = await opened(t, {});
  t.is(url, `http://127.0.0.1:${port}`);
  t.is(await fetched(`http://127.0.0.2:${port}/metrics`), SMALL_TEXT);
});

test('localhost is a name that is resolved', async (t) => {
  const { url, port } = await opened(t, { host: 'localhost' });
  t.regex(url, /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
  t.true(url.endsWith(`:${port}`));
  t.is(await fetched(`${url}/metrics`), SMALL_TEXT);
});

for (const host of ['::1', '[::1]']) {
  test(`IPv6: host ${host}`, async (t) => {
    const { url, port } = await opened(t, { host });
    t.is(url, `http://[::1]:${port}`);
    t.is(await fetched(`${url}/metrics`), SMALL_TEXT);
  });
}

for (const host of ['::', '[::]']) {
  test(`IPv6: host ${host} is all addresses`, async (t) => {
    const { url, port } = await opened(t, { host });
    t.is(url, `http://[::1]:${port}`);
    t.is(await fetched(`${url}/metrics`), SMALL_TEXT);
  });
}

const unix = process.platform === 'win32' ? test.skip : test;

unix('a Unix socket is listened on instead, and is gone after close()', async (t) => {
  const socket = await socketPath(t);
  const running = await opened(t, { socket, port: 9 });
  t.is(running.url, `unix:${socket}`);
  t.is(running.port, 0);
  t.is((await ask({ socketPath: socket }, '/metrics')).body.toString(), SMALL_TEXT);
  await running.close();
  t.false(existsSync(socket));
});

unix('a socket that somebody answers at is somebody’s', async (t) => {
  const socket = await socketPath(t);
  await opened(t, { socket });
  const error = await t.throwsAsync(startExporter({ socket }), { instanceOf: EndpointError, code: 'BIND_FAILED' });
  t.true(error.message.startsWith(`Cannot listen on ${socket}: `), error.message);
  t.is((await ask({ socketPath: socket }, '/metrics')).body.toString(), SMALL_TEXT);
});

unix('the socket of a process that accepts nothing, and whose queue is full, is refused at once', async (t) => {
  const socket = await socketPath(t);
  const child = start(
    t,
    async ({ say, heard, block, require, argument: path }) => {
      const server = require('node:net').createServer();
      await new Promise((resolve) => server.listen({ path, backlog: 1 }, resolve));
      await say('listening');
      await heard();
      await say('blocking');
      block(20_000);
      await say('free');
    },
    socket,
  );
  await child.heard();
  child.say('block');
  await child.heard();
  const waiting = Array.from({ length: 8 }, () => net.connect(socket).on('error', () => {}));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const starting = startExporter({ socket }).catch(({ code, message }) => `${code}: ${message}`);
  t.regex(await Promise.race([starting, child.heard()]), /^BIND_FAILED: .* in use /);
  for (const client of waiting) client.destroy();
  child.kill('SIGKILL');
});

unix('the socket of a killed process is replaced', async (t) => {
  const socket = await socketPath(t);
  const child = start(
    t,
    async ({ client, say, heard, argument: socket }) => {
      await client.startExporter({ socket });
      await say('started');
      await heard();
    },
    socket,
  );
  await child.heard();
  child.kill('SIGKILL');
  t.is((await child.ended).signal, 'SIGKILL');
  t.true(existsSync(socket));
  await opened(t, { socket });
  t.is((await ask({ socketPath: socket }, '/metrics')).body.toString(), SMALL_TEXT);
});

unix('a file that is not a socket is left alone', async (t) => {
  const socket = await socketPath(t);
  await writeFile(socket, 'precious');
  await t.throwsAsync(startExporter({ socket }), { instanceOf: EndpointError, code: 'BIND_FAILED' });
  t.true(existsSync(socket));
});

test('several exporters at once, of one registry and of several', async (t) => {
  const shared = smallRegistry();
  const doors = [
    await exporter(t, { registry: shared, selfMetrics: false }),
    await exporter(t, { registry: shared, selfMetrics: false }),
    await exporter(t, { registry: smallRegistry(), selfMetrics: false }),
  ];
  t.is(new Set(doors.map(({ port }) => port)).size, 3);
  shared.getSingleMetric('g').set(8);
  const shown = async () => (await Promise.all(doors.map(({ text }) => text()))).map((body) => samplesOf(body).at(-1));
  t.deepEqual(await shown(), ['g 8', 'g 8', 'g 3']);
  doors[0].setReady(false);
  const ready = await Promise.all(doors.map(async ({ ask }) => (await ask('/ready')).status));
  t.deepEqual(ready, [503, 200, 200]);
  // Closing one does not close the others.
  await doors[0].close();
  await t.throwsAsync(doors[0].text(), { code: 'ECONNREFUSED' });
  t.is(samplesOf(await doors[1].text()).at(-1), 'g 8');
});

test('each exporter counts its own scrapes', async (t) => {
  const registry = smallRegistry();
  const [one, other] = [await exporter(t, { registry }), await exporter(t, { registry })];
  const scrapes = async ({ text }) => Number(/scrape_duration_seconds_count (\d+)/.exec(await text())[1]);
  for (const expected of [0, 1, 2]) t.is(await scrapes(one), expected);
  t.is(await scrapes(other), 0);
});

test('without options the default registry is shown', async (t) => {
  const name = 'exporter_default';
  new Gauge({ name, help: 'Some help' }).set(5);
  t.teardown(() => register.removeSingleMetric(name));
  const { text } = await exporter(t);
  t.deepEqual(samplesOf(await text(`/metrics?name[]=${name}`)), [`${name} 5`]);
});

test('a port that is taken', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address();
  const error = await t.throwsAsync(startExporter({ host: '127.0.0.1', port }), {
    instanceOf: EndpointError,
    code: 'BIND_FAILED',
  });
  t.regex(error.message, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*in use`, 'i'));
});

test('the port of an exporter is in use while it runs, and free after close()', async (t) => {
  const running = await opened(t, { host: '127.0.0.1' });
  const again = () => startExporter({ host: '127.0.0.1', port: running.port, registry: smallRegistry() });
  await t.throwsAsync(again(), { code: 'BIND_FAILED' });
  await fetched(`${running.url}/metrics`);
  await running.close();
  const next = await again();
  t.is(next.port, running.port);
  await next.close();
});

for (const [options, address] of [
  [{ host: '192.0.2.1', port: 0 }, '192.0.2.1:0'],
  [{ host: '2001:db8::1', port: 0 }, '[2001:db8::1]:0'],
  [{ host: 'no such host', port: 0 }, 'no such host:0'],
  [{ socket: '/no/such/folder/metrics.sock' }, '/no/such/folder/metrics.sock'],
  [{ socket: `/tmp/${'x'.repeat(200)}` }, `/tmp/${'x'.repeat(200)}`],
]) {
  test(`${address.slice(0, 40)} cannot be listened on`, async (t) => {
    const error = await t.throwsAsync(startExporter(options), { instanceOf: EndpointError, code: 'BIND_FAILED' });
    t.true(error.message.startsWith(`Cannot listen on ${address}: `), error.message);
    t.true(error.message.length > `Cannot listen on ${address}: `.length);
  });
}

const wrong = [
  [null, 'Expected options but received null'],
  ['9090', 'Expected options but received "9090" of type string'],
  [{ registry: {} }, 'Expected a Registry for registry but received an object of type Object'],
  [{ port: 65_536 }, 'Expected an integer from 0 to 65535 for port but received 65536 of type number'],
  [{ port: '80' }, 'Expected an integer from 0 to 65535 for port but received "80" of type string'],
  [{ port: Number.NaN }, 'Expected an integer from 0 to 65535 for port but received NaN of type number'],
  [{ port: null }, 'Expected an integer from 0 to 65535 for port but received null'],
  [{ host: '' }, 'Expected an address to listen on for host but received "" of type string'],
  [{ socket: 5 }, 'Expected the name of a Unix socket for socket but received 5 of type number'],
  [
    { path: '/health' },
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for path but received "/health" of type string',
  ],
  [{ enabled: 'yes' }, 'Expected true or false for enabled but received "yes" of type string'],
  [{ scope: 'all' }, `Expected 'process' or 'own' for scope but received "all" of type string`],
  [{ checks: [5] }, 'Expected an object of functions for checks but received an object of type Array'],
  [{ checks: { db: true } }, 'Expected an object of functions for checks but received an object of type Object'],
  [{ authenticate: true }, 'Expected a function for authenticate but received something of type boolean'],
  [{ maxConnections: 0 }, 'Expected an integer from 1 to 65535 for maxConnections but received 0 of type number'],
  [
    { idleTimeoutMs: Number.POSITIVE_INFINITY },
    'Expected milliseconds from 1 to 86400000 for idleTimeoutMs but received Infinity of type number',
  ],
];
for (const [options, message] of wrong) {
  test(`startExporter() rejects: ${message}`, async (t) => {
    await t.throwsAsync(startExporter(options), { instanceOf: TypeError, code: 'INVALID_CONFIG', message });
  });
}

test('an invalid timeoutMs of close() is rejected, and nothing is closed', async (t) => {
  const running = await opened(t, { host: '127.0.0.1' });
  for (const options of [null, 5, 'now', () => {}]) {
    await t.throwsAsync(running.close(options), { code: 'INVALID_CONFIG', message: /^Expected options for close\(\)/ });
  }
  for (const timeoutMs of [-1, Number.NaN, '5', null]) {
    await t.throwsAsync(running.close({ timeoutMs }), { code: 'INVALID_CONFIG', message: /^Expected milliseconds/ });
  }
  t.is(await fetched(`${running.url}/metrics`), SMALL_TEXT);
});

test('a disabled endpoint does not listen', async (t) => {
  const running = await startExporter({ enabled: false, port: 0 });
  t.is(running.url, '');
  t.is(running.port, 0);
  t.is(running.setReady(false), undefined);
  t.is(await running.close(), undefined);
  t.is(await running.close(), undefined);
});

test('METRICS_ENABLED=false disables it; an option overrides that', async (t) => {
  const child = start(
    t,
    async ({ client, say }) => {
      const off = await client.startExporter();
      const on = await client.startExporter({ enabled: true, port: 0, host: '127.0.0.1' });
      await say([off.url, off.port, on.url === `http://127.0.0.1:${on.port}`]);
    },
    null,
    { env: { METRICS_ENABLED: 'false', METRICS_ENDPOINT_PORT: '1' } },
  );
  t.deepEqual(await child.heard(), ['', 0, true]);
  t.is((await child.ended).code, 0);
});
