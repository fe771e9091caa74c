// Tests Registry: registering, the expositions, get-or-create, default labels, foreign metrics, collectors.

import { gunzipSync } from 'node:zlib';
import {
  Counter,
  Gauge,
  Histogram,
  LabelError,
  RegistrationError,
  Registry,
  register,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import promClient from 'prom-client';
import { samples, samplesOf, seriesValue, text, withoutSelfMetrics } from '../support/exposition.mjs';

const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;

function counterIn(registry, name = 'c', more = {}) {
  return new Counter({ name, help: 'Some help', registers: [registry], ...more });
}

function gaugeIn(registry, name = 'g', more = {}) {
  return new Gauge({ name, help: 'Some help', registers: [registry], ...more });
}

function histogramIn(registry, name = 'h', more = {}) {
  return new Histogram({ name, help: 'Some help', buckets: [1], registers: [registry], ...more });
}

// Expositions.

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
  const child = counter.labels('x');
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
  t.is(counter.labels('x'), child);
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

// Registering.

test('a metric is registered in the default registry unless `registers` is given', async (t) => {
  t.is(Registry.globalRegistry, register);
  const counter = new Counter({ name: 'in_default', help: 'Some help' });
  t.is(register.getSingleMetric('in_default'), counter);
  const nowhere = new Counter({ name: 'nowhere', help: 'Some help', registers: [] });
  t.is(register.getSingleMetric('nowhere'), undefined);
  nowhere.inc();
  t.is(nowhere.value(), 1);
  register.removeSingleMetric('in_default');
});

test('one metric may be in several registries', async (t) => {
  const [one, other] = [new Registry({ defaultLabels: { r: '1' } }), new Registry(OPENMETRICS)];
  const counter = new Counter({ name: 'c', help: 'Some help', registers: [one, other] });
  counter.inc();
  t.deepEqual(await samples(one), ['c{r="1"} 1']);
  t.deepEqual(await samples(other), ['c_total 1']);
  one.clear();
  counter.inc();
  t.is(await one.metrics(), '\n');
  t.deepEqual(await samples(other), ['c_total 2']);
});

test('a name can be registered once; registering the same metric again changes nothing', async (t) => {
  const registry = new Registry();
  const counter = counterIn(registry);
  registry.registerMetric(counter);
  const taken = {
    instanceOf: RegistrationError,
    name: 'Error',
    code: 'DUPLICATE_METRIC',
    message: 'A metric with the name c has already been registered.',
  };
  t.throws(() => counterIn(registry), taken);
  t.throws(() => gaugeIn(registry, 'c'), taken);
  t.throws(() => registry.registerMetric({ name: 'c', get: () => ({}) }), taken);
  t.deepEqual(registry.getMetricsAsArray(), [counter]);
  t.deepEqual(await samples(registry), ['c 0']);
});

test('a metric that would write samples of another is rejected, and leaves nothing behind', async (t) => {
  const clash = (sample, name) => ({
    instanceOf: RegistrationError,
    code: 'DUPLICATE_METRIC',
    message: `A metric that writes samples named ${sample} has already been registered, and ${name} would write them too.`,
  });
  for (const suffix of ['_count', '_sum', '_bucket']) {
    const counterFirst = new Registry();
    const counter = counterIn(counterFirst, `x${suffix}`);
    t.throws(() => histogramIn(counterFirst, 'x'), clash(`x${suffix}`, 'x'));
    t.deepEqual(counterFirst.getMetricsAsArray(), [counter]);
    t.is(counterFirst.getSingleMetric('x'), undefined);
    t.deepEqual(await samples(counterFirst), [`x${suffix} 0`]);
    counterFirst.removeSingleMetric(`x${suffix}`);
    t.notThrows(() => histogramIn(counterFirst, 'x'));

    const histogramFirst = new Registry();
    const histogram = histogramIn(histogramFirst, 'x');
    t.throws(() => gaugeIn(histogramFirst, `x${suffix}`), clash(`x${suffix}`, `x${suffix}`));
    t.throws(
      () => histogramFirst.counter({ name: `x${suffix}`, help: 'Some help' }),
      clash(`x${suffix}`, `x${suffix}`),
    );
    t.deepEqual(histogramFirst.getMetricsAsArray(), [histogram]);
    histogramFirst.clear();
    t.notThrows(() => gaugeIn(histogramFirst, `x${suffix}`));
  }
  const registry = new Registry();
  histogramIn(registry, 'x');
  t.notThrows(() => counterIn(registry, 'x_total'));
  t.notThrows(() => counterIn(registry, 'x_count_total'));
});

test('a foreign metric with a sample name of another metric is rejected', (t) => {
  const registry = new Registry();
  histogramIn(registry, 'x');
  t.throws(() => registry.registerMetric({ name: 'x_count', get: () => ({}) }), {
    instanceOf: RegistrationError,
    code: 'DUPLICATE_METRIC',
  });
  registry.registerMetric({ name: 'y_sum', get: () => ({}) });
  t.throws(() => histogramIn(registry, 'y'), { instanceOf: RegistrationError, code: 'DUPLICATE_METRIC' });
});

test('a value that is not a metric is rejected', (t) => {
  const registry = new Registry();
  for (const value of [{ name: 'x' }, { name: 'x', get: 5 }, null, undefined, 5, 'x', {}]) {
    t.throws(() => registry.registerMetric(value), { instanceOf: TypeError, code: 'INVALID_CONFIG' });
  }
  t.deepEqual(registry.getMetricsAsArray(), []);
});

test('getSingleMetric(), getMetricsAsArray() and removeSingleMetric()', async (t) => {
  const registry = new Registry();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => counterIn(registry, name));
  t.is(registry.getSingleMetric('b'), b);
  t.is(registry.getSingleMetric('q'), undefined);
  t.deepEqual(registry.getMetricsAsArray(), [a, b, c]);
  t.deepEqual(registry._metrics, { a, b, c });
  registry.getMetricsAsArray().pop();
  t.is(registry.removeSingleMetric('b'), undefined);
  registry.removeSingleMetric('q');
  t.deepEqual(registry.getMetricsAsArray(), [a, c]);
  b.inc();
  t.deepEqual(await samples(registry), ['a 0', 'c 0']);
  registry.registerMetric(b);
  t.deepEqual(await samples(registry), ['a 0', 'c 0', 'b 1']);
});

test('clear() removes all metrics and the default labels; the metrics still work', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p' } });
  const counter = counterIn(registry);
  registry.registerMetric({ name: 'f', get: () => ({ name: 'f', help: 'F', type: 'gauge', values: [] }) });
  counter.inc();
  registry.clear();
  t.is(await registry.metrics(), '\n');
  t.deepEqual(registry.getMetricsAsArray(), []);
  t.deepEqual(await registry.getMetricsAsJSON(), []);
  counter.inc();
  registry.registerMetric(counter);
  t.deepEqual(await samples(registry), ['c 2']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values, [{ value: 2, labels: {} }]);
});

test('resetMetrics() resets all metrics, foreign ones that can be reset too', async (t) => {
  const registry = new Registry();
  counterIn(registry).inc();
  gaugeIn(registry, 'g', { labelNames: ['a'] }).set({ a: 'x' }, 2);
  histogramIn(registry).observe(1);
  let resets = 0;
  const get = () => ({ name: 'f', help: 'F', type: 'gauge', values: [] });
  registry.registerMetric({ name: 'f', get, reset: () => resets++ });
  registry.registerMetric({ name: 'without_reset', get });
  registry.resetMetrics();
  t.deepEqual(await samples(registry), ['c 0']);
  t.is(resets, 1);
});

// Get or create.

test('counter(), gauge() and histogram() make a metric once', (t) => {
  const registry = new Registry();
  for (const [method, Class] of [
    ['counter', Counter],
    ['gauge', Gauge],
    ['histogram', Histogram],
  ]) {
    const config = { name: method, help: 'Some help', labelNames: ['a', 'b'] };
    const metric = registry[method](config);
    t.true(metric instanceof Class);
    t.is(registry[method]({ ...config, help: 'Other help' }), metric);
    t.is(registry.getSingleMetric(method), metric);
    t.is(register.getSingleMetric(method), undefined);
  }
  t.is(registry.getMetricsAsArray().length, 3);
});

test('counter(), gauge() and histogram() return a metric made with new, and register nowhere else', (t) => {
  const [registry, other] = [new Registry(), new Registry()];
  const histogram = histogramIn(registry, 'h', { buckets: [1, 2] });
  t.is(registry.histogram({ name: 'h', help: 'h', buckets: [1, 2, Number.POSITIVE_INFINITY] }), histogram);
  registry.gauge({ name: 'g', help: 'g', registers: [other] });
  t.deepEqual(other.getMetricsAsArray(), []);
});

test('get-or-create rejects another type, other labels, another order of labels and other buckets', (t) => {
  const registry = new Registry();
  registry.counter({ name: 'c', help: 'c', labelNames: ['a', 'b'] });
  registry.histogram({ name: 'h', help: 'h', buckets: [1, 2] });
  registry.registerMetric({ name: 'f', get: () => ({}) });
  const mismatch = (name, was, is) => ({
    instanceOf: RegistrationError,
    code: 'TYPE_MISMATCH',
    message: `Expected ${name} to be the ${was} it was registered as, with the same label names and buckets, but received another ${is}`,
  });
  const labelNames = ['a', 'b'];
  t.throws(() => registry.gauge({ name: 'c', help: 'c', labelNames }), mismatch('c', 'counter', 'gauge'));
  t.throws(() => registry.histogram({ name: 'c', help: 'c', labelNames }), mismatch('c', 'counter', 'histogram'));
  t.throws(() => registry.counter({ name: 'c', help: 'c' }), mismatch('c', 'counter', 'counter'));
  t.throws(() => registry.counter({ name: 'c', help: 'c', labelNames: ['b', 'a'] }), { code: 'TYPE_MISMATCH' });
  t.throws(
    () => registry.histogram({ name: 'h', help: 'h', buckets: [1, 3] }),
    mismatch('h', 'histogram', 'histogram'),
  );
  t.throws(() => registry.histogram({ name: 'h', help: 'h' }), { code: 'TYPE_MISMATCH' });
  t.throws(() => registry.counter({ name: 'h', help: 'h' }), mismatch('h', 'histogram', 'counter'));
  t.throws(() => registry.gauge({ name: 'f', help: 'f' }), mismatch('f', 'metric', 'gauge'));
  t.is(registry.getMetricsAsArray().length, 3);
});

test('get-or-create rejects an invalid configuration, also for an existing name', (t) => {
  const registry = new Registry();
  registry.counter({ name: 'c', help: 'c' });
  t.throws(() => registry.counter({ name: 'c' }), { message: 'Missing mandatory help parameter' });
  t.throws(() => registry.counter({ name: 'd' }), { message: 'Missing mandatory help parameter' });
  t.throws(() => registry.counter({ help: 'd' }), { message: 'Missing mandatory name parameter' });
  t.throws(() => registry.histogram({ name: 'h', help: 'h', buckets: [2, 1] }), { code: 'INVALID_BUCKETS' });
  for (const none of [undefined, null, 5]) {
    t.throws(() => registry.counter(none), { code: 'INVALID_CONFIG', message: 'constructor expected a config object' });
  }
  t.is(registry.getMetricsAsArray().length, 1);
});

// Default labels.

test('default labels: histograms print le, default, own; other types own, default; own win', async (t) => {
  const registry = new Registry();
  const labelNames = ['own', 'pod'];
  const metrics = [counterIn(registry, 'c', { labelNames }), gaugeIn(registry, 'g', { labelNames })];
  const histogram = histogramIn(registry, 'h', { labelNames });
  registry.setDefaultLabels({ pod: 'default', zone: 'z"\\\n' });
  for (const labels of [{ own: 'x' }, { pod: 'own', own: 'y' }, {}]) {
    for (const metric of metrics) metric.inc(labels);
    histogram.observe(labels, 1);
  }
  const zone = 'zone="z\\"\\\\\\n"';
  t.deepEqual(await samples(registry), [
    ...['c', 'g'].flatMap((name) => [
      `${name}{own="x",pod="default",${zone}} 1`,
      `${name}{pod="own",own="y",${zone}} 1`,
      `${name}{pod="default",${zone}} 1`,
    ]),
    ...[`pod="default",${zone},own="x"`, `${zone},pod="own",own="y"`, `pod="default",${zone}`].flatMap((labels) => [
      `h_bucket{le="1",${labels}} 1`,
      `h_bucket{le="+Inf",${labels}} 1`,
      `h_sum{${labels}} 1`,
      `h_count{${labels}} 1`,
    ]),
  ]);
  const json = await registry.getMetricsAsJSON();
  t.deepEqual(
    json[0].values.map(({ labels }) => labels),
    [
      { own: 'x', pod: 'default', zone: 'z"\\\n' },
      { pod: 'own', own: 'y', zone: 'z"\\\n' },
      { pod: 'default', zone: 'z"\\\n' },
    ],
  );
  t.deepEqual((await metrics[0].get()).values[0].labels, { own: 'x' });
});

test('a default label le does not stand beside the bound of a bucket', async (t) => {
  // A line with a label twice fails the whole scrape.
  const registry = new Registry({ defaultLabels: { le: 'default' } });
  histogramIn(registry);
  t.deepEqual(await samples(registry), [
    'h_bucket{le="1"} 0',
    'h_bucket{le="+Inf"} 0',
    'h_sum{le="default"} 0',
    'h_count{le="default"} 0',
  ]);
  t.deepEqual(
    (await registry.getMetricsAsJSON())[0].values.map(({ labels }) => labels.le),
    [1, '+Inf', 'default', 'default'],
  );
});

test('default labels are copied, and replaced as a whole; metrics do not keep them', async (t) => {
  const registry = new Registry();
  gaugeIn(registry);
  const labels = { a: '1' };
  registry.setDefaultLabels(labels);
  labels.a = '2';
  t.deepEqual(await samples(registry), ['g{a="1"} 0']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values, [{ value: 0, labels: { a: '1' } }]);
  registry.setDefaultLabels({ b: 3, c: true });
  t.deepEqual(await samples(registry), ['g{b="3",c="true"} 0']);
  registry.setDefaultLabels({});
  t.deepEqual(await samples(registry), ['g 0']);
});

test('an invalid default label name is rejected, and the default labels do not change', async (t) => {
  const registry = new Registry({ defaultLabels: { a: '1' } });
  gaugeIn(registry);
  t.throws(() => registry.setDefaultLabels({ b: '2', 'a-b': '3' }), {
    instanceOf: RegistrationError,
    code: 'INVALID_LABEL_NAME',
  });
  t.throws(() => registry.setDefaultLabels({ b: Object.create(null) }), {
    instanceOf: LabelError,
    code: 'INVALID_LABEL_VALUE',
  });
  t.deepEqual(await samples(registry), ['g{a="1"} 0']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values[0].labels, { a: '1' });
});

test('an own label wins over a default one in JSON as in text, also where it is 0', async (t) => {
  const registry = new Registry({ defaultLabels: { a: 'default' } });
  gaugeIn(registry, 'g', { labelNames: ['a'] }).set({ a: 0 }, 1);
  t.deepEqual(await samples(registry), ['g{a="0"} 1']);
  t.deepEqual((await registry.getMetricsAsJSON())[0].values, [{ value: 1, labels: { a: 0 } }]);
});

// Merging.

test('Registry.merge() has the metrics of all, and shares their values', async (t) => {
  const [one, other] = [new Registry(), new Registry()];
  const counter = counterIn(one);
  const gauge = gaugeIn(other);
  const merged = Registry.merge([one, other]);
  counter.inc();
  gauge.set(5);
  t.true(merged instanceof Registry);
  t.deepEqual(merged.getMetricsAsArray(), [counter, gauge]);
  t.deepEqual(await samples(merged), ['c 1', 'g 5']);
  counterIn(one, 'later');
  t.deepEqual(await samples(merged), ['c 1', 'g 5']);
  merged.clear();
  t.deepEqual(await samples(one), ['c 1', 'later 0']);
});

test('Registry.merge() keeps the content type, and rejects different types and repeated names', async (t) => {
  const openMetrics = new Registry(OPENMETRICS);
  t.is(Registry.merge([openMetrics]).contentType, OPENMETRICS);
  t.is(await Registry.merge([]).metrics(), '\n');
  t.throws(() => Registry.merge([new Registry(), openMetrics]), {
    code: 'INVALID_CONFIG',
    message: 'Registers can only be merged if they have the same content type',
  });
  const [one, other] = [new Registry(), new Registry()];
  const shared = counterIn(one);
  other.registerMetric(shared);
  t.deepEqual(Registry.merge([one, other]).getMetricsAsArray(), [shared]);
  const third = new Registry();
  counterIn(third);
  t.throws(() => Registry.merge([one, third]), { code: 'DUPLICATE_METRIC' });
});

// Foreign metrics.

test('a foreign metric is shown in its place, if it answers synchronously or with a promise', async (t) => {
  const registry = new Registry({ defaultLabels: { pod: 'p' } });
  const answer = {
    name: 'f',
    help: 'Foreign "help"',
    type: 'gauge',
    aggregator: 'sum',
    values: [
      { value: 1.5, labels: { a: 'x"y', n: 5 } },
      { value: Number.NaN, labels: { pod: 'own' } },
      { value: -1, labels: {} },
    ],
  };
  counterIn(registry, 'first');
  const foreign = { name: 'f', get: () => answer };
  registry.registerMetric(foreign);
  registry.registerMetric({ name: 'later', get: async () => ({ ...answer, name: 'later', values: [] }) });
  counterIn(registry, 'last');
  t.is(registry.getSingleMetric('f'), foreign);
  t.is(
    await registry.metrics(),
    text(
      '# HELP first Some help',
      '# TYPE first counter',
      'first{pod="p"} 0',
      '',
      '# HELP f Foreign "help"',
      '# TYPE f gauge',
      'f{a="x\\"y",n="5",pod="p"} 1.5',
      'f{pod="own"} NaN',
      'f{pod="p"} -1',
      '',
      '# HELP later Foreign "help"',
      '# TYPE later gauge',
      '',
      '# HELP last Some help',
      '# TYPE last counter',
      'last{pod="p"} 0',
    ),
  );
});

test('a foreign histogram is shown with its sample names', async (t) => {
  const registry = new Registry();
  registry.registerMetric({
    name: 'f',
    get: () => ({
      name: 'f',
      help: 'F',
      type: 'histogram',
      values: [
        { metricName: 'f_bucket', value: 1, labels: { le: 1, a: 'x' } },
        { metricName: 'f_bucket', value: 2, labels: { le: '+Inf', a: 'x' } },
        { metricName: 'f_sum', value: 7, labels: { a: 'x' } },
        { metricName: 'f_count', value: 2, labels: { a: 'x' } },
      ],
    }),
  });
  const lines = (le) => [
    `f_bucket{le="${le}",a="x"} 1`,
    'f_bucket{le="+Inf",a="x"} 2',
    'f_sum{a="x"} 7',
    'f_count{a="x"} 2',
  ];
  t.deepEqual(await samples(registry), lines('1'));
  registry.setContentType(OPENMETRICS);
  t.deepEqual(await samples(registry), lines('1.0'));
});

test("prom-client's own metrics in our registry print as in prom-client's", async (t) => {
  const theirs = new promClient.Registry();
  const config = (name, more) => ({ name, help: `Help of ${name}`, labelNames: ['a'], registers: [theirs], ...more });
  const counter = new promClient.Counter(config('c'));
  counter.inc({ a: 'x' }, 2);
  new promClient.Gauge(
    config('g', {
      async collect() {
        this.set({ a: 'y"\\\n' }, -0.5);
      },
    }),
  );
  const histogram = new promClient.Histogram(config('h', { buckets: [0.5, 1] }));
  histogram.observe({ a: 'x' }, 0.7);
  histogram.observe({ a: 'y' }, 7);
  const summary = new promClient.Summary(config('s', { percentiles: [0.5, 0.9] }));
  summary.observe({ a: 'x' }, 3);
  const ours = new Registry();
  for (const metric of theirs.getMetricsAsArray()) ours.registerMetric(metric);
  const expected = await theirs.metrics();
  t.is(samplesOf(expected).length, 16);
  t.is(await ours.metrics(), expected);
  ours.resetMetrics();
  t.deepEqual(counter.hashMap, {});
});

const nonsense = {
  'that throws': () => {
    throw new Error('no');
  },
  'that rejects': () => Promise.reject(new Error('no')),
  'that answers nothing': () => undefined,
  'that answers null': () => null,
  'that answers a number': () => 5,
  'that answers an empty object': () => ({}),
  'whose values are no list': () => ({ name: 'f', help: 'F', type: 'gauge', values: 5 }),
  'whose values are null': () => ({ name: 'f', help: 'F', type: 'gauge', values: [null] }),
  'with a bad name': () => ({ name: 'a-b', help: 'F', type: 'gauge', values: [] }),
  'with a bad sample name': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: 1, labels: {}, metricName: 'a b' }],
  }),
  'with a bad label name': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: 1, labels: { 'a b': 'x' } }],
  }),
  'with a label that cannot be printed': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: 1, labels: { a: Object.create(null) } }],
  }),
  'with a value that is not a number': () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    values: [{ value: Symbol('1'), labels: {} }],
  }),
};
for (const [title, get] of Object.entries(nonsense)) {
  test(`a foreign metric ${title} is left out and reported, and all others are shown`, async (t) => {
    const warnings = [];
    const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
    counterIn(registry);
    registry.registerMetric({ name: 'f', get });
    gaugeIn(registry);
    const alone = (name, type) => [`# HELP ${name} Some help`, `# TYPE ${name} ${type}`, `${name} 0`];
    t.is(await registry.metrics(), text(...alone('c', 'counter'), '', ...alone('g', 'gauge')));
    t.is(warnings.length, 1);
    t.regex(warnings[0], /^COLLECTOR_FAILED: collect\(\) of "f" failed: /);
    t.is((await registry.getMetricsAsJSON()).length, 2);
  });
}

// Collectors.

test('collect() is called once a scrape, with its metric as this, before values are read', async (t) => {
  const registry = new Registry();
  let calls = 0;
  const gauge = gaugeIn(registry, 'g', {
    collect() {
      t.is(this, gauge);
      this.set(++calls);
    },
  });
  counterIn(registry, 'c', {
    async collect() {
      await new Promise(setImmediate);
      this.inc(10);
    },
  });
  t.deepEqual(await samples(registry), ['g 1', 'c 10']);
  t.deepEqual(samplesOf((await registry.scrape()).body.toString()), ['g 2', 'c 20']);
  await registry.getMetricsAsJSON();
  await registry.getSingleMetricAsString('g');
  t.is(calls, 4);
});

test('collectors run at the same time', async (t) => {
  const registry = new Registry();
  // Each waits until the other has begun.
  let begun = 0;
  let both;
  const all = new Promise((resolve) => {
    both = resolve;
  });
  const collect = () => {
    if (++begun === 2) both();
    return all;
  };
  gaugeIn(registry, 'a', { collect });
  gaugeIn(registry, 'b', { collect });
  t.deepEqual(await samples(registry), ['a 0', 'b 0']);
});

const failures = {
  'throws an error': [
    () => {
      throw new Error('no connection');
    },
    'no connection',
  ],
  'throws undefined': [
    () => {
      throw undefined;
    },
    'undefined',
  ],
  'throws what cannot be printed': [
    () => {
      throw Object.create(null);
    },
    null,
  ],
  'rejects with an error': [() => Promise.reject(new Error('no connection')), 'no connection'],
  'rejects with undefined': [() => Promise.reject(), 'undefined'],
  'rejects with null': [() => Promise.reject(null), 'null'],
  'rejects with a long text': [() => Promise.reject(new Error('x'.repeat(1000))), `${'x'.repeat(200)}…`],
  'returns a thenable that throws': [
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then() {
        throw new Error('then');
      },
    }),
    'then',
  ],
};
for (const [title, [collect, shown]] of Object.entries(failures)) {
  test(`a collect() that ${title} leaves its metric without the update, and changes nothing else`, async (t) => {
    const warnings = [];
    const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
    gaugeIn(registry, 'before', {
      collect() {
        this.set(1);
      },
    });
    gaugeIn(registry, 'failing', { collect }).set(7);
    gaugeIn(registry, 'after', {
      async collect() {
        this.set(2);
      },
    });
    t.deepEqual(await samples(registry), ['before 1', 'failing 7', 'after 2']);
    const [warning] = warnings;
    if (shown === null) t.regex(warning, /^COLLECTOR_FAILED: collect\(\) of "failing" failed: /);
    else t.is(warning, `COLLECTOR_FAILED: collect() of "failing" failed: ${shown}; its metric keeps the values it had`);
    t.is(warnings.length, 1);
    t.is((await registry.scrape()).status, 200);
  });
}

test('metric.get() rejects if collect() fails', async (t) => {
  const gauge = new Gauge({ name: 'g', help: 'g', registers: [], collect: () => Promise.reject(new Error('no')) });
  await t.throwsAsync(gauge.get(), { message: 'no' });
});

test('a collect() that hangs holds a scrape no longer than timeoutMs, and may finish later', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  let finish;
  const gauge = gaugeIn(registry, 'slow', {
    async collect() {
      await new Promise((resolve) => {
        finish = resolve;
      });
      this.set(8);
    },
  });
  gauge.set(7);
  gaugeIn(registry, 'quick', {
    collect() {
      this.set(1);
    },
  });
  const started = performance.now();
  const { body } = await registry.scrape({ timeoutMs: 30 });
  const took = performance.now() - started;
  t.true(took >= 29 && took < 5000, `${took} ms`);
  t.deepEqual(samplesOf(body.toString()).slice(0, 2), ['slow 7', 'quick 1']);
  t.deepEqual(warnings, [
    'COLLECTOR_TIMEOUT: collect() of "slow" took longer than 30 ms; its metric keeps the values it had',
  ]);
  finish();
  await new Promise(setImmediate);
  t.is(gauge.value(), 8);
});

test('a collect() that rejects after its timeout has no effect', async (t) => {
  const registry = new Registry({ logger: { warn() {} } });
  let fail;
  gaugeIn(registry, 'slow', {
    collect: () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  });
  await registry.scrape({ timeoutMs: 1 });
  // AVA fails on an unhandled rejection.
  fail(new Error('too late'));
  await new Promise(setImmediate);
  t.is((await registry.scrape({ timeoutMs: 1 })).status, 200);
});

test('an invalid timeoutMs is rejected', async (t) => {
  const registry = new Registry();
  for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '100', null, {}]) {
    await t.throwsAsync(
      () => registry.scrape({ timeoutMs }),
      { instanceOf: TypeError, code: 'INVALID_CONFIG', message: /^Expected milliseconds above 0 for timeoutMs/ },
      String(timeoutMs),
    );
  }
});

test('a timeoutMs longer than the longest timer of Node.js does not end at once', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  gaugeIn(registry, 'g', {
    async collect() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.set(1);
    },
  });
  // setTimeout() treats a delay over 31 bits as one millisecond.
  const { body } = await registry.scrape({ timeoutMs: 2 ** 31 });
  t.deepEqual(warnings, []);
  t.deepEqual(samplesOf(body.toString()), ['g 1']);
});

test.serial('a scrape leaves no timer behind', async (t) => {
  const registry = new Registry();
  gaugeIn(registry, 'g', { collect: async () => {} });
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  await registry.metrics();
  await registry.scrape({ timeoutMs: 60_000 });
  t.is(timers(), before);
});

test.serial('each failing collector is reported once a minute', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(/"(.*)"/.exec(message)[1]) } });
  const collect = () => {
    throw new Error('no');
  };
  gaugeIn(registry, 'a', { collect });
  const { now } = Date;
  let time = now();
  Date.now = () => time;
  try {
    await registry.metrics();
    await registry.metrics();
    gaugeIn(registry, 'b', { collect });
    time += 59_999;
    await registry.metrics();
    t.deepEqual(warnings, ['a', 'b']);
    time += 1;
    await registry.metrics();
    t.deepEqual(warnings, ['a', 'b', 'a']);
    time += 60_000;
    await registry.metrics();
    t.deepEqual(warnings, ['a', 'b', 'a', 'a', 'b']);
  } finally {
    Date.now = now;
  }
});

test.serial(
  "without a logger, Node.js' own warnings are used; a logger that throws does not fail the scrape",
  async (t) => {
    const throwing = {
      warn: () => {
        throw new Error('mine');
      },
    };
    for (const options of [undefined, { logger: throwing }]) {
      const registry = new Registry(options);
      gaugeIn(registry, 'g', {
        collect: () => {
          throw new Error('no');
        },
      });
      const warned = new Promise((resolve) => process.once('warning', resolve));
      t.deepEqual(await samples(registry), ['g 0']);
      const warning = await warned;
      t.is(warning.name, 'PrometheusMetricsWarning');
      t.is(warning.message, 'COLLECTOR_FAILED: collect() of "g" failed: no; its metric keeps the values it had');
    }
  },
);

test('failures are counted in scrapes only', async (t) => {
  const registry = new Registry({ logger: { warn() {} }, defaultLabels: { pod: 'p' } });
  gaugeIn(registry, 'fails', { collect: () => Promise.reject(new Error('no')) });
  const fine = gaugeIn(registry, 'fine');
  const own = text(
    '# HELP fails Some help',
    '# TYPE fails gauge',
    'fails{pod="p"} 0',
    '',
    '# HELP fine Some help',
    '# TYPE fine gauge',
    'fine{pod="p"} 0',
  );
  const counted = (times) =>
    text(
      '',
      '# HELP llmdevops_metrics_collector_errors_total Calls of a collector that failed or took too long',
      '# TYPE llmdevops_metrics_collector_errors_total counter',
      `llmdevops_metrics_collector_errors_total{collector="fails",pod="p"} ${times}`,
    );
  const scraped = async () => {
    const body = (await registry.scrape()).body.toString();
    t.is(withoutSelfMetrics(body), own);
    return body.slice(own.length);
  };
  t.true((await scraped()).startsWith(counted(1)));
  t.is(await registry.metrics(), own);
  t.is((await registry.getMetricsAsJSON()).length, 2);
  t.true((await scraped()).startsWith(counted(4)));
  t.deepEqual(registry.getMetricsAsArray(), [registry.getSingleMetric('fails'), fine]);
  const one = await registry.scrape({ names: ['fine'] });
  t.deepEqual(samplesOf(one.body.toString()), ['fine{pod="p"} 0']);
  const healthy = new Registry();
  gaugeIn(healthy);
  const body = (await healthy.scrape()).body.toString();
  t.deepEqual(samplesOf(body), ['g 0']);
  t.false(body.includes('collector_errors_total{'));
});

test('a foreign metric that fails keeps its last samples until it answers again', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const answers = [
    () => [{ value: 1, labels: { a: 'x' } }],
    () => {
      throw new Error('no');
    },
    () => Promise.reject(undefined),
    () => [{ value: 3, labels: {} }],
  ];
  let asked = 0;
  registry.registerMetric({
    name: 'f',
    get: async () => ({ name: 'f', help: 'F', type: 'gauge', values: await answers[asked++]() }),
  });
  gaugeIn(registry);
  for (const shown of ['f{a="x"} 1', 'f{a="x"} 1', 'f{a="x"} 1', 'f 3']) {
    t.deepEqual(samplesOf((await registry.scrape()).body.toString()), [shown, 'g 0']);
  }
  t.deepEqual(warnings, ['COLLECTOR_FAILED: collect() of "f" failed: no; its metric keeps the values it had']);
  const body = (await registry.scrape({ names: ['llmdevops_metrics_collector_errors_total'] })).body.toString();
  t.is(seriesValue(body, 'llmdevops_metrics_collector_errors_total{collector="f"}'), 2);
});

test('the endpoint’s own metrics are in scrapes, and in no other output of a registry', async (t) => {
  const registry = new Registry();
  gaugeIn(registry);
  t.true((await registry.scrape()).body.toString().includes('\nllmdevops_metrics_series_count 1\n'));
  const own = '# HELP g Some help\n# TYPE g gauge\ng 0\n';
  t.is(await registry.metrics(), own);
  registry.setContentType(OPENMETRICS);
  t.is(await registry.metrics(), `${own}# EOF\n`);
  t.deepEqual(
    (await registry.getMetricsAsJSON()).map(({ name }) => name),
    ['g'],
  );
  t.deepEqual(
    registry.getMetricsAsArray().map(({ name }) => name),
    ['g'],
  );
});

test('collect() may register, remove and reset', async (t) => {
  const registry = new Registry();
  gaugeIn(registry, 'a', {
    collect() {
      registry.removeSingleMetric('b');
      registry.removeSingleMetric('f');
      registry.gauge({ name: 'd', help: 'd' }).inc();
      this.reset();
    },
  }).set(5);
  gaugeIn(registry, 'b', {
    collect() {
      this.set(1);
    },
  });
  registry.registerMetric({
    name: 'f',
    get: () => ({ name: 'f', help: 'F', type: 'gauge', values: [{ value: 1, labels: {} }] }),
  });
  gaugeIn(registry, 'c');
  t.deepEqual(await samples(registry), ['a 0', 'c 0', 'd 1']);
  t.deepEqual(await samples(registry), ['a 0', 'c 0', 'd 2']);
});

test('collect() may read the registry', async (t) => {
  const registry = new Registry();
  const other = new Registry();
  counterIn(other).inc(3);
  gaugeIn(registry, 'g', {
    async collect() {
      const [{ values }] = await other.getMetricsAsJSON();
      this.set(values[0].value);
    },
  });
  t.deepEqual(await samples(registry), ['g 3']);
});
