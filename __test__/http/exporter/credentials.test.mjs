// Tests tokens, passwords and the callback, through both doors: which requests pass, and how the others are answered.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetricsHandler, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { start } from './support/children.mjs';
import { ask as askOf, basic, DOORS, own, rejected } from './support/doors.mjs';
import { smallRegistry } from './support/registries.mjs';

const TOKEN = 'a-long-and-random-token';
/** 'right password', at bcrypt's lowest cost. */
const HASH = '$2b$04$v/P7ECUzsPBAfs8Xw9ohmOqMENN6qTZxU8tb9AOMEQwDNAH54J6Rm';
/** 'pässword:with colon' */
const ODD_HASH = '$2b$04$dlAoNkucvt7/qmuMcMgMgOm4hcrjGQrzx0m5I.e7PDo6DfgHEGSYO';
const USERS = [`prometheus:${HASH}`, `odd:${ODD_HASH}`];

const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** A file that is removed after the test. */
async function file(t, text) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'file');
  await writeFile(path, text);
  return path;
}

for (const { door, open } of DOORS) {
  const guarded = (t, options) => open(t, { registry: smallRegistry(), ...options });
  const status = async ({ ask }, headers, path = '/metrics') => (await ask(path, { headers })).status;

  test.serial(`${door}: only the token lets in`, async (t) => {
    const opened = await guarded(t, { bearerTokens: [TOKEN] });
    t.is(await status(opened, bearer(TOKEN)), 200);
    t.is(await status(opened, { authorization: `bearer ${TOKEN}` }), 200);
    const refused = [
      {},
      bearer(`${TOKEN}x`),
      bearer(TOKEN.slice(1)),
      bearer(TOKEN.toUpperCase()),
      bearer(''),
      { authorization: TOKEN },
      { authorization: `Token ${TOKEN}` },
      basic('', TOKEN),
      { authorization: `Bearer ${'x'.repeat(9000)}` },
      { 'proxy-authorization': `Bearer ${TOKEN}` },
    ];
    for (const headers of refused) {
      const answer = await opened.ask('/metrics', { headers });
      t.is(answer.status, 401, JSON.stringify(headers).slice(0, 60));
      t.is(answer.body.toString(), 'Unauthorized.\n');
      t.deepEqual(own(answer.headers), {
        'content-type': 'text/plain; charset=utf-8',
        'content-length': `${answer.body.length}`,
        'www-authenticate': 'Bearer realm="metrics"',
        'x-content-type-options': 'nosniff',
      });
    }
    t.is(await status(opened, {}, `/metrics?token=${TOKEN}`), 401);
    const { body } = await opened.ask('/metrics', { headers: bearer(TOKEN) });
    t.is(rejected(body.toString(), 'unauthorized'), refused.length + 1);
  });

  test.serial(`${door}: several tokens, and a file of tokens`, async (t) => {
    const bearerTokenFile = await file(t, `\n  from-the-file  \r\nanother\n\n`);
    const opened = await guarded(t, { bearerTokens: ['old', 'new'], bearerTokenFile });
    for (const token of ['old', 'new', 'from-the-file', 'another'])
      t.is(await status(opened, bearer(token)), 200, token);
    for (const token of ['old,new', 'ol']) t.is(await status(opened, bearer(token)), 401, token);
  });

  test.serial(`${door}: a name and its password let in`, async (t) => {
    const opened = await guarded(t, { basicUsers: USERS });
    t.is(await status(opened, basic('prometheus', 'right password')), 200);
    t.is(await status(opened, basic('odd', 'pässword:with colon')), 200);
    const refused = [
      {},
      basic('prometheus', 'wrong password'),
      basic('prometheus', ''),
      basic('odd', 'right password'),
      basic('stranger', 'right password'),
      basic('Prometheus', 'right password'),
      { authorization: 'Basic' },
      { authorization: 'Basic !!!' },
      { authorization: `Basic ${Buffer.from('no colon').toString('base64')}` },
      bearer('right password'),
    ];
    for (const headers of refused) {
      const answer = await opened.ask('/metrics', { headers });
      t.is(answer.status, 401, JSON.stringify(headers));
      t.is(answer.headers['www-authenticate'], 'Basic realm="metrics", charset="UTF-8"');
    }
  });

  test.serial(`${door}: tokens and passwords together`, async (t) => {
    const opened = await guarded(t, { bearerTokens: [TOKEN], basicUsers: USERS });
    t.is(await status(opened, bearer(TOKEN)), 200);
    t.is(await status(opened, basic('prometheus', 'right password')), 200);
    const { headers } = await opened.ask('/metrics');
    t.is(headers['www-authenticate'], 'Bearer realm="metrics", Basic realm="metrics", charset="UTF-8"');
  });

  test.serial(`${door}: health and readiness need no credentials, unless they are protected`, async (t) => {
    const free = await guarded(t, { bearerTokens: [TOKEN] });
    const protectedToo = await guarded(t, { bearerTokens: [TOKEN], protectHealth: true });
    for (const path of ['/health', '/ready']) {
      t.is(await status(free, {}, path), 200);
      t.is(await status(free, bearer('wrong'), path), 200);
      t.is(await status(protectedToo, {}, path), 401);
      t.is(await status(protectedToo, bearer(TOKEN), path), 200);
    }
  });

  test.serial(`${door}: a rejected request learns nothing else`, async (t) => {
    const opened = await guarded(t, { bearerTokens: [TOKEN] });
    for (const options of [
      { method: 'HEAD' },
      { method: 'POST' },
      { headers: { 'content-length': '1' }, body: 'x' },
      { headers: { 'accept-encoding': 'identity;q=0' } },
    ]) {
      t.is((await opened.ask('/metrics', options)).status, 401, JSON.stringify(options));
    }
    if (door !== 'startExporter()') return;
    for (const path of ['/', '/nowhere']) t.is(await status(opened, {}, path), 401, path);
  });

  test.serial(`${door}: wrong credentials are limited; verified ones still pass`, async (t) => {
    const opened = await guarded(t, { bearerTokens: [TOKEN], basicUsers: USERS });
    t.is(await status(opened, basic('prometheus', 'right password')), 200);
    t.is(await status(opened, bearer(TOKEN)), 200);
    const statuses = [];
    for (let guess = 0; guess < 30; guess++) {
      const headers = guess % 2 ? basic('prometheus', `guess ${guess}`) : bearer(`guess-${guess}`);
      const answer = await opened.ask('/metrics', { headers });
      statuses.push(answer.status);
      if (answer.status === 429) {
        t.is(answer.body.toString(), 'Too many wrong credentials.\n');
        t.true(Number(answer.headers['retry-after']) >= 1);
      }
    }
    const limited = statuses.filter((code) => code === 429).length;
    t.deepEqual([...new Set(statuses)], [401, 429]);
    t.true(limited >= 15, `${statuses}`);
    // A request without credentials is not a guess.
    t.is(await status(opened, {}), 401);
    t.is(await status(opened, basic('prometheus', 'right password')), 200);
    const { body } = await opened.ask('/metrics', { headers: bearer(TOKEN) });
    t.is(rejected(body.toString(), 'credential_limit'), limited);
    // Another address has its own limit.
    t.is((await opened.ask('/metrics', { headers: bearer('guess'), from: '127.0.0.9' })).status, 401);
    t.is((await opened.ask('/metrics', { headers: bearer(TOKEN), from: '127.0.0.9' })).status, 200);
  });

  test.serial(`${door}: requests without credentials are never limited`, async (t) => {
    const opened = await guarded(t, { bearerTokens: [TOKEN] });
    for (let request = 0; request < 60; request++) t.is(await status(opened, {}), 401);
    t.is(await status(opened, bearer(TOKEN)), 200);
  });

  const answers = {
    'returns true': [() => true, 200],
    'resolves with true': [async () => true, 200],
    'resolves later with true': [() => new Promise((resolve) => setTimeout(resolve, 100, true)), 200],
    'returns false': [() => false, 401],
    'resolves with false': [async () => false, 401],
    'returns 1': [() => 1, 401],
    'returns a text': [() => 'yes', 401],
    'returns an object': [() => ({ allowed: true }), 401],
    'returns null': [() => null, 401],
    'returns nothing': [() => undefined, 401],
    throws: [
      () => {
        throw new Error('no');
      },
      503,
    ],
    rejects: [() => Promise.reject(new Error('no')), 503],
    'rejects with undefined': [() => Promise.reject(undefined), 503],
    'never answers': [() => new Promise(() => {}), 503],
  };
  for (const [title, [authenticate, expected]] of Object.entries(answers)) {
    test.serial(`${door}: an authenticate() that ${title} answers ${expected}`, async (t) => {
      const registry = new Registry({ logger: { warn() {} } });
      const opened = await open(t, { registry, authenticate });
      const answer = await opened.ask('/metrics', { headers: { cookie: 'a=b' } });
      t.is(answer.status, expected);
      if (expected === 401) t.is(answer.headers['www-authenticate'], 'Bearer realm="metrics"');
      if (expected === 503) t.is(answer.headers['retry-after'], '1');
      t.is((await opened.ask('/health')).status, 200);
    });
  }

  test.serial(
    `${door}: authenticate() is told who asks for what, and only where credentials did not let in`,
    async (t) => {
      const visitors = [];
      const authenticate = (visitor) => {
        visitors.push(visitor);
        return visitor.headers.cookie === 'session=good';
      };
      const opened = await guarded(t, { bearerTokens: [TOKEN], authenticate });
      t.is(await status(opened, bearer(TOKEN)), 200);
      t.deepEqual(visitors, []);
      t.is(
        await status(opened, { cookie: 'session=good', 'X-Any': 'thing', authorization: 'Other x' }, '/metrics?a=b'),
        200,
      );
      t.is(await status(opened, { cookie: 'session=bad' }), 401);
      const [{ headers, ...visitor }] = visitors;
      t.deepEqual(visitor, { method: 'GET', url: '/metrics?a=b', remoteAddress: '127.0.0.1' });
      t.is(headers['x-any'], 'thing');
      t.is(headers.authorization, 'Other x');
      t.is(visitors.length, 2);
      // A rejected client does not learn the allowed methods.
      t.is((await opened.ask('/metrics', { method: 'POST' })).status, 401);
    },
  );
}

for (const { door, open } of DOORS) {
  test.serial(`${door}: options that an object inherits protect the endpoint like its own`, async (t) => {
    const registry = smallRegistry();
    class Options {
      get authenticate() {
        return ({ headers }) => headers.cookie === 'good';
      }
      get checks() {
        return { never: () => false };
      }
      get registry() {
        return registry;
      }
      get protectHealth() {
        return true;
      }
    }
    const opened = await open(t, new Options());
    t.is((await opened.ask('/metrics')).status, 401);
    t.is((await opened.ask('/metrics', { headers: { cookie: 'good' } })).status, 200);
    t.is((await opened.ask('/ready', { headers: { cookie: 'good' } })).status, 503);
    t.is((await opened.ask('/ready')).status, 401);
  });
}

test.serial('startExporter(): while the loop is blocked the callback lets no request in; a token does', async (t) => {
  const child = start(
    t,
    async ({ client, say, heard, block, argument: token }) => {
      const options = {
        host: '127.0.0.1',
        port: 0,
        bearerTokens: [token],
        authenticate: () => true,
        stallAfterMs: 200,
      };
      await say((await client.startExporter(options)).port);
      await heard();
      await say('blocking');
      block();
      await say('done');
    },
    TOKEN,
  );
  const to = { port: await child.heard() };
  const status = async (headers) => (await askOf(to, '/metrics', { headers })).status;
  t.is(await status({}), 200);
  child.say('block');
  await child.heard();
  // The loop counts as blocked after `stallAfterMs`; a request before that waits for it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.is(await status({}), 503);
  t.is(await status(bearer(TOKEN)), 200);
  child.free();
  t.is(await child.heard(), 'done');
});

const wrong = {
  'a token with a space': { bearerTokens: ['two words'] },
  'a token that is not ASCII': { bearerTokens: ['schlüssel'] },
  'a password in place of a hash': { basicUsers: ['name:hunter2'] },
  'a hash of another kind': { basicUsers: ['name:$6$rounds=5000$hunter2'] },
  'half a hash': { basicUsers: ['name:$2b$04$hunter2'] },
  'a user twice': { basicUsers: [`name:${HASH}`, `name:${HASH}`] },
  'a token file that is not there': { bearerTokenFile: '/no/such/file' },
  'a password in place of a callback': { authenticate: 'hunter2' },
};
for (const [title, options] of Object.entries(wrong)) {
  test.serial(`${title} is rejected, and the error shows no secret`, async (t) => {
    for (const error of [
      t.throws(() => createMetricsHandler(options), { instanceOf: TypeError, code: 'INVALID_CONFIG' }),
      await t.throwsAsync(startExporter({ host: '127.0.0.1', port: 0, ...options }), { code: 'INVALID_CONFIG' }),
    ]) {
      t.regex(error.message, /^Expected /);
      t.notRegex(error.message, /hunter2|two words|schlüssel|v\/P7ECUz/);
    }
  });
}

test.serial('an empty token file is rejected: it would let every request in', async (t) => {
  const bearerTokenFile = await file(t, '\n  \n');
  t.throws(() => createMetricsHandler({ bearerTokenFile }), { code: 'INVALID_CONFIG' });
  await t.throwsAsync(startExporter({ bearerTokenFile, port: 0 }), { code: 'INVALID_CONFIG' });
});
