// Makes the same application in every framework: routes that answer, fail, wait, read and never end.

import 'reflect-metadata';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import KoaRouter from '@koa/router';
import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
import { createHttpMetrics as createFastifyHttpMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { Controller, Get, Module, Post, Put, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import express4 from 'express4';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

/** The actions of routes, on a response of `node:http`. */
const ACTIONS = {
  item: (_request, response) => response.end('an item: ü'),
  create: async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    response.statusCode = 201;
    response.end(`${bytes}`);
  },
  nothing: (_request, response) => {
    response.statusCode = 204;
    response.end();
  },
  same: (_request, response) => {
    response.statusCode = 304;
    response.end();
  },
  missing: (_request, response) => {
    response.statusCode = 404;
    response.end('no such item');
  },
  slow: async (_request, response) => {
    await wait(60);
    response.end('slow');
  },
  pieces: async (_request, response) => {
    for (const piece of ['one', 'two', 'drei']) {
      response.write(piece);
      await wait(1);
    }
    response.end('end');
  },
  endless: (_request, response) => {
    response.write('x'.repeat(1000));
  },
  never: () => {},
  fail: () => {
    throw new Error('as it was told');
  },
  late: async () => {
    await wait(1);
    throw new Error('as it was told, later');
  },
};

/** The routes: method, path with `:name` for parameters, action. */
export const ROUTES = [
  ['get', '/items/:id', ACTIONS.item],
  ['post', '/items', ACTIONS.create],
  ['put', '/items/:id/parts/:part', ACTIONS.create],
  ['get', '/nothing', ACTIONS.nothing],
  ['get', '/same', ACTIONS.same],
  ['get', '/missing/:id', ACTIONS.missing],
  ['get', '/slow', ACTIONS.slow],
  ['get', '/pieces', ACTIONS.pieces],
  ['get', '/endless', ACTIONS.endless],
  ['get', '/never', ACTIONS.never],
  ['get', '/fail', ACTIONS.fail],
  ['get', '/late', ACTIONS.late],
];

function plain(options) {
  const matches = (pattern, path) => new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}$`).test(path);
  const find = ({ method, url }) =>
    ROUTES.find(([of, path]) => of.toUpperCase() === method && matches(path, url.split('?')[0]));
  const metrics = createHttpMetrics({ ...options, route: (request) => find(request)?.[1] });
  return http.createServer(async (request, response) => {
    metrics(request, response);
    const [, , action] = find(request) ?? [];
    try {
      if (action === undefined) ACTIONS.missing(request, response);
      else await action(request, response);
    } catch {
      response.statusCode = 500;
      response.end('failed');
    }
  });
}

const ofExpress = (framework) => (options) => {
  const app = framework();
  app.use(createHttpMetrics(options));
  for (const [method, path, action] of ROUTES) {
    app[method](path, (request, response, next) => {
      // Express 4 does not await promises.
      new Promise((resolve) => resolve(action(request, response))).catch(next);
    });
  }
  app.use((_error, _request, response, _next) => response.status(500).end('failed'));
  return http.createServer(app);
};

function koa(options) {
  const app = new Koa();
  app.silent = true;
  app.use(createHttpMetrics(options).koa);
  const router = new KoaRouter();
  for (const [method, path, action] of ROUTES) {
    router[method](path, (context) => {
      context.respond = false;
      // Koa's is 404.
      context.res.statusCode = 200;
      return new Promise((resolve) => resolve(action(context.req, context.res))).catch((error) => {
        context.respond = true;
        throw error;
      });
    });
  }
  app.use(router.routes()).use(router.allowedMethods());
  return http.createServer(app.callback());
}

async function nest(options) {
  class Routes {}
  const { prototype } = Routes;
  for (const [method, path, action] of ROUTES) {
    const name = `${method} ${path}`;
    prototype[name] = async (request, response) => {
      await action(request, response);
    };
    ({ get: Get, post: Post, put: Put })[method](path)(
      prototype,
      name,
      Object.getOwnPropertyDescriptor(prototype, name),
    );
    Req()(prototype, name, 0);
    Res()(prototype, name, 1);
  }
  Controller()(Routes);
  class Root {}
  Module({ controllers: [Routes] })(Root);
  const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: false, bodyParser: false });
  app.use(createHttpMetrics(options));
  await app.init();
  return app.getHttpServer();
}

async function fastify(options) {
  const app = Fastify({ forceCloseConnections: true });
  app.register(createFastifyHttpMetrics(options));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  for (const [method, url, action] of ROUTES) {
    app.route({
      method: method.toUpperCase(),
      url,
      handler: async (request, reply) => {
        await action(request.raw, {
          write: (chunk) => reply.hijack().raw.write(chunk),
          end: (chunk) => reply.hijack().raw.end(chunk),
          set statusCode(code) {
            reply.raw.statusCode = code;
          },
        });
        reply.hijack();
      },
    });
  }
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}

/** The actions of routes, as Hono handlers. */
const HONO_ACTIONS = new Map([
  [ACTIONS.item, (c) => c.text('an item: ü')],
  [ACTIONS.create, async (c) => c.text(`${(await c.req.arrayBuffer()).byteLength}`, 201)],
  [ACTIONS.nothing, (c) => c.body(null, 204)],
  [ACTIONS.same, (c) => c.body(null, 304)],
  [ACTIONS.missing, (c) => c.text('no such item', 404)],
  [
    ACTIONS.slow,
    async (c) => {
      await wait(60);
      return c.text('slow');
    },
  ],
  [ACTIONS.pieces, (c) => c.body(streamOf(['one', 'two', 'drei', 'end']))],
  [ACTIONS.endless, (c) => c.body(streamOf(['x'.repeat(1000)], () => new Promise(() => {})))],
  [ACTIONS.never, () => new Promise(() => {})],
  [
    ACTIONS.fail,
    () => {
      throw new Error('as it was told');
    },
  ],
  [
    ACTIONS.late,
    async () => {
      await wait(1);
      throw new Error('as it was told, later');
    },
  ],
]);

function streamOf(pieces, atEnd = () => {}) {
  const encoder = new TextEncoder();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await wait(1);
      if (at < pieces.length) return controller.enqueue(encoder.encode(pieces[at++]));
      await atEnd();
      controller.close();
    },
  });
}

const ofHono = (forward) => (options) => {
  const app = new Hono();
  app.use(createHttpMetrics(options).hono);
  app.onError((_error, c) => c.text('failed', 500));
  for (const [method, path, action] of ROUTES) app[method](path, HONO_ACTIONS.get(action));
  return http.createServer(getRequestListener(forward(app)));
};

/** By name: makes the server. */
export const APPLICATIONS = {
  'node:http': plain,
  'Express 5': ofExpress(express),
  'Express 4': ofExpress(express4),
  Koa: koa,
  NestJS: nest,
  Fastify: fastify,
  Hono: ofHono((app) => app.fetch),
  // As on runtimes without `node:http`.
  'Hono without node:http': ofHono((app) => (request) => app.fetch(request)),
};
