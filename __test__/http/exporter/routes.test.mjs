// Tests the answers of startExporter() for each path and header, over real sockets.

import { gunzipSync } from 'node:zlib';
import { Gauge, Registry } from '@llm-devops/prometheus-metrics';
import { parseExposition, replay } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { samplesOf, withoutSelfMetrics } from '../../support/exposition.mjs';
import { exporter, own, rejected } from './support/doors.mjs';
import { SMALL_OPENMETRICS, SMALL_TEXT, seriesRegistry, smallRegistry } from './support/registries.mjs';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS_1 = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const OPENMETRICS_0 = 'application/openmetrics-text; version=0.0.1; charset=utf-8';
const NOSNIFF = { 'x-content-type-options': 'nosniff' };
const PLAIN = 'text/plain; charset=utf-8';

function small(t, options) {
  return exporter(t, { registry: smallRegistry(), selfMetrics: false, ...options });
}

test('GET /metrics', async (t) => {
  const { ask } = await small(t);
  const { status, headers, body } = await ask('/metrics');
  t.is(status, 200);
  t.is(body.toString(), SMALL_TEXT);
  t.deepEqual(own(headers), {
    'content-type': TEXT,
    'content-length': `${SMALL_TEXT.length}`,
    ...NOSNIFF,
    'cache-control': 'no-store',
    vary: 'accept, accept-encoding',
  });
  t.true(Math.abs(Date.parse(headers.date) - Date.now()) < 60_000);
});

test('the endpoint’s own metrics come last, unless they are switched off', async (t) => {
  const { text } = await exporter(t, { registry: smallRegistry() });
  const body = await text();
  t.is(withoutSelfMetrics(body), SMALL_TEXT);
  for (const line of [
    'llmdevops_metrics_series_count 2',
    'llmdevops_metrics_connections 1',
    'llmdevops_metrics_scrape_duration_seconds_count 0',
    'llmdevops_metrics_tls_reload_failures_total 0',
    'llmdevops_eventloop_stalled_seconds 0',
  ]) {
    t.true(body.includes(`\n${line}\n`), line);
  }
  t.true((await text()).includes('\nllmdevops_metrics_scrape_duration_seconds_count 1\n'));
});

test('another path for the exposition', async (t) => {
  const { ask, text } = await small(t, { path: '/internal/prom' });
  t.is(await text('/internal/prom'), SMALL_TEXT);
  t.is((await ask('/metrics')).status, 404);
});

for (const path of ['/metrics', '/metrics?name[]=g', '/ready', '/', '/nowhere']) {
  test(`HEAD ${path} has the status and headers of GET, and no body`, async (t) => {
    const { ask } = await small(t);
    const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
    t.is(head.status, get.status);
    t.deepEqual(own(head.headers), own(get.headers));
    t.is(head.headers['content-length'], `${get.body.length}`);
    t.is(head.body.length, 0);
  });
}

for (const path of [
  '/metrics/',
  '/metricsx',
  '/METRICS',
  '//metrics',
  '/healthz',
  '/%6detrics',
  '/favicon.ico',
  '/*',
]) {
  test(`${path} is not found`, async (t) => {
    const { ask } = await small(t);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, headers, body } = await ask(path, { method });
      t.is(status, 404);
      t.deepEqual(own(headers), { 'content-type': PLAIN, 'content-length': `${body.length}`, ...NOSNIFF });
      t.is(body.toString(), 'Not found.\n');
    }
  });
}

for (const path of ['/', '/metrics', '/health', '/ready']) {
  test(`only GET and HEAD are allowed for ${path}`, async (t) => {
    const { ask } = await small(t);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'M-SEARCH']) {
      const { status, headers, body } = await ask(path, { method, body: method === 'POST' ? 'x' : undefined });
      t.is(status, 405, method);
      t.deepEqual(own(headers), {
        allow: 'GET, HEAD',
        'content-type': PLAIN,
        'content-length': `${body.length}`,
        ...NOSNIFF,
      });
      t.is(body.toString(), 'Method not allowed: use GET or HEAD.\n');
    }
  });

  test(`GET ${path} with a body is rejected, and counted`, async (t) => {
    const { ask, text } = await exporter(t, { registry: smallRegistry() });
    const bodies = [{ 'content-length': '3' }, { 'transfer-encoding': 'chunked' }];
    for (const headers of bodies) {
      const { status, headers: answered, body } = await ask(path, { headers, body: 'abc' });
      t.is(status, 413);
      t.is(body.toString(), 'Expected no body.\n');
      t.is(answered.connection, 'close');
    }
    t.is((await ask(path, { headers: { 'content-length': '0' } })).status, 200);
    t.is(rejected(await text(), 'body'), 2);
  });
}

test('name[] shows these families', async (t) => {
  const { text } = await small(t);
  const shown = async (query) => samplesOf(await text(`/metrics${query}`));
  t.deepEqual(await shown('?name[]=g'), ['g 3']);
  t.deepEqual(await shown('?name%5B%5D=g'), ['g 3']);
  t.deepEqual(await shown('?name[]=g&name[]=c&name[]=g'), ['c 2', 'g 3']);
  t.deepEqual(await shown('?name[]=%63'), ['c 2']);
  t.deepEqual(await shown('?name[]=none'), []);
  t.deepEqual(await shown('?name=g&other[]=g'), ['c 2', 'g 3']);
  t.deepEqual(await shown('?'), ['c 2', 'g 3']);
  t.deepEqual(await shown('?%zz&==&name[]=%ff'), []);
});

test.serial(
  'name[] shows families of the endpoint too, and runs only the collectors of the others it names',
  async (t) => {
    const registry = new Registry();
    const asked = [];
    for (const name of ['a', 'b']) {
      new Gauge({ name, help: 'Some help', registers: [registry], collect: () => void asked.push(name) });
    }
    const { text } = await exporter(t, { registry });
    t.is(
      await text('/metrics?name[]=b&name[]=llmdevops_metrics_connections'),
      '# HELP b Some help\n# TYPE b gauge\nb 0\n\n' +
        '# HELP llmdevops_metrics_connections Open connections of the exporter\n' +
        '# TYPE llmdevops_metrics_connections gauge\nllmdevops_metrics_connections 1\n',
    );
    t.deepEqual(asked, ['b']);
  },
);

test('1,000 names are a filter, 1,001 are an error', async (t) => {
  const { ask } = await small(t, { maxHeaderBytes: 65_536 });
  const query = (count) => `/metrics?${Array.from({ length: count }, (_, i) => `name[]=${i}`).join('&')}`;
  t.is((await ask(query(1000))).status, 200);
  const { status, body } = await ask(query(1001));
  t.is(status, 400);
  t.is(body.toString(), 'Expected at most 1000 names in name[].\n');
});

const OPENMETRICS_FIRST =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

const PROTOBUF_TYPE = PROTOBUF.replaceAll(';', '; ');
const TEXT_1 = 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores';
const OPENMETRICS_2 = 'application/openmetrics-text; version=2.0.0; charset=utf-8';
const LATEST =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3';
const utf8 = (type) => `${type}; escaping=allow-utf-8`;

/** Headers of scrapers, and the content types they get. */
const accepted = {
  'Prometheus 2.42 to 2.48': [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    OPENMETRICS_1,
  ],
  'Prometheus 2.42 with native histograms': [
    `${PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
    PROTOBUF_TYPE,
  ],
  'Prometheus 2.49 to 2.55': [
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    OPENMETRICS_1,
  ],
  'Prometheus 3.0': [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2',
    utf8(OPENMETRICS_1),
  ],
  'Prometheus 3.2': [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2',
    utf8(OPENMETRICS_1),
  ],
  'Prometheus 3.4': [OPENMETRICS_FIRST, utf8(OPENMETRICS_1)],
  'Prometheus 3.4 with native histograms': [
    `${PROTOBUF};q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`,
    PROTOBUF_TYPE,
  ],
  'Prometheus 3.16': [LATEST, utf8(OPENMETRICS_1)],
  'Prometheus 3.16 with native histograms': [
    `${PROTOBUF};escaping=allow-utf-8;q=0.7,${LATEST.replace('q=0.7', 'q=0.65')}`,
    utf8(PROTOBUF_TYPE),
  ],
  'Prometheus 3.16 with names of the old rule': [
    LATEST.replaceAll('allow-utf-8', 'underscores'),
    `${OPENMETRICS_1}; escaping=underscores`,
  ],
  'Prometheus 3.16 with OpenMetrics 2.0': [
    `application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.7,${LATEST.replace('q=0.7', 'q=0.65')}`,
    utf8(OPENMETRICS_2),
  ],
  'Prometheus told to scrape text 0.0.4': ['text/plain;version=0.0.4;q=0.6,*/*;q=0.5', TEXT],
  'a scraper that knows text 1.0.0 alone': ['text/plain;version=1.0.0', TEXT_1],
  'vmagent 1.79': ['text/plain;version=0.0.4;q=1,*/*;q=0.1', TEXT],
  'a scraper of the draft': ['application/openmetrics-text; version=0.0.1', OPENMETRICS_0],
  'a scraper that names no version': ['application/openmetrics-text', OPENMETRICS_0],
  'an unknown version': ['application/openmetrics-text;version=3.0.0', TEXT],
  protobuf: [PROTOBUF, PROTOBUF_TYPE],
  'protobuf that is not delimited': [PROTOBUF.replace('delimited', 'text'), TEXT],
  curl: ['*/*', TEXT],
  Firefox: ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT],
  'a request without Accept': [undefined, TEXT],
  nonsense: [';;;,,,q=,=;', TEXT],
};
for (const [who, [accept, contentType]] of Object.entries(accepted)) {
  test(`${who} gets ${contentType}`, async (t) => {
    const { ask } = await small(t);
    const { status, headers, body } = await ask('/metrics', { headers: accept === undefined ? {} : { accept } });
    t.is(status, 200);
    t.is(headers['content-type'], contentType);
    const format = contentType.includes('protobuf') ? 'protobuf' : 'openmetrics2';
    if (contentType.startsWith('text/plain')) t.is(body.toString(), SMALL_TEXT);
    else if (!contentType.startsWith(PROTOBUF_TYPE) && !contentType.startsWith(OPENMETRICS_2)) {
      t.is(body.toString(), SMALL_OPENMETRICS);
    } else t.is(await replay(parseExposition(body, { format })).metrics(), SMALL_OPENMETRICS);
    t.is(headers['content-length'], `${body.length}`);
  });
}

const encodings = {
  gzip: ['gzip', 'GZIP', 'x-gzip', '*', 'deflate, gzip;q=0.5', 'gzip;q=0.5, identity;q=0.5', 'identity;q=0, gzip'],
  identity: [undefined, '', 'identity', 'br, zstd', 'gzip;q=0', 'gzip;q=0, *', 'gzip;q=0.1, identity', 'gzip;q=2'],
};
for (const [coding, headers] of Object.entries(encodings)) {
  for (const encoding of headers) {
    test(`Accept-Encoding: ${encoding} gets ${coding}`, async (t) => {
      const registry = seriesRegistry(1000);
      const { ask } = await exporter(t, { registry, selfMetrics: false });
      const sent = encoding === undefined ? {} : { 'accept-encoding': encoding };
      const { status, headers, body } = await ask('/metrics', { headers: sent });
      t.is(status, 200);
      t.is(headers['content-encoding'], coding === 'gzip' ? 'gzip' : undefined);
      t.is(headers['content-length'], `${body.length}`);
      t.is(headers.vary, 'accept, accept-encoding');
      t.is((coding === 'gzip' ? gunzipSync(body) : body).toString(), await registry.metrics());
      if (coding === 'gzip') t.true(body.length < (await registry.metrics()).length / 4);
    });
  }
}

for (const encoding of ['identity;q=0', '*;q=0', 'br, identity;q=0', 'gzip;q=0, identity;q=0']) {
  test(`Accept-Encoding: ${encoding} accepts no available encoding`, async (t) => {
    const { ask } = await small(t);
    const { status, body } = await ask('/metrics', { headers: { 'accept-encoding': encoding } });
    t.is(status, 406);
    t.is(body.toString(), 'Expected gzip or identity in Accept-Encoding.\n');
    // Only expositions are negotiated.
    t.is((await ask('/ready', { headers: { 'accept-encoding': encoding } })).status, 200);
  });
}

test('a body below the minimum is not compressed, unless the scraper accepts only gzip', async (t) => {
  const sent = async (options, encoding) => {
    const { ask } = await small(t, options);
    return (await ask('/metrics', { headers: { 'accept-encoding': encoding } })).headers['content-encoding'];
  };
  const length = SMALL_TEXT.length;
  t.is(await sent({}, 'gzip'), undefined);
  t.is(await sent({ compressionMinSize: length + 1 }, 'gzip'), undefined);
  t.is(await sent({ compressionMinSize: length }, 'gzip'), 'gzip');
  t.is(await sent({ compressionMinSize: 0 }, 'gzip'), 'gzip');
  t.is(await sent({}, 'gzip, identity;q=0'), 'gzip');
});

test('without compression gzip is not acceptable', async (t) => {
  const { ask } = await exporter(t, { registry: seriesRegistry(1000), compressionEnabled: false });
  const { status, headers } = await ask('/metrics', { headers: { 'accept-encoding': 'gzip' } });
  t.is(status, 200);
  t.is(headers['content-encoding'], undefined);
  t.is((await ask('/metrics', { headers: { 'accept-encoding': 'gzip, identity;q=0' } })).status, 406);
});

test.serial('the page runs no collector', async (t) => {
  const registry = new Registry();
  let asked = 0;
  new Gauge({ name: 'g', help: 'Some help', registers: [registry], collect: () => void asked++ });
  const { ask } = await exporter(t, { registry });
  await ask('/');
  t.is(asked, 0);
  await ask('/metrics');
  t.is(asked, 1);
});
