// Tests TLS of the exporter: replaced certificates, certificates of clients, and exporter-toolkit's configuration file.

import { once } from 'node:events';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import https from 'node:https';
import tls from 'node:tls';
import { createMetricsHandler, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { seriesValue, withoutSelfMetrics } from '../../support/exposition.mjs';
import { certificates } from './support/certificates.mjs';
import { basic, eventually, everything, exporter, handler, rejected } from './support/doors.mjs';
import { SMALL_TEXT, smallRegistry } from './support/registries.mjs';

/** 'right password' */
const HASH = '$2b$04$v/P7ECUzsPBAfs8Xw9ohmOqMENN6qTZxU8tb9AOMEQwDNAH54J6Rm';

/** Certificates, and an exporter that uses them. */
async function secured(t, options = {}, registryOptions = {}) {
  const made = await certificates(t);
  const files = { tlsCertFile: made.path('server.crt'), tlsKeyFile: made.path('server.key') };
  const given = typeof options === 'function' ? options(made) : options;
  const door = await exporter(t, { registry: smallRegistry(registryOptions), ...files, ...given });
  const fetched = async (path = '/metrics', { headers = {}, ...client } = {}) => {
    const request = https.get({
      host: '127.0.0.1',
      port: door.port,
      path,
      headers,
      ca: made.read('ca.crt'),
      agent: false,
      ...client,
    });
    const [response] = await once(request, 'response');
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode, headers: response.headers, text };
  };
  return { ...door, made, fetched, scrape: async (client) => (await fetched('/metrics', client)).text };
}

/** The serial number of a server's certificate. */
async function shown({ port, made }) {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: made.read('ca.crt') });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test.serial(`a scrape over ${version}`, async (t) => {
    const door = await secured(t);
    t.is(door.url, `https://127.0.0.1:${door.port}`);
    const { status, text } = await door.fetched('/metrics', { minVersion: version, maxVersion: version });
    t.is(status, 200);
    t.is(withoutSelfMetrics(text), SMALL_TEXT);
    t.is((await door.fetched('/health')).status, 200);
  });
}

const EXPIRY = 'llmdevops_metrics_tls_certificate_expiry_timestamp_seconds';

/** `YYYYMMDDHHMMSSZ`, this many seconds from now. */
const stamp = (seconds) => `${new Date(Date.now() + seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '')}`;

test.serial('a certificate that has expired or soon expires is warned of, and its end is a metric', async (t) => {
  const warnings = [];
  const logger = { warn: (message) => warnings.push(message) };
  const DAY = 86_400;
  const door = await secured(t, {}, { logger });
  const { validTo, made } = await (async () => {
    const socket = tls.connect({ port: door.port, host: '127.0.0.1', ca: door.made.read('ca.crt') });
    await once(socket, 'secureConnect');
    const validTo = socket.getPeerCertificate().valid_to;
    socket.destroy();
    return { validTo, made: door.made };
  })();
  t.is(seriesValue(await door.scrape(), EXPIRY), Date.parse(validTo) / 1000);
  t.deepEqual(warnings, []);

  await made.dated('expired', stamp(-400 * DAY), stamp(-2 * DAY - 60));
  await made.dated('ending', stamp(-300 * DAY), stamp(3 * DAY + 60));
  for (const [name, words] of [
    ['expired', "The exporter's certificate has expired 2 d ago"],
    ['ending', "The exporter's certificate expires in 3 d"],
  ]) {
    warnings.length = 0;
    const registry = smallRegistry({ logger });
    const files = { tlsCertFile: made.path(`${name}.crt`), tlsKeyFile: made.path(`${name}.key`) };
    const { port } = await exporter(t, { registry, ...files });
    t.true(await eventually(() => warnings.length > 0));
    for (let scrape = 0; scrape < 3; scrape++) {
      const text = await new Promise((resolve, reject) => {
        const request = https.get({
          port,
          host: '127.0.0.1',
          path: '/metrics',
          rejectUnauthorized: false,
          agent: false,
        });
        request.on('error', reject);
        request.on('response', async (response) => {
          let all = '';
          for await (const chunk of response.setEncoding('utf8')) all += chunk;
          resolve(all);
        });
      });
      t.true(Math.abs(seriesValue(text, EXPIRY) - Date.now() / 1000 - (name === 'ending' ? 3 : -2) * DAY) < 300);
    }
    t.deepEqual(warnings, [words]);
  }
});

test.serial('without a certificate there is no metric of its end', async (t) => {
  t.false((await (await exporter(t, { registry: smallRegistry() })).text()).includes(EXPIRY));
});

test.serial('a connection without TLS is cut off, and counted', async (t) => {
  const door = await secured(t);
  const socket = await door.connect();
  socket.on('error', () => {});
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  t.notRegex(await everything(socket).catch(() => ''), /HTTP\/1/);
  t.true(await eventually(async () => rejected(await door.scrape(), 'tls') === 1));
});

test.serial('a handshake that the client ends, because it trusts another authority, is counted', async (t) => {
  const door = await secured(t);
  await t.throwsAsync(door.scrape({ ca: door.made.read('other-ca.crt') }));
  t.true(await eventually(async () => rejected(await door.scrape(), 'tls') === 1));
});

test.serial('a connection without a handshake is closed in time', async (t) => {
  const door = await secured(t, { headerTimeoutMs: 300 });
  const socket = await door.connect();
  socket.on('error', () => {});
  const started = performance.now();
  await everything(socket).catch(() => '');
  const took = performance.now() - started;
  t.true(took >= 200, `${took} ms`);
  t.true(await eventually(async () => rejected(await door.scrape(), 'request_timeout') === 1));
});

test.serial('a certificate that is replaced is used for new connections', async (t) => {
  const door = await secured(t);
  const { path } = door.made;
  const first = await shown(door);
  const agent = new https.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  t.is((await door.fetched('/ready', { agent })).status, 200);
  for (const kind of ['crt', 'key']) {
    await copyFile(path(`next-server.${kind}`), path(`new.${kind}`));
    await rename(path(`new.${kind}`), path(`server.${kind}`));
  }
  t.true(await eventually(async () => (await shown(door)) !== first));
  // Open connections stay open.
  t.is((await door.fetched('/ready', { agent })).status, 200);
  t.is(seriesValue(await door.scrape(), 'llmdevops_metrics_tls_reload_failures_total'), 0);
});

test.serial('an unusable replacement changes nothing, is counted and logged', async (t) => {
  const warnings = [];
  const door = await secured(t, {}, { logger: { warn: (message) => warnings.push(message) } });
  const { path } = door.made;
  const first = await shown(door);
  await writeFile(path('server.crt'), 'not a certificate');
  const failures = async () => seriesValue(await door.scrape(), 'llmdevops_metrics_tls_reload_failures_total');
  t.true(await eventually(async () => (await failures()) === 1));
  t.is(await shown(door), first);
  t.is(warnings.length, 1);
  t.regex(warnings[0], /^The changed certificate is not used: Expected .*server\.crt/);
  // The key belongs to another certificate.
  await copyFile(path('next-server.crt'), path('server.crt'));
  t.true(await eventually(async () => (await failures()) === 2));
  t.is(await shown(door), first);
  await copyFile(path('next-server.key'), path('server.key'));
  t.true(await eventually(async () => (await shown(door)) !== first));
});

test.serial('with tlsClientCaFile only clients with a certificate of this authority pass', async (t) => {
  const door = await secured(t, ({ path }) => ({ tlsClientCaFile: path('ca.crt') }));
  const { client } = door.made;
  t.is(withoutSelfMetrics(await door.scrape(client('client'))), SMALL_TEXT);
  await t.throwsAsync(door.scrape());
  await t.throwsAsync(door.scrape(client('stranger')));
  t.true(await eventually(async () => rejected(await door.scrape(client('client')), 'tls') === 2));
});

test.serial('a client certificate may be optional, and is verified if it is given', async (t) => {
  const door = await secured(t, ({ path }) => ({
    tlsClientCaFile: path('ca.crt'),
    tlsClientAuth: 'VerifyClientCertIfGiven',
  }));
  const { client } = door.made;
  t.is(withoutSelfMetrics(await door.scrape()), SMALL_TEXT);
  t.is(withoutSelfMetrics(await door.scrape(client('client'))), SMALL_TEXT);
  await t.throwsAsync(door.scrape(client('stranger')));
});

test.serial('after many failed handshakes the next scraper is served', async (t) => {
  const door = await secured(t, ({ path }) => ({ tlsClientCaFile: path('ca.crt') }));
  const { client } = door.made;
  await Promise.all(Array.from({ length: 50 }, (_, i) => t.throwsAsync(door.scrape(i % 2 ? client('stranger') : {}))));
  t.is(withoutSelfMetrics(await door.scrape(client('client'))), SMALL_TEXT);
});

test.serial('files and settings that do not fit together are rejected before the exporter listens', async (t) => {
  const { path } = await certificates(t);
  const [tlsCertFile, tlsKeyFile] = [path('server.crt'), path('server.key')];
  await writeFile(path('empty'), '');
  const refused = [
    { tlsCertFile },
    { tlsKeyFile },
    { tlsCertFile, tlsKeyFile: path('next-server.key') },
    { tlsCertFile: path('missing.crt'), tlsKeyFile },
    { tlsCertFile: path('empty'), tlsKeyFile },
    { tlsCertFile: tlsKeyFile, tlsKeyFile: tlsCertFile },
    { tlsCertFile, tlsKeyFile, tlsClientCaFile: path('empty') },
    { tlsCertFile, tlsKeyFile, tlsClientAuth: 'RequireAndVerifyClientCert' },
    { tlsCertFile, tlsKeyFile, tlsClientCaFile: path('ca.crt'), tlsClientAuth: 'RequireAnyClientCert' },
    { tlsCertFile, tlsKeyFile, tlsClientCaFile: path('ca.crt'), tlsClientAuth: 'always' },
    { tlsClientCaFile: path('ca.crt') },
  ];
  for (const options of refused) {
    const error = { instanceOf: TypeError, code: 'INVALID_CONFIG', message: /^Expected / };
    const { message } = await t.throwsAsync(startExporter({ port: 0, ...options }), error, JSON.stringify(options));
    t.notRegex(message, /PRIVATE KEY/);
  }
});

// The file that exporters share.

test.serial('webConfigFile: TLS, users and headers of one file, its paths beside it', async (t) => {
  const made = await certificates(t);
  const webConfigFile = made.path('web.yml');
  await writeFile(
    webConfigFile,
    `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  prometheus: ${HASH}
`,
  );
  const door = await exporter(t, { registry: smallRegistry(), webConfigFile });
  t.is(door.url, `https://127.0.0.1:${door.port}`);
  const client = { ca: made.read('ca.crt'), ...made.client('client') };
  const get = async (headers, more = client) => {
    const request = https.get({ host: '127.0.0.1', port: door.port, path: '/metrics', headers, agent: false, ...more });
    const [response] = await once(request, 'response');
    response.resume();
    return response;
  };
  const answer = await get(basic('prometheus', 'right password'));
  t.is(answer.statusCode, 200);
  t.is(answer.headers['x-frame-options'], 'deny');
  t.is(answer.headers['strict-transport-security'], 'max-age=31536000');
  const refused = await get(basic('prometheus', 'wrong password'));
  t.is(refused.statusCode, 401);
  t.is(refused.headers['x-frame-options'], 'deny');
  await t.throwsAsync(get(basic('prometheus', 'right password'), { ca: made.read('ca.crt') }));
});

test.serial('webConfigFile: a handler takes users and headers', async (t) => {
  const made = await certificates(t);
  const webConfigFile = made.path('web.yml');
  await writeFile(
    webConfigFile,
    `http_server_config: { headers: { X-Content-Type-Options: nosniff } }\nbasic_auth_users: { prometheus: ${HASH} }\n`,
  );
  const { ask } = await handler(t, { registry: smallRegistry(), webConfigFile });
  t.is((await ask('/metrics')).status, 401);
  const { status, headers } = await ask('/metrics', { headers: basic('prometheus', 'right password') });
  t.is(status, 200);
  t.is(headers['x-content-type-options'], 'nosniff');
});

test.serial('webConfigFile: a rate limit', async (t) => {
  const made = await certificates(t);
  const webConfigFile = made.path('web.yml');
  await writeFile(webConfigFile, 'rate_limit: { interval: 60s, burst: 2 }\n');
  const { ask } = await exporter(t, { registry: smallRegistry(), webConfigFile });
  const statuses = [];
  for (let request = 0; request < 3; request++) statuses.push((await ask('/metrics')).status);
  t.deepEqual(statuses, [200, 200, 429]);
});

const refusedFiles = {
  'an unknown key': ['basic_auth_users: {}\ntls_config: {}\n', /tls_config.*line 2/],
  'no YAML': ['basic_auth_users: [\n', /line/],
  'a password in place of a hash': ['basic_auth_users: { a: hunter2 }\n', /^Expected a bcrypt hash/],
  'TLS without a key': ['tls_server_config: { cert_file: server.crt }\n', /key/],
  'a policy that verifies nothing': [
    'tls_server_config: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, client_auth_type: RequireAnyClientCert }\n',
    /RequireAnyClientCert/,
  ],
};
for (const [title, [text, message]] of Object.entries(refusedFiles)) {
  test.serial(`webConfigFile: ${title} is rejected`, async (t) => {
    const made = await certificates(t);
    const webConfigFile = made.path('web.yml');
    await writeFile(webConfigFile, text);
    const error = await t.throwsAsync(startExporter({ port: 0, webConfigFile }), { code: 'INVALID_CONFIG', message });
    t.false(error.message.includes('hunter2'));
  });
}

test.serial('webConfigFile: a missing file is rejected', async (t) => {
  const options = { webConfigFile: '/no/such/web.yml' };
  t.throws(() => createMetricsHandler(options), { code: 'INVALID_CONFIG', message: /web\.yml/ });
  await t.throwsAsync(startExporter({ port: 0, ...options }), { code: 'INVALID_CONFIG', message: /web\.yml/ });
});
