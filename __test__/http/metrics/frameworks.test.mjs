// Compares the HTTP metrics of one application, in every framework and over real connections, with a ledger of its requests.

import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { count } from '../../support/count.mjs';
import { APPLICATIONS } from './support/applications.mjs';
import { Ledger, listen, until } from './support/ledger.mjs';

for (const [name, create] of Object.entries(APPLICATIONS)) {
  /** A running application and the ledger of its requests. */
  const start = async (t, options = {}) => {
    const registry = new Registry();
    const server = await create({ registry, ...options });
    const port = await listen(t, server);
    return { server, port, registry, ledger: new Ledger(port, registry) };
  };
  const withoutNode = name === 'Hono without node:http';

  test(`${name}: a matched request is recorded by its pattern, the others as one route`, async (t) => {
    const { ledger } = await start(t);
    for (const id of ['1', '2', '%C3%BC', 'items']) await ledger.ask('GET', `/items/${id}?id=${id}`, '/items/:id');
    for (const path of ['/items/1/2', '/item', '/', '/nothing/at/all', '/.env', '/items/1/parts']) {
      t.is((await ledger.ask('GET', path, 'unmatched')).status, 404);
    }
    await ledger.ask('POST', '/items', '/items', { body: 'x'.repeat(1234) });
    await ledger.ask('PUT', '/items/5/parts/7', '/items/:id/parts/:part', { body: 'ü' });
    await ledger.ask('GET', '/nothing', '/nothing');
    await ledger.ask('GET', '/same', '/same');
    await ledger.ask('GET', '/missing/3', '/missing/:id');
    await ledger.ask('GET', '/pieces', '/pieces');
    await ledger.settle(t);
  });

  test(`${name}: a handler that throws is a 5xx of its route`, async (t) => {
    const { ledger } = await start(t);
    t.is((await ledger.ask('GET', '/fail', '/fail')).status, 500);
    t.is((await ledger.ask('GET', '/late', '/late')).status, 500);
    await ledger.settle(t);
  });

  test(`${name}: hundreds of random paths are one series`, async (t) => {
    const { ledger } = await start(t);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    t.teardown(() => agent.destroy());
    const junk = Array.from({ length: count(200, 1000) }, (_, i) => `/${(i * 7919).toString(36)}/wp-${i}.php?q=${i}`);
    await Promise.all(junk.map((path) => ledger.ask('GET', path, 'unmatched', { agent })));
    await ledger.settle(t);
  });

  test(`${name}: requests on one connection are recorded one by one`, async (t) => {
    const { server, ledger } = await start(t);
    let connections = 0;
    server.on('connection', () => connections++);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    for (let i = 0; i < count(20, 50); i++) {
      await ledger.ask('GET', `/items/${i}`, '/items/:id', { agent });
      await ledger.ask('POST', '/items', '/items', { agent, body: 'x'.repeat(i * 100) });
    }
    t.is(connections, 1);
    await ledger.settle(t);
  });

  test(`${name}: pipelined requests are recorded one by one`, async (t) => {
    const { ledger } = await start(t);
    const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    const socket = await ledger.open(get('/slow') + get('/items/1') + get('/nothing', 'Connection: close\r\n'));
    await socket.toArray();
    ledger.enter('GET', '/slow', '2xx', { received: 4 });
    ledger.enter('GET', '/items/:id', '2xx', { received: 11 });
    ledger.enter('GET', '/nothing', '2xx');
    await ledger.settle(t);
  });

  // `@hono/node-server` does not tell a pipelined request that its connection has closed.
  const testWithNode = withoutNode ? () => {} : test;
  testWithNode(`${name}: pipelined requests whose client goes are recorded each`, async (t) => {
    const { ledger } = await start(t);
    const get = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = await ledger.open(get('/never') + get('/never') + get('/never'));
    await ledger.inFlight(3);
    socket.destroy();
    for (let i = 0; i < 3; i++) ledger.enter('GET', '/never', 'aborted');
    await ledger.settle(t);
  });

  test(`${name}: HEAD has no body, also if the handler writes one`, async (t) => {
    const { ledger } = await start(t);
    await ledger.ask('HEAD', '/items/1', name === 'node:http' ? 'unmatched' : '/items/:id');
    t.is((await ledger.ask('HEAD', '/missing', 'unmatched')).status, 404);
    await ledger.settle(t);
  });

  test(`${name}: unknown methods are one method`, async (t) => {
    const { ledger } = await start(t);
    for (const method of ['PURGE', 'PROPFIND', 'M-SEARCH', 'LINK']) {
      await ledger.ask(method, '/somewhere', 'unmatched', { as: 'other' });
    }
    for (const method of ['OPTIONS', 'PATCH', 'DELETE']) await ledger.ask(method, '/somewhere', 'unmatched');
    await ledger.settle(t);
  });

  test(`${name}: a client that disconnects while it waits is an aborted request`, async (t) => {
    const { ledger } = await start(t);
    const socket = await ledger.open('GET /never HTTP/1.1\r\nHost: x\r\n\r\n');
    await ledger.inFlight(1);
    socket.destroy();
    ledger.enter('GET', '/never', 'aborted');
    await ledger.settle(t);
  });

  test(`${name}: a client that disconnects during the download is an aborted request`, async (t) => {
    const { ledger } = await start(t);
    const socket = await ledger.open('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    await ledger.inFlight(1);
    socket.resetAndDestroy();
    ledger.enter('GET', '/endless', 'aborted', { received: 1000 });
    await ledger.settle(t);
  });

  test(`${name}: a client that disconnects during the upload is an aborted request`, async (t) => {
    const { ledger } = await start(t);
    const socket = await ledger.open(
      'POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n',
      'x'.repeat(100),
    );
    await ledger.inFlight(1);
    await wait(50);
    socket.destroy();
    ledger.enter('POST', '/items', 'aborted', { sent: withoutNode ? null : 100 });
    await ledger.settle(t);
  });

  test(`${name}: the duration of a slow request is recorded`, async (t) => {
    const { ledger, registry } = await start(t);
    await Promise.all([1, 2, 3].map(() => ledger.ask('GET', '/slow', '/slow')));
    await ledger.settle(t);
    const labels = { method: 'GET', route: '/slow', status_class: '2xx' };
    const { sum, buckets } = registry.getSingleMetric('llmdevops_http_request_duration_seconds').value(labels);
    t.true(sum > 3 * 0.055 && sum < 3 * 5, `${sum}`);
    t.is(buckets.find(({ le }) => le === 0.05).count, 0);
  });
  test(`${name}: clients may disconnect at any moment: each request is recorded once and none stays in flight`, async (t) => {
    const { server, ledger, registry } = await start(t);
    let [accepted, received, closed] = [0, 0, 0];
    server.on('request', () => received++);
    server.on('connection', (socket) => {
      accepted++;
      socket.once('close', () => closed++);
    });
    const upload = 'POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n';
    const heads = ['slow', 'pieces', 'endless', 'never', 'items/1', 'late', 'none'].map(
      (path) => `GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    const open = (number) => ledger.open(number % 4 === 0 ? upload + 'x'.repeat(number) : heads[number % heads.length]);
    const clients = count(80, 200);
    for (let batch = 0; batch < clients; batch += 20) {
      const sockets = await Promise.all(Array.from({ length: 20 }, (_, i) => open(batch + i)));
      // A client that disconnects before its connection is accepted stalls the listener of Node.js 20 under load.
      await until(() => accepted === batch + 20);
      const leave = async (socket, number) => {
        socket.resume();
        // From before the server has read the request until after most have been answered.
        await wait((number * 37) % 80);
        if (number % 3 === 0) socket.resetAndDestroy();
        else socket.destroy();
      };
      await Promise.all(sockets.map((socket, i) => leave(socket, batch + i)));
    }
    await until(() => closed === clients);
    const recorded = async () => {
      const { values } = await registry.getSingleMetric('llmdevops_http_requests_total').get();
      return values.reduce((sum, { value }) => sum + value, 0);
    };
    await ledger.inFlight(0);
    t.is(await recorded(), received);
    t.true(received > clients / 2, `${received}`);
    const { values } = await registry.getSingleMetric('llmdevops_http_request_duration_seconds').get();
    const counts = values.filter(({ metricName }) => metricName.endsWith('_count'));
    t.is(
      counts.reduce((sum, { value }) => sum + value, 0),
      received,
    );
  });
}
