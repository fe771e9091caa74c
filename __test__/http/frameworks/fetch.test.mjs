// Tests createFetchHandler() as the plain function that Next.js, Bun and Deno call. Bun and Deno do not run here: the
// tests make their arguments by hand.

import { Counter, createFetchHandler, Registry, register } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samplesOf } from '../../support/exposition.mjs';

const request = (path, init) => new Request(`http://host.example${path}`, init);

function smallRegistry() {
  const registry = new Registry();
  new Counter({ name: 'c', help: 'Some help', registers: [registry] }).inc(2);
  return registry;
}

/** Some 6 MB of text, in 20,000 series. */
function largeRegistry() {
  const registry = new Registry({ cardinality: { maxSeries: 20_000 } });
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
  for (let i = 0; i < 20_000; i++) counter.inc({ a: 'x'.repeat(280), b: i });
  return registry;
}

const CONTEXTS = {
  nothing: undefined,
  'Next.js': { params: Promise.resolve({}) },
  'Bun.serve()': { requestIP: () => ({ address: '10.0.0.1', port: 1, family: 'IPv4' }) },
  'Bun.serve(), when the client has gone': { requestIP: () => null },
  'Deno.serve()': { remoteAddr: { transport: 'tcp', hostname: '10.0.0.1', port: 1 } },
  'Deno.serve() on a Unix socket': { remoteAddr: { transport: 'unix', path: '/run/x' } },
  '@hono/node-server': { incoming: { socket: { remoteAddress: '10.0.0.1' } }, outgoing: {} },
  'a peer': { peer: '10.0.0.1' },
  'what it is not for': 'a string',
};
for (const [name, context] of Object.entries(CONTEXTS)) {
  test(`it answers a call with the arguments of ${name}`, async (t) => {
    const handler = createFetchHandler({ registry: smallRegistry(), selfMetrics: false });
    const response = await handler(request('/metrics'), context);
    t.is(response.status, 200);
    t.deepEqual(samplesOf(await response.text()), ['c 2']);
  });
}

test('Next.js gets no compressed body, because it removes the header that says so', async (t) => {
  const handler = createFetchHandler({ registry: largeRegistry() });
  const headers = { 'accept-encoding': 'gzip' };
  const answered = async (given) => (await handler(given)).headers.get('content-encoding');
  t.is(await answered(request('/metrics', { headers })), 'gzip');
  const ofNext = Object.defineProperty(request('/metrics', { headers }), 'nextUrl', {
    get: () => new URL('http://h/metrics'),
  });
  t.is(await answered(ofNext), null);
});

test('URLs of every shape', async (t) => {
  const handler = createFetchHandler({ registry: smallRegistry() });
  const statusOf = async (url) => (await handler(new Request(url))).status;
  for (const url of [
    'http://h/metrics',
    'https://h:1/metrics?a=/b',
    'http://[::1]:3/metrics#x',
    'http://u@h/metrics',
  ]) {
    t.is(await statusOf(url.replace('u@', '')), 200, url);
  }
  for (const url of ['http://h', 'http://h/', 'http://h?/metrics', 'http://h/x/metrics', 'http://metrics/']) {
    t.is(await statusOf(url), 404, url);
  }
});

test('an unknown path gets 404, with a body for GET and without one for HEAD', async (t) => {
  const handler = createFetchHandler({ registry: smallRegistry() });
  const get = await handler(request('/nothing'));
  t.deepEqual([get.status, await get.text()], [404, 'Not found.\n']);
  t.is(get.headers.get('content-type'), 'text/plain; charset=utf-8');
  const head = await handler(request('/nothing', { method: 'HEAD' }));
  t.deepEqual([head.status, await head.text(), head.body], [404, '', null]);
});

test('a large body is a stream that is read on demand', async (t) => {
  const registry = largeRegistry();
  const handler = createFetchHandler({ registry });
  const expected = (await registry.scrape()).body;
  const response = await handler(request('/metrics'));
  t.is(response.headers.get('content-length'), `${expected.length}`);
  const pieces = [];
  for await (const piece of response.body) {
    t.true(piece.byteLength <= 64 * 1024);
    pieces.push(piece);
    // A piece does not change after it was read.
    await new Promise(setImmediate);
  }
  t.true(pieces.length > 90);
  t.true(Buffer.concat(pieces).equals(expected));
});

test('a stream that is cancelled, before or after its first piece, ends', async (t) => {
  const handler = createFetchHandler({ registry: largeRegistry() });
  const unread = await handler(request('/metrics'));
  await unread.body.cancel();
  const begun = await handler(request('/metrics'));
  const reader = begun.body.getReader();
  t.is((await reader.read()).done, false);
  await reader.cancel();
  t.is((await reader.read()).done, true);
  t.is((await handler(request('/health'))).status, 200);
});

test('a cancelled body is freed without a garbage collection', async (t) => {
  const registry = largeRegistry();
  const handler = createFetchHandler({ registry });
  const bodies = [];
  const scrape = async () => {
    const response = await handler(request('/metrics'));
    // References are held, so that a garbage collection cannot free them.
    bodies.push(response);
    return response;
  };
  for (let i = 0; i < 5; i++) await (await scrape()).body.cancel();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 40; i++) await (await scrape()).body.cancel();
  const grown = process.memoryUsage.rss() - before;
  t.true(grown < 80e6, `40 bodies of 6 MB, and memory grew by ${(grown / 1e6).toFixed(0)} MB`);
});

test('without options the default registry is shown', async (t) => {
  const name = 'fetch_handler_default';
  new Counter({ name, help: 'Some help' }).inc(5);
  t.teardown(() => register.removeSingleMetric(name));
  const response = await createFetchHandler()(request(`/metrics?name[]=${name}`));
  t.deepEqual(samplesOf(await response.text()), [`${name} 5`]);
});

for (const options of [{ registry: {} }, { path: 'metrics' }, { scope: 'x' }, { timeoutMs: 0 }]) {
  test(`it rejects ${JSON.stringify(options)}`, (t) => {
    t.throws(() => createFetchHandler(options), { instanceOf: TypeError, code: 'INVALID_CONFIG' });
  });
}
