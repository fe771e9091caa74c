// Tests the expositions of a registry: text, OpenMetrics, JSON, and their content types.

import { gunzipSync } from 'node:zlib';
import { Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { text, withoutSelfMetrics } from '../support/exposition.mjs';
import { counterIn, gaugeIn, histogramIn } from './support/metrics.mjs';

const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;

test('an empty registry shows an empty line, and in OpenMetrics `# EOF`', async (t) => {
  t.is(await new Registry().metrics(), '\n');
  t.is(await new Registry(OPENMETRICS).metrics(), '# EOF\n');
});

test('metrics() shows families in the order of registration, a blank line between them', async (t) => {
  const registry = new Registry();
  counterIn(registry).inc(2);
  histogramIn(registry).observe(2);
  gaugeIn(registry, 'g', { labelNames: ['a'] }).set({ a: 'x' }, 3);
  gaugeIn(registry, 'without_series', { help: 'A \\ and\na newline, and "quotes"', labelNames: ['a'] });
  t.is(
    await registry.metrics(),
    text(
      '# HELP c Some help',
      '# TYPE c counter',
      'c 2',
      '',
      '# HELP h Some help',
      '# TYPE h histogram',
      'h_bucket{le="1"} 0',
      'h_bucket{le="+Inf"} 1',
      'h_sum 2',
      'h_count 1',
      '',
      '# HELP g Some help',
      '# TYPE g gauge',
      'g{a="x"} 3',
      '',
      '# HELP without_series A \\\\ and\\na newline, and "quotes"',
      '# TYPE without_series gauge',
    ),
  );
});

test('metrics() in OpenMetrics', async (t) => {
  const registry = new Registry(OPENMETRICS);
  counterIn(registry, 'c', { help: 'A \\ and\na newline, and "quotes"' }).inc(2);
  counterIn(registry, 'd_total').inc(0.5);
  histogramIn(registry, 'h', { buckets: [0.5, 1, 1e6] }).observe(2);
  gaugeIn(registry).set(Number.NaN);
  const shown = text(
    '# HELP c A \\\\ and\\na newline, and \\"quotes\\"',
    '# TYPE c counter',
    'c_total 2',
    '# HELP d Some help',
    '# TYPE d counter',
    'd_total 0.5',
    '# HELP h Some help',
    '# TYPE h histogram',
    'h_bucket{le="0.5"} 0',
    'h_bucket{le="1.0"} 0',
    'h_bucket{le="1e+06"} 1',
    'h_bucket{le="+Inf"} 1',
    'h_sum 2',
    'h_count 1',
    '# HELP g Some help',
    '# TYPE g gauge',
    'g NaN',
    '# EOF',
  );
  t.is(await registry.metrics(), shown);
  t.is(await registry.metrics(), shown);
});

test('rendering changes nothing: two scrapes of an idle registry have the same bytes', async (t) => {
  const registry = new Registry();
  const counter = counterIn(registry, 'c_total', { labelNames: ['a'] });
  counter.inc({ a: 'x' }, 0.1);
  const histogram = histogramIn(registry, 'h', { enableExemplars: true });
  histogram.observe({ value: 0.5, exemplarLabels: { trace: '1' } });
  registry.setDefaultLabels({ pod: 'p' });
  const first = await registry.metrics();
  const scrapes = [{}, { accept: 'application/openmetrics-text' }, { acceptEncoding: 'gzip' }, { names: ['h'] }];
  // Without the endpoint's own metrics, which count the scrapes.
  const shown = async (scrape) => {
    const { body, headers, ...answer } = await registry.scrape(scrape);
    const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const { 'content-length': length, ...others } = headers;
    t.is(length, `${body.length}`);
    return { ...answer, headers: others, text: withoutSelfMetrics(plain.toString()) };
  };
  const answers = [];
  for (const scrape of scrapes) answers.push(await shown(scrape));
  await registry.getMetricsAsJSON();
  await registry.getSingleMetricAsString('h');
  for (const [at, scrape] of scrapes.entries()) t.deepEqual(await shown(scrape), answers[at]);
  t.is(await registry.metrics(), first);
  t.is(counter.name, 'c_total');
  t.is(counter.hashMap['a:x,'].value, 0.1);
  t.is(counter.value({ a: 'x' }), 0.1);
});

test('contentType is text 0.0.4 unless the constructor or setContentType() changes it', async (t) => {
  const registry = new Registry();
  t.is(registry.contentType, 'text/plain; version=0.0.4; charset=utf-8');
  t.is(registry.contentType, Registry.PROMETHEUS_CONTENT_TYPE);
  gaugeIn(registry);
  registry.setContentType(OPENMETRICS);
  t.is(registry.contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.is(await registry.metrics(), text('# HELP g Some help', '# TYPE g gauge', 'g 0', '# EOF'));
  t.is(new Registry(OPENMETRICS).contentType, OPENMETRICS);
  t.is(new Registry({ contentType: OPENMETRICS }).contentType, OPENMETRICS);
  t.is(new Registry({}).contentType, Registry.PROMETHEUS_CONTENT_TYPE);
});

test('an unknown content type is rejected', (t) => {
  const refused = (shown) => ({
    instanceOf: TypeError,
    code: 'INVALID_CONFIG',
    message: `Content type ${shown} is unsupported`,
  });
  t.throws(() => new Registry('text/html'), refused('text/html'));
  t.throws(() => new Registry(''), refused(''));
  t.throws(() => new Registry(null), refused('null'));
  t.throws(() => new Registry({ contentType: 5 }), refused('5'));
  const registry = new Registry();
  t.throws(() => registry.setContentType('text/html'), refused('text/html'));
  t.throws(() => registry.setContentType(undefined), refused('undefined'));
  t.is(registry.contentType, Registry.PROMETHEUS_CONTENT_TYPE);
});

test('getSingleMetricAsString() shows one metric, without a trailing newline', async (t) => {
  const registry = new Registry();
  let collected = '';
  const collecting = (name) => ({
    collect() {
      collected += name;
    },
  });
  counterIn(registry, 'c', collecting('c')).inc(2);
  histogramIn(registry, 'h', collecting('h'));
  t.is(await registry.getSingleMetricAsString('c'), '# HELP c Some help\n# TYPE c counter\nc 2');
  t.is(collected, 'c');
  registry.setContentType(OPENMETRICS);
  t.is(await registry.getSingleMetricAsString('c'), '# HELP c Some help\n# TYPE c counter\nc_total 2');
  await t.throwsAsync(registry.getSingleMetricAsString('q'), {
    code: 'INVALID_CONFIG',
    message: 'Expected the name of a registered metric but received "q"',
  });
});

test('getMetricsAsString() shows a metric as the registry does', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p' } });
  const elsewhere = counterIn(new Registry());
  elsewhere.inc(2);
  t.is(await registry.getMetricsAsString(elsewhere), '# HELP c Some help\n# TYPE c counter\nc{pod="p"} 2');
  t.is(await registry.metrics(), '\n');
  const foreign = {
    name: 'f',
    get: () => ({ name: 'f', help: 'F', type: 'gauge', values: [{ value: 1, labels: {} }] }),
  };
  t.is(await registry.getMetricsAsString(foreign), '# HELP f F\n# TYPE f gauge\nf{pod="p"} 1');
});

test('getMetricsAsJSON() has all samples as objects, of own and foreign metrics', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p', a: 'default' } });
  counterIn(registry, 'c', { labelNames: ['a'] }).inc({ a: 1 }, 2);
  histogramIn(registry).observe(0.5);
  registry.registerMetric({
    name: 'f',
    get: async () => ({
      name: 'f',
      help: 'F',
      type: 'summary',
      aggregator: 'sum',
      values: [
        { value: 3, labels: { quantile: 0.5 } },
        { value: 4, labels: {}, metricName: 'f_sum' },
      ],
    }),
  });
  const labels = { pod: 'p', a: 'default' };
  const known = (name, type, values) => ({
    name,
    help: name === 'f' ? 'F' : 'Some help',
    type,
    aggregator: 'sum',
    values,
  });
  t.deepEqual(await registry.getMetricsAsJSON(), [
    known('c', 'counter', [{ value: 2, labels: { a: 1, pod: 'p' } }]),
    known('h', 'histogram', [
      { value: 1, labels: { le: 1, ...labels }, metricName: 'h_bucket', exemplar: null },
      { value: 1, labels: { le: '+Inf', ...labels }, metricName: 'h_bucket', exemplar: null },
      { value: 0.5, labels, metricName: 'h_sum' },
      { value: 1, labels, metricName: 'h_count' },
    ]),
    known('f', 'summary', [
      { value: 3, labels: { quantile: 0.5, ...labels } },
      { value: 4, labels, metricName: 'f_sum' },
    ]),
  ]);
});

test('getMetricsAsJSON() gives NaN and infinities, and texts that JSON escapes', async (t) => {
  const registry = new Registry();
  const gauge = gaugeIn(registry, 'g', { help: '"\\\n\t\0', labelNames: ['a'] });
  const all = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, 2 ** 53];
  for (const value of all) gauge.set({ a: `"\\\n\t\0\u2028${value}${1 / value}` }, value);
  const [{ help, values }] = await registry.getMetricsAsJSON();
  t.is(help, '"\\\n\t\0');
  t.deepEqual(
    values,
    all.map((value) => ({ value, labels: { a: `"\\\n\t\0\u2028${value}${1 / value}` } })),
  );
});
