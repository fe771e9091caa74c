// Tests createHttpMetrics() with fetch requests: metrics.fetch() around handlers of Next.js, Bun and Deno, and the routes
// of Hono.

import http from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createHttpMetrics, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { Hono } from 'hono';
import { Ledger, listen } from './support/ledger.mjs';

/** A recorder, and a ledger of requests that are made without a connection. */
function recorder(options) {
  const registry = new Registry();
  return { registry, metrics: createHttpMetrics({ registry, ...options }), ledger: new Ledger(0, registry) };
}

const request = (path, init) => new Request(`http://host.example${path}`, init);

test('a handler gets the arguments of its runtime, and its response is returned whole', async (t) => {
  const { metrics, ledger } = recorder();
  const seen = [];
  const handler = metrics.fetch(
    async (...args) => {
      seen.push(args);
      const headers = [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x', 'y'],
      ];
      return new Response('the body', { status: 201, statusText: 'As wished', headers });
    },
    { route: '/api/items' },
  );
  const sent = request('/api/items?x', { method: 'POST', body: 'xyz', headers: { 'content-length': '3' } });
  const context = { params: {} };
  const response = await handler(sent, context, 3);
  t.deepEqual(seen, [[sent, context, 3]]);
  t.deepEqual([response.status, response.statusText], [201, 'As wished']);
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  t.is(response.headers.get('x'), 'y');
  t.is(await response.text(), 'the body');
  ledger.enter('POST', '/api/items', '2xx', { sent: 3, received: 8 });
  await ledger.settle(t);
});

test('a response is in flight until it was read or cancelled', async (t) => {
  const { metrics, ledger } = recorder();
  const cancelled = [];
  const endless = () =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: (reason) => cancelled.push(reason),
    });
  const response = await metrics.fetch(() => new Response(endless()))(request('/'));
  await ledger.inFlight(1);
  const reader = response.body.getReader();
  await reader.read();
  await ledger.inFlight(1);
  await reader.cancel('enough');
  t.deepEqual(cancelled, ['enough']);
  ledger.enter('GET', 'unmatched', 'aborted', { received: 10 });
  await ledger.settle(t);
});

test('responses without a body, and to HEAD, are recorded at once', async (t) => {
  const { metrics, ledger } = recorder();
  const handler = metrics.fetch(({ url }) =>
    url.endsWith('/body') ? new Response('body') : new Response(null, { status: 304 }),
  );
  const own = new Response('body');
  t.is(await metrics.fetch(() => own)(request('/', { method: 'HEAD' })), own);
  ledger.enter('HEAD', 'unmatched', '2xx');
  t.is((await handler(request('/'))).status, 304);
  ledger.enter('GET', 'unmatched', '3xx');
  t.is(await (await handler(request('/body'))).text(), 'body');
  ledger.enter('GET', 'unmatched', '2xx', { received: 4 });
  await ledger.settle(t);
});

test('an error of a handler reaches its runtime', async (t) => {
  const { metrics, ledger } = recorder();
  const thrown = [new Error('at once'), 'later'];
  const handlers = [
    () => {
      throw thrown[0];
    },
    () => Promise.reject(thrown[1]),
  ];
  for (const [i, handler] of handlers.entries()) {
    const caught = await metrics
      .fetch(handler, { route: () => '/x' })(request('/'))
      .catch((error) => error);
    t.is(caught, thrown[i]);
    ledger.enter('GET', '/x', '5xx');
  }
  await ledger.settle(t);
});

test('a body that fails is an aborted request', async (t) => {
  const { metrics, ledger } = recorder();
  const pull = (controller) => controller.error(new Error('broken'));
  const response = await metrics.fetch(() => new Response(new ReadableStream({ pull })))(request('/'));
  await t.throwsAsync(response.text(), { message: 'broken' });
  ledger.enter('GET', 'unmatched', 'aborted');
  await ledger.settle(t);
});

test('a client that disconnects before the response is an aborted request', async (t) => {
  const { metrics, ledger } = recorder();
  const client = new AbortController();
  let answer;
  const handler = metrics.fetch(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    { route: '/late' },
  );
  const answered = handler(request('/', { signal: client.signal }));
  await ledger.inFlight(1);
  client.abort();
  await ledger.inFlight(0);
  ledger.enter('GET', '/late', 'aborted');
  await ledger.settle(t);
  answer(new Response('stays unread'));
  t.is((await answered).status, 200);
  await ledger.settle(t);
});

test('a request with a body of unknown length has no size', async (t) => {
  const { metrics, ledger } = recorder();
  const headers = { 'transfer-encoding': 'chunked' };
  await (await metrics.fetch(() => new Response('ok'))(request('/', { method: 'PUT', headers }))).text();
  ledger.enter('PUT', 'unmatched', '2xx', { sent: null, received: 2 });
  await ledger.settle(t);
});

test('ignored requests reach their handler', async (t) => {
  const { metrics, registry } = recorder({ ignore: ['/metrics'] });
  const own = new Response('own');
  t.is(await metrics.fetch(() => own)(request('/metrics?x')), own);
  t.false((await registry.metrics()).includes('{'));
});

for (const [name, forward] of [
  ['Hono', (app) => app.fetch],
  ['Hono without node:http', (app) => (request) => app.fetch(request)],
]) {
  /** A Hono application that records, built by `build`, and the ledger of its requests. */
  const start = async (t, build) => {
    const { registry, metrics } = recorder();
    const app = new Hono();
    app.use(metrics.hono);
    build(app);
    const port = await listen(t, http.createServer(getRequestListener(forward(app))));
    return new Ledger(port, registry);
  };
  const ok = (c) => c.text('ok');

  test(`${name}: routes of applications within applications`, async (t) => {
    const ledger = await start(t, (app) => {
      const inner = new Hono().get('/', ok).get('/:id', ok).post('/:id', ok);
      // Hono wraps the handlers of an application that has an error handler.
      const careful = new Hono().get('/:id/fail', () => {
        throw new Error('as told');
      });
      careful.onError((_, c) => c.text('caught', 500));
      app.route('/inner', inner).route('/:tenant/careful', careful);
      app.all('/all/*', ok);
    });
    await ledger.ask('GET', '/inner', '/inner');
    for (const id of ['1', '2', '%20']) await ledger.ask('GET', `/inner/${id}`, '/inner/:id');
    await ledger.ask('POST', '/inner/1', '/inner/:id', { body: 'x' });
    t.is((await ledger.ask('GET', '/acme/careful/1/fail', '/:tenant/careful/:id/fail')).status, 500);
    for (const path of ['/all/a', '/all/b/c']) await ledger.ask('GET', path, '/all/*');
    for (const path of ['/inner/1/2', '/none', '/acme/careful']) await ledger.ask('GET', path, 'unmatched');
    await ledger.settle(t);
  });

  test(`${name}: an answer of middleware counts for the route behind it`, async (t) => {
    const ledger = await start(t, (app) => {
      app.use('/private/*', async (c, next) => (c.req.header('who') ? next() : c.text('who?', 401)));
      app.get('/private/:id', async (c, next) => (c.req.query('bad') ? c.text('bad', 400) : next()), ok);
      app.use('/files/*', async (c, next) => (c.req.path.endsWith('.txt') ? c.text('a file') : next()));
    });
    t.is((await ledger.ask('GET', '/private/1', '/private/:id')).status, 401);
    t.is((await ledger.ask('GET', '/private/1?bad=1', '/private/:id', { headers: { who: 'me' } })).status, 400);
    t.is((await ledger.ask('GET', '/private/1', '/private/:id', { headers: { who: 'me' } })).status, 200);
    t.is((await ledger.ask('GET', '/files/a.txt', '/files/*')).status, 200);
    t.is((await ledger.ask('GET', '/files/a.html', 'unmatched')).status, 404);
    await ledger.settle(t);
  });

  test(`${name}: cookies and headers are kept`, async (t) => {
    const ledger = await start(t, (app) => {
      app.get('/', (c) => {
        c.header('set-cookie', 'a=1', { append: true });
        c.header('set-cookie', 'b=2', { append: true });
        return c.html('<p>ü</p>', 203);
      });
    });
    const { status, headers, body } = await ledger.ask('GET', '/', '/');
    t.deepEqual([status, body.toString(), headers['set-cookie']], [203, '<p>ü</p>', ['a=1', 'b=2']]);
    t.is(headers['content-type'], 'text/html; charset=UTF-8');
    await ledger.settle(t);
  });
}
