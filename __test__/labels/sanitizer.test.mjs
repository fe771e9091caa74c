// Tests the sanitizer: which label values of new series are cleaned, what is reported, and that no report shows a secret.

import { Counter, Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { samples, text } from '../support/exposition.mjs';

/** A metric of two labels in a registry that cleans, and the warnings. */
function of(Class, sanitize = true, { registry = {}, ...more } = {}) {
  const told = [];
  const logger = { warn: (message) => told.push(message) };
  const registers = [new Registry({ sanitize, logger, ...registry })];
  const config = { name: 'm', help: 'Some help', labelNames: ['a', 'b'], registers };
  const metric = new Class({ ...config, ...(Class === Histogram && { buckets: [] }), ...more });
  return { registry: registers[0], metric, told };
}

const KEY = `sk-proj-${'aB3dE6gH9jK2'.repeat(4)}`;
const CONTENTS = [
  ['apiKey', KEY, '[api key]', 'an API key'],
  ['token', `Bearer ${'s3cr3tT0ken'.repeat(4)}`, undefined, 'a token'],
  ['cardNumber', '4111 1111 1111 1111', undefined, 'a card number'],
  ['email', 'joe@example.com', '[email]', 'an e-mail address'],
  ['uuid', '123e4567-e89b-42d3-a456-426614174000', undefined, 'a UUID'],
  ['timestamp', '2024-05-06T07:08:09Z', undefined, 'a timestamp'],
];

test('values of new series are cleaned in every call that takes labels', async (t) => {
  const { registry, metric, told } = of(Counter);
  metric.inc({ a: 'joe@example.com', b: 'x' });
  metric.inc({ a: 'ann@example.com', b: 'x' });
  metric.labels('eve@example.com', 'x').inc();
  metric.labels({ a: 'bob@example.com', b: 'x' }).inc();
  metric.init({ a: ['kim@example.com'], b: ['x', 5] });
  metric.inc({ a: 'bell\u0007and\u200bzero', b: 1 });
  metric.inc({ a: 'x'.repeat(200) });
  t.is(metric.value({ a: 'who@example.com', b: 'x' }), 4);
  const [email, other, odd, long] = await samples(registry);
  t.is(email, 'm{a="[email]",b="x"} 4');
  t.is(other, 'm{a="[email]",b="5"} 0');
  t.is(odd, 'm{a="bell\ufffdand\ufffdzero",b="1"} 1');
  t.regex(long, /^m\{a="x{127}…"\} 1$/);
  t.deepEqual(told, [
    'LABEL_CONTENT: "m" was given what looks like an e-mail address in its label "a"; it is redacted',
  ]);
  metric.remove('who@example.com', 'x');
  t.is(metric.removeMatching({ a: 'who@example.com' }), 1);
  t.is((await samples(registry)).length, 2);
});

test('a finding is reported once for each label and kind, and never shown', async (t) => {
  const { registry, metric, told } = of(Gauge);
  for (const [, value] of CONTENTS) {
    for (let turn = 0; turn < 2; turn++) {
      metric.set({ a: value, b: 'plain' }, 1);
      metric.set({ a: 'plain', b: value }, 1);
      metric.set({ a: value, b: value }, 1);
    }
  }
  const becomes = (kind) => (kind === 'uuid' || kind === 'timestamp' ? 'recorded as it is' : 'redacted');
  const expected = CONTENTS.flatMap(([kind, , , name]) =>
    ['a', 'b'].map(
      (label) => `LABEL_CONTENT: "m" was given what looks like ${name} in its label "${label}"; it is ${becomes(kind)}`,
    ),
  );
  t.deepEqual(told, expected);
  const shown = await registry.metrics();
  for (const [kind, value] of CONTENTS) t.is(shown.includes(value), becomes(kind) === 'recorded as it is', kind);
});

for (const [kind, value, , name] of CONTENTS) {
  test(`each action is taken on ${name}`, async (t) => {
    for (const [action, shown, told] of [
      ['keep', value, []],
      ['warn', value, ['it is recorded as it is']],
      ['drop', undefined, ['the label is left out']],
    ]) {
      for (const detect of [action, { [kind]: action }]) {
        const one = of(Counter, { detect });
        one.metric.inc({ a: value, b: 'x' });
        t.deepEqual(await samples(one.registry), [shown === undefined ? 'm{b="x"} 1' : `m{a="${shown}",b="x"} 1`]);
        t.deepEqual(
          one.told,
          told.map((becomes) => `LABEL_CONTENT: "m" was given what looks like ${name} in its label "a"; ${becomes}`),
        );
      }
    }
    const redacted = of(Counter, { detect: { [kind]: 'redact' } });
    redacted.metric.inc({ a: value });
    t.notRegex(await redacted.registry.metrics(), /s3cr3t|aB3d|4111|joe|123e|2024/);
  });
}

test('settings that are not the defaults', async (t) => {
  const options = { maxLength: 4, controlCharacters: 'remove', unicode: 'ascii', detect: 'keep' };
  const { registry, metric, told } = of(Counter, options);
  metric.inc({ a: 'a\u0000b\nc', b: 'é' });
  metric.inc({ a: 'joe@example.com' });
  const shown = await samples(registry);
  t.is(shown.length, 2);
  t.true(shown[0].startsWith('m{a="abc",b="'), shown[0]);
  t.regex(shown.join(''), /^[ -~]+$/);
  t.is(shown[1], 'm{a="j..."} 1');
  t.deepEqual(told, []);
  const unlimited = of(Counter, { maxLength: 0, controlCharacters: 'keep', unicode: 'nfc' });
  unlimited.metric.inc({ a: 'x'.repeat(5000), b: 'e\u0301\u0007' });
  unlimited.metric.inc({ a: 'x'.repeat(5000), b: '\u00e9\u0007' });
  t.deepEqual(await samples(unlimited.registry), [`m{a="${'x'.repeat(5000)}",b="\u00e9\u0007"} 2`]);
});

test('values are composed as JavaScript composes them, after invisible characters are removed', async (t) => {
  const pieces = [
    'e',
    '\u0301',
    '\u00e9',
    '\u212b',
    '\u1100\u1161',
    '\u0323\u0307',
    '\ufb01',
    '\u0344',
    '😀',
    '\u{11099}\u{110ba}',
  ];
  const value = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
  const options = { controlCharacters: 'remove', unicode: 'nfc', detect: 'keep' };
  await fc.assert(
    fc.asyncProperty(value, async (decomposed) => {
      const { registry, metric } = of(Counter, options);
      metric.inc({ a: [...decomposed].join('\u200b') });
      metric.inc({ a: decomposed.normalize('NFC') });
      t.deepEqual(await samples(registry), [`m{a="${decomposed.normalize('NFC')}"} 2`]);
    }),
    { numRuns: 50 },
  );
});

test.serial('a value stays decomposed if a program has replaced normalize() by a function that fails', async (t) => {
  const { normalize } = String.prototype;
  t.teardown(() => {
    String.prototype.normalize = normalize;
  });
  const { registry, metric } = of(Counter, { unicode: 'nfc' });
  for (const replaced of [
    () => {
      throw new Error('no');
    },
    () => Symbol('no'),
    undefined,
  ]) {
    String.prototype.normalize = replaced;
    metric.inc({ a: 'e\u0301' });
  }
  String.prototype.normalize = normalize;
  t.deepEqual(await samples(registry), ['m{a="e\u0301"} 3']);
});

test.serial('a value is composed if the composing of another one records', async (t) => {
  const { normalize } = String.prototype;
  t.teardown(() => {
    String.prototype.normalize = normalize;
  });
  const inner = of(Counter, { unicode: 'nfc' });
  const outer = of(Counter, { unicode: 'nfc' });
  String.prototype.normalize = function (form) {
    if (this.startsWith('outer')) inner.metric.inc({ a: 'e\u0301' });
    return normalize.call(this, form);
  };
  outer.metric.inc({ a: 'outer e\u0301', b: 'outer o\u0301' });
  String.prototype.normalize = normalize;
  t.deepEqual(await samples(outer.registry), ['m{a="outer \u00e9",b="outer \u00f3"} 1']);
  t.deepEqual(await samples(inner.registry), ['m{a="\u00e9"} 2']);
});

test('series that exist stay as they are, and may be read and removed', async (t) => {
  const { registry, metric, told } = of(Counter, false);
  const handle = metric.labels('ann@example.com', '');
  metric.inc({ a: 'joe@example.com' });
  registry.setSanitizer(true);
  metric.inc({ a: 'joe@example.com' });
  metric.labels('joe@example.com', undefined).inc();
  handle.inc();
  metric.inc({ a: 'eve@example.com' });
  t.deepEqual(await samples(registry), ['m{a="joe@example.com"} 3', 'm{a="[email]",b=""} 2']);
  t.is(metric.value({ a: 'joe@example.com' }), 3);
  t.is(told.length, 1);
  metric.remove('joe@example.com', '');
  metric.inc({ a: 'joe@example.com' });
  t.deepEqual(await samples(registry), ['m{a="[email]",b=""} 3']);
  registry.setSanitizer(false);
  metric.inc({ a: 'joe@example.com' });
  t.is(metric.removeMatching({ a: 'joe@example.com' }), 1);
  registry.setSanitizer({ detect: 'drop' });
  metric.inc({ a: 'joe@example.com' });
  t.deepEqual(await samples(registry), ['m{a="[email]",b=""} 3', 'm 1']);
});

test('a metric that comes into a registry later is cleaned from then on', async (t) => {
  const { registry } = of(Counter);
  const late = new Counter({ name: 'late', help: 'h', labelNames: ['a'], registers: [] });
  late.inc({ a: 'joe@example.com' });
  registry.registerMetric(late);
  late.inc({ a: 'ann@example.com' });
  t.deepEqual(await samples(registry), ['late{a="joe@example.com"} 1', 'late{a="[email]"} 1']);
});

test('limits count cleaned values', async (t) => {
  const { registry, metric } = of(Counter, true, { cardinality: { maxSeries: 2, maxLabelValues: { a: 1 } } });
  for (const a of ['joe@example.com', 'ann@example.com', 'x', 'eve@example.com', 'y']) metric.inc({ a });
  t.deepEqual(await samples(registry), ['m{a="[email]"} 3', 'm{a="other"} 2']);
  t.is(registry.cardinality().metrics[0].overflow, 2);
});

test('timers and exemplars record in the cleaned series', async (t) => {
  const histogram = of(Histogram);
  histogram.metric.startTimer({ a: 'joe@example.com' })({ b: 'x' });
  histogram.metric.labels('joe@example.com', 'x').startTimer()();
  histogram.metric.labels('q', 'r').startTimer()({ a: 'joe@example.com', b: 'x' });
  histogram.metric.time({ a: 'joe@example.com', b: 'x' }, () => {});
  histogram.metric.zero({ a: 'z@example.com', b: 'y' });
  t.is(histogram.metric.value({ a: 'ann@example.com', b: 'x' }).count, 4);
  t.is((await samples(histogram.registry)).length, 6);
  const counter = of(Counter, true, { enableExemplars: true });
  counter.metric.inc({ labels: { a: 'joe@example.com' }, exemplarLabels: { trace_id: 't' } });
  const { values } = await counter.metric.get();
  t.deepEqual(
    values.map(({ labels, exemplar }) => [labels, exemplar.labelSet]),
    [[{ a: '[email]' }, { trace_id: 't' }]],
  );
});

test('label names with a reserved prefix are rejected', (t) => {
  const { registry } = of(Counter);
  const config = { name: 'c', help: 'h', labelNames: ['__a'], registers: [registry] };
  t.throws(() => new Counter(config), {
    code: 'INVALID_LABEL_NAME',
    message: 'Expected a label name without the reserved prefix __ but received "__a"',
  });
  t.is(registry.getSingleMetric('c'), undefined);
  const other = new Registry({ sanitize: { reservedPrefixes: ['k8s_'] } });
  new Counter({ ...config, registers: [other] }).inc({ __a: 1 });
  t.throws(() => new Counter({ ...config, name: 'd', labelNames: ['k8s_pod'], registers: [other] }), {
    message: 'Expected a label name without the reserved prefix k8s_ but received "k8s_pod"',
  });
});

for (const [sanitize, message] of [
  [5, 'Expected true, false or settings for sanitize but received 5 of type number'],
  [null, 'Expected true, false or settings for sanitize but received null'],
  [{ maxLength: -1 }, 'Expected an integer from 0 to 1000000 for sanitize.maxLength but received -1 of type number'],
  [{ maxLength: '9' }, 'Expected an integer from 0 to 1000000 for sanitize.maxLength but received "9" of type string'],
  [{ controlCharacters: 'x' }, 'Expected one of keep, remove, replace for sanitize.controlCharacters but received "x"'],
  [{ controlCharacters: 5 }, 'Expected a string for sanitize.controlCharacters but received 5 of type number'],
  [{ unicode: 'nfd' }, 'Expected one of keep, nfc, ascii for sanitize.unicode but received "nfd"'],
  [
    { reservedPrefixes: 'x' },
    'Expected an array of strings for sanitize.reservedPrefixes but received "x" of type string',
  ],
  [{ reservedPrefixes: [''] }, 'Expected [a-zA-Z_][a-zA-Z0-9_]* for a reserved prefix of label names but received ""'],
  [{ detect: 'maybe' }, 'Expected one of keep, warn, redact, drop for sanitize.detect.apiKey but received "maybe"'],
  [{ detect: 5 }, 'Expected an action or actions for sanitize.detect but received 5 of type number'],
  [{ detect: null }, 'Expected an action or actions for sanitize.detect but received null'],
  [{ detect: { email: 'x' } }, 'Expected one of keep, warn, redact, drop for sanitize.detect.email but received "x"'],
  [{ detect: { email: 5 } }, 'Expected a string for sanitize.detect.email but received 5 of type number'],
  [{ detect: { mail: 'warn' } }, 'Unknown option "mail" for sanitize.detect. Did you mean "email"?'],
]) {
  test(`invalid settings are rejected: ${message}`, (t) => {
    t.throws(() => new Registry({ sanitize }), { code: 'INVALID_CONFIG', instanceOf: TypeError, message });
    t.throws(() => new Registry().setSanitizer(sanitize), { code: 'INVALID_CONFIG', message });
  });
}

test('without a sanitizer values are not changed', async (t) => {
  const { registry, metric, told } = of(Counter, false);
  metric.inc({ a: KEY, b: 'joe@example.com' });
  t.is(await registry.metrics(), text('# HELP m Some help', '# TYPE m counter', `m{a="${KEY}",b="joe@example.com"} 1`));
  t.deepEqual(told, []);
});
