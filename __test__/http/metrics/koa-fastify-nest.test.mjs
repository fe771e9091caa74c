// Tests the routes of Koa, Fastify and NestJS in unusual cases.

import 'reflect-metadata';
import { once } from 'node:events';
import http from 'node:http';
import KoaRouter from '@koa/router';
import { createHttpMetrics, Registry } from '@llm-devops/prometheus-metrics';
import { createHttpMetrics as createFastifyHttpMetrics, fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { Controller, ForbiddenException, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import test from 'ava';
import Fastify from 'fastify';
import Koa from 'koa';
import { ask, Ledger, listen } from './support/ledger.mjs';

test('Koa: routers within routers, prefixes, and middleware of a router', async (t) => {
  const registry = new Registry();
  const app = new Koa();
  app.silent = true;
  app.use(createHttpMetrics({ registry }).koa);
  const inner = new KoaRouter().get('/posts/:post', (context) => {
    context.body = 'a post';
  });
  const outer = new KoaRouter({ prefix: '/users/:user' });
  outer.use((context, next) => (context.get('who') ? next() : context.throw(401)));
  outer.use('/in', inner.routes());
  outer.get(['/a', '/b'], (context) => {
    context.body = 'a or b';
  });
  outer.get(/^\/r\d+$/, (context) => {
    context.body = 'an expression';
  });
  app.use(outer.routes()).use(outer.allowedMethods());
  const ledger = new Ledger(await listen(t, http.createServer(app.callback())), registry);
  const headers = { who: 'me' };
  for (const user of ['1', '2']) {
    await ledger.ask('GET', `/users/${user}/in/posts/5`, '/users/:user/in/posts/:post', { headers });
    t.is((await ledger.ask('GET', `/users/${user}/in/posts/5`, '/users/:user/in/posts/:post')).status, 401);
    await ledger.ask('GET', `/users/${user}/a`, '/users/:user/a', { headers });
    await ledger.ask('GET', `/users/${user}/b`, '/users/:user/b', { headers });
    t.is((await ledger.ask('DELETE', `/users/${user}/a`, 'unmatched', { headers })).status, 405);
    t.is((await ledger.ask('GET', `/users/${user}/nothing`, 'unmatched', { headers })).status, 404);
  }
  await ledger.settle(t);
});

/** A Fastify instance that records. */
async function fastify(t, build, options = {}) {
  const registry = new Registry();
  const app = Fastify({ forceCloseConnections: true });
  app.register(createFastifyHttpMetrics({ registry, ...options }));
  build(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  return { app, registry, ledger: new Ledger(app.server.address().port, registry) };
}

test('Fastify: prefixes, wildcards, errors, and requests that reach no route or hook', async (t) => {
  const { ledger } = await fastify(t, (app) => {
    app.register(
      async (scope) => {
        scope.addHook('preHandler', async (request, reply) => {
          if (request.headers.who === undefined) return reply.code(401).send('who?');
        });
        scope.get('/x/:id', () => 'ok');
        scope.get('/files/*', () => 'ok');
        scope.post('/json', () => 'ok');
        scope.setNotFoundHandler((_, reply) => reply.code(404).send('not here'));
      },
      { prefix: '/api/:tenant' },
    );
  });
  const headers = { who: 'me' };
  for (const tenant of ['a', 'b']) {
    await ledger.ask('GET', `/api/${tenant}/x/1`, '/api/:tenant/x/:id', { headers });
    await ledger.ask('HEAD', `/api/${tenant}/x/1`, '/api/:tenant/x/:id', { headers });
    t.is((await ledger.ask('GET', `/api/${tenant}/x/1`, '/api/:tenant/x/:id')).status, 401);
    await ledger.ask('GET', `/api/${tenant}/files/a/b`, '/api/:tenant/files/*', { headers });
    t.is((await ledger.ask('GET', `/api/${tenant}/nothing`, 'unmatched', { headers })).status, 404);
  }
  const json = { ...headers, 'content-type': 'application/json' };
  t.is((await ledger.ask('POST', '/api/a/json', '/api/:tenant/json', { headers: json, body: '{' })).status, 400);
  t.is((await ledger.ask('POST', '/api/a/json', '/api/:tenant/json', { headers: json, body: '{}' })).status, 200);
  t.is((await ledger.ask('GET', '/%zz', 'unmatched')).status, 400);
  await ledger.settle(t);
});

test('Fastify: the route may be given, and requests ignored', async (t) => {
  const route = ({ routeOptions }) => routeOptions.url?.toUpperCase();
  const { ledger, app } = await fastify(t, (app) => app.get('/x', () => 'ok').get('/y', () => 'ok'), {
    route,
    ignore: ['/y'],
  });
  await ledger.ask('GET', '/x', '/X');
  await ask(app.server.address().port, 'GET', '/y');
  await ledger.ask('GET', '/z', 'unmatched');
  await ledger.settle(t);
});

test('Fastify: requests that are injected are recorded too', async (t) => {
  const { ledger, app } = await fastify(t, (app) => app.get('/x/:id', () => 'ok').post('/x', () => 'ok'));
  t.is((await app.inject('/x/1')).body, 'ok');
  ledger.enter('GET', '/x/:id', '2xx', { received: 2 });
  const { statusCode, body } = await app.inject('/none');
  t.is(statusCode, 404);
  ledger.enter('GET', 'unmatched', '4xx', { received: body.length });
  await app.inject({ method: 'POST', url: '/x', payload: '"x"', headers: { 'content-type': 'application/json' } });
  ledger.enter('POST', '/x', '2xx', { sent: 3, received: 2 });
  await ledger.settle(t);
});

test('Fastify: a hijacked socket is in flight until it closes', async (t) => {
  const { ledger, app } = await fastify(t, (app) =>
    app.get('/socket/:id', (_request, reply) => {
      reply.hijack().raw.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    }),
  );
  // As plugins of WebSockets do.
  app.server.on('upgrade', (request, socket) => {
    const response = new http.ServerResponse(request);
    response.assignSocket(socket);
    app.routing(request, response);
    socket.resume().once('end', () => socket.destroy());
  });
  const socket = await ledger.open('GET /socket/1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await once(socket, 'data');
  await ledger.inFlight(1);
  socket.destroy();
  ledger.enter('GET', '/socket/:id', '1xx');
  await ledger.settle(t);
});

test('Fastify: fastifyMetrics records with httpMetrics, and only then', async (t) => {
  for (const httpMetrics of [true, { namespace: 'llmdevops', ignore: ['/metrics'] }, false, undefined]) {
    const registry = new Registry();
    const app = Fastify({ forceCloseConnections: true });
    app.register(fastifyMetrics, { registry, httpMetrics });
    app.get('/x/:id', () => 'ok');
    await app.listen({ port: 0, host: '127.0.0.1' });
    t.teardown(() => app.close());
    const ledger = new Ledger(app.server.address().port, registry);
    if (httpMetrics) {
      for (const id of [1, 2]) await ledger.ask('GET', `/x/${id}`, '/x/:id');
      const { body } = await ask(app.server.address().port, 'GET', '/metrics');
      t.true(
        body.toString().includes('llmdevops_http_requests_total{method="GET",route="/x/:id",status_class="2xx"} 2'),
      );
      if (httpMetrics === true) ledger.enter('GET', '/metrics', '2xx', { received: body.length });
      await ledger.settle(t);
    } else {
      await ask(app.server.address().port, 'GET', '/x/1');
      t.deepEqual(registry.getMetricsAsArray(), []);
    }
  }
});

test('Fastify: fastifyMetrics respects prefixes', async (t) => {
  const app = Fastify({ forceCloseConnections: true });
  app.register(fastifyMetrics, { registry: new Registry(), prefix: '/ops' });
  app.register(
    async (scope) => scope.register(fastifyMetrics, { registry: new Registry(), path: '/m', prefix: '/y' }),
    {
      prefix: '/x',
    },
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const statusOf = async (path) => (await ask(app.server.address().port, 'GET', path)).status;
  for (const path of ['/ops/metrics?x', '/ops/health', '/ops/ready', '/x/y/m', '/x/y/health'])
    t.is(await statusOf(path), 200, path);
  for (const path of ['/metrics', '/health', '/ops/m', '/x/m', '/x/y/metrics']) t.is(await statusOf(path), 404, path);
});

test('Fastify: fastifyMetrics rejects invalid options when it is registered', async (t) => {
  for (const options of [{ path: 'metrics' }, { prefix: 1 }, { registry: {} }, { httpMetrics: { sizes: 1 } }]) {
    const app = Fastify();
    app.register(fastifyMetrics, options);
    await t.throwsAsync(app.ready(), { instanceOf: TypeError, code: 'INVALID_CONFIG' }, JSON.stringify(options));
  }
});

test('NestJS: the global prefix, guards and exceptions', async (t) => {
  class Cats {
    one(id) {
      if (id === 'forbidden') throw new ForbiddenException();
      return `cat ${id}`;
    }
  }
  Get(':id')(Cats.prototype, 'one', Object.getOwnPropertyDescriptor(Cats.prototype, 'one'));
  Param('id')(Cats.prototype, 'one', 0);
  Controller('cats')(Cats);
  class Root {}
  Module({ controllers: [Cats] })(Root);
  const registry = new Registry();
  const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: false });
  app.setGlobalPrefix('api/v1');
  app.use(createHttpMetrics({ registry }));
  await app.init();
  const ledger = new Ledger(await listen(t, app.getHttpServer()), registry);
  for (const id of ['1', '2']) await ledger.ask('GET', `/api/v1/cats/${id}`, '/api/v1/cats/:id');
  t.is((await ledger.ask('GET', '/api/v1/cats/forbidden', '/api/v1/cats/:id')).status, 403);
  for (const path of ['/cats/1', '/api/v1', '/api/v1/cats/1/2']) {
    t.is((await ledger.ask('GET', path, 'unmatched')).status, 404);
  }
  await ledger.settle(t);
});
