// Tests the routes of Express and its nested routers, in both of its versions.

import http from 'node:http';
import { createHttpMetrics, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import express5 from 'express';
import express4 from 'express4';
import { Ledger, listen } from './support/ledger.mjs';

const VERSIONS = { 'Express 5': express5, 'Express 4': express4 };

for (const [name, express] of Object.entries(VERSIONS)) {
  /** An application that records, built by `build`, and the ledger of its requests. */
  const start = async (t, build, options) => {
    const registry = new Registry();
    const app = express();
    const metrics = createHttpMetrics({ registry, ...options });
    app.use(metrics);
    build(app, metrics);
    app.use((error, _request, response, _next) => response.status(error.status ?? 500).end(error.message));
    const port = await listen(t, http.createServer(app));
    return { registry, ledger: new Ledger(port, registry) };
  };
  const ok = (_request, response) => response.end('ok');
  const fail = (_request, _response, next) => next(new Error('failed'));
  const routerOf = (options, build) => {
    const router = express.Router(options);
    build(router);
    return router;
  };

  test(`${name}: parameters of routers within routers are patterns`, async (t) => {
    const posts = routerOf({}, (router) => router.get('/posts/:post', ok).get('/', ok).get('/fail', fail));
    const users = routerOf({}, (router) => router.use('/users/:user', posts));
    const { ledger } = await start(t, (app) => app.use('/api/:tenant', users));
    for (let i = 0; i < 100; i++) {
      await ledger.ask('GET', `/api/t${i}/users/${i}/posts/p${i}`, '/api/:tenant/users/:user/posts/:post');
    }
    await ledger.ask('GET', '/api/acme/users/7', '/api/:tenant/users/:user');
    await ledger.ask('GET', '/api/acme/users/7/', '/api/:tenant/users/:user');
    // Parameters with equal values, or with values that are words of the pattern.
    await ledger.ask('GET', '/api/7/users/7/posts/7', '/api/:tenant/users/:user/posts/:post');
    await ledger.ask('GET', '/api/a%20b/users/%C3%BC/posts/%2F', '/api/:tenant/users/:user/posts/:post');
    await ledger.ask('GET', '/api/acme/users/7/nothing', 'unmatched');
    await ledger.ask('GET', '/api/acme/nothing', 'unmatched');
    await ledger.settle(t);
  });

  test(`${name}: after an error the route is still the one that failed`, async (t) => {
    const inner = routerOf({}, (router) => router.get('/:id/fail', fail).get('/:id/ok', ok));
    const outer = routerOf({}, (router) => router.use('/inner', inner));
    const { ledger } = await start(t, (app) => app.use('/outer', outer).use('/:any/again', inner));
    for (const id of ['1', '2']) {
      t.is((await ledger.ask('GET', `/outer/inner/${id}/fail`, '/outer/inner/:id/fail')).status, 500);
      await ledger.ask('GET', `/outer/inner/${id}/ok`, '/outer/inner/:id/ok');
      t.is((await ledger.ask('GET', `/x${id}/again/${id}/fail`, '/:any/again/:id/fail')).status, 500);
    }
    await ledger.settle(t);
  });

  test(`${name}: a router has the pattern of the path that led to it`, async (t) => {
    const router = routerOf({}, (inner) => inner.get('/x', ok).get('/fail', fail));
    const { ledger } = await start(t, (app) => app.use('/v1', router).use('/v2', router).use(['/v3', '/v4'], router));
    for (const version of ['v1', 'v2', 'v3', 'v4', 'v2', 'v1']) {
      await ledger.ask('GET', `/${version}/x`, `/${version}/x`);
      await ledger.ask('GET', `/${version}/fail`, `/${version}/fail`);
    }
    await ledger.settle(t);
  });

  test(`${name}: mounted applications have the pattern that they are mounted at`, async (t) => {
    const deep = express();
    deep.get('/deep/:id', ok);
    const mounted = express();
    mounted.get('/', ok).get('/x/:id', ok).use('/:deep', deep);
    mounted.use(
      '/r',
      routerOf({}, (router) => router.get('/y', ok)),
    );
    const { ledger } = await start(t, (app) => app.use('/mounted', mounted).get('/x/:own', ok));
    await ledger.ask('GET', '/mounted', '/mounted');
    await ledger.ask('GET', '/mounted/x/1', '/mounted/x/:id');
    await ledger.ask('GET', '/mounted/r/y', '/mounted/r/y');
    await ledger.ask('GET', '/mounted/z/deep/3', '/mounted/:deep/deep/:id');
    await ledger.ask('GET', '/x/1', '/x/:own');
    await ledger.ask('GET', '/mounted/nothing', 'unmatched');
    await ledger.settle(t);
  });

  test(`${name}: lists and regular expressions are routes by their sources`, async (t) => {
    const { ledger } = await start(t, (app) => {
      app.get(['/a', '/b/:id'], ok);
      app.get(/^\/r\d+$/, ok);
      app.use(
        '/in',
        routerOf({}, (router) => router.get(['/a', '/b'], ok)),
      );
    });
    for (const path of ['/a', '/b/1', '/b/2']) await ledger.ask('GET', path, '/a|/b/:id');
    for (const path of ['/r1', '/r22']) await ledger.ask('GET', path, '/^\\/r\\d+$/');
    for (const path of ['/in/a', '/in/b']) await ledger.ask('GET', path, '/in/a|/in/b');
    await ledger.settle(t);
  });

  test(`${name}: wildcards and optional parts`, async (t) => {
    const [files, maybe] = express === express5 ? ['/files/*rest', '/maybe{/:id}'] : ['/files/*', '/maybe/:id?'];
    const { ledger } = await start(t, (app) => {
      app.get(files, ok).get(maybe, ok);
      app.use(
        '/:in',
        routerOf({ mergeParams: true }, (router) => router.get(files, ok)),
      );
    });
    for (const path of ['/files/a', '/files/a/b/c']) await ledger.ask('GET', path, files);
    for (const path of ['/maybe', '/maybe/1']) await ledger.ask('GET', path, maybe);
    for (const path of ['/x/files/a', '/y/files/a/b']) await ledger.ask('GET', path, `/:in${files}`);
    await ledger.settle(t);
  });

  test(`${name}: paths that match loosely are the same route`, async (t) => {
    const { ledger } = await start(t, (app) =>
      app.use(
        '/Api',
        routerOf({}, (router) => router.get('/x', ok)),
      ),
    );
    for (const path of ['/Api/x', '/api/x', '/API/x/', '/aPi/x?q']) await ledger.ask('GET', path, '/Api/x');
    await ledger.settle(t);
  });

  test(`${name}: an answer of middleware before any route is unmatched`, async (t) => {
    const { ledger } = await start(t, (app) => {
      app.use((request, response, next) => (request.headers.who ? next() : response.status(401).end('who?')));
      app.get('/x', (_request, _response, next) => next('route')).get('/x', ok);
    });
    t.is((await ledger.ask('GET', '/x', 'unmatched')).status, 401);
    await ledger.ask('GET', '/x', '/x', { headers: { who: 'me' } });
    t.is((await ledger.ask('GET', '/%zz', 'unmatched', { headers: { who: 'me' } })).status, 404);
    await ledger.settle(t);
  });

  test(`${name}: a request is recorded once, also if the middleware is mounted several times`, async (t) => {
    const { ledger } = await start(t, (app, metrics) => {
      app.use(metrics);
      app.use(
        '/in',
        routerOf({}, (router) => router.use(metrics).get('/x', metrics, ok)),
      );
    });
    await ledger.ask('GET', '/in/x', '/in/x');
    await ledger.ask('POST', '/in/x', 'unmatched', { body: 'xyz' });
    await ledger.settle(t);
  });

  test(`${name}: an application that rewrites paths keeps few routes`, async (t) => {
    const { ledger } = await start(t, (app) => {
      app.use((request, _response, next) => {
        request.url = request.url.replace('/old', '/new');
        next();
      });
      app.use(
        '/new/:tenant',
        routerOf({}, (router) => router.get('/x/:id', ok)),
      );
    });
    await ledger.ask('GET', '/new/acme/x/1', '/new/:tenant/x/:id');
    await ledger.ask('GET', '/old/acme/x/1', '/new/:tenant/x/:id');
    await ledger.ask('GET', '/old/other/x/1', '/new/:tenant/x/:id');
    await ledger.settle(t);
  });
  test(`${name}: a catch-all route that answers 404 is not a route`, async (t) => {
    const everything = express === express5 ? '/*path' : '*';
    const { ledger } = await start(t, (app) => {
      app.get('/files/:file', (_request, response) => response.status(404).end());
      app.all(everything, (request, response) => response.status(request.path === '/found' ? 200 : 404).end());
    });
    await ledger.ask('GET', '/files/none', '/files/:file');
    await ledger.ask('GET', '/found', everything);
    for (const path of ['/a', '/b/c']) await ledger.ask('GET', path, 'unmatched');
    await ledger.settle(t);
  });
}
