// Tests the settings of pushers: each is read from its variable and its option, invalid ones are refused by name.

import { createRequire } from 'node:module';
import { ConfigurationError, Registry, startPusher, withMetrics } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { start } from '../http/exporter/support/children.mjs';
import { holdsTable } from '../settings/support/table.mjs';
import { startGateway } from './support/gateway.mjs';
import { until } from './support/pushers.mjs';
import { otlp, remoteWrite } from './support/requests.mjs';

const { addon } = createRequire(import.meta.url)('../../dist/native/addon.js');

const settings = addon.NativeConfig.settings().filter(({ options }) => options === 'pusher');
const optionOf = ({ option }) => option.charAt(4).toLowerCase() + option.slice(5);
const url = 'http://127.0.0.1:9/';
const registry = new Registry();

test('docs/push.md has every setting of the core', async (t) => {
  const standards = {
    intervalMs: 15000,
    timeoutMs: 10000,
    queueLength: 60,
    queueBytes: 16777216,
    protocol: 'remote-write',
  };
  const row = (setting) => {
    const option = optionOf(setting);
    const shown = option in standards ? `\`${standards[option]}\`` : '';
    return `| \`${setting.variable}\` | \`${option}\` | ${setting.defaultWords || shown} | ${setting.expected} | ${setting.sentence} |`;
  };
  await holdsTable(t, new URL('../../docs/push.md', import.meta.url), settings.map(row));
});

const TEXT = 'a text that is not empty';
const FILE = 'the name of a file';
for (const [name, value, expected, received] of [
  ['url', 5, 'a URL that begins with http:// or https://', 'something else'],
  ['url', 'localhost:9090', 'a URL that begins with http:// or https://', '"localhost:9090"'],
  ['protocol', 'statsd', 'remote-write, remote-write-1, otlp or pushgateway', '"statsd"'],
  ['intervalMs', 10, 'milliseconds from 100 to 86400000', '10 of type number'],
  ['timeoutMs', '1s', 'milliseconds from 10 to 86400000', '"1s" of type string'],
  ['job', '', TEXT, '"" of type string'],
  ['instance', 7, TEXT, '7 of type number'],
  ['labels', ['a=b'], undefined, undefined],
  ['labels', { a: 1 }, 'an object of strings', 'an object of type Object'],
  ['labels', { le: '1' }, 'each name of a label once, and neither le nor quantile,', '"le"'],
  ['labels', { 'a-b': '1' }, 'each name of a label once, and neither le nor quantile,', '"a-b"'],
  ['headers', 'a=b', 'an object of strings', '"a=b" of type string'],
  ['headers', { 'a b': '1' }, 'a valid header', '"a b"'],
  ['password', 5, 'a password', 'something else'],
  ['tlsCaFile', '', FILE, '"" of type string'],
  ['queueLength', 0, 'an integer from 1 to 10000', '0 of type number'],
  ['queueBytes', 1.5, 'an integer from 1024 to 4294967295', '1.5 of type number'],
]) {
  test(`startPusher refuses ${name}: ${JSON.stringify(value)}`, async (t) => {
    const error = await t.throwsAsync(startPusher({ registry, url, [name]: value }), {
      instanceOf: ConfigurationError,
      code: 'INVALID_CONFIG',
    });
    if (expected === undefined) return;
    t.true(error.message.startsWith(`Expected ${expected}`), error.message);
    t.true(error.message.includes(`${name}`) && error.message.includes(`but received ${received}`), error.message);
  });
}

for (const [what, options, message] of [
  ['no URL', {}, /METRICS_PUSH_URL or the option url/],
  ['an unknown option', { url, intervall: 5 }, /Unknown option "intervall" for startPusher/],
  ['an option of an exporter', { url, port: 5 }, /Unknown option "port"/],
  ['a registry of another kind', { url, registry: {} }, /Expected a Registry for registry/],
  ['an unknown scope', { url, scope: 'all' }, /for scope/],
  ['a user without a password', { url, username: 'me' }, /Expected one of: a user with a password/],
  ['two ways to authenticate', { url, bearerToken: 'a', username: 'me', password: 'b' }, /Expected one of/],
  ['a secret and its file', { url, bearerToken: 'a', bearerTokenFile: '/b' }, /bearerToken, bearerTokenFile/],
  ['a file that is missing', { url, bearerTokenFile: '/nowhere' }, /\/nowhere/],
  ['TLS settings for http', { url, tlsCaFile: '/nowhere' }, /Expected a URL of https/],
  ['a missing authority', { url: 'https://a', tlsCaFile: '/nowhere' }, /nowhere/],
  ['half a certificate', { url: 'https://a', tlsCertFile: '/nowhere' }, /tlsCertFile/],
]) {
  test(`startPusher refuses ${what}`, async (t) => {
    await t.throwsAsync(startPusher({ registry, ...options }), { code: 'INVALID_CONFIG', message });
  });
}

test('an exporter and a handler do not take the options of a pusher', async (t) => {
  const { createMetricsHandler, startExporter } = await import('@llm-devops/prometheus-metrics');
  t.throws(() => createMetricsHandler({ pushUrl: url }), { message: /Unknown option "pushUrl"/ });
  await t.throwsAsync(startExporter({ port: 0, pushUrl: url }), { message: /Unknown option "pushUrl"/ });
});

test('every setting is read from its variable', async (t) => {
  const receiver = await startGateway(t, (_, response) => response.writeHead(204).end());
  const child = start(
    t,
    async ({ client }) => {
      new client.Counter({ name: 'c', help: 'C' }).inc();
      await client.startPusher();
    },
    null,
    {
      env: {
        METRICS_PUSH_URL: `${receiver.url}/write`,
        METRICS_PUSH_PROTOCOL: 'remote-write-1',
        METRICS_PUSH_JOB: 'j',
        METRICS_PUSH_INSTANCE: 'i',
        METRICS_PUSH_LABELS: 'a=1, b=x=y',
        METRICS_PUSH_HEADERS: 'X-Tenant=me',
        METRICS_PUSH_USERNAME: 'u',
        METRICS_PUSH_PASSWORD: 'p',
      },
    },
  );
  t.is((await child.ended).code, 0);
  const [request] = receiver.requests;
  t.is(request.url, '/write');
  t.is(request.headers['x-tenant'], 'me');
  t.is(request.headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
  const [first] = remoteWrite(request).series;
  t.deepEqual(first.labels, [
    ['__name__', 'c'],
    ['a', '1'],
    ['b', 'x=y'],
    ['instance', 'i'],
    ['job', 'j'],
  ]);
});

test("OpenTelemetry's variables are read for OTLP", async (t) => {
  const receiver = await startGateway(t);
  const child = start(
    t,
    async ({ client }) => {
      new client.Counter({ name: 'c', help: 'C' }).inc();
      await client.startPusher({ protocol: 'otlp', instance: 'mine' });
    },
    null,
    {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%2Cb',
        OTEL_SERVICE_NAME: 'shop',
        OTEL_RESOURCE_ATTRIBUTES: 'zone=eu%20west,service.name=other',
      },
    },
  );
  t.is((await child.ended).code, 0);
  const [request] = receiver.requests;
  t.is(request.url, '/v1/metrics');
  t.is(request.headers['api-key'], 'a,b');
  t.like(otlp(request).resource, { 'service.name': 'shop', 'service.instance.id': 'mine', zone: 'eu west' });
});

test('disabled metrics are not pushed', async (t) => {
  const child = start(
    t,
    async ({ client, say }) => {
      const pusher = await client.startPusher();
      await pusher.flush();
      const { pushes } = pusher.stats();
      await pusher.close();
      await say(pushes);
    },
    null,
    { env: { METRICS_ENABLED: 'false' } },
  );
  t.is(await child.heard(), 0);
});

test('a function that is wrapped pushes after an invocation if an interval has passed', async (t) => {
  const receiver = await startGateway(t, (_, response) => response.writeHead(204).end());
  const own = new Registry();
  const calls = own.counter({ name: 'calls_total', help: 'C' });
  const options = { registry: own, url: receiver.url, protocol: 'remote-write-1', intervalMs: 60_000 };
  const handler = withMetrics(async function (event) {
    calls.inc();
    if (event === 'bad') throw new Error('as it must');
    return [this, event];
  }, options);
  const context = {};
  t.deepEqual(await handler.call(context, 'good'), [context, 'good']);
  t.is(receiver.requests.length, 1);
  await t.throwsAsync(handler('bad'), { message: 'as it must' });
  t.is(receiver.requests.length, 1);
  const failing = withMetrics(() => 'fine', { registry: own, url: 'nonsense' });
  t.is(await failing(), 'fine');
  t.throws(() => withMetrics('x'), { code: 'INVALID_CONFIG' });
  await until(() => receiver.requests.length > 0);
});

test('options of credentials override variables of another kind', async (t) => {
  const receiver = await startGateway(t, (_, response) => response.writeHead(204).end());
  const child = start(
    t,
    async ({ argument: url, client }) => {
      const of = { url, protocol: 'remote-write-1' };
      const inUrl = url.replace('//', '//a:b@');
      const user = { username: 'u', password: 'p' };
      for (const options of [user, { bearerToken: 'other' }, { url: inUrl }, {}]) {
        const pusher = await client.startPusher({ ...of, ...options });
        await pusher.flush();
        await pusher.close(0);
      }
      process.exit(0);
    },
    `${receiver.url}/write`,
    { env: { METRICS_PUSH_BEARER_TOKEN: 'variable', METRICS_PUSH_INTERVAL_MS: '3600000' } },
  );
  const { code, stderr } = await child.ended;
  t.is(code, 0, stderr);
  const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`;
  const sent = [...new Set(receiver.requests.map(({ headers }) => headers.authorization))];
  t.deepEqual(sent, [basic('u:p'), 'Bearer other', basic('a:b'), 'Bearer variable']);
});
