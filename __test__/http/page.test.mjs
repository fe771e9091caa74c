// Tests how the page is served, by both doors: headers, the content-security policy, compression, facts, access, the setting,
// and the places where frameworks put it. What the page shows is tested in `__test__/page` and `__test__/browser`.

import { createHash } from 'node:crypto';
import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Counter, createFetchHandler, createMetricsHandler, Registry } from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import test from 'ava';
import express from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { basic, DOORS, handler, own } from './exporter/support/doors.mjs';
import { listen } from './metrics/support/ledger.mjs';

/** A user whose hash is cheap to compute. */
const USER = 'u:$2b$04$v/P7ECUzsPBAfs8Xw9ohmOqMENN6qTZxU8tb9AOMEQwDNAH54J6Rm';

function registry() {
  const registry = new Registry();
  new Counter({ name: 'c_total', help: 'h', labelNames: ['a'], registers: [registry] }).inc({ a: 'x' });
  new Counter({ name: 'few_total', help: 'h', cardinality: { maxSeries: 7 }, registers: [registry] });
  return registry;
}

const factsOf = (page) => JSON.parse(/<script type="application\/json" id="facts">(.*?)<\/script>/s.exec(page)[1]);
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

for (const { door, open } of DOORS) {
  const start = (t, options = {}) => open(t, { registry: registry(), page: true, ...options });

  test(`${door}: the page has a policy that allows its own script and style, and nothing else`, async (t) => {
    const { ask } = await start(t);
    const { status, headers, body } = await ask('/');
    t.is(status, 200);
    const page = body.toString();
    const [, script] = /<script type="module">([\s\S]*)<\/script>/.exec(page);
    const [, style] = /<style>([\s\S]*?)<\/style>/.exec(page);
    t.true(script.length > 10_000 && style.length > 1000);
    t.deepEqual(own(headers), {
      'content-type': 'text/html; charset=utf-8',
      'content-length': `${body.length}`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      vary: 'accept-encoding',
      'content-security-policy': `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`,
      'referrer-policy': 'no-referrer',
    });
    t.true(page.startsWith('<!DOCTYPE html>\n<html lang="en"'));
    t.notRegex(page, /\bhttps?:\/\/(?!www\.w3\.org\/2000\/svg)/, 'it asks no other origin');
    t.notRegex(page, /<[^>]+ (?:style|on\w+)=/, 'the policy forbids these attributes');
  });

  test(`${door}: the facts of the page`, async (t) => {
    const { ask } = await start(t, { path: '/<script>&"x"', selfMetrics: false });
    const page = (await ask('/')).body.toString();
    t.deepEqual(Object.keys(factsOf(page)), ['path', 'version', 'limits']);
    t.is(factsOf(page).path, '/<script>&"x"');
    t.regex(factsOf(page).version, /^\d+\.\d+\.\d+/);
    t.deepEqual(factsOf(page).limits, { c_total: 10_000, few_total: 7 });
    t.false(page.includes('/<script>&'));
  });

  test(`${door}: the page is compressed for browsers, also below the size from which expositions are`, async (t) => {
    const { ask } = await start(t, { compressionMinSize: 1_000_000 });
    const plain = await ask('/');
    const packed = await ask('/', { headers: { 'accept-encoding': 'gzip, deflate, br' } });
    t.is(packed.headers['content-encoding'], 'gzip');
    t.deepEqual(gunzipSync(packed.body), plain.body);
    t.true(packed.body.length < 60_000, `${packed.body.length} bytes`);
    const refused = await ask('/', { headers: { 'accept-encoding': 'identity;q=0, gzip;q=0' } });
    t.is(refused.status, 406);
    const never = await start(t, { compressionEnabled: false });
    t.is((await never.ask('/', { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'], undefined);
  });

  test(`${door}: HEAD, other methods and a body`, async (t) => {
    const { ask } = await start(t);
    const whole = await ask('/');
    const head = await ask('/', { method: 'HEAD' });
    t.deepEqual([head.status, own(head.headers), head.body.length], [200, own(whole.headers), 0]);
    const post = await ask('/', { method: 'POST' });
    t.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
    t.is((await ask('/', { headers: { 'content-length': '1' }, body: 'x' })).status, 413);
    t.is((await ask('/?a=b')).status, 200);
    t.is((await ask('//')).status, 404);
    t.is((await ask('/index.html')).status, 404);
  });

  test(`${door}: the page needs the same credentials as the exposition`, async (t) => {
    const { ask } = await start(t, { bearerTokens: ['token'], allowlist: ['127.0.0.1'] });
    const refused = await ask('/');
    t.is(refused.status, 401);
    t.false(refused.body.includes('script'));
    t.is((await ask('/', { headers: { authorization: 'Bearer token' } })).status, 200);
    const elsewhere = await start(t, { allowlist: ['10.0.0.0/8'] });
    t.is((await elsewhere.ask('/')).status, 403);
    const asked = await start(t, { authenticate: ({ headers }) => headers.cookie === 'ok=1' });
    t.is((await asked.ask('/')).status, 401);
    t.is((await asked.ask('/', { headers: { cookie: 'ok=1' } })).status, 200);
    const users = await start(t, { basicUsers: [USER] });
    const asking = await users.ask('/');
    t.is(asking.status, 401);
    t.regex(asking.headers['www-authenticate'], /^Basic /, 'a browser asks for a password');
    t.is((await users.ask('/', { headers: basic('u', 'wrong') })).status, 401);
  });

  test(`${door}: page: false`, async (t) => {
    const { ask } = await start(t, { page: false });
    t.deepEqual([(await ask('/')).status, (await ask('/metrics')).status], [404, 200]);
  });
}

test('an exporter has the page, and a handler has it only if asked', async (t) => {
  const [{ open: openHandler }, { open: openExporter }] = DOORS;
  t.is((await (await openExporter(t, { registry: registry() })).ask('/')).status, 200);
  t.is((await (await openHandler(t, { registry: registry() })).ask('/')).status, 404);
});

test.serial('METRICS_PAGE switches off the page of an exporter, and changes no handler', async (t) => {
  const [{ open: openHandler }, { open: openExporter }] = DOORS;
  t.teardown(() => delete process.env.METRICS_PAGE);
  process.env.METRICS_PAGE = 'false';
  t.is((await (await openExporter(t, { registry: registry() })).ask('/')).status, 404);
  process.env.METRICS_PAGE = 'true';
  t.is((await (await openHandler(t, { registry: registry() })).ask('/')).status, 404);
  const app = fastify();
  app.get('/', () => 'index');
  await app.register(fastifyMetrics, { registry: registry() });
  t.is((await app.inject('/')).body, 'index');
});

test('a path that has both is the page for browsers, and the exposition for others', async (t) => {
  const app = express();
  app.get('/monitor', createMetricsHandler({ registry: registry(), page: true }));
  const port = await listen(t, http.createServer(app));
  for (const [accept, expected] of [
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'page'],
    ['Text/HTML', 'page'],
    ['text/plain;version=0.0.4', 'exposition'],
    ['*/*', 'exposition'],
  ]) {
    t.is(await seen(port, '/monitor', accept), expected, accept);
  }
});

/** What the answer to a request is. */
async function seen(port, path, accept = 'text/html') {
  const headers = { accept };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', headers });
  const text = await response.text();
  if (text.includes('id="facts"')) return 'page';
  if (text.includes('c_total{')) return 'exposition';
  return response.status === 200 ? text : response.status;
}

async function answersOf(t, server, paths) {
  const port = await listen(t, server);
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await seen(port, path)])));
}

for (const [name, make] of [
  ['Express 5', express],
  ['Express 4', express4],
]) {
  test(`${name}: a handler mounted at a path of its own shows the page there, and the exposition below`, async (t) => {
    const app = make();
    app.use('/internal', createMetricsHandler({ registry: registry(), page: true }));
    app.use('/metrics', createMetricsHandler({ registry: registry(), page: true }));
    app.get('/', (_request, response) => response.send('index'));
    t.deepEqual(
      await answersOf(t, http.createServer(app), [
        '/',
        '/internal',
        '/internal/',
        '/internal/metrics',
        '/metrics',
        '/internal/x',
      ]),
      {
        '/': 'index',
        '/internal': 'page',
        '/internal/': 'page',
        '/internal/metrics': 'exposition',
        '/metrics': 'exposition',
        '/internal/x': 404,
      },
    );
  });

  test(`${name}: a handler at the root that others share leaves / to the application`, async (t) => {
    const app = make();
    app.use(createMetricsHandler({ registry: registry(), page: true }));
    app.get('/', (_request, response) => response.send('index'));
    t.deepEqual(await answersOf(t, http.createServer(app), ['/', '/metrics']), {
      '/': 'index',
      '/metrics': 'exposition',
    });
  });
}

test('Fastify: the plugin adds a route for the page', async (t) => {
  for (const [prefix, paths] of [
    ['', { '/': 'page', '/metrics': 'exposition' }],
    ['/internal', { '/': 404, '/internal': 'page', '/internal/': 'page', '/internal/metrics': 'exposition' }],
  ]) {
    const app = fastify();
    await app.register(fastifyMetrics, { registry: registry(), page: true, prefix });
    t.teardown(() => app.close());
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address();
    for (const [path, expected] of Object.entries(paths)) t.is(await seen(port, path), expected, `${prefix} ${path}`);
  }
});

test('Koa: the middleware', async (t) => {
  const app = new Koa();
  app.use(createMetricsHandler({ registry: registry(), page: true }).koa);
  t.deepEqual(await answersOf(t, http.createServer(app.callback()), ['/', '/metrics', '/x']), {
    '/': 'page',
    '/metrics': 'exposition',
    '/x': 404,
  });
});

test('a fetch handler, alone and in Hono', async (t) => {
  const metrics = createFetchHandler({ registry: registry(), page: true });
  const app = new Hono();
  app.get('/', metrics);
  app.get('/internal', metrics);
  app.get('/internal/*', metrics);
  for (const [serve, path, expected] of [
    [metrics, '/', 'text/html; charset=utf-8'],
    [metrics, '/metrics', 'text/plain; version=0.0.4; charset=utf-8'],
    [(request) => app.fetch(request), '/', 'text/html; charset=utf-8'],
    [(request) => app.fetch(request), '/internal', 'text/html; charset=utf-8'],
    [(request) => app.fetch(request), '/internal/metrics', 'text/plain; version=0.0.4; charset=utf-8'],
  ]) {
    const response = await serve(new Request(`http://app${path}`, { headers: { accept: 'text/html' } }));
    t.is(response.headers.get('content-type'), expected, path);
    await response.text();
  }
});

test('the page is not in an application that has switched metrics off', async (t) => {
  const { ask } = await handler(t, { registry: registry(), page: true, enabled: false });
  t.is((await ask('/')).status, 404);
});
