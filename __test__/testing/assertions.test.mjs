// Tests that assertions and matchers agree, and that their messages show near misses.

import { AssertionError } from 'node:assert';
import { Counter, Registry } from '@llm-devops/prometheus-metrics';
import {
  assertCounted,
  assertMetric,
  assertObserved,
  assertValidExposition,
  MockRegistry,
  metricMatchers,
} from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

/** The matchers of a runner, as far as labels and numbers need them. */
const like = (asymmetricMatch) => ({ asymmetricMatch });

function populated() {
  const registry = new Registry();
  const requests = registry.counter({ name: 'http_requests_total', help: 'R', labelNames: ['method', 'status'] });
  requests.inc({ method: 'GET', status: 200 }, 3);
  requests.inc({ method: 'GET', status: 404 });
  requests.inc({ method: 'POST', status: '500' }, 0.1);
  requests.inc({ method: 'POST' }, 0.2);
  registry.gauge({ name: 'queue_length', help: 'Q' }).set(-3);
  const seconds = registry.histogram({ name: 'http_seconds', help: 'S', labelNames: ['method'], buckets: [1] });
  seconds.observe({ method: 'GET' }, 0.5);
  seconds.observe({ method: 'GET' }, 2);
  seconds.observe({ method: 'POST' }, 4);
  registry.counter({ name: 'unused_total', help: 'U', labelNames: ['a'] });
  registry.counter({ name: 'zero_total', help: 'Z' });
  return registry;
}

const ASSERTIONS = { toHaveMetric: assertMetric, toHaveCounted: assertCounted, toHaveObserved: assertObserved };
const NaNs = { ...like(Number.isNaN) };

/** Conditions that must pass, and conditions that must fail. */
const HOLDS = [
  ['toHaveMetric', 'http_requests_total'],
  ['toHaveMetric', 'http_requests_total', { status: 200 }],
  ['toHaveMetric', 'http_requests_total', { status: '200', method: 'GET' }, 3],
  ['toHaveMetric', 'http_requests_total', { method: 'GET' }, 1],
  ['toHaveMetric', 'http_requests_total', { status: '' }, 0.2],
  ['toHaveMetric', 'http_requests_total', { status: undefined }, 0.2],
  ['toHaveMetric', 'http_requests_total', { status: /^4\d\d$/ }, 1],
  ['toHaveMetric', 'http_requests_total', { status: like((text) => text === '404') }, like((value) => value === 1)],
  ['toHaveMetric', 'http_requests_total', like(({ status }) => status === '500'), 0.1],
  ['toHaveMetric', 'queue_length', -3],
  ['toHaveMetric', 'queue_length', {}, -3],
  ['toHaveMetric', 'http_seconds', { method: 'GET' }, { count: 2, sum: 2.5 }],
  ['toHaveMetric', 'http_seconds', { method: 'GET' }, { sum: 2.5 }],
  ['toHaveMetric', 'http_seconds_bucket', { method: 'GET', le: '+Inf' }, 2],
  ['toHaveMetric', 'http_seconds_bucket', { method: 'GET', le: 1 }, 1],
  ['toHaveMetric', 'http_seconds_sum', { method: 'POST' }, 4],
  ['toHaveMetric', 'zero_total', 0],
  ['toHaveCounted', 'http_requests_total'],
  ['toHaveCounted', 'http_requests_total', { method: 'GET' }, 4],
  ['toHaveCounted', 'http_requests_total', { method: 'POST' }, 0.3],
  ['toHaveCounted', 'http_requests_total', { method: 'PUT' }, 0],
  ['toHaveCounted', 'http_requests_total', 4.3],
  ['toHaveCounted', 'http_requests_total', {}, like((by) => by > 4)],
  ['toHaveObserved', 'http_seconds'],
  ['toHaveObserved', 'http_seconds', {}, { count: 3, sum: 6.5 }],
  ['toHaveObserved', 'http_seconds', { method: /^P/ }, { count: 1 }],
  ['toHaveObserved', 'http_seconds', { method: 'PUT' }, { count: 0, sum: 0 }],
];
const HOLDS_NOT = [
  ['toHaveMetric', 'http_request_total'],
  ['toHaveMetric', 'http_requests_total', { status: 201 }],
  ['toHaveMetric', 'http_requests_total', { status: '200' }, 4],
  ['toHaveMetric', 'http_requests_total', { path: '/' }],
  ['toHaveMetric', 'http_requests_total', {}, NaNs],
  ['toHaveMetric', 'unused_total'],
  ['toHaveMetric', 'http_seconds', { method: 'GET' }, 2],
  ['toHaveMetric', 'http_seconds', { method: 'GET' }, { count: 2, sum: 2 }],
  ['toHaveMetric', 'queue_length', {}, { count: 1 }],
  ['toHaveCounted', 'unused_total'],
  ['toHaveCounted', 'zero_total'],
  ['toHaveCounted', 'nothing_total', {}, 1],
  ['toHaveCounted', 'http_requests_total', { method: 'GET' }, 3],
  ['toHaveCounted', 'http_requests_total', 0.30001],
  ['toHaveObserved', 'http_seconds', { method: 'PUT' }],
  ['toHaveObserved', 'http_seconds', {}, { count: 2 }],
  ['toHaveObserved', 'nothing_seconds'],
];

for (const [subject, read] of [
  ['a registry', (registry) => registry],
  ['a text', (registry) => registry.metrics()],
  ['OpenMetrics', async (registry) => String((await registry.scrape({ accept: 'application/openmetrics-text' })).body)],
]) {
  test(`${subject}: conditions that pass and fail`, async (t) => {
    const received = await read(populated());
    for (const [matcher, ...args] of HOLDS) {
      t.true(metricMatchers[matcher](received, ...args).pass, `${matcher} ${JSON.stringify(args)}`);
      t.notThrows(() => ASSERTIONS[matcher](received, ...args));
    }
    for (const [matcher, ...args] of HOLDS_NOT) {
      const result = metricMatchers[matcher](received, ...args);
      t.false(result.pass, `${matcher} ${JSON.stringify(args)}`);
      const error = t.throws(() => ASSERTIONS[matcher](received, ...args), { instanceOf: AssertionError });
      t.is(error.message, result.message());
      t.is(error.operator, ASSERTIONS[matcher].name);
      t.regex(error.stack.split('\n    at ')[1], /assertions\.test\.mjs/);
    }
  });
}

test('a metric knows its own name', (t) => {
  const metric = populated().getSingleMetric('http_requests_total');
  t.true(metricMatchers.toHaveCounted(metric, { method: 'GET' }, 4).pass);
  t.true(metricMatchers.toHaveCounted(metric, 4.3).pass);
  t.true(metricMatchers.toHaveCounted(metric).pass);
  t.true(metricMatchers.toHaveMetric(metric, { status: 404 }, 1).pass);
  t.false(metricMatchers.toHaveMetric(metric, { status: 405 }).pass);
  const seconds = populated().getSingleMetric('http_seconds');
  t.true(metricMatchers.toHaveObserved(seconds, {}, { count: 3 }).pass);
  t.regex(metricMatchers.toHaveObserved(seconds).message(), /^Expected http_seconds not to have observed values, /);
});

test('a mock registry counts since its last clearOperations()', (t) => {
  const registry = new MockRegistry();
  const counter = registry.counter({ name: 'c_total', help: 'C' });
  const histogram = registry.histogram({ name: 'h', help: 'H' });
  counter.inc(2);
  histogram.observe(1);
  registry.clearOperations();
  t.false(metricMatchers.toHaveCounted(registry, 'c_total').pass);
  t.false(metricMatchers.toHaveObserved(registry, 'h').pass);
  t.true(metricMatchers.toHaveMetric(registry, 'c_total', 2).pass);
  counter.inc(3);
  counter.reset();
  histogram.observe(5);
  registry.assertCounted('c_total', 3);
  assertObserved(registry, 'h', {}, { count: 1, sum: 5 });
  t.true(metricMatchers.toHaveMetric(registry, 'c_total', 0).pass);
  registry.clear();
  registry.assertCounted('c_total', {}, 3);
  registry.assertObserved('h', {}, { count: 1 });
});

const MESSAGES = [
  [
    (registry) => assertCounted(registry, 'http_requests_total', { method: 'POST', status: 404 }, 2),
    `Expected http_requests_total{method="POST",status="404"} to have been counted by 2, but it was not counted.

http_requests_total has:
  http_requests_total{method="GET",status="404"} 1
  http_requests_total{method="POST",status="500"} 0.1
  http_requests_total{method="POST"} 0.2
  http_requests_total{method="GET",status="200"} 3`,
  ],
  [
    (registry) => assertCounted(registry, 'http_requests_total', { method: 'GET' }, 5),
    `Expected http_requests_total{method="GET"} to have been counted by 5, but it was counted by 4.

http_requests_total has:
  http_requests_total{method="GET",status="200"} 3
  http_requests_total{method="GET",status="404"} 1
  http_requests_total{method="POST",status="500"} 0.1
  http_requests_total{method="POST"} 0.2`,
  ],
  [
    (registry) => assertMetric(registry, 'http_request_total', { status: /^5/ }),
    `Expected the registry to have http_request_total{status=~/^5/}, but it does not.

Similar names:
  http_requests_total{method="POST",status="500"} 0.1
  http_requests_total{method="GET",status="200"} 3`,
  ],
  [
    (registry) => assertMetric(registry, 'unused_total'),
    'Expected the registry to have unused_total, but it does not.\n\nunused_total has no series.',
  ],
  [
    (registry) => assertObserved(registry, 'http_duration_seconds', { method: 'GET' }, { sum: like(() => false) }),
    `Expected http_duration_seconds{method="GET"} to have observed sum { asymmetricMatch: [Function (anonymous)] }, but it has observed nothing.

Metrics in the registry:
  http_requests_total
  queue_length
  http_seconds
  unused_total
  zero_total`,
  ],
  [
    (registry) => assertMetric(registry, 'used_total'),
    'Expected the registry to have used_total, but it does not.\n\nSimilar names:\n  unused_total (no series)',
  ],
  [
    (registry) => assertObserved(registry.getSingleMetric('http_seconds'), 'http_seconds', {}, { count: 1, sum: 9 }),
    `Expected http_seconds to have observed count 1 and sum 9, but it has observed count 3 and sum 6.5.

http_seconds has:
  http_seconds{method="GET"} count 2, sum 2.5
  http_seconds{method="POST"} count 1, sum 4`,
  ],
  [
    () => assertMetric(new Registry(), 'a'),
    'Expected the registry to have a, but it does not.\n\nThere are no metrics in the registry.',
  ],
  [
    () => assertMetric('# TYPE a gauge\na{b="\\"",c="x"} NaN\n', 'a', {}, 0),
    'Expected the text to have a with value 0, but it does not.\n\na has:\n  a{b="\\"",c="x"} NaN',
  ],
];

for (const [assertion, message] of MESSAGES) {
  test(`message: ${message.split(/,? but|\n/)[0]}`, (t) => {
    t.is(t.throws(() => assertion(populated()), { instanceOf: AssertionError }).message, message);
  });
}

test('negated messages show the existing values', (t) => {
  const registry = populated();
  t.is(
    metricMatchers.toHaveMetric(registry, 'http_requests_total', { method: 'GET' }).message(),
    `Expected the registry not to have http_requests_total{method="GET"}, but it has:
  http_requests_total{method="GET",status="200"} 3
  http_requests_total{method="GET",status="404"} 1`,
  );
  t.is(
    metricMatchers.toHaveCounted(registry, 'http_requests_total', {}, 4.3).message(),
    'Expected http_requests_total not to have been counted by 4.3, but it was counted by 4.3.',
  );
});

test('long lists and long values are cut', (t) => {
  const counter = new Counter({ name: 'c', help: 'C', labelNames: ['a'], registers: [] });
  for (let number = 0; number < 100; number++) counter.inc({ a: number < 4 ? 'x'.repeat(10_000 + number) : number });
  const { message } = t.throws(() => assertMetric(counter, 'c', { a: 'none' }));
  t.true(message.length < 1000, message);
  t.regex(message, /\n {2}… and 94 more$/);
  t.true(message.includes(`  c{a="${'x'.repeat(100)}…"} 1\n`));
});

test('the error has the expected and actual values', (t) => {
  const registry = populated();
  const error = t.throws(() => assertCounted(registry, 'http_requests_total', { method: 'GET' }, 5));
  t.deepEqual([error.expected, error.actual, error.code], [5, 4, 'ERR_ASSERTION']);
});

test('expositions are validated in their own format', async (t) => {
  const registry = populated();
  const text = await registry.metrics();
  const scraped = await registry.scrape();
  const openmetrics = await registry.scrape({ accept: 'application/openmetrics-text' });
  for (const valid of ['', text, scraped, openmetrics, String(openmetrics.body), openmetrics.body]) {
    t.notThrows(() => assertValidExposition(valid));
    const { pass, message } = metricMatchers.toBeValidExposition(valid);
    t.deepEqual([pass, message()], [true, 'Expected an invalid exposition, but it is valid.']);
  }
  t.notThrows(() => assertValidExposition(text, { format: 'text' }));
  for (const [invalid, options] of [
    ['a{ 1\n'],
    [text, { format: 'openmetrics' }],
    [{ headers: openmetrics.headers, body: scraped.body }],
    ['# TYPE a counter\na 1\n# EOF\n'],
  ]) {
    const { message, actual } = t.throws(() => assertValidExposition(invalid, options), { instanceOf: AssertionError });
    t.is(message, `Expected a valid exposition, but it is invalid.\n\n${actual}`);
    t.regex(actual, /\(line \d+, column \d+\)/);
  }
});

test('invalid subjects, names, labels and types throw', (t) => {
  const registry = populated();
  const refused = [
    [() => assertMetric(7, 'a'), 'a registry, a metric or the text of an exposition but received 7 of type number'],
    [() => assertMetric(null, 'a'), 'a registry, a metric or the text of an exposition but received null'],
    [() => assertMetric(registry, ''), 'the name of a metric but received "" of type string'],
    [() => assertMetric(registry, { a: 1 }), 'the name of a metric but received an object of type Object'],
    [() => assertMetric(registry, 'a', 'b'), 'an object for labels but received "b" of type string'],
    [() => assertCounted(registry, 'a', null), 'an object for labels but received null'],
    [() => assertCounted(registry, 'queue_length'), 'queue_length to be a counter, but it is a gauge'],
    [() => assertObserved(registry, 'queue_length'), 'queue_length to be a histogram or summary, but it is a gauge'],
    [
      () => assertValidExposition(registry),
      'the text of an exposition, or the answer of scrape(), but received an object of type Registry',
    ],
    [
      () => assertValidExposition('', { format: 'x' }),
      'one of text, text1, openmetrics, openmetrics2, protobuf for format but received "x" of type string',
    ],
  ];
  for (const [call, expected] of refused) {
    t.is(t.throws(call, { code: 'INVALID_CONFIG' }).message, `Expected ${expected}`);
  }
});
