// Tests parseExposition(): its results, its options, and its errors for an invalid exposition.
// judges/parser-agreement.test.mjs checks that it agrees with Python's parsers.

import { MetricsError, openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import { Exposition, ExpositionError, parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fc from 'fast-check';
import { text } from '../support/exposition.mjs';

const TEXT = text(
  '# HELP jobs_total Jobs \\\\ done',
  '# TYPE jobs_total counter',
  'jobs_total{queue="mail",path="C:\\\\x\\n"} 3 1520879607789',
  'jobs_total{queue=""} 1',
  'bare NaN',
);

test('text is read', (t) => {
  const exposition = parseExposition(TEXT);
  t.true(exposition instanceof Exposition);
  t.is(exposition.format, 'text');
  t.deepEqual(exposition.families, [
    {
      name: 'jobs_total',
      type: 'counter',
      help: 'Jobs \\ done',
      unit: '',
      samples: [
        { name: 'jobs_total', labels: { queue: 'mail', path: 'C:\\x\n' }, value: 3, timestamp: 1520879607.789 },
        { name: 'jobs_total', labels: { queue: '' }, value: 1 },
      ],
    },
    { name: 'bare', type: 'unknown', help: '', unit: '', samples: [{ name: 'bare', labels: {}, value: Number.NaN }] },
  ]);
});

test('OpenMetrics is read, and recognised by its last line', (t) => {
  const exposition = parseExposition(
    text(
      '# TYPE wait_seconds histogram',
      '# UNIT wait_seconds seconds',
      'wait_seconds_bucket{le="0.5"} 1 # {trace_id="abc"} 0.25 1.5',
      'wait_seconds_bucket{le="+Inf"} 2 # {} 7',
      'wait_seconds_count 2',
      'wait_seconds_sum 3.5',
      '# TYPE sizes histogram',
      'sizes {count:3,sum:4.5,schema:1,zero_threshold:0.5,zero_count:1,positive_spans:[0:2],positive_deltas:[1,-1]}',
      '# EOF',
    ),
  );
  t.is(exposition.format, 'openmetrics');
  const [wait, sizes] = exposition.families;
  t.deepEqual(wait, {
    name: 'wait_seconds',
    type: 'histogram',
    help: '',
    unit: 'seconds',
    samples: [
      {
        name: 'wait_seconds_bucket',
        labels: { le: '0.5' },
        value: 1,
        exemplar: { labels: { trace_id: 'abc' }, value: 0.25, timestamp: 1.5 },
      },
      { name: 'wait_seconds_bucket', labels: { le: '+Inf' }, value: 2, exemplar: { labels: {}, value: 7 } },
      { name: 'wait_seconds_count', labels: {}, value: 2 },
      { name: 'wait_seconds_sum', labels: {}, value: 3.5 },
    ],
  });
  t.deepEqual(sizes.samples, [
    {
      name: 'sizes',
      labels: {},
      value: Number.NaN,
      nativeHistogram: {
        count: 3,
        sum: 4.5,
        schema: 1,
        zeroThreshold: 0.5,
        zeroCount: 1,
        positiveSpans: [[0, 2]],
        negativeSpans: [],
        positiveDeltas: [1, -1],
        negativeDeltas: [],
      },
    },
  ]);
});

test('samples and families are found by name and labels', (t) => {
  const exposition = parseExposition(
    text(
      '# TYPE jobs counter',
      'jobs_total{queue="mail",priority="1"} 3',
      'jobs_total{queue="mail",priority=""} 4',
      'jobs_total 5',
      '# EOF',
    ),
  );
  t.is(exposition.value('jobs_total', { queue: 'mail', priority: 1 }), 3);
  t.is(exposition.value('jobs_total', { queue: 'mail' }), 4, 'an empty label counts as absent');
  t.is(exposition.value('jobs_total', { queue: 'mail', priority: undefined }), 4);
  t.is(exposition.value('jobs_total'), 5);
  t.is(exposition.value('jobs_total', { priority: 1 }), undefined, 'a part of the labels is not enough');
  t.is(exposition.value('jobs'), undefined);
  t.is(exposition.value('jobs_total', { constructor: 'x' }), undefined);
  t.deepEqual(
    exposition.samples('jobs_total', { queue: 'mail' }).map(({ value }) => value),
    [3, 4],
  );
  t.is(exposition.samples('jobs_total').length, 3);
  const [jobs] = exposition.families;
  for (const name of ['jobs', 'jobs_total']) t.is(exposition.family(name), jobs);
  t.is(exposition.family('job'), undefined);
});

test('the format can be given', (t) => {
  t.is(parseExposition('# EOF').format, 'openmetrics');
  t.is(parseExposition('# EOF\n', { format: 'text' }).format, 'text');
  t.is(parseExposition('').format, 'text');
  t.throws(() => parseExposition('', { format: 'openmetrics' }), { code: 'INVALID_EXPOSITION' });
});

test('bytes are read as UTF-8, and invalid UTF-8 throws', (t) => {
  t.is(parseExposition(Buffer.from('a{b="größe 💥"} 1\n')).value('a', { b: 'größe 💥' }), 1);
  t.throws(() => parseExposition(Buffer.from('a{b="\xff"} 1\n', 'latin1')), {
    instanceOf: ExpositionError,
    message: 'Expected UTF-8 but received bytes that are not valid UTF-8',
  });
  t.is(parseExposition('a{b="\ud800"} 1\n').value('a', { b: '\ufffd' }), 1, 'a lone surrogate is not a character');
});

test('an error shows its position', (t) => {
  const error = t.throws(() => parseExposition('ok 1\njobs{queue="💥",path=/a} 1\n'), { instanceOf: ExpositionError });
  t.true(error instanceof MetricsError && error instanceof Error);
  const { code, line, column, message } = error;
  t.deepEqual({ code, line, column }, { code: 'INVALID_EXPOSITION', line: 2, column: 21 });
  t.is(
    message,
    [
      'Expected a label value in quotes but received "/a" (line 2, column 21)',
      '  jobs{queue="💥",path=/a} 1',
      '                      ^',
    ]
      .join('\n')
      .replace('                      ^', `  ${' '.repeat(20)}^`),
  );
});

test('a long line is cut around the error’s position', (t) => {
  const long = 'x'.repeat(1000);
  const { message, column } = t.throws(() => parseExposition(`a{b="${long}"} ?${long}\n`));
  t.is(column, 1009);
  const [first, cut, mark, ...more] = message.split('\n');
  t.is(first, `Expected a value but received "?${'x'.repeat(39)}"... (line 1, column 1009)`);
  t.is(cut, `  …${'x'.repeat(47)}"} ?${'x'.repeat(49)}…`);
  t.is(mark, `  ${' '.repeat(51)}^`);
  t.deepEqual(more, []);
});

test('strict mode accepts names that need quotes where text 1.0.0 is named', (t) => {
  const quoted = '# TYPE "a.b" gauge\n{"a.b","c d"="\\"e\\n"} 1\n';
  const { format, families } = parseExposition(quoted, { format: 'text1', strict: true });
  t.is(format, 'text1');
  t.deepEqual(families, parseExposition(quoted).families);
  t.deepEqual(families[0].samples, [{ name: 'a.b', labels: { 'c d': '"e\n' }, value: 1 }]);
  t.throws(() => parseExposition(quoted, { strict: true }), { message: /Expected a plain metric name/ });
  t.throws(() => parseExposition(`${quoted}a 1\na 2\n`, { format: 'text1', strict: true }), {
    message: /each series once/,
  });
});

test('strict mode rejects more', (t) => {
  const twice = 'a 1\na 2\n';
  t.is(parseExposition(twice).families.length, 2);
  t.throws(() => parseExposition(twice, { strict: true }), {
    message: /^Expected each series once .*\(line 2, column 1\)/,
  });
  t.deepEqual(parseExposition(TEXT, { strict: true }), parseExposition(TEXT));
});

test('input that is not text, and invalid options, throw with their names', (t) => {
  const cases = [
    [[undefined], 'Expected a string or bytes for an exposition but received undefined of type undefined'],
    [[new Registry()], 'Expected a string or bytes for an exposition but received an object of type Registry'],
    [
      ['', { format: 'x' }],
      'Expected one of text, text1, openmetrics, openmetrics2, protobuf for format but received "x" of type string',
    ],
    [['', { strict: 1 }], 'Expected true or false for strict but received 1 of type number'],
  ];
  for (const [args, message] of cases) t.throws(() => parseExposition(...args), { code: 'INVALID_CONFIG', message });
});

test('any string is either read or rejected with an ExpositionError', (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a', '{', '}', '"', '\\', ',', '=', ' ', '\n', '1', '# ', 'TYPE ', 'le="1"', '# EOF', '\ud800'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      for (const options of [{}, { format: 'openmetrics' }, { format: 'text', strict: true }]) {
        try {
          parseExposition(pieces.join(''), options);
        } catch (error) {
          t.true(error instanceof ExpositionError, String(error));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('9 MB are read in less than a second or two, and a million numbers keep their bits', async (t) => {
  const registry = new Registry(openMetricsContentType);
  const gauge = registry.gauge({ name: 'g', help: 'Some help', labelNames: ['a'] });
  for (let i = 0; i < 9000; i++) gauge.set({ a: `${i} ${'x'.repeat(1000)}` }, Math.sqrt(i));
  const exposition = await registry.metrics();
  const start = performance.now();
  const { samples } = parseExposition(exposition).family('g');
  t.log(`${(exposition.length / 1e6).toFixed(1)} MB in ${Math.round(performance.now() - start)} ms`);
  // The limit only excludes quadratic time, on any machine.
  t.true(performance.now() - start < 5000);
  t.is(samples.length, 9000);
  t.true(samples.every(({ value }, i) => value === Math.sqrt(i)));
});
