// A program that answers a corpus of requests in one framework, and prints the metrics of its HTTP server. The second argument
// says whether it uses the middleware by hand; the zero-code mode is a flag of Node.js.

import 'reflect-metadata';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import KoaRouter from '@koa/router';
import { createHttpMetrics, register } from '@llm-devops/prometheus-metrics';
import { createHttpMetrics as createFastifyHttpMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { All, Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import express4 from 'express4';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

const [name, byHand] = [process.argv[2], process.argv[3] === 'hand'];
const options = { ignore: ['/ignored'] };

const ofExpress = (framework, wildcard) => async () => {
  const app = framework();
  if (byHand) app.use(createHttpMetrics(options));
  app.use((request, response, next) => {
    if (request.url === '/early') return response.status(401).end('no');
    return next();
  });
  const router = framework.Router({ mergeParams: true });
  router.get('/items/:id', (request, response) => response.send(request.params.id));
  router.get('/fail', () => {
    throw new Error('as it was told');
  });
  router.get('/', (_request, response) => response.send('root'));
  const inner = framework.Router();
  inner.get('/deep/:leaf', (_request, response) => response.send('leaf'));
  router.use('/:group', inner);
  const mounted = framework();
  mounted.get('/here/:id', (_request, response) => response.send('here'));
  mounted.get('/refused', (_request, response) => response.status(403).end());
  app.use('/api/:tenant', router);
  app.use('/mounted', mounted);
  app.get(['/one', '/two'], (_request, response) => response.send('list'));
  app.get(/^\/re(gex)+$/, (_request, response) => response.send('regex'));
  app.get(wildcard, (_request, response) => response.send('file'));
  app.get('/never', () => {});
  app.get('/ignored', (_request, response) => response.send('ignored'));
  app.use((_error, _request, response, _next) => response.status(500).end('failed'));
  return app.listen(0);
};

async function koa() {
  const app = new Koa();
  app.silent = true;
  if (byHand) app.use(createHttpMetrics(options).koa);
  app.use((context, next) => (context.url === '/early' ? context.throw(401) : next()));
  const api = new KoaRouter({ prefix: '/api/:tenant' });
  api.get('/items/:id', (context) => {
    context.body = context.params.id;
  });
  api.get('/fail', () => {
    throw new Error('as it was told');
  });
  api.get('/', (context) => {
    context.body = 'root';
  });
  const inner = new KoaRouter();
  inner.get('/deep/:leaf', (context) => {
    context.body = 'leaf';
  });
  const outer = new KoaRouter();
  outer.use('/mounted', inner.routes());
  outer.get(/^\/re(gex)+$/, (context) => {
    context.body = 'regex';
  });
  outer.get('/files/{*path}', (context) => {
    context.body = 'file';
  });
  outer.get('/never', () => new Promise(() => {}));
  outer.get('/ignored', (context) => {
    context.body = 'ignored';
  });
  app.use(outer.routes()).use(api.routes()).use(api.allowedMethods());
  return app.listen(0);
}

async function fastify() {
  const app = Fastify({ forceCloseConnections: true });
  if (byHand) app.register(createFastifyHttpMetrics(options));
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/early') await reply.code(401).send('no');
  });
  app.register(
    async (api) => {
      api.get('/items/:id', async (request) => request.params.id);
      api.get('/fail', async () => {
        throw new Error('as it was told');
      });
      api.get('/', async () => 'root');
      api.register(async (inner) => inner.get('/deep/:leaf', async () => 'leaf'), { prefix: '/:group' });
    },
    { prefix: '/api/:tenant' },
  );
  app.get('/early', async () => 'never');
  app.get('/files/*', async () => 'file');
  app.get('/never', () => new Promise(() => {}));
  app.get('/ignored', async () => 'ignored');
  await app.listen({ port: 0 });
  return app.server;
}

async function hono() {
  const app = new Hono();
  if (byHand) app.use(createHttpMetrics(options).hono);
  app.use('/early', async (c) => c.text('no', 401));
  const api = new Hono();
  api.get('/items/:id', (c) => c.text(c.req.param('id')));
  api.get('/fail', () => {
    throw new Error('as it was told');
  });
  api.get('/', (c) => c.text('root'));
  const inner = new Hono().get('/deep/:leaf', (c) => c.text('leaf'));
  inner.onError((_error, c) => c.text('inner', 500));
  api.route('/:group', inner);
  app.route('/api/:tenant', api);
  const mounted = new Hono().get('/here/:id', (c) => c.text('here'));
  app.mount('/mounted', mounted.fetch);
  app.get('/files/*', (c) => c.text('file'));
  app.get('/never', () => new Promise(() => {}));
  app.get('/ignored', (c) => c.text('ignored'));
  app.onError((_error, c) => c.text('failed', 500));
  const server = serve({ fetch: app.fetch, port: 0 });
  await once(server, 'listening');
  return server;
}

async function nest() {
  class Routes {
    item(id) {
      return id;
    }
    fail() {
      throw new Error('as it was told');
    }
    file() {
      return 'file';
    }
    never() {
      return new Promise(() => {});
    }
    ignored() {
      return 'ignored';
    }
  }
  const route = (method, path, key) =>
    method(path)(Routes.prototype, key, Object.getOwnPropertyDescriptor(Routes.prototype, key));
  Param('id')(Routes.prototype, 'item', 0);
  route(Get, 'api/:tenant/items/:id', 'item');
  route(Get, 'api/:tenant/fail', 'fail');
  route(All, 'files/*path', 'file');
  route(Get, 'never', 'never');
  route(Get, 'ignored', 'ignored');
  Controller()(Routes);
  class Root {}
  Module({ controllers: [Routes] })(Root);
  const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: false });
  if (byHand) app.use(createHttpMetrics(options));
  await app.listen(0);
  return app.getHttpServer();
}

async function plain() {
  const metrics = byHand ? createHttpMetrics(options) : () => {};
  return http
    .createServer((request, response) => {
      metrics(request, response);
      if (request.url === '/never') return;
      response.statusCode = request.url === '/' ? 200 : 404;
      response.end('plain');
    })
    .listen(0);
}

const PROGRAMS = {
  'node:http': plain,
  'Express 4': ofExpress(express4, '/files/*'),
  'Express 5': ofExpress(express, '/files/*path'),
  Koa: koa,
  Fastify: fastify,
  Hono: hono,
  NestJS: nest,
};

const REQUESTS = [
  ['GET', '/api/a/items/1'],
  ['GET', '/api/b/items/2?with=query'],
  ['GET', '/api/c/items/%C3%BC'],
  ['HEAD', '/api/a/items/3'],
  ['OPTIONS', '/api/a/items/3'],
  ['POST', '/api/a/items/3', 'a body'],
  ['GET', '/api/a/fail'],
  ['GET', '/api/a/'],
  ['GET', '/api/a/g/deep/leaf'],
  ['GET', '/mounted/here/1'],
  ['GET', '/mounted/deep/1'],
  ['GET', '/mounted/refused'],
  ['GET', '/one'],
  ['GET', '/two'],
  ['GET', '/regexgex'],
  ['GET', '/files/a/b/c.txt'],
  ['GET', '/early'],
  ['GET', '/%E0%A4%A'],
  ['PURGE', '/api/a/items/1'],
  ...Array.from({ length: 20 }, (_, at) => ['GET', `/scan/${at}.php`]),
  ['GET', '/'],
];

const server = await PROGRAMS[name]();
if (!server.listening) await once(server, 'listening');
const { port } = server.address();

for (const [method, path, body] of REQUESTS) {
  const request = http.request({ port, method, path, agent: false });
  request.end(body);
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'close');
}
// Without a ledger of its own: a request that the middleware ignores.
if (byHand) await (await fetch(`http://localhost:${port}/ignored`)).text();
// A client that leaves before the answer.
const socket = net.connect(port, '127.0.0.1');
socket.on('error', () => {});
await once(socket, 'connect');
socket.write('GET /never HTTP/1.1\r\nhost: here\r\n\r\n');
await wait(100);
socket.destroy();

let lines = [];
for (let left = 100; left > 0; left--) {
  lines = (await register.metrics())
    .split('\n')
    .filter((line) => /^llmdevops_http_(?:requests_total|active_requests|re\w+_size_bytes_(?:sum|count))\{/.test(line));
  if (lines.some((line) => line.includes('aborted')) && !lines.some((line) => /active.* [1-9]/.test(line))) break;
  await wait(20);
}
console.log(JSON.stringify(lines.sort()));
process.exit();
