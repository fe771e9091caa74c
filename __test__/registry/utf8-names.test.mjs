// Tests names of UTF-8: who may have them, what each scraper gets, and that no two names become one.

import {
  Counter,
  Gauge,
  Histogram,
  Info,
  openMetricsContentType,
  Registry,
  StateSet,
  Summary,
} from '@llm-devops/prometheus-metrics';
import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fc from 'fast-check';

const V1 = 'text/plain;version=1.0.0';
const OM1 = 'application/openmetrics-text;version=1.0.0';
const OM2 = 'application/openmetrics-text;version=2.0.0';
const PROTO = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const ESCAPINGS = ['allow-utf-8', 'underscores', 'dots', 'values'];

function utf8(options = {}) {
  return new Registry({ names: 'utf8', ...options });
}

/** A scrape without the endpoint's own metrics. */
async function scraped(registry, accept, names = shownBy(registry)) {
  const { body, headers } = await registry.scrape({ accept, names });
  return { text: body.toString(), contentType: headers['content-type'], body };
}

const shownBy = (registry) => ['none', ...registry.getMetricsAsArray().map(({ name }) => name)];

function sample() {
  const registry = utf8({ defaultLabels: { 'k8s.pod': 'p' } });
  registry.gauge({ name: 'a.b', help: 'A "b"', labelNames: ['c.d', 'e'] }).set({ 'c.d': 'v"\\\n', e: 'w' }, 1);
  registry.counter({ name: 'http.requests_total', help: 'Requests' }).inc(2);
  registry
    .histogram({ name: 'size.bytes', help: 'Sizes', labelNames: ['c.d'], buckets: [1] })
    .observe({ 'c.d': 'x' }, 2);
  registry.gauge({ name: 'plain', help: 'Plain' }).set(3);
  return registry;
}

const LINES = {
  'allow-utf-8': [
    '# HELP "a.b" A "b"',
    '# TYPE "a.b" gauge',
    '{"a.b","c.d"="v\\"\\\\\\n",e="w","k8s.pod"="p"} 1',
    '',
    '# HELP "http.requests_total" Requests',
    '# TYPE "http.requests_total" counter',
    '{"http.requests_total","k8s.pod"="p"} 2',
    '',
    '# HELP "size.bytes" Sizes',
    '# TYPE "size.bytes" histogram',
    '{"size.bytes_bucket",le="1","k8s.pod"="p","c.d"="x"} 0',
    '{"size.bytes_bucket",le="+Inf","k8s.pod"="p","c.d"="x"} 1',
    '{"size.bytes_sum","k8s.pod"="p","c.d"="x"} 2',
    '{"size.bytes_count","k8s.pod"="p","c.d"="x"} 1',
    '',
    '# HELP plain Plain',
    '# TYPE plain gauge',
    'plain{"k8s.pod"="p"} 3',
    '',
  ],
};

/** The names in a scheme. */
const RENAMED = {
  underscores: ['a_b', 'c_d', 'k8s_pod', 'http_requests_total', 'size_bytes'],
  dots: ['a_dot_b', 'c_dot_d', 'k8s_dot_pod', 'http_dot_requests__total', 'size_dot_bytes'],
  values: ['U__a_2e_b', 'U__c_2e_d', 'U__k8s_2e_pod', 'U__http_2e_requests__total', 'U__size_2e_bytes'],
};

function renamed(escaping) {
  const [gauge, label, pod, counter, histogram] = RENAMED[escaping];
  return [
    `# HELP ${gauge} A "b"`,
    `# TYPE ${gauge} gauge`,
    `${gauge}{${label}="v\\"\\\\\\n",e="w",${pod}="p"} 1`,
    '',
    `# HELP ${counter} Requests`,
    `# TYPE ${counter} counter`,
    `${counter}{${pod}="p"} 2`,
    '',
    `# HELP ${histogram} Sizes`,
    `# TYPE ${histogram} histogram`,
    `${histogram}_bucket{le="1",${pod}="p",${label}="x"} 0`,
    `${histogram}_bucket{le="+Inf",${pod}="p",${label}="x"} 1`,
    `${histogram}_sum{${pod}="p",${label}="x"} 2`,
    `${histogram}_count{${pod}="p",${label}="x"} 1`,
    '',
    '# HELP plain Plain',
    '# TYPE plain gauge',
    `plain{${pod}="p"} 3`,
    '',
  ];
}

test('text 1.0.0 has each scheme that a scraper asks for', async (t) => {
  const registry = sample();
  for (const escaping of ESCAPINGS) {
    const { text, contentType } = await scraped(registry, `${V1};escaping=${escaping}`);
    t.is(text, (LINES[escaping] ?? renamed(escaping)).join('\n'));
    t.is(contentType, `text/plain; version=1.0.0; charset=utf-8; escaping=${escaping}`);
  }
});

test('each server gets the names that its Accept asks for', async (t) => {
  const registry = sample();
  const proto = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
  const om = 'application/openmetrics-text;version=';
  const rest = `${om}0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3`;
  const all = `;escaping=allow-utf-8;q=`;
  const servers = [
    ['2.42', `${om}1.0.0,${om}0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`, 'a_b'],
    ['2.49', `${om}1.0.0;q=0.5,${om}0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`, 'a_b'],
    [
      '3.0',
      `${om}1.0.0${all}0.5,${om}0.0.1${all}0.4,text/plain;version=1.0.0;escaping=allow-utf-8${all}0.3,text/plain;version=0.0.4${all}0.2,*/*;q=0.1`,
      '"a.b"',
    ],
    ['3.0, only text', `text/plain;version=1.0.0;escaping=allow-utf-8${all}0.3,*/*;q=0.1`, '"a.b"'],
    ['3.4', `${om}1.0.0${all}0.7,${rest}`, '"a.b"'],
    ['3.4, legacy', `${om}1.0.0${all}0.7,${rest}`.replaceAll('allow-utf-8', 'underscores'), 'a_b'],
    ['3.4, dots', `${om}1.0.0${all}0.7,${rest}`.replaceAll('allow-utf-8', 'dots'), 'a_dot_b'],
    ['3.4, values', `${om}1.0.0${all}0.7,${rest}`.replaceAll('allow-utf-8', 'values'), 'U__a_2e_b'],
    ['3.16, OpenMetrics 2.0', `${om}2.0.0${all}0.8,${om}1.0.0${all}0.7,${rest}`, '"a.b"'],
    ['vmagent', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', 'a_b'],
  ];
  for (const [server, accept, name] of servers) {
    const { text } = await scraped(registry, accept);
    t.true(text.includes(`# TYPE ${name} gauge\n`), `${server}\n${text}`);
  }
  const protobuf = async (accept) => parseExposition((await scraped(registry, accept)).body, { format: 'protobuf' });
  t.is((await protobuf(`${proto}${all}0.5,${om}1.0.0${all}0.4`)).families[0].name, 'a.b', '3.0');
  t.is((await protobuf(`${proto};q=0.8,${om}1.0.0${all}0.7,${rest}`)).families[0].name, 'a_b', '3.4');
});

test('everybody else gets underscores', async (t) => {
  const registry = sample();
  const expected = renamed('underscores').join('\n');
  for (const accept of [
    undefined,
    '*/*',
    V1,
    'text/plain;version=0.0.4',
    'text/plain;version=0.0.4;escaping=allow-utf-8',
  ]) {
    t.is((await scraped(registry, accept)).text, expected, accept);
  }
  t.is(await registry.metrics(), expected);
  t.is((await scraped(registry, `${V1};escaping=unknown`)).text, expected);
});

test('OpenMetrics and protobuf have the names too', async (t) => {
  const registry = sample();
  t.is(
    (await scraped(registry, `${OM1};escaping=allow-utf-8`)).text,
    [
      '# HELP "a.b" A \\"b\\"',
      '# TYPE "a.b" gauge',
      '{"a.b","c.d"="v\\"\\\\\\n",e="w","k8s.pod"="p"} 1',
      '# HELP "http.requests" Requests',
      '# TYPE "http.requests" counter',
      '{"http.requests_total","k8s.pod"="p"} 2',
      '# HELP "size.bytes" Sizes',
      '# TYPE "size.bytes" histogram',
      '{"size.bytes_bucket",le="1.0","k8s.pod"="p","c.d"="x"} 0',
      '{"size.bytes_bucket",le="+Inf","k8s.pod"="p","c.d"="x"} 1',
      '{"size.bytes_sum","k8s.pod"="p","c.d"="x"} 2',
      '{"size.bytes_count","k8s.pod"="p","c.d"="x"} 1',
      '# HELP plain Plain',
      '# TYPE plain gauge',
      'plain{"k8s.pod"="p"} 3',
      '# EOF',
      '',
    ].join('\n'),
  );
  const two = (await scraped(registry, `${OM2};escaping=allow-utf-8`)).text.replace(/ st@\S+/g, '');
  t.is(
    two,
    [
      '# TYPE "a.b" gauge',
      '# HELP "a.b" A \\"b\\"',
      '{"a.b","c.d"="v\\"\\\\\\n",e="w","k8s.pod"="p"} 1',
      '# TYPE "http.requests_total" counter',
      '# HELP "http.requests_total" Requests',
      '{"http.requests_total","k8s.pod"="p"} 2',
      '# TYPE "size.bytes" histogram',
      '# HELP "size.bytes" Sizes',
      '{"size.bytes","c.d"="x","k8s.pod"="p"} {count:1,sum:2,bucket:[1:0,+Inf:1]}',
      '# TYPE plain gauge',
      '# HELP plain Plain',
      'plain{"k8s.pod"="p"} 3',
      '# EOF',
      '',
    ].join('\n'),
  );
  const { body } = await scraped(registry, `${PROTO};escaping=allow-utf-8`);
  const parsed = parseExposition(body, { format: 'protobuf' });
  t.deepEqual(
    parsed.families.map(({ name }) => name),
    ['a.b', 'http.requests_total', 'size.bytes', 'plain'],
  );
  t.deepEqual(parsed.families[0].samples[0].labels, { 'c.d': 'v"\\\n', e: 'w', 'k8s.pod': 'p' });
});

test('names[] selects by the name and by the one that is shown', async (t) => {
  const registry = sample();
  const early = new Gauge({ name: '1é', help: 'h', collect: () => early.set(7), registers: [registry] });
  for (const name of ['1é', '__']) t.regex((await scraped(registry, V1, [name])).text, /^__\{k8s_pod="p"\} 7$/m);
  for (const name of ['a.b', 'a_b']) {
    t.regex((await scraped(registry, V1, [name])).text, /^# HELP a_b A "b"\n# TYPE a_b gauge\na_b\{[^\n]*\n$/);
  }
});

test('objects have the names as they were given', async (t) => {
  const registry = sample();
  const json = await registry.getMetricsAsJSON();
  t.is(json[0].name, 'a.b');
  t.deepEqual(json[0].values[0].labels, { 'c.d': 'v"\\\n', e: 'w', 'k8s.pod': 'p' });
  t.is(json[2].values[0].metricName, 'size.bytes_bucket');
  t.is(registry.getSingleMetric('a.b').name, 'a.b');
  const again = Registry.aggregate([json, json]);
  t.regex(await again.metrics(), /^a_b\{c_d="v\\"\\\\\\n",e="w",k8s_pod="p"\} 2$/m);
});

test('a registry has the old rule unless it is told otherwise', (t) => {
  const registry = new Registry();
  const refused = { code: 'INVALID_METRIC_NAME', message: 'Invalid metric name: a.b' };
  t.throws(() => registry.gauge({ name: 'a.b', help: 'h' }), refused);
  t.throws(() => new Gauge({ name: 'a.b', help: 'h', registers: [] }), refused);
  t.throws(() => new Gauge({ name: 'a.b', help: 'h' }), refused);
  t.throws(() => registry.gauge({ name: 'a', help: 'h', labelNames: ['b.c'] }), {
    code: 'INVALID_LABEL_NAME',
    message: 'At least one label name is invalid: b.c',
  });
  t.throws(() => registry.setDefaultLabels({ 'a.b': 'c' }), { code: 'INVALID_LABEL_NAME' });
  const gauge = new Gauge({ name: 'a.b', help: 'h', registers: [utf8()] });
  t.throws(() => registry.registerMetric(gauge), refused);
  t.throws(() => new Gauge({ name: 'a.b', help: 'h', registers: [utf8(), registry] }), refused);
  t.throws(() => new Registry({ names: 'utf-8' }), { code: 'INVALID_CONFIG', message: /'legacy' or 'utf8' for names/ });
  registry.setNames('utf8');
  registry.registerMetric(gauge);
  t.is(registry.gauge({ name: 'a.b', help: 'h' }), gauge);
});

test('names that no server takes are refused', (t) => {
  const registry = utf8();
  for (const name of ['a"b', 'a\\b', 'a\nb', '\0', 'a\x7f', 'a\x85', '\ud800', 'a\udc00b', 'a\ufffd']) {
    t.throws(() => registry.gauge({ name, help: 'h' }), { code: 'INVALID_METRIC_NAME', message: /lone surrogates/ });
    t.throws(() => registry.gauge({ name: 'a', help: 'h', labelNames: [name] }), { code: 'INVALID_LABEL_NAME' });
    t.throws(() => registry.setDefaultLabels({ [name]: 'x' }), { code: 'INVALID_LABEL_NAME' });
    t.throws(() => registry.mount(new Registry(), { [name]: 'x' }), { code: 'INVALID_LABEL_NAME' });
  }
  for (const label of ['', '__a.b', '__name__', '.\u00e9name__', '._name__']) {
    t.throws(
      () => registry.gauge({ name: 'a', help: 'h', labelNames: [label] }),
      { code: 'INVALID_LABEL_NAME' },
      label,
    );
  }
  t.throws(() => registry.gauge({ name: '', help: 'h' }), { code: 'INVALID_METRIC_NAME' });
  t.throws(() => new StateSet({ name: 'a:b', help: 'h', states: ['x'], registers: [registry] }), {
    code: 'INVALID_LABEL_NAME',
  });
});

test('two names that are one for some scraper cannot both be registered', async (t) => {
  const registry = utf8();
  new Histogram({ name: 'a.b', help: 'h', registers: [registry] });
  for (const name of ['a_b', 'a-b', 'a_dot_b', 'U__a_2e_b', 'a_b_sum', 'a.b_count', 'a-b_bucket']) {
    t.throws(
      () => new Gauge({ name, help: 'h', registers: [registry] }),
      { code: 'DUPLICATE_METRIC', message: /would write them too/ },
      name,
    );
  }
  registry.gauge({ name: 'a_c', help: 'h' });
  t.throws(() => registry.gauge({ name: 'a.c', help: 'h' }), { code: 'DUPLICATE_METRIC' });
  registry.removeSingleMetric('a_c');
  registry.gauge({ name: 'a.c', help: 'h' });
  t.throws(() => registry.gauge({ name: 'x', help: 'h', labelNames: ['a.b', 'a_b'] }), {
    code: 'INVALID_LABEL_NAME',
    message: /"a\.b" and "a_b"/,
  });
  t.throws(() => registry.setDefaultLabels({ 'a.b': '1', 'a-b': '2' }), { code: 'INVALID_LABEL_NAME' });
  registry.setDefaultLabels({ 'a.b': 'default' });
  registry.gauge({ name: 'y', help: 'h', labelNames: ['a_b'] }).set({ a_b: 'own' }, 1);
  t.regex(await registry.metrics(), /^y\{a_b="own"\} 1$/m, 'as with equal names, the own label counts');
});

test('mounted registries write nothing twice', async (t) => {
  const registry = utf8();
  registry.gauge({ name: 'a_b', help: 'h' }).set(1);
  const tenant = utf8();
  tenant.gauge({ name: 'a.b', help: 'h' }).set(2);
  tenant.gauge({ name: 'c.d', help: 'h', labelNames: ['ten_ant'] }).set({ ten_ant: 'x' }, 3);
  registry.setDefaultLabels({});
  registry.mount(tenant, { 'ten.ant': 'acme' });
  const logged = await registry.metrics();
  t.false(logged.includes('a_b 2'));
  t.regex(logged, /^c_d\{exported_ten_ant="x",ten_ant="acme"\} 3$/m);
  // A registry of the old rule shows no other names.
  const old = new Registry();
  old.mount(tenant, { tenant: 'acme' });
  const { text } = await scraped(old, `${V1};escaping=allow-utf-8`, ['a.b']);
  t.is(text, '# HELP a_b h\n# TYPE a_b gauge\na_b{tenant="acme"} 2\n');
});

test('suffixes and units are those of other names', async (t) => {
  const registry = utf8({ contentType: openMetricsContentType });
  new Counter({ name: 'a.b', help: 'h', registers: [registry] }).inc();
  new Counter({ name: 'c.d_seconds_total', help: 'h', unit: 'seconds', registers: [registry] }).inc();
  new Info({ name: 'e.f', help: 'h', labelNames: ['x.y'], registers: [registry] }).set({ 'x.y': '1' });
  new StateSet({ name: 'g.h', help: 'h', states: ['on', 'off'], initial: 'on', registers: [registry] });
  new Summary({ name: 'i.j', help: 'h', percentiles: [0.5], registers: [registry] }).observe(1);
  const lines = (escaping) => scraped(registry, `${OM1};escaping=${escaping}`).then(({ text }) => text.split('\n'));
  const shown = (await lines('allow-utf-8')).filter((line) => !line.startsWith('# HELP'));
  t.deepEqual(shown, [
    '# TYPE "a.b" counter',
    '{"a.b_total"} 1',
    '# TYPE "c.d_seconds" counter',
    '# UNIT "c.d_seconds" seconds',
    '{"c.d_seconds_total"} 1',
    '# TYPE "e.f" info',
    '{"e.f_info","x.y"="1"} 1',
    '# TYPE "g.h" stateset',
    '{"g.h","g.h"="on"} 1',
    '{"g.h","g.h"="off"} 0',
    '# TYPE "i.j" summary',
    '{"i.j",quantile="0.5"} 1',
    '{"i.j_sum"} 1',
    '{"i.j_count"} 1',
    '# EOF',
    '',
  ]);
  for (const escaping of ESCAPINGS) {
    const text = (await lines(escaping)).join('\n');
    t.is(parseExposition(text, { strict: true }).families.length, 5, escaping);
  }
});

test('metrics of other libraries keep their names where the registry allows them', async (t) => {
  const foreign = {
    name: 'a.b',
    help: 'h',
    type: 'histogram',
    get: () => ({
      ...foreign,
      values: [
        { metricName: 'a.b_bucket', labels: { 'x.y': '1', le: '+Inf' }, value: 1 },
        { metricName: 'a.b_sum', labels: { 'x.y': '1' }, value: 2 },
        { metricName: 'a.b_count', labels: { 'x.y': '1' }, value: 1 },
      ],
    }),
  };
  const registry = utf8();
  registry.registerMetric(foreign);
  const expected = [
    'a_dot_b_bucket{x_dot_y="1",le="+Inf"} 1',
    'a_dot_b_sum{x_dot_y="1"} 2',
    'a_dot_b_count{x_dot_y="1"} 1',
  ];
  const { text } = await scraped(registry, `${V1};escaping=dots`);
  t.deepEqual(
    text.split('\n').filter((line) => !line.startsWith('#')),
    [...expected, ''],
  );
  const quoted = await scraped(registry, `${V1};escaping=allow-utf-8`);
  t.regex(quoted.text, /^\{"a\.b_bucket","x\.y"="1",le="\+Inf"\} 1$/m);
  t.throws(() => registry.gauge({ name: 'a_b', help: 'h' }), { code: 'DUPLICATE_METRIC' });
  const old = new Registry();
  old.registerMetric(foreign);
  t.regex(await old.metrics(), /"a\.b" is not shown: invalid name/);
});

// A name that has a letter in front, so that no scheme makes a reserved one of it.
const character = fc.oneof(
  fc.constantFrom(
    '.',
    '-',
    ' ',
    ',',
    '=',
    '{',
    '}',
    '#',
    '/',
    ':',
    '_',
    "'",
    'é',
    '名',
    '😱',
    '\u2028',
    '\u00a0',
    '1',
    'b',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((text) => !/[\p{Cc}"\\\ufffd]/u.test(text)),
);
const name = fc
  .array(character, { maxLength: 6 })
  .map((characters) => `a${characters.join('')}`)
  .filter((text) => !/(_total|_info|_created|_bucket|_sum|_count|^a_*$)$/.test(text));
const value = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
  fc.constantFrom('"', '\\', '\n', ',', '=', '}'),
);
const family = fc.record({
  type: fc.constantFrom('gauge', 'counter', 'histogram', 'summary'),
  name,
  labels: fc.uniqueArray(fc.tuple(name, value), { maxLength: 3, selector: ([label]) => label }),
});

/** The sample of each family that has its value, its name and labels in a scheme. */
function modelOf(exposition) {
  return exposition.families
    .flatMap(({ samples }) => samples)
    .filter(({ labels }) => labels.le === undefined && labels.quantile === undefined)
    .map(({ name: sampleName, labels, value: number }) => [
      sampleName,
      Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)),
      number,
    ]);
}

/** Prometheus' function, with a rule for each kind of name. */
function escaped(text, escaping, colons) {
  const plain = colons ? /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ : /^[a-zA-Z_][a-zA-Z0-9_]*$/;
  if (escaping === 'allow-utf-8' || plain.test(text)) return text;
  const each = Array.from(text).map((one, at) => {
    const isValid = plain.test(at === 0 ? one : `a${one}`);
    if (escaping === 'underscores') return isValid ? one : '_';
    if (one === '_') return '__';
    if (isValid) return one;
    if (escaping === 'dots') return one === '.' ? '_dot_' : '__';
    return `_${one.codePointAt(0).toString(16)}_`;
  });
  return (escaping === 'values' ? 'U__' : '') + each.join('');
}

test('any registry of UTF-8 comes back from any format', async (t) => {
  const formats = [
    [V1, { format: 'text1', strict: true }],
    [OM1, { format: 'openmetrics', strict: true }],
    [OM2, { format: 'openmetrics2', strict: true }],
    [PROTO, { format: 'protobuf' }],
  ];
  const property = fc.asyncProperty(fc.array(family, { maxLength: 4 }), async (families) => {
    const registry = utf8();
    const kept = [];
    for (const each of families) {
      const labelNames = each.labels.map(([label]) => label);
      try {
        const metric = registry[each.type]({
          name: each.name,
          help: 'h',
          labelNames,
          ...(each.type === 'histogram' ? { buckets: [1] } : {}),
        });
        const labels = Object.fromEntries(each.labels);
        if (each.type === 'gauge') metric.set(labels, 3);
        else if (each.type === 'counter') metric.inc(labels, 3);
        else metric.observe(labels, 3);
        kept.push(each);
      } catch (error) {
        // Names that are one in some scheme, or a name with another type.
        if (!['DUPLICATE_METRIC', 'INVALID_LABEL_NAME', 'TYPE_MISMATCH'].includes(error.code)) throw error;
      }
    }
    for (const escaping of ESCAPINGS) {
      for (const [accept, options] of formats) {
        const { body } = await scraped(registry, `${accept};escaping=${escaping}`);
        const exposition = parseExposition(options.format === 'protobuf' ? body : body.toString(), options);
        const expected = kept.flatMap((each) => {
          const labels = each.labels
            .map(([label, text]) => [escaped(label, escaping, false), text])
            .sort(([one], [other]) => (one < other ? -1 : 1));
          const own = escaped(each.name, escaping, true);
          if (each.type === 'gauge') return [[own, labels, 3]];
          if (each.type === 'counter') return [[options.format === 'openmetrics' ? `${own}_total` : own, labels, 3]];
          return [
            [`${own}_sum`, labels, 3],
            [`${own}_count`, labels, 1],
          ];
        });
        if (JSON.stringify(modelOf(exposition)) !== JSON.stringify(expected)) {
          throw new Error(`${accept} ${escaping}: ${body}\n${JSON.stringify(expected)}`);
        }
      }
    }
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 60 }));
});
