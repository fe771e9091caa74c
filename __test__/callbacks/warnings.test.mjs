/** Tests the texts of warnings: one line each, also with texts of a program or a client in them, and no secrets. */
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';

const require = createRequire(import.meta.url);
const { forLog, oneLine } = require('../../dist/warnings.js');
// It passes on what the core knows of secrets.
require('../../dist/native/addon.js');

const name = fc.constantFrom(
  ...[
    'password',
    'DB_PASSWORD',
    'passwd',
    'PGPASS',
    'passphrase',
    'pwd',
    'secret',
    'client_secret',
    'token',
    'access_token',
  ],
  ...[
    'refreshToken',
    'apiKey',
    'api_key',
    'x-api-key',
    'AWS_SECRET_ACCESS_KEY',
    'private key',
    'X-Amz-Signature',
    'sig',
  ],
  ...['Authorization', 'Proxy-Authorization', 'auth', 'credential', 'sharedKey'],
);
/** As a program writes a secret after its name. */
const notation = fc.constantFrom(
  (key, value) => `${key}=${value}`,
  (key, value) => `${key}: ${value}`,
  (key, value) => `${key} = "${value}"`,
  (key, value) => `https://host/path?a=b&${key.replace(' ', '_')}=${value}&c=d#e`,
  (key, value) => JSON.stringify({ a: 1, [key]: value }),
  (key, value) => JSON.stringify({ body: JSON.stringify({ [key]: `${value} and more` }) }),
  (key, value) => inspect({ config: { headers: { [key]: value } } }),
  (key, value) => `${key}: Basic ${value}`,
  (key, value) => `${key}=Bearer ${value}`,
);
const secret = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-_.~+/!$%'), minLength: 6, maxLength: 40 })
  .map((text) => `k${text}`);

test('a secret after a name that tells it is hidden', (t) => {
  fc.assert(
    fc.property(name, notation, secret, fc.string(), (key, write, value, before) => {
      const text = oneLine(`${before.slice(0, 20)} ${write(key, value)}`);
      t.false(text.includes(value), text);
    }),
    { numRuns: 2000 },
  );
});

test('the value of a key in a query is hidden, and the rest of the URL stays', (t) => {
  t.is(oneLine('GET https://h/v1?key=AIza-x&alt=sse failed'), 'GET https://h/v1?key=[secret]&alt=sse failed');
  t.is(oneLine('connect postgres://app:pw@db/app?sslmode=off'), 'connect postgres://app:[token]@db/app?sslmode=off');
});

test('ordinary messages stay', (t) => {
  for (const text of [
    'Unexpected token < in JSON at position 0',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'max_tokens: 4096 is above the limit of the model, output_tokens=12',
    'Cannot read properties of undefined (reading "key")',
    'Expected a primary key but received none',
    'the design: a monkey=banana',
  ]) {
    t.is(oneLine(text), text);
  }
});

test('a long text takes no long time, and shows nothing of a secret at its cut', (t) => {
  for (const part of ['token ', 'token=', "token'''' ", 'password="', '\\\\\\']) {
    t.true(oneLine(part.repeat(200_000)).length <= 201);
  }
  t.false(oneLine(`${'x'.repeat(190)} password=hunter2hunter2hunter2`).includes('hunter2'));
});

/** Characters that end a line or change the direction of text somewhere. */
const hostile = fc.string({ unit: fc.constantFrom(...'a\r\n\u0000\u001b\u0085\u2028\u2029\u202e\u2066 ') });

test('a warning is one line with any text in it', async (t) => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (foreign, message) => {
      const warnings = [];
      const registry = new Registry({ logger: { warn: (warning) => warnings.push(warning) } });
      const get = () => Promise.reject(new Error(message));
      registry.registerMetric({ name: `name${foreign}`, get });
      await registry.metrics();
      t.is(warnings.length, 1);
      t.notRegex(warnings[0], /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
  t.is(forLog(new Error('a\r\nb')), 'a\ufffd\ufffdb');
});
