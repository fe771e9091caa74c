// Pushgateway: requests, answers and failures, against servers of this test, and side by side with both peers.

import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { EndpointError, MetricsError, Pushgateway, Registry, register } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { certificates } from '../http/exporter/support/certificates.mjs';
import { text } from '../support/exposition.mjs';
import { startGateway } from './support/gateway.mjs';

const require = createRequire(import.meta.url);
const library = require('@llm-devops/prometheus-metrics');
const peers = ['prom-client', '@prometheus-io/client'].map((name) => ({ name, client: require(name) }));

function jobRegistry(client = library, contentType = undefined) {
  const registry = new client.Registry(contentType);
  const counter = new client.Counter({
    name: 'jobs_total',
    help: 'Jobs',
    labelNames: ['queue'],
    registers: [registry],
  });
  counter.inc({ queue: 'mail "x"' }, 3);
  const histogram = new client.Histogram({ name: 'job_seconds', help: 'Time', buckets: [1, 5], registers: [registry] });
  histogram.observe(2);
  return registry;
}

const BODY = text(
  '# HELP jobs_total Jobs',
  '# TYPE jobs_total counter',
  'jobs_total{queue="mail \\"x\\""} 3',
  '',
  '# HELP job_seconds Time',
  '# TYPE job_seconds histogram',
  'job_seconds_bucket{le="1"} 0',
  'job_seconds_bucket{le="5"} 1',
  'job_seconds_bucket{le="+Inf"} 1',
  'job_seconds_sum 2',
  'job_seconds_count 1',
);

const METHODS = { push: 'PUT', pushAdd: 'POST', delete: 'DELETE' };

// What tests of programs see that replace `http.request()` by a function of their own.
for (const { name, client } of [{ name: 'this library', client: library }, peers[1]]) {
  test.serial(`${name} calls http.request() at once, with a URL and the program's options`, (t) => {
    const calls = [];
    const request = http.request;
    http.request = (...args) => {
      calls.push(args);
      return { on() {}, write() {}, end() {} };
    };
    t.teardown(() => {
      http.request = request;
    });
    for (const [method, verb] of Object.entries(METHODS)) {
      for (const options of [undefined, null, { headers: { 'unit-test': '1' }, timeout: 70 }]) {
        const gateway = new client.Pushgateway('http://me:secret@127.0.0.1:9/path', options, jobRegistry(client));
        void gateway[method]({ jobName: 'a b', groupings: { key: 'va&lue' } });
        const [url, given, answered] = calls.pop();
        t.true(url instanceof URL);
        t.is(url.href, 'http://me:secret@127.0.0.1:9/path/metrics/job/a%20b/key/va%26lue');
        t.deepEqual(given, { ...options, method: verb });
        t.is(typeof answered, 'function');
      }
    }
  });
}

test.serial('the first argument of http.request() has what prom-client passes there', (t) => {
  const argumentOf = (client, url, options) => {
    const { request } = http;
    let first;
    http.request = (argument) => {
      first = argument;
      return { on() {}, write() {}, end() {} };
    };
    void new client.Pushgateway(url, options, jobRegistry(client)).push({
      jobName: 'a b',
      groupings: { key: 'va&lue' },
    });
    http.request = request;
    return first;
  };
  const headers = { 'unit-test': '1' };
  for (const url of ['http://127.0.0.1:9/path', 'http://me:se%40cret@localhost/', 'http://:secret@[::1]:9']) {
    for (const options of [undefined, { headers, timeout: 70 }, { auth: 'you:too', agent: false }]) {
      const [ours, theirs] = [library, peers[0].client].map((client) => argumentOf(client, url, options));
      for (const member of ['method', 'path', 'pathname', 'protocol', 'headers', 'timeout', 'agent', 'auth']) {
        t.deepEqual(ours[member] ?? null, theirs[member] ?? null, member);
      }
    }
  }
});

test('options that URLs have as members go to the request, and leave the URL alone', async (t) => {
  const { url, requests } = await startGateway(t);
  const { port } = new URL(url);
  const options = { host: '127.0.0.1', hostname: '127.0.0.1', port, auth: 'you:too' };
  const gateway = new Pushgateway('http://me:secret@unknown.invalid:9/path', options, jobRegistry());
  await gateway.push({ jobName: 'backup' });
  t.is(requests[0].url, '/path/metrics/job/backup');
  t.is(requests[0].headers.authorization, `Basic ${btoa('you:too')}`);
});

for (const [name, method] of Object.entries(METHODS)) {
  test(`${name} sends ${method} and resolves with the answer and its body`, async (t) => {
    const { url, requests } = await startGateway(t, (_, response) => response.writeHead(202).end('taken'));
    const gateway = new Pushgateway(url, null, jobRegistry());
    const { resp, body } = await gateway[name]({ jobName: 'backup' });
    t.is(resp.statusCode, 202);
    t.is(body, 'taken');
    t.is(requests.length, 1);
    t.is(requests[0].method, method);
    t.is(requests[0].url, '/metrics/job/backup');
    t.is(requests[0].body.toString(), name === 'delete' ? '' : BODY);
    if (name !== 'delete') t.is(requests[0].headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  });

  test(`${name} without a job name throws at once, unless it is not required`, async (t) => {
    const { url, requests } = await startGateway(t);
    for (const parameters of [undefined, {}, { jobName: '' }, { groupings: { a: 'b' } }]) {
      t.throws(() => new Pushgateway(url)[name](parameters), {
        message: 'Missing jobName parameter',
        instanceOf: MetricsError,
      });
    }
    t.is(requests.length, 0);
    await new Pushgateway(url, { requireJobName: false })[name]();
    await new Pushgateway(url, { requireJobName: false })[name]({ groupings: { a: 'b' } });
    t.deepEqual(
      requests.map((request) => request.url),
      ['/metrics', '/metrics'],
    );
  });

  test(`${name}: an answer with an error rejects with its status and body`, async (t) => {
    for (const status of [301, 400, 404, 500]) {
      const { url } = await startGateway(t, (_, response) =>
        response.writeHead(status).end('text format parsing error'),
      );
      const error = await t.throwsAsync(new Pushgateway(url)[name]({ jobName: 'backup' }), {
        instanceOf: EndpointError,
      });
      t.is(error.message, `push failed with status ${status}, text format parsing error`);
      t.is(error.code, 'PUSH_FAILED');
      t.is(error.status, status);
      t.is(error.body, 'text format parsing error');
    }
  });
}

test('groupings are part of the path, in their order', async (t) => {
  const { url, requests } = await startGateway(t);
  const gateway = new Pushgateway(url, {}, jobRegistry());
  const cases = [
    [{ instance: 'a' }, '/instance/a'],
    [{ b: 1, a: true }, '/b/1/a/true'],
    [{ key: 'va&lue ?#%é' }, '/key/va%26lue%20%3F%23%25%C3%A9'],
    [{ path: '/var/tmp' }, `/path@base64/${Buffer.from('/var/tmp').toString('base64url')}`],
    [{ empty: '' }, '/empty@base64/='],
    [{ dot: '.', dots: '..', three: '...' }, '/dot@base64/Lg/dots@base64/Li4/three/...'],
    [{ absent: undefined, missing: null, here: 'x' }, '/here/x'],
    [{ half: '\ud800' }, '/half/%EF%BF%BD'],
  ];
  for (const [groupings, path] of cases) {
    await gateway.pushAdd({ jobName: 'job', groupings });
    t.is(requests.at(-1).url, `/metrics/job/job${path}`);
  }
  await gateway.pushAdd({ jobName: 'a/b' });
  t.is(requests.at(-1).url, '/metrics/job@base64/YS9i');
});

test('the URL may have a path, a query, a user and a password', async (t) => {
  const { port, requests } = await startGateway(t);
  for (const path of ['/gateway', '/gateway/', '/gateway?token=1']) {
    await new Pushgateway(`http://me:se%20cret@127.0.0.1:${port}${path}`).delete({ jobName: 'job' });
    const { url, headers } = requests.at(-1);
    t.is(url, `/gateway/metrics/job/job${path.includes('?') ? '?token=1' : ''}`);
    t.is(headers.authorization, `Basic ${Buffer.from('me:se cret').toString('base64')}`);
  }
});

test('an invalid URL, protocol or time-out rejects', async (t) => {
  const push = (url, options) => new Pushgateway(url, options).push({ jobName: 'job' });
  await t.throwsAsync(push('127.0.0.1'), { code: 'ERR_INVALID_URL' });
  await t.throwsAsync(push('ftp://127.0.0.1'), { message: 'Expected an http: or https: URL but received "ftp:"' });
  await t.throwsAsync(push('http://127.0.0.1', { timeout: '1s' }), {
    message: 'Expected milliseconds for timeout but received "1s" of type string',
  });
});

test('options go to the request: headers, agent, auth', async (t) => {
  const { url, requests } = await startGateway(t);
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const headers = { 'unit-test': '1', 'content-type': 'text/plain' };
  const gateway = new Pushgateway(url, { headers, agent, auth: 'a:b' }, jobRegistry());
  await gateway.push({ jobName: 'job' });
  await gateway.push({ jobName: 'job' });
  t.is(requests[1].headers['unit-test'], '1');
  t.is(requests[1].headers['content-type'], 'text/plain');
  t.is(requests[1].headers.authorization, `Basic ${Buffer.from('a:b').toString('base64')}`);
  t.is(Object.values(agent.freeSockets).flat().length, 1, 'one connection, for the next request');
  t.deepEqual(headers, { 'unit-test': '1', 'content-type': 'text/plain' });
});

for (const name of ['Content-Encoding', 'content-encoding']) {
  test(`with ${name}: gzip the body is compressed, also after delete`, async (t) => {
    const { url, requests } = await startGateway(t);
    const headers = { [name]: 'gzip' };
    const gateway = new Pushgateway(url, { headers }, jobRegistry());
    await gateway.push({ jobName: 'job' });
    await gateway.delete({ jobName: 'job' });
    await gateway.pushAdd({ jobName: 'job' });
    t.deepEqual(
      requests.map((request) => request.headers['content-encoding']),
      ['gzip', undefined, 'gzip'],
    );
    t.is(gunzipSync(requests[0].body).toString(), BODY);
    t.deepEqual(requests[2].body, gzipSync(BODY));
    t.deepEqual(headers, { [name]: 'gzip' });
  });
}

test('the registry is the third argument, the second, or the default one', async (t) => {
  const { url, requests } = await startGateway(t);
  const registry = jobRegistry();
  for (const gateway of [new Pushgateway(url, null, registry), new Pushgateway(url, registry)]) {
    t.is(gateway.registry, registry);
    await gateway.push({ jobName: 'job' });
    t.is(requests.at(-1).body.toString(), BODY);
  }
  t.is(new Pushgateway(url).registry, register);
  t.is(new Pushgateway(url, {}).registry, register);
});

test('a registry with the OpenMetrics content type is pushed in that format', async (t) => {
  const { url, requests } = await startGateway(t);
  const registry = jobRegistry(library, Registry.OPENMETRICS_CONTENT_TYPE);
  await new Pushgateway(url, null, registry).push({ jobName: 'job' });
  t.is(requests[0].headers['content-type'], Registry.OPENMETRICS_CONTENT_TYPE);
  t.is(requests[0].body.toString(), await registry.metrics());
  t.true(requests[0].body.toString().endsWith('# EOF\n'));
});

test('https', async (t) => {
  const { client, read } = await certificates(t);
  const secure = client('server');
  const { url, requests } = await startGateway(t, undefined, secure);
  await new Pushgateway(url, { ca: read('ca.crt') }, jobRegistry()).push({ jobName: 'job' });
  t.is(requests[0].body.toString(), BODY);
  const distrusted = new Pushgateway(url, {}, jobRegistry());
  await t.throwsAsync(distrusted.push({ jobName: 'job' }), { message: /certificate/ });
});

// Failures. Each promise must settle.

test('no server: the error of the connection', async (t) => {
  const { port } = await startGateway(t);
  const free = await new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  t.not(free, port);
  await t.throwsAsync(new Pushgateway(`http://127.0.0.1:${free}`).push({ jobName: 'job' }), { code: 'ECONNREFUSED' });
});

test('a failing registry rejects, and nothing is sent', async (t) => {
  const { url, requests } = await startGateway(t);
  const registry = { contentType: 'text/plain', metrics: () => Promise.reject(new Error('no metrics')) };
  await t.throwsAsync(new Pushgateway(url, null, registry).push({ jobName: 'job' }), { message: 'no metrics' });
  t.is(requests.length, 0);
});

/** Answers of a server that does not finish: the first bytes of its answer, and whether it then cuts the connection. */
const UNFINISHED = {
  'no answer': ['', false],
  'half a header': ['HTTP/1.1 200 OK\r\nContent-', false],
  'half a body': ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', false],
  'a connection cut before the answer': ['', true],
  'a connection cut in the header': ['HTTP/1.1 200 OK\r\nContent-', true],
  'a connection cut in the body': ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', true],
  'a connection cut in a chunk': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', true],
  'a connection cut in the body of an error': ['HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nabc', true],
};

for (const [title, [bytes, isCut]] of Object.entries(UNFINISHED)) {
  test(`${title}: an error`, async (t) => {
    const sockets = new Set();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => (isCut ? socket.end(bytes) : socket.write(bytes)));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const gateway = new Pushgateway(`http://127.0.0.1:${server.address().port}`, { timeout: isCut ? 0 : 50 });
    const error = await t.throwsAsync(gateway.push({ jobName: 'job' }));
    if (!isCut) t.is(error.message, 'Pushgateway request timed out');
    else if (title.includes('body') || title.includes('chunk')) t.is(error.code, 'PUSH_FAILED');
    else t.regex(error.code, /^(ECONNRESET|HPE_)/);
  });
}

test('a server that sends a byte now and then is too slow, too', async (t) => {
  const { url } = await startGateway(t, (_, response) => {
    const timer = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(timer));
  });
  const gateway = new Pushgateway(url, { timeout: 100 }, jobRegistry());
  await t.throwsAsync(gateway.push({ jobName: 'job' }), {
    message: 'Pushgateway request timed out',
    code: 'PUSH_FAILED',
  });
});

test('an answer without end is cut', async (t) => {
  let isClosed;
  const closed = new Promise((resolve) => {
    isClosed = resolve;
  });
  const { url } = await startGateway(t, (_, response) => {
    response.on('close', isClosed);
    const fill = () => {
      while (!response.destroyed && response.write('x'.repeat(65536)));
    };
    response.on('drain', fill);
    fill();
  });
  const error = await t.throwsAsync(new Pushgateway(url).push({ jobName: 'job' }));
  t.is(error.message, 'Expected an answer of at most 1 MiB but received more');
  await closed;
});

test('an abort signal ends a request', async (t) => {
  const { url } = await startGateway(t, () => {});
  const gateway = new Pushgateway(url, { signal: AbortSignal.timeout(20) });
  await t.throwsAsync(gateway.push({ jobName: 'job' }), { name: 'AbortError' });
});

// Side by side with the peers.

/** Values that the peers encode in the path as this library does. */
const plain = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((value) => !/^\.{1,2}$|\//.test(value));

for (const { name, client } of peers) {
  test(`requests are those of ${name}`, async (t) => {
    const { url, requests } = await startGateway(t);
    const program = fc.record({
      method: fc.constantFrom(...Object.keys(METHODS)),
      jobName: plain,
      groupings: fc.option(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), plain, { maxKeys: 3 }), { nil: undefined }),
      isGzip: fc.boolean(),
      contentType: fc.constantFrom(Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE),
      prefix: fc.constantFrom('', '/', '/behind/a/prefix'),
      value: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(program, async ({ method, jobName, groupings, isGzip, contentType, prefix, value }) => {
        const sent = [];
        for (const each of [library, client]) {
          const registry = new each.Registry(contentType);
          new each.Counter({ name: 'jobs', help: 'Jobs', labelNames: ['queue'], registers: [registry] }).inc(
            { queue: jobName },
            value,
          );
          const headers = isGzip ? { 'Content-Encoding': 'gzip' } : {};
          const gateway = new each.Pushgateway(`${url}${prefix}`, { headers }, registry);
          await gateway[method]({ jobName, ...(groupings && { groupings }) });
          const { headers: received, ...request } = requests.at(-1);
          // prom-client's URL parser encodes the apostrophe as well.
          const path = request.url.replaceAll("'", '%27');
          sent.push({ ...request, url: path, encoding: received['content-encoding'] });
        }
        t.deepEqual(sent[0], sent[1]);
      }),
      { numRuns: 60 },
    );
  });
}
