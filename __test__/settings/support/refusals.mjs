// Gives every setting bad values, by its variable and by its option, and prints what each function says. Runs in an empty
// folder: some values are names of files or sockets.

import { createRequire } from 'node:module';
import { configFromEnv, createMetricsHandler, Registry, startExporter } from '@llm-devops/prometheus-metrics';

const { addon } = createRequire(import.meta.url)('../../../dist/native/addon.js');

export const TEXTS = [
  ' , ',
  '-1',
  '0x10',
  '1e400',
  'NaN',
  'ten',
  'maybe',
  '/no/such/file',
  '/dev/null',
  '/tmp',
  'a b',
  'a\nb',
  'é😀',
  '10.0.0.0/33',
  '::1/129',
  'user:secret-not-a-hash',
  'user:$2b$99$secret',
  ':secret',
  'RequireAnyClientCert',
  'secret'.repeat(2000),
];
const WITH_NUL = ['\0', 'a\0b', '/tmp\0/x'];
const VALUES = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  0.5,
  2 ** 53,
  10n,
  Symbol('s'),
  '',
  'a\0b',
  'maybe',
  [],
  [1],
  [''],
  ['secret\0'],
  [['a']],
  {},
  () => 1,
  new Date(0),
  Object.create(null),
];

async function outcome(call) {
  try {
    await (await call())?.close?.();
    return { accepted: true };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

const results = [];
const listening = { METRICS_ENDPOINT_HOST: '127.0.0.1', METRICS_ENDPOINT_PORT: '0' };
for (const { variable, option, options } of addon.NativeConfig.settings()) {
  // `push/settings.test.mjs` has those of pushers.
  if (options === 'pusher') continue;
  const registry = new Registry();
  for (const text of TEXTS) {
    Object.assign(process.env, listening, { [variable]: text });
    const read = await outcome(() => configFromEnv());
    const exporter = await outcome(() => startExporter({ registry }));
    const handler = await outcome(() => createMetricsHandler({ registry }));
    for (const name of Object.keys(process.env)) if (name.startsWith('METRICS_')) delete process.env[name];
    results.push({ variable, text, isListeners: options === 'exporter', read, exporter, handler });
  }
  for (const text of WITH_NUL) {
    const read = await outcome(() => configFromEnv({ [variable]: text }));
    results.push({ variable, text, read });
  }
  if (options === 'none') continue;
  for (const value of VALUES) {
    const base = { host: '127.0.0.1', port: 0, registry };
    const exporter = await outcome(() => startExporter({ ...base, [option]: value }));
    results.push({ option, value: typeof value === 'object' ? JSON.stringify(value) : String(value), exporter });
  }
}
process.stdout.write(JSON.stringify(results));
