// Tests the options of createHttpMetrics(), and unusual registries and requests.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { createHttpMetrics, Registry, register } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { ask, Ledger, listen, until } from './support/ledger.mjs';

/** A server that records and answers `ok`. */
async function start(t, options = {}, listener = (_request, response) => response.end('ok')) {
  const registry = options.registry ?? new Registry();
  const metrics = createHttpMetrics({ registry, ...options });
  const server = http.createServer((request, response) => {
    metrics(request, response);
    listener(request, response);
  });
  const port = await listen(t, server);
  return { server, port, registry, metrics, ledger: new Ledger(port, registry) };
}

/** Waits until a connection has closed, by a reset or otherwise. */
function closed(socket) {
  return new Promise((resolve) => socket.once('close', resolve));
}

/** The counts of requests, by their labels. */
async function counts(registry, namespace = 'llmdevops_') {
  const { values } = await registry.getSingleMetric(`${namespace}http_requests_total`).get();
  return Object.fromEntries(
    values.map(({ labels, value }) => [`${labels.method} ${labels.route} ${labels.status_class}`, value]),
  );
}

test('ignored paths are not recorded', async (t) => {
  const { port, registry, ledger } = await start(t, { ignore: ['/metrics', /^\/internal\//g] });
  for (const path of ['/metrics', '/metrics?x=/y', '/internal/a', '/internal/b?c']) await ask(port, 'GET', path);
  t.false((await registry.metrics()).includes('{'));
  for (const path of ['/metrics/x', '/x?/metrics', '/x/internal/']) await ledger.ask('GET', path, 'unmatched');
  await ledger.settle(t);
});

test('a predicate is called once a request, with method and path', async (t) => {
  const asked = [];
  const ignore = (request) => {
    asked.push(request);
    return request.method === 'POST';
  };
  const { port, ledger } = await start(t, { ignore });
  await ask(port, 'POST', '/x?y', { body: 'z' });
  await ledger.ask('GET', '/z?y', 'unmatched');
  await ledger.settle(t);
  t.deepEqual(asked, [
    { method: 'POST', path: '/x' },
    { method: 'GET', path: '/z' },
  ]);
});

test('a mounted application is ignored by the path that its clients see', async (t) => {
  const { default: express } = await import('express');
  const registry = new Registry();
  const inner = express.Router();
  inner.use(createHttpMetrics({ registry, ignore: ['/in/x'] })).get(['/x', '/y'], (_, response) => response.end());
  const port = await listen(t, http.createServer(express().use('/in', inner)));
  for (const path of ['/in/x', '/in/y', '/in/y']) await ask(port, 'GET', path);
  t.deepEqual(await counts(registry), { 'GET /in/x|/in/y 2xx': 2 });
});

test('the route may be given', async (t) => {
  const seen = [];
  const route = (request, response) => {
    seen.push([request.url, response.statusCode]);
    return { '/a': 'the first', '/b': '', '/c': undefined, '/d': null }[request.url];
  };
  const { ledger } = await start(t, { route });
  await ledger.ask('GET', '/a', 'the first');
  for (const path of ['/b', '/c', '/d', '/e']) await ledger.ask('GET', path, 'unmatched');
  await ledger.settle(t);
  t.deepEqual(
    seen,
    ['/a', '/b', '/c', '/d', '/e'].map((path) => [path, 200]),
  );
});

test.serial('a callback that throws is reported once, and the request is served', async (t) => {
  const warnings = [];
  const warned = (warning) => warnings.push(warning.message);
  process.on('warning', warned);
  t.teardown(() => process.off('warning', warned));
  const fail = () => {
    throw new Error('as told');
  };
  const { ledger } = await start(t, { route: fail, ignore: fail });
  for (const path of ['/a', '/b']) t.is((await ledger.ask('GET', path, 'unmatched')).status, 200);
  await ledger.settle(t);
  t.deepEqual(
    warnings,
    ['ignore', 'route'].map((name) => `${name} of createHttpMetrics() failed: as told`),
  );
});

test('a route over maxRoutes is `other`', async (t) => {
  const { port, registry } = await start(t, { maxRoutes: 3, route: (request) => request.url });
  for (let i = 0; i < 10; i++) await ask(port, 'GET', `/${i}`);
  await ask(port, 'POST', '/1');
  await ask(port, 'GET', '/2');
  await until(async () => Object.values(await counts(registry)).reduce((a, b) => a + b) === 12);
  t.deepEqual(await counts(registry), {
    'GET /0 2xx': 1,
    'GET /1 2xx': 1,
    'GET /2 2xx': 2,
    'GET other 2xx': 7,
    'POST /1 2xx': 1,
  });
});

test('namespace, buckets and sizes', async (t) => {
  const options = { namespace: 'my_app', durationBuckets: [1, Infinity], sizeBuckets: [10] };
  const { port, registry } = await start(t, options);
  await ask(port, 'POST', '/', { body: 'twelve bytes' });
  await until(async () => (await registry.metrics()).includes('my_app_http_active_requests{method="POST"} 0'));
  const shown = (await registry.metrics()).replace(/(seconds_sum\{.*\}) \S+/, '$1 ?');
  const labels = 'method="POST",route="unmatched",status_class="2xx"';
  t.is(
    shown,
    `# HELP my_app_http_requests_total HTTP requests whose response has ended
# TYPE my_app_http_requests_total counter
my_app_http_requests_total{${labels}} 1

# HELP my_app_http_request_duration_seconds Time from a request to the end of its response
# TYPE my_app_http_request_duration_seconds histogram
my_app_http_request_duration_seconds_bucket{le="1",${labels}} 1
my_app_http_request_duration_seconds_bucket{le="+Inf",${labels}} 1
my_app_http_request_duration_seconds_sum{${labels}} ?
my_app_http_request_duration_seconds_count{${labels}} 1

# HELP my_app_http_request_size_bytes Size of the bodies of HTTP requests
# TYPE my_app_http_request_size_bytes histogram
my_app_http_request_size_bytes_bucket{le="10",${labels}} 0
my_app_http_request_size_bytes_bucket{le="+Inf",${labels}} 1
my_app_http_request_size_bytes_sum{${labels}} 12
my_app_http_request_size_bytes_count{${labels}} 1

# HELP my_app_http_response_size_bytes Size of the bodies of HTTP responses
# TYPE my_app_http_response_size_bytes histogram
my_app_http_response_size_bytes_bucket{le="10",${labels}} 1
my_app_http_response_size_bytes_bucket{le="+Inf",${labels}} 1
my_app_http_response_size_bytes_sum{${labels}} 2
my_app_http_response_size_bytes_count{${labels}} 1

# HELP my_app_http_active_requests HTTP requests whose response has not ended
# TYPE my_app_http_active_requests gauge
my_app_http_active_requests{method="POST"} 0
`,
  );
});

test('without sizes nothing of the request and the response is replaced', async (t) => {
  const own = [];
  const { port, registry } = await start(t, { sizes: false, namespace: '' }, (request, response) => {
    own.push(...['push'].filter((name) => Object.hasOwn(request, name)));
    own.push(...['write', 'end'].filter((name) => Object.hasOwn(response, name)));
    response.end('ok');
  });
  await ask(port, 'POST', '/', { body: 'body' });
  t.deepEqual(own, []);
  t.deepEqual(
    registry.getMetricsAsArray().map(({ name }) => name),
    ['http_requests_total', 'http_request_duration_seconds', 'http_active_requests'],
  );
});

test('the default registry is the default', (t) => {
  createHttpMetrics();
  for (const name of ['requests_total', 'request_duration_seconds', 'active_requests']) {
    t.truthy(register.getSingleMetric(`llmdevops_http_${name}`));
  }
  register.clear();
});

test('two recorders of one registry count together', async (t) => {
  const registry = new Registry();
  const [one, two] = await Promise.all([start(t, { registry }), start(t, { registry })]);
  for (const { port } of [one, two, one])
    one.ledger.enter('GET', 'unmatched', '2xx', { received: (await ask(port, 'GET', '/')).body.length });
  await one.ledger.settle(t);
  t.throws(() => createHttpMetrics({ registry, sizeBuckets: [1] }), { code: 'TYPE_MISMATCH' });
});

test('a registry that is reset while requests are in flight has correct values when they end', async (t) => {
  const waiting = [];
  const { port, registry, ledger } = await start(t, {}, (request, response) => {
    if (request.url === '/wait') waiting.push(response);
    else response.end();
  });
  const asked = [1, 2].map(() => ask(port, 'GET', '/wait'));
  await until(() => waiting.length === 2);
  registry.resetMetrics();
  waiting.pop().end();
  await ledger.inFlight(1);
  waiting.pop().end();
  await Promise.all(asked);
  await ledger.inFlight(0);
  for (let i = 0; i < 2; i++) ledger.enter('GET', 'unmatched', '2xx');
  await ledger.settle(t);
});

test('a connection that the server closes, and one that it lets time out, are aborted requests', async (t) => {
  const { server, ledger } = await start(t, {}, (request, response) => {
    if (request.url === '/destroy') response.destroy();
    if (request.url === '/error') response.destroy(new Error('as told'));
    if (request.url === '/socket') request.socket.destroy();
    if (request.url === '/half') {
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    }
  });
  server.setTimeout(100);
  for (const path of ['/destroy', '/error', '/socket', '/half', '/timeout']) {
    const socket = await ledger.open(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.resume();
    await closed(socket);
    ledger.enter('GET', 'unmatched', 'aborted', { received: path === '/half' ? 4 : 0 });
  }
  await ledger.settle(t);
});

test('an unanswered request is in flight until its server is closed', async (t) => {
  const { server, ledger } = await start(t, {}, () => {});
  const socket = await ledger.open('PUT / HTTP/1.1\r\nHost: x\r\n\r\n');
  await ledger.inFlight(1);
  server.closeAllConnections();
  await closed(socket);
  ledger.enter('PUT', 'unmatched', 'aborted');
  await ledger.settle(t);
});

test('a middleware that runs after the client has disconnected counts an aborted request', async (t) => {
  const registry = new Registry();
  const metrics = createHttpMetrics({ registry });
  let gone;
  const left = new Promise((resolve) => {
    gone = resolve;
  });
  const server = http.createServer((request, response) => {
    response.once('close', () => {
      metrics(request, response);
      metrics(request, response);
      gone();
    });
  });
  const ledger = new Ledger(await listen(t, server), registry);
  const socket = await ledger.open('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(server, 'request').catch(() => {});
  socket.destroy();
  await left;
  ledger.enter('GET', 'unmatched', 'aborted');
  await ledger.settle(t);
});

test('an informational response does not end a request', async (t) => {
  const { ledger } = await start(t, {}, (request, response) => {
    response.writeProcessing();
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    request.resume().on('end', () => response.end('done'));
  });
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';
  const socket = await ledger.open(head);
  await once(socket, 'data');
  socket.write('abc');
  await socket.toArray();
  ledger.enter('POST', 'unmatched', '2xx', { sent: 3, received: 4 });
  await ledger.settle(t);
});

test('an upgraded connection is a 1xx, or not recorded', async (t) => {
  const { server, ledger, metrics } = await start(t);
  server.on('upgrade', (request, socket) => {
    // Plugins of WebSockets do this if they pass requests through an application's routes.
    if (request.url === '/through') {
      const response = new http.ServerResponse(request);
      response.assignSocket(socket);
      metrics(request, response);
    }
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
  });
  for (const path of ['/', '/through']) {
    const socket = await ledger.open(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
    await socket.toArray();
  }
  ledger.enter('GET', 'unmatched', '1xx');
  await ledger.settle(t);
});

test('bodies are measured as they go over the wire', async (t) => {
  const { ledger } = await start(t, {}, (request, response) => {
    request.resume();
    request.on('end', () => {
      response.write('ü', 'latin1');
      response.write('00ff', 'hex');
      response.write(new Uint8Array(3));
      response.write('ü', () => {});
      response.end(Buffer.alloc(5), () => {});
      response.end();
    });
  });
  const chunked = 'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
  const socket = await ledger.open(`POST / HTTP/1.1\r\nHost: x\r\n${chunked}3\r\nabc\r\n`, '4\r\ndefg\r\n0\r\n\r\n');
  await socket.toArray();
  ledger.enter('POST', 'unmatched', '2xx', { sent: 7, received: 1 + 2 + 3 + 2 + 5 });
  await ledger.settle(t);
});

test('an unread body has its announced length', async (t) => {
  const { ledger } = await start(t);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (const bytes of [0, 10, 5_000]) {
    await ledger.ask('POST', '/', 'unmatched', { body: 'x'.repeat(bytes), agent });
  }
  await ledger.settle(t);
});

test('HTTP/2 streams are requests', async (t) => {
  const registry = new Registry();
  const metrics = createHttpMetrics({ registry });
  const server = http2.createServer((request, response) => {
    metrics(request, response);
    if (request.url === '/never') return;
    request.resume().on('end', () => {
      response.write('ab');
      response.end('cde');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const ledger = new Ledger(server.address().port, registry);
  const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
  t.teardown(() => client.close());
  const send = (headers, body) => {
    const stream = client.request(headers);
    stream.end(body);
    return stream;
  };
  await Promise.all([1, 2, 3].map(() => send({ ':method': 'POST', ':path': '/' }, 'four').toArray()));
  for (let i = 0; i < 3; i++) ledger.enter('POST', 'unmatched', '2xx', { sent: 4, received: 5 });
  const never = send({ ':path': '/never' });
  await ledger.inFlight(1);
  never.close(http2.constants.NGHTTP2_CANCEL);
  ledger.enter('GET', 'unmatched', 'aborted');
  await ledger.settle(t);
});

const wrong = [
  [null, 'Expected an object for options but received null'],
  [{ registry: {} }, 'Expected a Registry for registry but received an object of type Object'],
  [{ namespace: 1 }, 'Expected a string for namespace but received 1 of type number'],
  [{ sizes: 'no' }, 'Expected true or false for sizes but received "no" of type string'],
  [{ maxRoutes: 0 }, 'Expected a whole number above 0 for maxRoutes but received 0 of type number'],
  [{ maxRoutes: NaN }, 'Expected a whole number above 0 for maxRoutes but received NaN of type number'],
  [{ route: '/x' }, 'Expected a function for route but received "/x" of type string'],
  [{ ignore: '/x' }, 'Expected an array of paths or a function for ignore but received "/x" of type string'],
  [{ ignore: [1] }, 'Expected an array of paths or a function for ignore but received an object of type Array'],
];
for (const [options, message] of wrong) {
  test(`createHttpMetrics() rejects ${JSON.stringify(options)}`, (t) => {
    t.throws(() => createHttpMetrics(options), { instanceOf: TypeError, code: 'INVALID_CONFIG', message });
  });
}

test('invalid names and buckets are rejected', (t) => {
  const registry = new Registry();
  t.throws(() => createHttpMetrics({ registry, namespace: 'a b' }), { code: 'INVALID_METRIC_NAME' });
  t.throws(() => createHttpMetrics({ registry, durationBuckets: [2, 1] }), { code: 'INVALID_BUCKETS' });
  t.throws(() => createHttpMetrics({ registry, sizeBuckets: 'small' }), { code: 'INVALID_BUCKETS' });
});

test('a response that has ended is left alone by metrics that see it late', async (t) => {
  const [early, late] = [new Registry(), new Registry()];
  const metrics = createHttpMetrics({ registry: early });
  const lateMetrics = createHttpMetrics({ registry: late });
  const ended = promise();
  const server = http.createServer(async (request, response) => {
    metrics(request, response);
    response.end('ok');
    await once(response, 'finish');
    // The first metrics have recorded it. The second ones, and a further call of the first, must leave it alone.
    for (const again of [metrics, lateMetrics]) again(request, response);
    ended.resolve();
  });
  const port = await listen(t, server);
  await ask(port, 'GET', '/x');
  await ended.promise;
  t.deepEqual(await counts(early), { 'GET unmatched 2xx': 1 });
  t.deepEqual(await counts(late), {});
  t.notRegex(await late.metrics(), /active_requests\{.*\} [^0]/);
});

test('a response that ended before any metrics saw it is recorded at once, by its outcome', async (t) => {
  const registry = new Registry();
  const metrics = createHttpMetrics({ registry });
  const seen = promise();
  const server = http.createServer(async (request, response) => {
    if (request.url === '/ended') response.end('ok');
    else request.socket.destroy();
    await once(response, request.url === '/ended' ? 'finish' : 'close');
    metrics(request, response);
    seen.resolve();
  });
  const port = await listen(t, server);
  await ask(port, 'GET', '/ended');
  await seen.promise;
  t.deepEqual(await counts(registry), { 'GET unmatched 2xx': 1 });
  await t.throwsAsync(ask(port, 'GET', '/destroyed'));
  await until(async () => Object.keys(await counts(registry)).length === 2);
  t.deepEqual(await counts(registry), { 'GET unmatched 2xx': 1, 'GET unmatched aborted': 1 });
  t.regex(await registry.metrics(), /^llmdevops_http_active_requests\{.*\} 0$/m);
});

function promise() {
  let resolve;
  const made = new Promise((settle) => {
    resolve = settle;
  });
  return { promise: made, resolve };
}
