// Tests the findings of `check`, its texts, and its exit code. __test__/judges/command.test.mjs compares the names' rules with
// promtool.

import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { OPENMETRICS, run, serveText } from './support/program.mjs';

const family = (name, type, samples, help = 'Help.') =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => `${sample}\n`).join('')}`;

/** The findings about a text, each as `severity rule metric: text`. */
async function findings(t, input, args = []) {
  const { code, stdout, stderr } = await run(['check', '--json', ...args, '-'], { input });
  t.is(stderr, '');
  const { ok, findings } = JSON.parse(stdout);
  t.is(code, ok ? 0 : 1);
  return findings.map(({ severity, rule, metric, text }) => `${severity} ${rule} ${metric}: ${text}`);
}

test('a good exposition has no findings, in both formats', async (t) => {
  const text = [
    family('http_requests_total', 'counter', ['http_requests_total{route="/a"} 1']),
    family('queue_bytes', 'gauge', ['queue_bytes 1']),
    family('wait_seconds', 'histogram', [
      'wait_seconds_bucket{le="1"} 1',
      'wait_seconds_bucket{le="+Inf"} 1',
      'wait_seconds_sum 1',
      'wait_seconds_count 1',
    ]),
    family('run_seconds', 'summary', ['run_seconds{quantile="0.5"} 1', 'run_seconds_sum 1', 'run_seconds_count 1']),
  ].join('');
  t.deepEqual(await findings(t, text, ['--strict']), []);
  const openMetrics = `${family('http_requests', 'counter', ['http_requests_total{route="/a"} 1', 'http_requests_created{route="/a"} 1'])}${family('build', 'info', ['build_info{version="1"} 1'])}# EOF\n`;
  t.deepEqual(await findings(t, openMetrics, ['--strict']), []);
  const { stdout } = await run(['check', '--json', '-'], { input: text });
  t.like(JSON.parse(stdout), { source: 'stdin', ok: true, families: 4, series: 4, bytes: text.length, findings: [] });
});

test('an invalid exposition is an error with its line', async (t) => {
  const good = family('a_bytes', 'gauge', ['a_bytes 1']);
  for (const [input, text] of [
    [`${good}b{c="d} 1\n`, /^error format : .+ \(line 4, column \d+\)$/],
    [`${good}a_bytes 1`, /^error format : /],
    [`${good}a_bytes 2\n`, /^error format : /],
    [Buffer.from([0xff, 0xfe, 0, 1]), /^error format : Expected UTF-8/],
    ['\0\u0001\u0002\n', /^error format : /],
    ['<!doctype html>\n<html></html>\n', /^error format : /],
    ['', /^error empty : no metrics$/],
    ['\n\n', /^error empty : no metrics$/],
  ]) {
    const found = await findings(t, input);
    t.is(found.length, 1, String(input));
    t.regex(found[0], text);
  }
});

test('names: each of promtool’s rules', async (t) => {
  const cases = [
    [family('helpless', 'gauge', ['helpless 1'], ''), 'help helpless: no help text'],
    [
      family('a_milliseconds', 'gauge', ['a_milliseconds 1']),
      'unit a_milliseconds: use base unit "seconds" instead of "milliseconds"',
    ],
    [family('a_days', 'gauge', ['a_days 1']), 'unit a_days: use base unit "seconds" instead of "days"'],
    [family('a_thermometers', 'gauge', ['a_thermometers 1'])],
    [family('a_KB', 'gauge', ['a_KB 1']), 'abbreviation a_KB: metric names should not contain abbreviated units'],
    [family('a', 'counter', ['a 1']), 'total a: counter metrics should have "_total" suffix'],
    [family('a_total', 'gauge', ['a_total 1']), 'total a_total: non-counter metrics should not have "_total" suffix'],
    [
      family('b_bucket', 'gauge', ['b_bucket 1']),
      'suffix b_bucket: non-histogram metrics should not have "_bucket" suffix',
    ],
    [
      family('b_sum', 'gauge', ['b_sum{le="1"} 1']),
      'suffix b_sum: non-histogram metrics should not have "le" label',
      'suffix b_sum: non-histogram and non-summary metrics should not have "_sum" suffix',
    ],
    [
      family('a_gauge_x', 'gauge', ['a_gauge_x 1']),
      "type-in-name a_gauge_x: metric name should not include type 'gauge'",
    ],
    [family('a:b', 'gauge', ['a:b 1']), "colon a:b: metric names should not contain ':'"],
    [
      family('aB', 'gauge', ['aB{cD="1"} 1']),
      "camel-case aB: metric names should be written in 'snake_case' not 'camelCase'",
      "camel-case aB: label names should be written in 'snake_case' not 'camelCase'",
    ],
  ];
  t.deepEqual(
    await findings(t, cases.map(([text]) => text).join('')),
    cases.flatMap(([, ...expected]) => expected.map((finding) => `warning ${finding}`)),
  );
});

/** A gauge with one series for each value of the label `x`. */
const gauge = (name, values) =>
  family(
    name,
    'gauge',
    values.map((value) => `${name}{x=${JSON.stringify(value)}} 1`),
  );

test('labels that look like identifiers', async (t) => {
  const uuid = (i) => `0e984725-c51c-4bf4-9960-e1c80e27ab${10 + i}`;
  const cases = [
    [[uuid(1), uuid(2)], `UUIDs, such as "${uuid(1)}"`],
    // A process may have one identity.
    [[uuid(1)], undefined],
    [['jane@example.org'], 'e-mail addresses, such as "jane@example.org"'],
    [['1700000000', '1700000001'], 'timestamps, such as "1700000000"'],
    [['2026-01-01T10:00:00Z', '2026-01-01T10:00:01Z'], 'timestamps, such as "2026-01-01T10:00:00Z"'],
    [['507f1f77bcf86cd799439011', '507f191e810c19729de860ea'], 'hexadecimal ids, such as "507f1f77bcf86cd799439011"'],
    [Array.from({ length: 20 }, (_, i) => String(i * 977)), '20 numbers, such as "0"'],
    // Processors, shards, status codes.
    [Array.from({ length: 128 }, (_, i) => String(i)), undefined],
    [Array.from({ length: 40 }, (_, i) => String(400 + i)), undefined],
    [['GET', 'POST', '/orders/:id', 'deadbeef', 'v1.2.3', '10.0.0.1:80', 'user@host'], undefined],
  ];
  const name = (at) => `m${at}`;
  t.deepEqual(
    await findings(t, cases.map(([values], at) => gauge(name(at), values)).join('')),
    cases.flatMap(([, expected], at) =>
      expected === undefined ? [] : [`warning label-id ${name(at)}: label "x" has ${expected}`],
    ),
  );
});

test('series: the limit, and which labels have many values', async (t) => {
  const many = gauge(
    'a',
    Array.from({ length: 1001 }, (_, i) => `route-${i}`),
  );
  t.deepEqual(await findings(t, many), ['warning series a: 1001 series (at most 1000 expected): x has 1001 values']);
  t.deepEqual(await findings(t, many, ['--max-series', '1001']), []);
});

/** A histogram with the bounds 1 to 8; the last of these observations is over all bounds. */
function histogram(name, counts, labels = '') {
  let total = 0;
  const lines = [1, 2, 3, 4, 5, 6, 7, 8, '+Inf'].map((bound, at) => {
    total += counts[at];
    return `${name}_bucket{${labels}le="${bound}"} ${total}`;
  });
  return [...lines, `${name}_sum{${labels}} 1`, `${name}_count{${labels}} ${total}`];
}

test('buckets without information are notes', async (t) => {
  const cases = [
    [[100, 0, 0, 0, 0, 0, 0, 0, 0], 'all 100 observations are at most 1, the first bound'],
    [[0, 0, 0, 0, 0, 0, 0, 0, 100], 'all 100 observations are over 8, the last finite bound'],
    [[50, 0, 0, 0, 0, 0, 50, 1, 0], '5 buckets are empty, from le="2" to le="6"'],
    [[50, 50, 1, 0, 0, 0, 0, 0, 0], '5 buckets are empty, from le="4" to le="8"'],
    [[50, 0, 0, 0, 0, 50, 1, 1, 0]],
    // Too few observations.
    [[99, 0, 0, 0, 0, 0, 0, 0, 0]],
  ];
  const texts = cases.map(([counts], at) => family(`h${at}`, 'histogram', histogram(`h${at}`, counts)));
  // Two series that fill each other's buckets.
  const one = histogram('both', [50, 50, 50, 50, 0, 0, 0, 0, 0], 'a="1",');
  const two = histogram('both', [0, 0, 0, 0, 50, 50, 50, 50, 0], 'a="2",');
  t.deepEqual(
    await findings(t, texts.join('') + family('both', 'histogram', [...one, ...two])),
    cases.flatMap(([, text], at) => (text === undefined ? [] : [`note buckets h${at}: ${text}`])),
  );
});

test('--strict, --ignore and severities decide about the exit code', async (t) => {
  const input = 'a 1\n';
  const note = ['warning help a: no help text', 'note type a: no type'];
  t.deepEqual(await findings(t, input), note);
  t.deepEqual(await findings(t, input, ['--ignore', 'help']), note.slice(1));
  t.deepEqual(await findings(t, input, ['--ignore', 'a', '--strict']), []);
  const code = async (...args) => (await run(['check', ...args, '-'], { input })).code;
  t.is(await code(), 1);
  t.is(await code('--ignore', 'help'), 0);
  t.is(await code('--ignore', 'help', '--strict'), 1);
});

test('the text for people: aligned, without colours for a pipe', async (t) => {
  const input = family('ab_ms', 'gauge', ['ab_ms{user="jane@example.org"} 1']) + family('c', 'counter', ['c 1']);
  const { code, stdout } = await run(['check', '-'], { input });
  t.is(code, 1);
  t.is(
    stdout,
    `warning  ab_ms  metric names should not contain abbreviated units (abbreviation)
warning  ab_ms  label "user" has e-mail addresses, such as "jane@example.org" (label-id)
warning  c      counter metrics should have "_total" suffix (total)
3 findings: 2 metrics, 2 series, ${input.length} bytes
`,
  );
});

test('a content type that Prometheus does not know is a finding; the content type names the format', async (t) => {
  const text = family('a', 'gauge', ['a 1']);
  const plain = await run(['check', await serveText(t, text, 'application/octet-stream')]);
  t.is(plain.code, 1);
  t.regex(
    plain.stdout,
    /warning {2}- {2}Prometheus knows no content type "application\/octet-stream" \(content-type\)/,
  );
  const cut = await run(['check', await serveText(t, text, OPENMETRICS)]);
  t.is(cut.code, 1);
  t.regex(cut.stdout, /^error {2}- {2}Expected # EOF as the last line .*\(format\)\n/);
});

test('no text of an exposition reaches the terminal as a control character', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), async (noise) => {
      const value = JSON.stringify(`\u001b[31m\u009b2J\u202e${noise.toWellFormed().replace(/["\\\n]/g, '')}@b.org`);
      const label = value.replace(/\\u([\da-f]{4})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
      const input = `# HELP a_ms h\n# TYPE a_ms gauge\na_ms{x=${label.replace(/\\[bfrt]/g, '')}} 1\n`;
      for (const command of ['check', 'docs']) {
        const { stdout, stderr } = await run([command, '-'], { input });
        t.notRegex((stdout + stderr).replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
      }
    }),
    { numRuns: count(3, 30) },
  );
});
