// Sends the same requests to the handler and to the exporter over real sockets: status, headers and body are the same.

import http, { METHODS } from 'node:http';
import net from 'node:net';
import { Counter, createMetricsHandler, Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { everything, exporter, handler, own } from './exporter/support/doors.mjs';
import { listen } from './metrics/support/ledger.mjs';

const RUNS = Number(process.env.DOORS_RUNS ?? count(500, 1500));

/** Some families; one is large enough to be compressed. */
function registry() {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'c_total', help: 'Some "help"\n', labelNames: ['a'], registers }).inc({ a: 'é"\\\n' }, 2);
  new Gauge({ name: 'g', help: 'Some help', registers }).set(Number.NEGATIVE_INFINITY);
  new Histogram({ name: 'h', help: 'Some help', buckets: [-1, 0.5, 1], registers }).observe(0.7);
  const many = new Gauge({ name: 'many', help: 'Some help', labelNames: ['n'], registers });
  for (let n = 0; n < 300; n++) many.set({ n }, n / 7);
  return registry;
}

// What differs by design: a handler has the page at / only if it is asked for, and an exporter owns all paths.
const known = fc.constantFrom('/', '/metrics', '/health', '/ready', '/favicon.ico');
const near = fc
  .tuple(known, fc.constantFrom('', '/', '//', 'x', '%', '%20', '.', '/..', ';a=b'))
  .map(([path, end]) => path + end);
/** Request targets that Node.js sends and every server accepts. */
const targetText = fc.string({
  unit: fc.constantFrom(..."abcMETRICSz019-._~%!$&'()*+,;=:@/"),
  maxLength: 12,
});
const path = fc.oneof(
  { weight: 5, arbitrary: known },
  near,
  targetText.map((rest) => `/x${rest}`),
);
const name = fc.oneof(fc.constantFrom('c_total', 'g', 'h', 'many', 'none', ''), targetText);
const parameter = fc.oneof(
  name.map((value) => `name[]=${value}`),
  name.map((value) => `name%5B%5D=${encodeURIComponent(value)}`),
  fc.tuple(targetText, targetText).map(([key, value]) => `${key}=${value}`),
  targetText,
  fc.constantFrom('name[]', 'name', '&', '=', '?', '%', '+'),
);
const query = fc.oneof(
  fc.constant(''),
  fc.array(parameter, { maxLength: 4 }).map((parameters) => `?${parameters.join('&')}`),
);

const quality = fc.constantFrom(
  ...[
    '',
    ';q=1',
    ';q=0',
    ';q=0.5',
    ';q=0.25',
    ';Q=0.7',
    '; q=0.001',
    ';q=',
    ';q=x',
    ';q=2',
    ';q=-0',
    ';q=+1',
    ';q=1e-9',
  ],
  ...[
    ';q=NaN',
    ';q="1"',
    ';q =0',
    ';q= 0',
    ';q=0.5.5',
    ';q=.5',
    ';q=00',
    ';q=0;q=1',
    ';q=x;q=0',
    ';q',
    ';=0',
    ';q=1,5',
  ],
);
const mediaType = fc.constantFrom(
  'text/plain',
  'text/plain;version=0.0.4',
  'text/plain;version=1.0.0;escaping=allow-utf-8',
  'application/openmetrics-text',
  'application/openmetrics-text;version=0.0.1',
  'application/openmetrics-text;version=1.0.0',
  'application/openmetrics-text; version="1.0.0"; charset=utf-8',
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'text/*',
  '*/*',
  'application/json',
  ';',
  '',
);
const coding = fc.constantFrom('gzip', 'GZIP', 'x-gzip', 'identity', '*', 'br', 'deflate', '', ';');
const list = (item) =>
  fc
    .array(
      fc.tuple(item, quality).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((items) => items.join(','));
/** Header values. A space at either end would not be part of the value. */
const fieldText = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 20 })
  .map((text) => text.trim());
const maybe = (arbitrary) => fc.option(arbitrary, { nil: undefined });

const request = fc.record({
  // CONNECT does not ask for a path.
  method: fc.oneof(
    { weight: 6, arbitrary: fc.constant('GET') },
    { weight: 2, arbitrary: fc.constant('HEAD') },
    fc.constantFrom(...METHODS.filter((method) => method !== 'CONNECT')),
  ),
  path,
  query,
  accept: maybe(fc.oneof({ weight: 4, arbitrary: list(mediaType) }, fieldText)),
  encoding: maybe(
    fc.oneof(
      { weight: 4, arbitrary: list(coding) },
      fc.constantFrom('gzip', 'identity;q=0', '*;q=0', 'gzip, identity;q=0'),
      fieldText,
    ),
  ),
  timeout: maybe(fc.oneof(fc.constantFrom('10', '0', '-1', '1e3', 'NaN', '0.5', '9e99'), fieldText)),
  body: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 }),
  ),
  chunked: fc.boolean(),
  // Headers that the doors do not know, under any name that HTTP allows.
  others: fc.dictionary(
    fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'toString', 'x-forwarded-for', 'forwarded', 'x-real-ip', 'te'),
      fc
        .string({ unit: fc.constantFrom(..."az09!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 12 })
        .map((name) => `x${name}`),
    ),
    fieldText,
    { maxKeys: 3, noNullPrototype: false },
  ),
});

function sent({ method, path, query, accept, encoding, timeout, body, chunked, others }) {
  const headers = Object.assign(Object.create(null), others);
  if (accept !== undefined) headers.accept = accept;
  if (encoding !== undefined) headers['accept-encoding'] = encoding;
  if (timeout !== undefined) headers['x-prometheus-scrape-timeout-seconds'] = timeout;
  if (body !== undefined) {
    if (chunked) headers['transfer-encoding'] = 'chunked';
    else headers['content-length'] = `${body.length}`;
  }
  return [path + query, { method, headers, body }];
}

/** An answer without the parts that depend on the time. */
function comparable({ status, headers, body }, path) {
  const shown = own(headers);
  let text = body.toString('latin1');
  if (path === '/health' && status === 200) {
    text = text.replace(/"uptime_seconds":[\d.]+/, '"uptime_seconds":T').replace(/:0\.0\d\d\}/, ':S}');
    delete shown['content-length'];
  }
  return { status, headers: shown, text };
}

test.serial('random requests are answered alike', async (t) => {
  const shared = registry();
  const options = { registry: shared, selfMetrics: false, page: true, checks: { fine: () => true } };
  const doors = [await handler(t, options), await exporter(t, options)];
  const seen = new Map();
  await fc.assert(
    fc.asyncProperty(request, async (drawn) => {
      const [target, settings] = sent(drawn);
      const answers = await Promise.all(doors.map(({ ask }) => ask(target, settings)));
      const [one, other] = answers.map((answer) => comparable(answer, drawn.path));
      t.deepEqual(other, one);
      const kind = `${one.status}${one.headers['content-encoding'] === 'gzip' ? ' gzip' : ''}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }),
    { numRuns: RUNS },
  );
  t.log([...seen].map(([kind, times]) => `${kind}: ${times}`).join(', '));
  // The requests are not all of one kind.
  for (const kind of ['200', '200 gzip', '404', '405', '406', '413']) t.true(seen.get(kind) > RUNS / 200, kind);
});

test.serial('setReady() and a failing check are shown alike', async (t) => {
  for (const check of [() => false, () => Promise.reject(new Error('no route'))]) {
    const options = { registry: registry(), checks: { check } };
    const doors = [await handler(t, options), await exporter(t, options)];
    for (const ready of [true, false]) {
      for (const { setReady } of doors) setReady(ready);
      const [one, other] = await Promise.all(doors.map(({ ask }) => ask('/ready')));
      t.deepEqual(comparable(other), comparable(one));
      t.is(one.status, 503);
    }
  }
});

/** Requests as bytes that no HTTP client would send. */
const odd = {
  'an absolute target': 'GET http://example.com:9090/metrics?name[]=g HTTP/1.1\r\nHost: example.com\r\n',
  'an asterisk': 'OPTIONS * HTTP/1.1\r\nHost: x\r\n',
  'a target with a fragment': 'GET /metrics?name[]=g#name[]=h HTTP/1.1\r\nHost: x\r\n',
  'two Accept headers':
    'GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept: application/openmetrics-text;version=1.0.0\r\n',
  'two Accept-Encoding headers': 'GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nAccept-Encoding: gzip\r\n',
  'a header that is not ASCII': 'GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: é;q=0.5,application/openmetrics-text\r\n',
  'three Accept headers, one of them empty':
    'GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: \r\nACCEPT: text/*;q=x\r\naccept: application/openmetrics-text\r\n',
  'two timeouts of a scraper':
    'GET /metrics HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: 1\r\nX-Prometheus-Scrape-Timeout-Seconds: 2\r\n',
  'two Host headers': 'GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n',
  'two equal Host headers': 'GET /health HTTP/1.1\r\nHost: x\r\nhOST: x\r\n',
  'two Host headers and an unknown method': 'DELETE /ready HTTP/1.1\r\nHost: x\r\nHost: x\r\n',
  'an empty Host header': 'GET /metrics HTTP/1.1\r\nHost:\r\n',
  'HTTP/1.0 without a Host header': 'GET /metrics HTTP/1.0\r\n',
  'odd header names': "GET /metrics HTTP/1.1\r\nHost: x\r\n__proto__: x\r\nconstructor: y\r\nx!#$%&'*+-.^_`|~: z\r\n",
  'an empty length': 'GET /ready HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n',
  'a length with zeros': 'GET /ready HTTP/1.1\r\nHost: x\r\nContent-Length: 00\r\n',
};
for (const [title, bytes] of Object.entries(odd)) {
  test.serial(`${title} is answered alike`, async (t) => {
    const options = { registry: registry(), selfMetrics: false };
    const doors = [await handler(t, options), await exporter(t, options)];
    const ask = ({ connect }) => raw(connect, (socket) => socket.write(`${bytes}Connection: close\r\n\r\n`));
    const [one, other] = await Promise.all(doors.map(ask));
    t.log(one.status);
    t.deepEqual(other, one);
  });
}

/** Sends bytes and reads the answer until the connection ends. */
async function raw(connect, send) {
  const socket = await connect();
  send(socket);
  const answer = await everything(socket);
  const [head, ...body] = answer.split('\r\n\r\n');
  const [status, ...lines] = head.split('\r\n');
  const headers = lines
    .map((line) => line.toLowerCase())
    .filter((line) => !/^(date|connection|keep-alive):/.test(line));
  return { status: status.split(' ')[1], headers: headers.sort(), body: body.join('\r\n\r\n') };
}

test.serial('HTTP/1.1 without a Host header is a bad request', async (t) => {
  // Node.js answers this itself, before the handler is called, so the texts differ.
  const options = { registry: registry(), selfMetrics: false };
  for (const { connect } of [await handler(t, options), await exporter(t, options)]) {
    const { status } = await raw(connect, (socket) =>
      socket.write('GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n'),
    );
    t.is(status, '400');
  }
});

/** Serves a handler on a server that answers half-closed connections. By default Node.js closes them. */
async function halfOpen(t, options) {
  const server = http.createServer(createMetricsHandler(options));
  server.httpAllowHalfOpen = true;
  const port = await listen(t, server);
  return { connect: async (settings) => net.connect({ port, host: '127.0.0.1', ...settings }) };
}

for (const [title, bytes] of Object.entries({
  'a small answer': 'GET /ready HTTP/1.1\r\nHost: x\r\n\r\n',
  'an exposition': 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  'two requests': 'HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics?name[]=g HTTP/1.1\r\nHost: x\r\n\r\n',
})) {
  test.serial(`a client that has closed its half of the connection gets ${title}`, async (t) => {
    const slow = registry();
    new Gauge({
      name: 'slow',
      help: 'h',
      registers: [slow],
      collect: () => new Promise((done) => setTimeout(done, 50)),
    });
    const options = { registry: slow, selfMetrics: false };
    const doors = [await halfOpen(t, options), await exporter(t, options)];
    const [one, other] = await Promise.all(
      doors.map(({ connect }) =>
        raw(
          () => connect({ allowHalfOpen: true }),
          (socket) => socket.end(bytes),
        ),
      ),
    );
    t.is(one.status, '200');
    const undated = ({ body, ...rest }) => ({
      ...rest,
      body: body.replace(/^(date|connection|keep-alive): .*\r\n/gim, ''),
    });
    const sorted = ({ body, ...rest }) => ({ ...rest, body: body.toLowerCase().split('\r\n').sort() });
    t.deepEqual(sorted(undated(other)), sorted(undated(one)));
  });
}

const repeatable = fc.constantFrom(
  ...['Authorization', 'Cookie', 'Set-Cookie', 'User-Agent', 'Referer', 'From', 'Age', 'ETag', 'Content-Type'],
  ...['X-Any', 'Accept', 'Forwarded', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'Location', 'Server'],
);

test.serial('authenticate() sees the same headers', async (t) => {
  const seen = [];
  const authenticate = ({ method, url, headers }) => seen.push({ method, url, headers }) > 0;
  const options = { registry: registry(), selfMetrics: false, authenticate };
  const doors = [await handler(t, options), await exporter(t, options)];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(repeatable, fieldText), { maxLength: 8 }), async (lines) => {
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      seen.length = 0;
      for (const { connect } of doors) {
        const bytes = `GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n${head}Connection: close\r\n\r\n`;
        t.is((await raw(connect, (socket) => socket.write(bytes))).status, '200');
      }
      t.is(seen.length, 2);
      t.deepEqual(seen[1], seen[0]);
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});

for (const [title, lines, status] of [
  ['the first of two Authorization headers decides', ['Bearer wrong', 'Bearer right'], '401'],
  ['a second Authorization header is ignored', ['Bearer right', 'Bearer wrong'], '200'],
  ['an Authorization header in other case', ['bEARER right'], '200'],
]) {
  test.serial(title, async (t) => {
    const options = { registry: registry(), selfMetrics: false, bearerTokens: ['right'] };
    const doors = [await handler(t, options), await exporter(t, options)];
    const head = lines.map((line) => `Authorization: ${line}\r\n`).join('');
    const ask = ({ connect }) =>
      raw(connect, (socket) => socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n${head}Connection: close\r\n\r\n`));
    const [one, other] = await Promise.all(doors.map(ask));
    t.deepEqual(other, one);
    t.is(one.status, status);
  });
}

for (const [title, lines, status] of [
  ['two X-Forwarded-For headers count as one list', ['10.0.0.1', '203.0.113.7'], '403'],
  ['the last address of the last X-Forwarded-For header is the client', ['203.0.113.7', '10.0.0.1'], '200'],
  ['an X-Forwarded-For header that is not an address', ['10.0.0.1, nonsense'], '403'],
]) {
  test.serial(title, async (t) => {
    const access = { allowlist: ['10.0.0.0/8'], trustedProxies: ['127.0.0.1'] };
    const options = { registry: registry(), selfMetrics: false, ...access };
    const doors = [await handler(t, options), await exporter(t, options)];
    const head = lines.map((line) => `X-Forwarded-For: ${line}\r\n`).join('');
    const ask = ({ connect }) =>
      raw(connect, (socket) => socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n${head}Connection: close\r\n\r\n`));
    const [one, other] = await Promise.all(doors.map(ask));
    t.deepEqual(other, one);
    t.is(one.status, status);
  });
}
