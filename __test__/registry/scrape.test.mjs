// Tests registry.scrape(): the body, its format and its encoding for each request.

import { gunzipSync } from 'node:zlib';
import { Counter, Gauge, Histogram, openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { samplesOf, text, withoutSelfMetrics } from '../support/exposition.mjs';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS_1 = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const OPENMETRICS_0 = 'application/openmetrics-text; version=0.0.1; charset=utf-8';

/** A registry of one family of each type; about 500 bytes. */
function small() {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'c', help: 'Some "help"', labelNames: ['a'], registers }).inc({ a: 'é"\\\n' }, 2);
  new Gauge({ name: 'g', help: 'Some help', registers }).set(Number.NEGATIVE_INFINITY);
  new Histogram({ name: 'h', help: 'Some help', buckets: [1, 2.5], registers }).observe(2);
  return registry;
}

/** A registry of 5,000 series: it is too large to be encoded on the event loop. */
function large() {
  const registry = new Registry();
  const counter = new Counter({ name: 'c_total', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
  for (let i = 0; i < 5000; i++) counter.inc({ a: `é${i % 7}`, b: i }, i / 4);
  return registry;
}

const textOfSmall = text(
  '# HELP c Some "help"',
  '# TYPE c counter',
  'c{a="é\\"\\\\\\n"} 2',
  '',
  '# HELP g Some help',
  '# TYPE g gauge',
  'g -Inf',
  '',
  '# HELP h Some help',
  '# TYPE h histogram',
  'h_bucket{le="1"} 0',
  'h_bucket{le="2.5"} 1',
  'h_bucket{le="+Inf"} 1',
  'h_sum 2',
  'h_count 1',
);

const openMetricsOfSmall = text(
  '# HELP c Some \\"help\\"',
  '# TYPE c counter',
  'c_total{a="é\\"\\\\\\n"} 2',
  '# HELP g Some help',
  '# TYPE g gauge',
  'g -Inf',
  '# HELP h Some help',
  '# TYPE h histogram',
  'h_bucket{le="1.0"} 0',
  'h_bucket{le="2.5"} 1',
  'h_bucket{le="+Inf"} 1',
  'h_sum 2',
  'h_count 1',
  '# EOF',
);

const OLD_PROMETHEUS =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const NEW_PROMETHEUS =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

const negotiated = [
  [undefined, TEXT],
  ['', TEXT],
  ['*/*', TEXT],
  ['text/*', TEXT],
  ['text/plain', TEXT],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT],
  ['application/json', TEXT],
  ['text/plain;version=0.0.4;q=1,*/*;q=0.1', TEXT],
  [OLD_PROMETHEUS, OPENMETRICS_1],
  [NEW_PROMETHEUS, `${OPENMETRICS_1}; escaping=allow-utf-8`],
  ['application/openmetrics-text', OPENMETRICS_0],
  ['application/openmetrics-text; version=0.0.1', OPENMETRICS_0],
  ['application/openmetrics-text; version="1.0.0"; charset=utf-8', OPENMETRICS_1],
  ['APPLICATION/OPENMETRICS-TEXT; VERSION=1.0.0', OPENMETRICS_1],
  ['application/openmetrics-text;version=1.0.0;q=0.4,text/plain;q=0.5', TEXT],
  ['application/openmetrics-text;version=1.0.0;q=0,*/*;q=0.1', TEXT],
  ['application/openmetrics-text;version=3.0.0', TEXT],
  [';;;,,,q=,=;', TEXT],
];
for (const [accept, contentType] of negotiated) {
  test(`Accept: ${accept} gets ${contentType}`, async (t) => {
    const { status, headers, body } = await small().scrape({ accept });
    t.is(status, 200);
    t.is(withoutSelfMetrics(body.toString()), contentType === TEXT ? textOfSmall : openMetricsOfSmall);
    t.deepEqual(headers, {
      'content-type': contentType,
      'content-length': `${body.length}`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      vary: 'accept, accept-encoding',
    });
    t.true(Buffer.isBuffer(body));
  });
}

test('the content type of the registry applies to metrics(), not to scrapes', async (t) => {
  const registry = small();
  registry.setContentType(openMetricsContentType);
  t.is(await registry.metrics(), openMetricsOfSmall);
  const { headers, body } = await registry.scrape();
  t.is(headers['content-type'], TEXT);
  t.is(withoutSelfMetrics(body.toString()), textOfSmall);
});

test('an empty registry', async (t) => {
  const registry = new Registry();
  t.is(await registry.metrics(), '\n');
  t.is(withoutSelfMetrics((await registry.scrape()).body.toString()), '');
  const accept = OLD_PROMETHEUS;
  t.is(withoutSelfMetrics((await registry.scrape({ accept })).body.toString()), '# EOF\n');
  const names = ['none'];
  t.is((await registry.scrape({ names })).body.toString(), '\n');
  t.is((await registry.scrape({ accept, names })).body.toString(), '# EOF\n');
});

for (const acceptEncoding of ['gzip', 'GZIP', 'deflate, gzip;q=0.5', '*', 'gzip;q=0.5, identity;q=0.5', 'x-gzip']) {
  test(`Accept-Encoding: ${acceptEncoding} gets gzip`, async (t) => {
    const registry = large();
    const plain = await registry.scrape();
    const { status, headers, body } = await registry.scrape({ acceptEncoding });
    t.is(status, 200);
    t.deepEqual(headers, {
      'content-type': TEXT,
      'content-length': `${body.length}`,
      'content-encoding': 'gzip',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      vary: 'accept, accept-encoding',
    });
    t.true(body.length < plain.body.length / 2);
    t.is(withoutSelfMetrics(gunzipSync(body).toString()), withoutSelfMetrics(plain.body.toString()));
  });
}

for (const acceptEncoding of [
  undefined,
  '',
  'identity',
  'br, zstd',
  'gzip;q=0',
  'gzip;q=0, *',
  'gzip;q=0.1, identity',
]) {
  test(`Accept-Encoding: ${acceptEncoding} gets the plain text`, async (t) => {
    const registry = large();
    const { headers, body } = await registry.scrape({ acceptEncoding });
    t.is(headers['content-encoding'], undefined);
    t.is(withoutSelfMetrics(body.toString()), await registry.metrics());
  });
}

test('a body below 1,024 bytes is not compressed', async (t) => {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames: ['a'], registers: [registry] });
  gauge.set({ a: '' }, 1);
  // Of this family alone: the endpoint's own metrics have another length at each scrape.
  const names = ['g'];
  const empty = (await registry.scrape({ names })).body.length;
  for (const [length, encoding] of [
    [1023, undefined],
    [1024, 'gzip'],
  ]) {
    gauge.reset();
    gauge.set({ a: 'x'.repeat(length - empty) }, 1);
    const plain = await registry.scrape({ names });
    t.is(plain.body.length, length);
    const { headers, body } = await registry.scrape({ names, acceptEncoding: 'gzip' });
    t.is(headers['content-encoding'], encoding);
    t.deepEqual(encoding === 'gzip' ? gunzipSync(body) : body, plain.body);
  }
});

test('names selects these families, in the order of the registry, and runs only their collectors', async (t) => {
  const registry = new Registry();
  const asked = [];
  for (const name of ['a', 'b', 'c']) {
    const collect = () => void asked.push(name);
    new Gauge({ name, help: 'Some help', registers: [registry], collect });
  }
  registry.registerMetric({
    name: 'f',
    get() {
      asked.push('f');
      return { name: 'f', help: 'F', type: 'gauge', values: [{ value: 1, labels: {} }] };
    },
  });
  const shown = async (names) => {
    asked.length = 0;
    return samplesOf((await registry.scrape({ names })).body.toString());
  };
  t.deepEqual(await shown(['c', 'a', 'q', 'a']), ['a 0', 'c 0']);
  t.deepEqual(asked, ['a', 'c']);
  t.deepEqual(await shown(['f']), ['f 1']);
  t.deepEqual(asked, ['f']);
  t.deepEqual(await shown(['q']), []);
  t.deepEqual(asked, []);
  t.deepEqual(await shown([]), ['a 0', 'b 0', 'c 0', 'f 1']);
  t.deepEqual(await shown(undefined), ['a 0', 'b 0', 'c 0', 'f 1']);
});

test('names are those of the metrics, in both formats', async (t) => {
  const registry = small();
  new Counter({ name: 'd_total', help: 'Some help', registers: [registry] });
  const accept = openMetricsContentType;
  t.is(
    (await registry.scrape({ accept, names: ['d_total'] })).body.toString(),
    text('# HELP d Some help', '# TYPE d counter', 'd_total 0', '# EOF'),
  );
  t.is((await registry.scrape({ accept, names: ['d', 'h_bucket'] })).body.toString(), '# EOF\n');
});

test('in OpenMetrics a counter has its family name without _total, its samples with it', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  for (const name of ['a', 'b_total', '_total', 'total', 'd_total_total', 'e_bucket']) {
    new Counter({ name, help: 'Some help', registers }).inc();
  }
  const body = withoutSelfMetrics((await registry.scrape({ accept: openMetricsContentType })).body.toString());
  const family = (name, sample) => [`# HELP ${name} Some help`, `# TYPE ${name} counter`, `${sample} 1`];
  t.is(
    body,
    text(
      ...family('a', 'a_total'),
      ...family('b', 'b_total'),
      // Without its suffix, this name is empty.
      '# HELP _total Some help',
      '# TYPE _total unknown',
      '_total 1',
      ...family('total', 'total_total'),
      ...family('d_total', 'd_total_total'),
      ...family('e_bucket', 'e_bucket_total'),
      '# EOF',
    ),
  );
});

test('in OpenMetrics a counter whose name would meet another family keeps its samples and loses its type', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({ name: 'x', help: 'Gauge', registers }).set(1);
  new Counter({ name: 'x_total', help: 'Counter', registers }).inc(2);
  new Counter({ name: 'y', help: 'Counter', registers }).inc(3);
  new Gauge({ name: 'y_total', help: 'Gauge', registers }).set(4);
  const { body } = await registry.scrape({ accept: openMetricsContentType });
  t.is(
    withoutSelfMetrics(body.toString()),
    text(
      '# HELP x Gauge',
      '# TYPE x gauge',
      'x 1',
      '# HELP x_total Counter',
      '# TYPE x_total unknown',
      'x_total 2',
      '# HELP y Counter',
      '# TYPE y unknown',
      'y 3',
      '# HELP y_total Gauge',
      '# TYPE y_total gauge',
      'y_total 4',
      '# EOF',
    ),
  );
  t.deepEqual(samplesOf((await registry.scrape()).body.toString()), ['x 1', 'x_total 2', 'y 3', 'y_total 4']);
});

test('in OpenMetrics a histogram with negative bounds has no sum and no count', async (t) => {
  const registry = new Registry();
  const histogram = new Histogram({ name: 'h', help: 'Some help', buckets: [-1, 0, 1], registers: [registry] });
  histogram.observe(-0.5);
  const { body } = await registry.scrape({ accept: openMetricsContentType });
  t.deepEqual(samplesOf(body.toString()), [
    'h_bucket{le="-1.0"} 0',
    'h_bucket{le="0.0"} 1',
    'h_bucket{le="1.0"} 1',
    'h_bucket{le="+Inf"} 1',
  ]);
  t.deepEqual(samplesOf((await registry.scrape()).body.toString()).slice(-2), ['h_sum -0.5', 'h_count 1']);
});

test('a large registry is encoded on another thread, with the same bytes as on the event loop', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p' } });
  const registers = [registry];
  const parts = [];
  for (let i = 0; i < 300; i++) {
    const alone = new Registry({ defaultLabels: { pod: 'p' } });
    const config = { name: `m${i}`, help: 'é"\\\n', labelNames: ['a'], registers: [...registers, alone] };
    if (i % 3 === 0) new Counter(config).inc({ a: `é${i}\n` }, i / 3);
    else if (i % 3 === 1) new Gauge(config).set({ a: `"${i}\\` }, -i);
    else new Histogram({ ...config, buckets: [1, 100] }).observe({ a: i }, i);
    parts.push(alone);
  }
  for (const accept of [TEXT, openMetricsContentType]) {
    const pieces = await Promise.all(
      parts.map(async (part) => withoutSelfMetrics((await part.scrape({ accept })).body.toString())),
    );
    const expected =
      accept === TEXT ? pieces.join('\n') : `${pieces.map((piece) => piece.replace(/# EOF\n$/, '')).join('')}# EOF\n`;
    const { headers, body } = await registry.scrape({ accept });
    t.is(withoutSelfMetrics(body.toString()), expected);
    t.is(headers['content-length'], `${body.length}`);
    const zipped = await registry.scrape({ accept, acceptEncoding: 'gzip' });
    t.is(withoutSelfMetrics(gunzipSync(zipped.body).toString()), expected);
  }
  t.is(await registry.metrics(), withoutSelfMetrics((await registry.scrape()).body.toString()));
});

test('the event loop turns while a large registry is encoded', async (t) => {
  const registry = large();
  let done = false;
  const scrape = registry.scrape({ acceptEncoding: 'gzip' }).then(() => {
    done = true;
  });
  await null;
  t.false(done);
  // If the scrape were made on the loop, its promise would be fulfilled before the loop turns.
  await new Promise(process.nextTick);
  t.false(done);
  await scrape;
});

test('concurrent scrapes have bodies of their own, which do not change later', async (t) => {
  const registry = large();
  const counter = registry.getSingleMetric('c_total');
  const before = await registry.metrics();
  const scrapes = await Promise.all(
    Array.from({ length: count(12, 40) }, (_, i) =>
      registry.scrape({
        accept: i % 2 ? openMetricsContentType : TEXT,
        acceptEncoding: i % 3 ? 'gzip' : undefined,
      }),
    ),
  );
  counter.inc({ a: 'later', b: 'x' }, 5);
  await registry.scrape();
  for (const [i, { headers, body }] of scrapes.entries()) {
    const plain = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    if (i % 2 === 0) t.is(withoutSelfMetrics(plain), before);
    else t.deepEqual(samplesOf(plain), samplesOf(before));
  }
});

test('a scrape shows no half of a change that is made while it runs', async (t) => {
  // The series of a removed label set are shown with a value they had, or not at all.
  const registry = new Registry();
  const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames: ['a'], registers: [registry] });
  for (let round = 0; round < count(6, 20); round++) {
    for (let i = 0; i < 2000; i++) gauge.set({ a: i }, 1);
    const scrape = registry.scrape();
    await new Promise(setImmediate);
    gauge.reset();
    for (let i = 0; i < 2000; i++) gauge.set({ a: `new${i}` }, 2);
    const wrong = samplesOf((await scrape).body.toString()).filter(
      (line) => !/^g\{a="\d+"\} 1$/.test(line) && !/^g\{a="new\d+"\} [02]$/.test(line),
    );
    t.deepEqual(wrong, []);
    gauge.reset();
  }
});

test('label values and help texts are read back from the body unchanged', async (t) => {
  const anyText = fc.string({ unit: 'binary', maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(anyText, fc.uniqueArray(anyText, { minLength: 1, maxLength: 5 }), async (help, values) => {
      const registry = new Registry();
      const gauge = new Gauge({ name: 'g', help: help || ' ', labelNames: ['a'], registers: [registry] });
      for (const [i, a] of values.entries()) gauge.set({ a }, i);
      const body = withoutSelfMetrics((await registry.scrape()).body.toString());
      const [head, type, ...lines] = body.split('\n').slice(0, -1);
      const unescaped = (shown) => shown.replace(/\\(.)/g, (_, it) => (it === 'n' ? '\n' : it));
      t.is(unescaped(head.slice('# HELP g '.length)), help || ' ');
      t.is(type, '# TYPE g gauge');
      t.deepEqual(
        lines.map((line) => unescaped(/^g\{a="(.*)"\} \d+$/s.exec(line)[1])),
        values,
      );
    }),
    { numRuns: count(100, 300) },
  );
});
