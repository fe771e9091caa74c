// Tests /ready through both doors: setReady() and the checks decide.

import test from 'ava';
import { DOORS, own } from './support/doors.mjs';
import { smallRegistry } from './support/registries.mjs';

async function ready({ ask }, options) {
  const { status, headers, body } = await ask('/ready', options);
  return { status, headers: own(headers), text: body.toString() };
}

const good = {
  'returns true': () => true,
  'returns nothing': () => undefined,
  'returns null': () => null,
  'returns 0': () => 0,
  'returns an empty string': () => '',
  'resolves with true': async () => true,
  'resolves later': () => new Promise((resolve) => setTimeout(resolve, 20)),
};

const bad = {
  'returns false': [() => false, 'not ready'],
  'resolves with false': [async () => false, 'not ready'],
  'throws an error': [
    () => {
      throw new Error('no route to "db"\n');
    },
    'no route to "db"\ufffd',
  ],
  'rejects with an error': [() => Promise.reject(new Error('no route')), 'no route'],
  'rejects with a string': [() => Promise.reject('as text'), 'as text'],
  'rejects with undefined': [() => Promise.reject(undefined), 'undefined'],
  'rejects with what cannot be shown': [
    () => Promise.reject(Object.assign(new Error(), { message: Object.create(null) })),
    'something that cannot be shown',
  ],
  'throws no error': [
    () => {
      throw Object.create(null);
    },
    '[Object: null prototype] {}',
  ],
  'rejects with an error that says nothing': [() => Promise.reject(new Error('')), 'failed'],
  'rejects with a long story': [() => Promise.reject(new Error('é'.repeat(1000))), `${'é'.repeat(99)}…`],
  'never answers': [() => new Promise(() => {}), 'timed out'],
  'answers too late': [() => new Promise((resolve) => setTimeout(resolve, 900)), 'timed out'],
};

const fn = () => true;
class Methods {
  db() {
    return true;
  }
}
const unusable = {
  null: null,
  'a function': fn,
  'a Map': new Map([['db', fn]]),
  'an object with methods': new Methods(),
  'something that is not a function': { fine: fn, db: true },
};

for (const { door, open } of DOORS) {
  for (const [title, checks] of Object.entries(unusable)) {
    test.serial(`${door}: ${title} in place of checks is refused`, async (t) => {
      const error = await t.throwsAsync(async () => open(t, { registry: smallRegistry(), checks }));
      t.is(error.code, 'INVALID_CONFIG');
      t.regex(error.message, /^Expected an object of functions for checks but received /);
    });
  }

  test.serial(`${door}: checks are read when it is made`, async (t) => {
    let reads = 0;
    const checks = {
      get db() {
        if (++reads > 1) throw new Error('read again');
        return () => true;
      },
    };
    const opened = await open(t, { registry: smallRegistry(), checks });
    t.is((await ready(opened)).text, '{"status":"ready","checks":{"db":"ok"}}\n');
  });

  test.serial(`${door}: a check that was added to the object runs at the doors that are made afterwards`, async (t) => {
    const checks = { first: () => true };
    const before = await open(t, { registry: smallRegistry(), checks });
    checks.second = () => false;
    const after = await open(t, { registry: smallRegistry(), checks });
    t.is((await ready(before)).status, 200);
    t.is((await ready(after)).text, '{"status":"not ready","checks":{"first":"ok","second":"failed"}}\n');
  });

  test.serial(`${door}: setReady() refuses anything but a boolean`, async (t) => {
    const opened = await open(t, { registry: smallRegistry() });
    for (const value of [undefined, null, 0, 'false', {}]) {
      const { message } = t.throws(() => opened.setReady(value), { code: 'INVALID_CONFIG' });
      t.regex(message, /^Expected true or false for setReady\(\) but received /);
    }
    t.is((await ready(opened)).status, 200);
  });

  for (const [title, check] of Object.entries(good)) {
    test.serial(`${door}: a check that ${title} is ready`, async (t) => {
      const { status, headers, text } = await ready(await open(t, { registry: smallRegistry(), checks: { check } }));
      t.is(status, 200);
      t.is(text, '{"status":"ready","checks":{"check":"ok"}}\n');
      t.deepEqual(headers, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': `${Buffer.byteLength(text)}`,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
    });
  }

  for (const [title, [check, reason]] of Object.entries(bad)) {
    test.serial(`${door}: a check that ${title} is not ready`, async (t) => {
      const checks = { fine: () => true, check };
      const bearerTokens = ['a-token'];
      const opened = await open(t, { registry: smallRegistry(), checks, readyTimeoutMs: 300, bearerTokens });
      // The reason is the application's own text: only clients with credentials see it.
      const known = { headers: { authorization: 'Bearer a-token' } };
      const answers = { known: await ready(opened, known), stranger: await ready(opened) };
      const { status, headers, text } = answers.known;
      t.is(status, 503);
      t.deepEqual(JSON.parse(text), { status: 'not ready', checks: { fine: 'ok', check: reason } });
      t.deepEqual(JSON.parse(answers.stranger.text), {
        status: 'not ready',
        checks: { fine: 'ok', check: reason === 'timed out' ? reason : 'failed' },
      });
      t.true(text.endsWith('}\n'));
      t.is(headers['content-length'], `${Buffer.byteLength(text)}`);
      // A process that is not ready is healthy.
      t.is((await opened.ask('/health')).status, 200);
    });
  }

  test.serial(`${door}: without checks setReady() decides`, async (t) => {
    const opened = await open(t, { registry: smallRegistry() });
    t.deepEqual(await ready(opened).then(({ status, text }) => [status, text]), [200, '{"status":"ready"}\n']);
    opened.setReady(false);
    t.deepEqual(await ready(opened).then(({ status, text }) => [status, text]), [503, '{"status":"not ready"}\n']);
    opened.setReady(true);
    t.is((await ready(opened)).status, 200);
  });

  test.serial(`${door}: checks cannot override setReady(false)`, async (t) => {
    let healthy = true;
    const opened = await open(t, { registry: smallRegistry(), checks: { db: () => healthy } });
    opened.setReady(false);
    t.deepEqual(await ready(opened).then(({ status, text }) => [status, JSON.parse(text)]), [
      503,
      { status: 'not ready', checks: { db: 'ok' } },
    ]);
    opened.setReady(true);
    t.is((await ready(opened)).status, 200);
    healthy = false;
    t.is((await ready(opened)).status, 503);
    healthy = true;
    t.is((await ready(opened)).status, 200);
  });

  test.serial(`${door}: checks run at the same time, and are shown in their order, under any name`, async (t) => {
    const names = ['b', 'a', 'with "quotes"\n', '日本', ' '];
    let running = 0;
    let begun;
    const allRun = new Promise((resolve) => {
      begun = resolve;
    });
    // Each ends when all have begun: one after the other they would time out.
    const check = async () => {
      running++;
      if (running === names.length) begun();
      await allRun;
      return false;
    };
    const checks = Object.fromEntries(names.map((name) => [name, check]));
    const opened = await open(t, { registry: smallRegistry(), checks, readyTimeoutMs: 60_000 });
    const { text } = await ready(opened);
    const expected = Object.fromEntries(names.map((name) => [name, 'failed']));
    t.deepEqual(JSON.parse(text), { status: 'not ready', checks: expected });
    t.deepEqual(Object.keys(JSON.parse(text).checks), names);
  });

  test.serial(`${door}: HEAD /ready runs the checks and sends their status alone`, async (t) => {
    const opened = await open(t, { registry: smallRegistry(), checks: { db: () => false } });
    const [get, head] = [await ready(opened), await ready(opened, { method: 'HEAD' })];
    t.deepEqual(head, { ...get, text: '' });
    t.is(head.status, 503);
  });
}
