// Mounts the handler in every framework in each way that applications do, and asks for the exposition, health, readiness and
// paths of the application over real connections.

import 'reflect-metadata';
import http from 'node:http';
import { getRequestListener } from '@hono/node-server';
import KoaRouter from '@koa/router';
import { Counter, createFetchHandler, createMetricsHandler, Registry } from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { All, Controller, Module, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import test from 'ava';
import express from 'express';
import express4 from 'express4';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { ask, listen } from '../metrics/support/ledger.mjs';
import { connect, mountKoa } from './support/mounting.mjs';

const registry = new Registry();
new Counter({ name: 'c', help: 'Some help', registers: [registry] }).inc(2);
const settings = { registry, selfMetrics: false };
const handler = (options) => createMetricsHandler({ ...settings, ...options });
const fetchHandler = (options) => createFetchHandler({ ...settings, ...options });

/** What a path shows: the exposition, health, readiness, the text of the application, or the status. */
async function shown(port, path) {
  const { status, body } = await ask(port, 'GET', path);
  const text = body.toString();
  if (status === 200 && text.includes('\nc 2\n')) return 'exposition';
  if (text.startsWith('{"status":"ok","process"')) return 'health';
  if (text === '{"status":"ready"}\n') return 'ready';
  return status === 200 ? text : status;
}

/** An application around a handler: asks for each path, and for `HEAD` and `POST` of those that the handler answers. */
function check(title, create, expected) {
  test(title, async (t) => {
    const port = await listen(t, await create());
    const actual = {};
    for (const path of Object.keys(expected)) actual[path] = await shown(port, path);
    t.deepEqual(actual, expected);
    for (const [path, what] of Object.entries(expected)) {
      if (!['exposition', 'health', 'ready'].includes(what)) continue;
      const head = await ask(port, 'HEAD', path);
      t.deepEqual([head.status, head.body.length], [200, 0], `HEAD ${path}`);
      t.is((await ask(port, 'GET', `${path}?name[]=c`)).status, 200);
    }
  });
}

const beneath = (mount) => ({
  [mount]: 'exposition',
  [`${mount}/`]: 'exposition',
  [`${mount}/health`]: 'health',
  [`${mount}/ready`]: 'ready',
  [`${mount}/other`]: 404,
  '/': 'index',
});

for (const [name, framework] of Object.entries({ 'Express 5': express, 'Express 4': express4 })) {
  const app = (build) => () => {
    const app = framework();
    app.get('/', (_request, response) => response.send('index'));
    build(app, framework);
    return http.createServer(app);
  };
  const page = (text) => (_request, response) => response.send(text);

  for (const mount of ['/metrics', '/internal/metrics', '/prom']) {
    check(
      `${name}: use('${mount}', handler)`,
      app((app) => app.use(mount, handler())),
      beneath(mount),
    );
  }

  check(
    `${name}: use() at the root leaves all other paths to the application`,
    app((app) => {
      app.use(handler());
      app.get('/own/metrics', page('own'));
      app.get('/a/ready', page('a'));
    }),
    {
      '/metrics': 'exposition',
      '/metrics/': 'exposition',
      '/METRICS': 'exposition',
      '/health': 'health',
      '/ready/': 'ready',
      '/': 'index',
      '/own/metrics': 'own',
      '/a/ready': 'a',
      '/metrics/x': 404,
    },
  );

  check(
    `${name}: strict and case sensitive routing hold for use() at the root`,
    app((app) => {
      app.enable('strict routing');
      app.enable('case sensitive routing');
      app.use(handler());
    }),
    { '/metrics': 'exposition', '/metrics/': 404, '/METRICS': 404, '/ready': 'ready', '/READY': 404 },
  );

  check(
    `${name}: a sub-application and a router at a path show the handler's paths beneath it, and their own index`,
    app((app, framework) => {
      const inner = framework();
      inner.use(handler());
      inner.get('/', page('inner index'));
      app.use('/internal', inner);
      const router = framework.Router();
      router.use(handler());
      router.get('/', page('router index'));
      app.use('/api/v1', router);
    }),
    {
      '/internal/metrics': 'exposition',
      '/internal/ready': 'ready',
      '/internal': 'inner index',
      '/internal/': 'inner index',
      '/api/v1/metrics': 'exposition',
      '/api/v1/health': 'health',
      '/api/v1/metrics/': 'exposition',
      '/api/v1': 'router index',
      '/metrics': 404,
    },
  );

  check(
    `${name}: a path within a router, and a router that is mounted twice`,
    app((app, framework) => {
      const inner = framework.Router();
      inner.use('/prom', handler());
      app.use('/a', framework.Router().use('/b', inner));
      app.use('/c', inner);
    }),
    { '/a/b/prom': 'exposition', '/c/prom/': 'exposition', '/c/prom/ready': 'ready', '/c': 404, '/a/b': 404 },
  );

  check(
    `${name}: routes`,
    app((app, framework) => {
      const metrics = handler();
      // A route that passes on leaves its traces in the request.
      app.all('/passed', (_request, _response, next) => next());
      app.get('/prom', metrics);
      app.all(['/healthz', '/statistics'], metrics);
      app.get('/ops/ready', metrics);
      app.get('/ops/health', (_request, _response, next) => next(), metrics);
      app.use('/tenants', framework.Router().get('/:tenant/stats', metrics));
    }),
    {
      '/prom': 'exposition',
      '/prom/': 'exposition',
      '/PROM': 'exposition',
      '/statistics': 'exposition',
      '/healthz': 'exposition',
      '/ops/ready': 'ready',
      '/ops/health': 'health',
      '/tenants/acme/stats': 'exposition',
      '/passed': 404,
      '/metrics': 404,
    },
  );

  check(
    `${name}: functions of the application that call the handler`,
    app((app, framework) => {
      const metrics = handler();
      app.all('/passed/metrics', (_request, _response, next) => next());
      app.get('/prom', (request, response) => metrics(request, response));
      app.get('/stats', async (request, response) => await metrics(request, response));
      app.use('/internal/metrics', (request, response, next) => metrics(request, response, next));
      const router = framework.Router();
      router.use((request, response, next) => metrics(request, response, next));
      router.get('/', page('router index'));
      app.use('/api', router);
    }),
    {
      '/prom': 'exposition',
      '/stats/': 'exposition',
      '/internal/metrics': 'exposition',
      '/internal/metrics/ready': 'ready',
      '/api/metrics': 'exposition',
      '/api': 'router index',
    },
  );

  check(
    `${name}: wildcards show the handler's paths beneath them`,
    app((app) => app.all(framework === express ? '/internal/*rest' : '/internal/*', handler())),
    {
      '/internal/metrics': 'exposition',
      '/internal/ready': 'ready',
      '/internal/x': 404,
      '/metrics': 404,
      '/': 'index',
    },
  );

  check(
    `${name}: a handler with another path`,
    app((app) => {
      app.use('/internal', handler({ path: '/prom' }));
      app.use(handler({ path: '/stats' }));
    }),
    { '/internal': 'exposition', '/internal/prom': 'exposition', '/stats': 'exposition', '/metrics': 404 },
  );
}

test('Express: POST to a mounted handler is not allowed, and authenticate() sees the whole URL', async (t) => {
  const urls = [];
  const authenticate = ({ url }) => urls.push(url) > 0;
  const port = await listen(t, http.createServer(express().use('/prom', handler({ authenticate }))));
  t.is((await ask(port, 'POST', '/prom')).status, 405);
  t.is((await ask(port, 'GET', '/prom?name[]=c')).status, 200);
  t.is(urls.at(-1), '/prom?name[]=c');
});

check(
  'Connect: use() at a path that ends as the handler’s, and at the root',
  () => {
    const app = connect();
    app.use('/internal/metrics', handler());
    app.use('/app', (_request, response) => response.end('app'));
    app.use(handler());
    return http.createServer(app);
  },
  {
    '/internal/metrics': 'exposition',
    '/internal/metrics/': 'exposition',
    '/internal/metrics/ready': 'ready',
    '/metrics': 'exposition',
    '/ready': 'ready',
    '/app': 'app',
    '/internal': 404,
  },
);

check('node:http: no path is the handler’s but its own', () => http.createServer(handler()), {
  '/metrics': 'exposition',
  '/ready': 'ready',
  '/metrics/': 404,
  '/x/metrics': 404,
  '/': 404,
});

test('an API route of Next.js’ pages: the handler answers under any path, and can be awaited', async (t) => {
  const metrics = handler();
  const states = [];
  const server = http.createServer(async (request, response) => {
    Object.assign(request, { query: {}, cookies: {}, draftMode: undefined });
    await metrics(request, response);
    states.push(response.writableFinished);
  });
  const port = await listen(t, server);
  t.is(await shown(port, '/api/prom'), 'exposition');
  t.is(await shown(port, '/api/ready'), 'ready');
  t.deepEqual(states, [true, true]);
});

const koaApp = (build) => () => {
  const app = new Koa();
  app.silent = true;
  build(app);
  app.use((context) => {
    if (context.path === '/') context.body = 'index';
  });
  return http.createServer(app.callback());
};

check(
  'Koa: use() at the root',
  koaApp((app) => app.use(handler().koa)),
  { '/metrics': 'exposition', '/health': 'health', '/x/metrics': 404, '/': 'index' },
);
for (const mount of ['/metrics', '/internal/metrics', '/prom']) {
  check(
    `Koa: mount('${mount}', handler)`,
    koaApp((app) => app.use(mountKoa(mount, handler().koa))),
    beneath(mount),
  );
}
check(
  'Koa: an application mounted at a path',
  koaApp((app) => {
    const inner = new Koa();
    inner.use(handler().koa);
    inner.use((context) => {
      if (context.path === '/') context.body = 'inner index';
    });
    app.use(mountKoa('/internal', inner));
  }),
  { '/internal/metrics': 'exposition', '/internal/ready': 'ready', '/internal': 'inner index', '/metrics': 404 },
);
check(
  'Koa: routes, with a prefix and nested',
  koaApp((app) => {
    const metrics = handler();
    const inner = new KoaRouter({ prefix: '/internal' });
    inner.get('/prom', metrics.koa);
    inner.get('/ready', metrics.koa);
    inner.get('/metrics', (context, next) => metrics.koa(context, next));
    const outer = new KoaRouter();
    outer.use('/a', inner.routes());
    app.use(outer.routes());
  }),
  {
    '/a/internal/prom': 'exposition',
    '/a/internal/prom/': 'exposition',
    '/a/internal/metrics': 'exposition',
    '/a/internal/ready': 'ready',
    '/a/internal': 404,
    '/': 'index',
  },
);

const fastifyApp =
  (build, options = {}) =>
  async () => {
    const app = Fastify({ forceCloseConnections: true, ...options });
    app.get('/', () => 'index');
    build(app);
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server;
  };
const plugin = { ...settings };

check(
  'Fastify: register()',
  fastifyApp((app) => app.register(fastifyMetrics, plugin)),
  { '/metrics': 'exposition', '/ready': 'ready', '/metrics/': 404, '/METRICS': 404, '//metrics': 404, '/': 'index' },
);
for (const prefix of ['/a', '/a/', 'a', '/a/b']) {
  const mount = `/${prefix.split('/').filter(Boolean).join('/')}`;
  check(
    `Fastify: register() with the prefix '${prefix}'`,
    fastifyApp((app) => app.register(fastifyMetrics, { ...plugin, prefix })),
    { [`${mount}/metrics`]: 'exposition', [`${mount}/health`]: 'health', '/metrics': 404, '/': 'index' },
  );
  check(
    `Fastify: in a plugin with the prefix '${prefix}'`,
    fastifyApp((app) => app.register(async (scope) => scope.register(fastifyMetrics, plugin), { prefix })),
    { [`${mount}/metrics`]: 'exposition', [`${mount}/ready`]: 'ready', '/metrics': 404 },
  );
}
check(
  'Fastify: a prefix with a parameter',
  fastifyApp((app) => app.register(fastifyMetrics, { ...plugin, prefix: '/:tenant/ops' })),
  { '/acme/ops/metrics': 'exposition', '/a/ops/ready': 'ready', '/ops/metrics': 404 },
);
check(
  'Fastify: the options of the router',
  fastifyApp((app) => app.register(fastifyMetrics, { ...plugin, prefix: '/a' }), {
    routerOptions: { ignoreTrailingSlash: true, caseSensitive: false, ignoreDuplicateSlashes: true },
  }),
  {
    '/a/metrics': 'exposition',
    '/a/metrics/': 'exposition',
    '/A/Metrics': 'exposition',
    '//a//metrics': 'exposition',
    '/a//READY/': 'ready',
    '/metrics': 404,
  },
);
check(
  'Fastify: rewritten URLs',
  fastifyApp((app) => app.register(fastifyMetrics, plugin), {
    rewriteUrl: (request) => request.url.replace(/^\/old(?=\?|$)/, '/metrics'),
  }),
  { '/old': 'exposition', '/metrics': 'exposition' },
);

const honoApp = (build) => () => {
  const app = new Hono();
  app.get('/', (context) => context.text('index'));
  build(app);
  return http.createServer(getRequestListener(app.fetch));
};

check(
  'Hono: routes',
  honoApp((app) => {
    const metrics = fetchHandler();
    app.get('/metrics', metrics);
    app.all('/prom', metrics);
    app.get('/ops/ready', metrics);
    app.get('/raw/metrics', (context) => metrics(context));
    app.get('/health', (context) => metrics(context.req.raw, context.env));
  }),
  {
    '/metrics': 'exposition',
    '/prom': 'exposition',
    '/ops/ready': 'ready',
    '/raw/metrics': 'exposition',
    '/health': 'health',
    '/metrics/': 404,
    '/ready': 404,
    '/': 'index',
  },
);
check(
  'Hono: basePath() and route()',
  honoApp((app) => {
    const metrics = fetchHandler();
    app.basePath('/internal').get('/metrics', metrics).get('/ready', metrics);
    app.route(
      '/api',
      new Hono()
        .basePath('/v1')
        .get('/prom', metrics)
        .get('/', (context) => context.text('api')),
    );
  }),
  {
    '/internal/metrics': 'exposition',
    '/internal/ready': 'ready',
    '/api/v1/prom': 'exposition',
    '/api/v1': 'api',
    '/metrics': 404,
  },
);
check(
  'Hono: use() leaves all other paths to the application',
  honoApp((app) => {
    app.use(fetchHandler());
    app.use('/stats/*', fetchHandler());
    const inner = new Hono();
    inner.use(fetchHandler());
    inner.get('/', (context) => context.text('inner index'));
    app.route('/internal', inner);
    app.get('/own/metrics', (context) => context.text('own'));
  }),
  {
    '/metrics': 'exposition',
    '/health': 'health',
    '/internal/metrics': 'exposition',
    '/internal/ready': 'ready',
    '/internal': 'inner index',
    '/stats/metrics': 'exposition',
    '/stats': 404,
    '/own/metrics': 'own',
    '/x': 404,
    '/': 'index',
  },
);
check(
  'Hono: mount()',
  honoApp((app) => app.mount('/prom', fetchHandler())),
  { '/prom': 'exposition', '/prom/ready': 'ready', '/prom/metrics': 'exposition', '/prom/x': 404, '/': 'index' },
);
check(
  'Hono: a strict: false application',
  () => {
    const app = new Hono({ strict: false }).basePath('/internal');
    app.get('/metrics', fetchHandler());
    return http.createServer(getRequestListener(app.fetch));
  },
  { '/internal/metrics': 'exposition', '/internal/metrics/': 'exposition', '/metrics': 404 },
);

test('fetch handlers of routers: Next.js and Bun', async (t) => {
  const metrics = fetchHandler();
  const request = new Request('http://h/api/prom');
  t.is((await metrics(request)).status, 404);
  t.is((await metrics(request, { params: Promise.resolve({}) })).status, 200);
  t.is((await metrics(Object.assign(new Request('http://h/x'), { params: {} }), {})).status, 200);
});

/** A controller whose methods pass the request on to the handler, and the module around it. */
function nestModule(metrics, build = () => {}) {
  class Metrics {
    all(request, response) {
      return metrics(request, response);
    }
  }
  Req()(Metrics.prototype, 'all', 0);
  Res()(Metrics.prototype, 'all', 1);
  All(['prom', 'ops/ready'])(Metrics.prototype, 'all', Object.getOwnPropertyDescriptor(Metrics.prototype, 'all'));
  Controller()(Metrics);
  class Root {
    configure(consumer) {
      build(consumer);
    }
  }
  Module({ controllers: [Metrics] })(Root);
  return Root;
}

check(
  'NestJS: use() before a global prefix, a controller and middleware behind it',
  async () => {
    const metrics = handler();
    const root = nestModule(metrics, (consumer) => consumer.apply(metrics).forRoutes('metrics'));
    const app = await NestFactory.create(root, new ExpressAdapter(), { logger: false });
    app.setGlobalPrefix('api');
    app.use('/internal/metrics', metrics);
    app.use(metrics);
    await app.init();
    return app.getHttpServer();
  },
  {
    '/metrics': 'exposition',
    '/ready': 'ready',
    '/internal/metrics': 'exposition',
    '/api/prom': 'exposition',
    '/api/ops/ready': 'ready',
    '/api/metrics': 'exposition',
    '/api': 404,
    '/prom': 404,
  },
);
