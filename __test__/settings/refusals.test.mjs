/**
 * Holds that an error about a setting names what the operator has set: twenty bad values for each variable and each option,
 * through each function that reads it. `configFromEnv()` refuses what the doors refuse.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configFromEnv } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const { addon } = createRequire(import.meta.url)('../../dist/native/addon.js');
const PROGRAM = fileURLToPath(new URL('support/refusals.mjs', import.meta.url));

/** Settings for which most texts are valid. */
const NAMES_OF_FILES = new Set(['METRICS_ENDPOINT_SOCKET', 'METRICS_PROCESSES_DIR']);

let results;
test.before(async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'settings-'));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('METRICS_')));
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { cwd, env, maxBuffer: 2 ** 26 });
  await rm(cwd, { recursive: true });
  results = JSON.parse(stdout);
});

/** The outcomes of all functions with the name that their errors have to show. */
function* outcomes() {
  for (const { variable, option, value, text = value, read, exporter, handler } of results) {
    for (const outcome of [read, exporter, handler]) {
      if (outcome !== undefined) yield { name: variable ?? option, given: `${text}`.slice(0, 40), ...outcome };
    }
  }
}

test('every refusal names the variable or the option, and what was expected', (t) => {
  const unnamed = [...outcomes()].filter(({ accepted, code, message, name }) => {
    if (accepted) return false;
    if (code === 'BIND_FAILED') return !/^Cannot listen on /.test(message) || !message.includes(name);
    return code !== 'INVALID_CONFIG' || !message.startsWith('Expected ') || !message.includes(name);
  });
  t.deepEqual(unnamed, []);
});

test('no refusal shows a secret, a control character or a long value', (t) => {
  const secret = /_TOKENS|_USERS|bearerTokens|basicUsers/;
  const said = [...outcomes()].filter(({ message = '', name, given }) => {
    if (secret.test(name) && given.includes('secret') && message.includes('secret')) return true;
    return message.length > 600 || [...message].some((character) => character < ' ');
  });
  t.deepEqual(said, []);
});

test('configFromEnv() refuses what the exporter refuses, and a handler what concerns it', (t) => {
  const refused = (outcome) => outcome.code === 'INVALID_CONFIG';
  const different = results.filter(({ variable, read, exporter, handler, isListeners }) => {
    if (variable === undefined || exporter === undefined) return false;
    if (refused(read) !== refused(exporter)) return true;
    if (refused(read) && read.message !== exporter.message) return true;
    return refused(handler) !== (refused(read) && !isListeners);
  });
  t.deepEqual(
    different.map((result) => ({ ...result, text: result.text.slice(0, 40) })),
    [],
  );
});

test('a web configuration that is refused when it is used is named too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'settings-web-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'web.yml');
  for (const text of [
    'rate_limit:\n  interval: 1ns\n  burst: 1\n',
    'rate_limit:\n  interval: 1000h\n  burst: 1\n',
    'rate_limit:\n  interval: 1s\n  burst: 4000000000\n',
    'basic_auth_users:\n  name: secret\n',
    'tls_server_config:\n  cert_file: none.pem\n  key_file: none.pem\n',
  ]) {
    await writeFile(file, text);
    const { message } = t.throws(() => configFromEnv({ METRICS_WEB_CONFIG_FILE: file }), { code: 'INVALID_CONFIG' });
    t.regex(message, /^Expected .* \(METRICS_WEB_CONFIG_FILE\)$/);
    t.false(message.includes('secret'));
  }
});

test('every setting refuses bad values, and NUL everywhere', (t) => {
  const settings = addon.NativeConfig.settings().filter(({ options }) => options !== 'pusher');
  t.true(settings.length >= 40);
  for (const { variable } of settings) {
    const own = results.filter((result) => result.variable === variable);
    t.is(own.filter(({ exporter }) => exporter !== undefined).length, 20);
    const refused = own.filter(({ read, exporter }) => read.code !== undefined || exporter?.code !== undefined);
    t.true(refused.length >= (NAMES_OF_FILES.has(variable) ? 3 : 5), `${variable}: ${refused.length}`);
    for (const { text, read } of own) if (text.includes('\0')) t.is(read.code, 'INVALID_CONFIG', variable);
  }
});
