// Classifies failures as providers, gateways and clients report them: by codes, texts, statuses, and classes of a client.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'ava';

const require = createRequire(import.meta.url);
const { errorTypeOf } = require('../../dist/collectors/error-type.js');
const { errorClassesOf } = require('../../dist/instrumentation/api-client/endpoint.js');
const { findFailure } = require('../../dist/instrumentation/failure.js');

const rows = JSON.parse(readFileSync(new URL('failures.json', import.meta.url), 'utf8'));

for (const { type, failures } of rows) {
  for (const failure of failures) {
    test(`${JSON.stringify(failure)} is ${type}`, (t) => {
      t.is(errorTypeOf(failure), type);
      t.is(errorTypeOf(Object.assign(new Error(failure.message ?? 'failed'), failure)), type);
    });
  }
}

test("a client's own classes are known by identity, also in a minified program", (t) => {
  class a extends Error {}
  class b extends a {}
  class c extends Error {}
  const statics = { APIUserAbortError: c, APIConnectionTimeoutError: b, APIConnectionError: a };
  const Client = Object.assign(class {}, statics);
  const classes = errorClassesOf(new Client());
  t.deepEqual(
    [new a(), new b(), new c(), new Error('of something else')].map((error) => errorTypeOf(error, classes)),
    ['connection', 'timeout', 'cancelled', 'other'],
  );
  t.deepEqual(errorClassesOf(undefined), []);
});

test('an answer with status 200 reports a failure in any of several places', (t) => {
  const places = [
    [{ error: { code: 429, message: 'Rate limited' } }, 'rate_limit'],
    [{ error: { code: '429' } }, 'rate_limit'],
    [{ error: 'context length exceeded: maximum context length is 10' }, 'context_length'],
    [{ choices: [{ error: { code: 502, message: 'Upstream failed' }, finish_reason: 'error' }] }, 'server_error'],
    [{ choices: [{ finish_reason: 'error', message: {} }] }, 'server_error'],
    [
      { object: 'error', message: 'maximum context length is 4096', type: 'BadRequestError', code: 400 },
      'context_length',
    ],
    [{ type: 'error', error: { type: 'overloaded_error' } }, 'overloaded'],
    [{ base_resp: { status_code: 1008, status_msg: 'insufficient balance' } }, 'quota_exceeded'],
  ];
  for (const [answer, type] of places) {
    const failure = findFailure(answer);
    t.is(typeof failure === 'string' ? failure : errorTypeOf(failure), type, JSON.stringify(answer));
  }
  for (const answer of [
    {},
    null,
    'text',
    { error: null },
    { error: '' },
    { choices: [{ finish_reason: 'stop' }] },
    { base_resp: { status_code: 0 } },
  ]) {
    t.is(findFailure(answer), undefined, JSON.stringify(answer));
  }
});
