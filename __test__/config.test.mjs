// Tests the settings: each variable is read, typed and overridden by its option, each invalid value is refused by name, and
// the environment is not read before a door is made.

import { createRequire } from 'node:module';
import { ConfigurationError, configFromEnv, createMetricsHandler, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { start } from './http/exporter/support/children.mjs';
import * as files from './settings/support/files.mjs';
import { holdsTable } from './settings/support/table.mjs';

const { addon } = createRequire(import.meta.url)('../dist/native/addon.js');

const FLAG = 'true or false';
const MILLISECONDS = 'milliseconds from 1 to 86400000';
const COUNT = 'an integer from 1 to 4294967295';
const FILE = 'the name of a file';
const LIST = 'a list of non-empty strings';

/** Invalid texts by the kind of setting. */
const NO = {
  flag: ['maybe', '2', 'truefalse', 'null'],
  integer: ['-1', '1.5', 'ten', '0x', 'NaN', 'Infinity', '1e400', '1_000', '10ms'],
  count: ['0', '4294967296', '-1', '1.5', 'ten'],
  milliseconds: ['0', '86400001', '-1', 'NaN', 'Infinity', '5s'],
  list: [',', 'a,,b', 'a,', ' , '],
};

/** The valid texts of a flag. */
const flags = [
  ['true', true],
  ['TRUE', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['No', false],
  ['off', false],
];

/** The form of a bcrypt hash. */
const HASH = `$2y$05$${'.'.repeat(53)}`;

/** For each variable: the option, the default, texts with their values, the expected text, and invalid texts. */
const variables = {
  METRICS_ENABLED: ['enabled', true, flags, FLAG, NO.flag],
  METRICS_ENDPOINT_HOST: ['host', '0.0.0.0', [['::1', '::1']], 'an address to listen on', []],
  METRICS_ENDPOINT_PORT: [
    'port',
    9090,
    [
      ['0', 0],
      ['65535', 65_535],
      [' 9464 ', 9464],
      ['1e3', 1000],
    ],
    'an integer from 0 to 65535',
    [...NO.integer, '65536'],
  ],
  METRICS_ENDPOINT_SOCKET: ['socket', undefined, [['/run/m.sock', '/run/m.sock']], 'the name of a Unix socket', []],
  METRICS_ENDPOINT_PATH: [
    'path',
    '/metrics',
    [['/internal/metrics', '/internal/metrics']],
    'a path of ASCII that begins with /, other than /, /health and /ready',
    ['metrics', '/', '/health', '/ready', '/a?b', '/a#b', '/a b'],
  ],
  METRICS_PAGE: ['page', undefined, flags, FLAG, NO.flag],
  METRICS_CACHE_ENABLED: ['cacheTtlMs', 0, flags.map(([text, on]) => [text, on ? 1000 : 0]), FLAG, NO.flag],
  METRICS_CACHE_TTL_MS: [
    'cacheTtlMs',
    0,
    [
      ['0', 0],
      ['250', 250],
      ['1500.5', 1500.5],
      ['86400000', 86_400_000],
    ],
    'milliseconds from 0 to 86400000',
    NO.milliseconds.filter((text) => text !== '0'),
  ],
  METRICS_COMPRESSION_ENABLED: ['compressionEnabled', true, flags, FLAG, NO.flag],
  METRICS_COMPRESSION_MIN_SIZE: [
    'compressionMinSize',
    1024,
    [
      ['0', 0],
      ['4294967295', 4_294_967_295],
    ],
    'an integer from 0 to 4294967295',
    [...NO.integer, '4294967296'],
  ],
  METRICS_CARDINALITY_MAX_PER_METRIC: ['cardinalityMaxPerMetric', undefined, [['5000', 5000]], COUNT, NO.count],
  METRICS_CARDINALITY_MAX_TOTAL: ['cardinalityMaxTotal', undefined, [['500000', 500_000]], COUNT, NO.count],
  METRICS_RATE_LIMIT_RPS: [
    'rateLimitRps',
    undefined,
    [
      ['10', 10],
      ['0.5', 0.5],
      ['1000000', 1_000_000],
    ],
    'a number from 0.001 to 1000000',
    ['0', '-1', '1000001', 'NaN', 'inf', 'ten'],
  ],
  METRICS_RATE_LIMIT_BURST: ['rateLimitBurst', undefined, [['20', 20]], 'an integer from 1 to 1000000', NO.count],
  METRICS_COLLECTORS_LLM: ['collectorsLlm', undefined, flags, FLAG, NO.flag],
  METRICS_COLLECTORS_AGENT: ['collectorsAgent', undefined, flags, FLAG, NO.flag],
  METRICS_COLLECTORS_PROCESS: ['collectorsProcess', undefined, flags, FLAG, NO.flag],
  METRICS_COLLECTORS_RUNTIME: ['collectorsRuntime', undefined, flags, FLAG, NO.flag],
  METRICS_PROCESSES_DIR: ['processesDir', undefined, [['/run/shared', '/run/shared']], 'a folder', []],
  METRICS_SELF_METRICS: ['selfMetrics', true, flags, FLAG, NO.flag],
  METRICS_SCRAPE_TIMEOUT_MS: ['timeoutMs', 10_000, [['250', 250]], MILLISECONDS, NO.milliseconds],
  METRICS_HEALTH_STALL_MS: ['stallAfterMs', 5000, [['250', 250]], MILLISECONDS, NO.milliseconds],
  METRICS_READY_TIMEOUT_MS: ['readyTimeoutMs', 1000, [['250', 250]], MILLISECONDS, NO.milliseconds],
  METRICS_AUTH_BEARER_TOKENS: [
    'bearerTokens',
    [],
    [
      ['one', ['one']],
      ['one, two', ['one', 'two']],
    ],
    LIST,
    NO.list,
  ],
  METRICS_AUTH_BEARER_TOKEN_FILE: ['bearerTokenFile', undefined, [[files.token, files.token]], FILE, []],
  METRICS_AUTH_BASIC_USERS: [
    'basicUsers',
    [],
    [[`a:${HASH}, b:${HASH}`, [`a:${HASH}`, `b:${HASH}`]]],
    'users as name:bcrypt-hash',
    [...NO.list, 'nameonly', 'a:x,b'],
  ],
  METRICS_AUTH_PROTECT_HEALTH: ['protectHealth', false, flags, FLAG, NO.flag],
  METRICS_AUTH_FAILURES_PER_MINUTE: ['authFailuresPerMinute', 30, [['5', 5]], 'an integer from 1 to 1000000', NO.count],
  METRICS_ALLOWLIST: ['allowlist', [], [['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']]], LIST, NO.list],
  METRICS_TRUSTED_PROXIES: ['trustedProxies', [], [['10.0.0.1', ['10.0.0.1']]], LIST, NO.list],
  METRICS_WEB_CONFIG_FILE: ['webConfigFile', undefined, [[files.web, files.web]], FILE, []],
  METRICS_TLS_CERT_FILE: ['tlsCertFile', undefined, [[files.certificate, files.certificate]], FILE, []],
  METRICS_TLS_KEY_FILE: ['tlsKeyFile', undefined, [[files.key, files.key]], FILE, []],
  METRICS_TLS_CLIENT_CA_FILE: ['tlsClientCaFile', undefined, [[files.certificate, files.certificate]], FILE, []],
  METRICS_TLS_CLIENT_AUTH: [
    'tlsClientAuth',
    undefined,
    ['RequireAndVerifyClientCert', 'VerifyClientCertIfGiven', 'NoClientCert'].map((word) => [word, word]),
    'NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert',
    [],
  ],
  METRICS_LIMIT_CONNECTIONS: [
    'maxConnections',
    512,
    [['1', 1]],
    'an integer from 1 to 65535',
    ['0', '65536', '-1', 'ten'],
  ],
  METRICS_LIMIT_HEADER_BYTES: [
    'maxHeaderBytes',
    16_384,
    [['8192', 8192]],
    'an integer from 8192 to 1048576',
    ['8191', '1048577', 'ten'],
  ],
  METRICS_LIMIT_CONNECTIONS_PER_CLIENT: [
    'maxConnectionsPerClient',
    undefined,
    [['20', 20]],
    'an integer from 1 to 65535',
    ['0', '65536', 'ten'],
  ],
  METRICS_LIMIT_HEALTH_CONNECTIONS: [
    'healthConnections',
    8,
    [
      ['0', 0],
      ['1000', 1000],
    ],
    'an integer from 0 to 1000',
    ['-1', '1001', 'ten'],
  ],
  METRICS_LIMIT_HEADERS: ['maxHeaders', 64, [['1000', 1000]], 'an integer from 1 to 1000', ['0', '1001', 'ten']],
  METRICS_HEADER_TIMEOUT_MS: ['headerTimeoutMs', 10_000, [['250', 250]], MILLISECONDS, NO.milliseconds],
  METRICS_IDLE_TIMEOUT_MS: ['idleTimeoutMs', 120_000, [['250', 250]], MILLISECONDS, NO.milliseconds],
  METRICS_WRITE_TIMEOUT_MS: ['writeTimeoutMs', 30_000, [['250', 250]], MILLISECONDS, NO.milliseconds],
  METRICS_LIMIT_BODY_BYTES: [
    'maxBodyBytes',
    268_435_456,
    [['1048576', 1_048_576]],
    'an integer from 1048576 to 4294967295',
    ['1048575', '4294967296', 'ten'],
  ],
};

/** Settings that the settings of TLS need beside them: a certificate alone is refused. */
const TLS = {
  METRICS_TLS_CERT_FILE: files.certificate,
  METRICS_TLS_KEY_FILE: files.key,
  METRICS_TLS_CLIENT_CA_FILE: files.certificate,
};
const { METRICS_TLS_CLIENT_CA_FILE: _, ...PAIR } = TLS;
const besides = (variable, text) => {
  if (!variable.startsWith('METRICS_TLS_')) return {};
  // Without client certificates there is no authority for them.
  return text === 'NoClientCert' ? PAIR : TLS;
};
const valuesBesides = (variable, text) =>
  Object.fromEntries(Object.entries(besides(variable, text)).map(([name, value]) => [variables[name][0], value]));

/** The values of these variables are secret and must not be shown. */
const SECRETS = ['METRICS_AUTH_BEARER_TOKENS', 'METRICS_AUTH_BASIC_USERS'];

/** Those of endpoints. `push/settings.test.mjs` has those of pushers. */
const settings = addon.NativeConfig.settings().filter(({ options }) => options !== 'pusher');

test('every variable of endpoints is tested here', (t) => {
  t.deepEqual(Object.keys(variables).sort(), settings.map(({ variable }) => variable).sort());
  for (const { variable, option } of settings) {
    if (variable !== 'METRICS_CACHE_ENABLED') t.is(variables[variable][0], option, variable);
  }
});

const defaults = configFromEnv({});

test('without variables there are only defaults', (t) => {
  for (const [variable, [key, value]] of Object.entries(variables)) {
    if (value !== undefined || !(key in defaults)) t.deepEqual(defaults[key], value, variable);
  }
  const keys = new Set(Object.values(variables).map(([key]) => key));
  t.deepEqual(
    Object.keys(defaults).filter((key) => !keys.has(key)),
    [],
  );
});

function row({ variable, option, defaultWords, expected, options, sentence }) {
  const standard = defaults[option];
  const shown = standard === undefined || standard.length === 0 ? '' : `\`${standard}\``;
  const only = options === 'exporter' ? ' Exporter only.' : '';
  return `| \`${variable}\` | \`${option}\` | ${defaultWords === '' ? shown : defaultWords} | ${expected} | ${sentence}${only} |`;
}

test('docs/endpoint.md has every setting of the core', async (t) => {
  await holdsTable(t, new URL('../docs/endpoint.md', import.meta.url), settings.map(row));
});

for (const [variable, [key, , good, expected, bad]] of Object.entries(variables)) {
  for (const [text, value] of good) {
    test(`${variable}=${text}`, (t) => {
      const env = { ...besides(variable, text), [variable]: text };
      t.deepEqual(configFromEnv(env), { ...defaults, ...valuesBesides(variable, text), [key]: value });
    });
  }

  for (const text of bad) {
    test(`${variable}=${text} is refused`, (t) => {
      const received = SECRETS.includes(variable) ? 'something else' : JSON.stringify(text.trim());
      t.throws(() => configFromEnv({ [variable]: text }), {
        instanceOf: ConfigurationError,
        code: 'INVALID_CONFIG',
        message: `Expected ${expected} for ${variable} but received ${received}`,
      });
    });
  }

  test(`an empty ${variable} counts as not set`, (t) => {
    for (const text of ['', ' ', '\t\n', undefined]) t.deepEqual(configFromEnv({ [variable]: text }), defaults);
  });
}

test('other variables are ignored', (t) => {
  const env = {
    METRICS_ENDPOINT_PROT: '1',
    metrics_endpoint_port: '1',
    ENDPOINT_PORT: '1',
    METRICS_: 'x',
    PATH: '/bin',
  };
  t.deepEqual(configFromEnv(env), defaults);
});

test('a time to live turns the cache on, unless the cache is turned off', (t) => {
  const ttl = (env) => configFromEnv(env).cacheTtlMs;
  t.is(ttl({ METRICS_CACHE_ENABLED: 'true', METRICS_CACHE_TTL_MS: '500' }), 500);
  t.is(ttl({ METRICS_CACHE_ENABLED: 'false', METRICS_CACHE_TTL_MS: '500' }), 0);
  t.is(ttl({ METRICS_CACHE_ENABLED: 'true', METRICS_CACHE_TTL_MS: '0' }), 0);
});

test('all variables at once', (t) => {
  const env = {};
  const expected = { ...defaults };
  for (const [variable, [key, , [[text, value]]]] of Object.entries(variables)) {
    env[variable] = text;
    expected[key] = value;
  }
  t.deepEqual(configFromEnv(env), { ...expected, cacheTtlMs: 0 });
});

/** Options with an invalid type or value. Each is refused with the name of the option. */
const wrong = [
  ...['enabled', 'selfMetrics', 'compressionEnabled', 'protectHealth'].flatMap((name) => [
    [name, 'true', FLAG, '"true" of type string'],
    [name, 1, FLAG, '1 of type number'],
    [name, null, FLAG, 'null'],
  ]),
  ...['timeoutMs', 'readyTimeoutMs', 'stallAfterMs', 'headerTimeoutMs', 'idleTimeoutMs', 'writeTimeoutMs'].flatMap(
    (name) => [
      [name, 0, MILLISECONDS, '0 of type number'],
      [name, Number.NaN, MILLISECONDS, 'NaN of type number'],
      [name, Number.NEGATIVE_INFINITY, MILLISECONDS, '-Infinity of type number'],
      [name, '250', MILLISECONDS, '"250" of type string'],
      [name, 250n, MILLISECONDS, '250 of type bigint'],
    ],
  ),
  ['cacheTtlMs', -1, 'milliseconds from 0 to 86400000', '-1 of type number'],
  ['compressionMinSize', 0.5, 'an integer from 0 to 4294967295', '0.5 of type number'],
  ['maxBodyBytes', 1, 'an integer from 1048576 to 4294967295', '1 of type number'],
  ['maxHeaders', 1001, 'an integer from 1 to 1000', '1001 of type number'],
  ['rateLimitRps', 0, 'a number from 0.001 to 1000000', '0 of type number'],
  ['rateLimitBurst', 1.5, 'an integer from 1 to 1000000', '1.5 of type number'],
  ['authFailuresPerMinute', 0, 'an integer from 1 to 1000000', '0 of type number'],
  ['path', 'x', 'a path of ASCII that begins with /, other than /, /health and /ready', '"x" of type string'],
  ['bearerTokens', 'secret', LIST, 'something else'],
  ['bearerTokens', ['a', ''], LIST, 'something else'],
  ['bearerTokens', ['a', 5], LIST, 'something else'],
  ['basicUsers', ['secret'], 'users as name:bcrypt-hash', 'something else'],
  ['bearerTokenFile', 5, FILE, '5 of type number'],
  ['allowlist', '10.0.0.0/8', LIST, '"10.0.0.0/8" of type string'],
  ['allowlist', [''], LIST, '[""] of type Array'],
  ['trustedProxies', {}, LIST, 'an object of type Object'],
  ['webConfigFile', '', FILE, '"" of type string'],
];
/** Options of the exporter only. `options.test.mjs` has the handlers' message. */
const LISTENERS = new Set(
  addon.NativeConfig.settings()
    .filter(({ options }) => options === 'exporter')
    .map(({ option }) => option),
);
for (const [name, value, expected, received] of wrong) {
  test(`both doors refuse ${name}: ${String(value)} of type ${typeof value}`, async (t) => {
    const error = {
      instanceOf: ConfigurationError,
      code: 'INVALID_CONFIG',
      message: `Expected ${expected} for ${name} but received ${received}`,
    };
    t.throws(() => createMetricsHandler({ [name]: value }), LISTENERS.has(name) ? { code: 'INVALID_CONFIG' } : error);
    await t.throwsAsync(startExporter({ port: 0, host: '127.0.0.1', [name]: value }), error);
  });
}

test('an undefined option counts as not set', async (t) => {
  const names = [...Object.values(variables).map(([key]) => key), 'registry', 'scope', 'checks', 'authenticate'];
  const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
  createMetricsHandler(nothing);
  const running = await startExporter({ ...nothing, host: '127.0.0.1', port: 0 });
  await running.close();
  t.pass();
});

test('doors read the environment, and options override it', async (t) => {
  const child = start(
    t,
    async ({ client, say }) => {
      const shown = async (options) => {
        const exporter = await client.startExporter(options);
        const statuses = {};
        for (const path of ['/env', '/option', '/metrics']) statuses[path] = (await fetch(exporter.url + path)).status;
        const own = (await (await fetch(`${exporter.url}/env`)).text()).includes('llmdevops_metrics_');
        await exporter.close();
        return [exporter.url.replace(/\d+$/, 'port'), statuses, own];
      };
      await say([await shown(), await shown({ path: '/option' }), await shown({ selfMetrics: true, host: '::1' })]);
      let notOurs = 0;
      const handler = client.createMetricsHandler({ path: '/option' });
      handler({ url: '/env', method: 'GET', headers: {} }, {}, () => notOurs++);
      await say(notOurs);
      // The environment is read again for each door.
      process.env.METRICS_ENDPOINT_PATH = '/later';
      await say(client.configFromEnv().path);
    },
    null,
    {
      env: {
        METRICS_ENDPOINT_HOST: '127.0.0.1',
        METRICS_ENDPOINT_PORT: '0',
        METRICS_ENDPOINT_PATH: '/env',
        METRICS_SELF_METRICS: 'false',
      },
    },
  );
  t.deepEqual(await child.heard(), [
    ['http://127.0.0.1:port', { '/env': 200, '/option': 404, '/metrics': 404 }, false],
    ['http://127.0.0.1:port', { '/env': 404, '/option': 200, '/metrics': 404 }, false],
    ['http://[::1]:port', { '/env': 200, '/option': 404, '/metrics': 404 }, true],
  ]);
  t.is(await child.heard(), 1);
  t.is(await child.heard(), '/later');
  t.is((await child.ended).code, 0);
});

test('an invalid variable fails only the calls that read it', async (t) => {
  const child = start(
    t,
    async ({ client, say }) => {
      const messages = [];
      const noted = async (call) => {
        try {
          await call();
          messages.push(null);
        } catch ({ code, message }) {
          messages.push([code, message]);
        }
      };
      new client.Counter({ name: 'c', help: 'h' }).inc();
      await noted(() => client.register.metrics());
      await noted(() => client.register.scrape());
      await noted(() => client.configFromEnv({}));
      await noted(() => client.configFromEnv());
      await noted(() => client.createMetricsHandler());
      await noted(() => client.startExporter({ port: 0 }));
      await say(messages);
    },
    null,
    { env: { METRICS_ENDPOINT_PATH: 'nine' } },
  );
  const refused = [
    'INVALID_CONFIG',
    'Expected a path of ASCII that begins with /, other than /, /health and /ready for METRICS_ENDPOINT_PATH but received "nine"',
  ];
  t.deepEqual(await child.heard(), [null, null, null, refused, refused, refused]);
  t.deepEqual(await child.ended, { code: 0, signal: null, stderr: '' });
});

test('a handler does not read the settings of a listener', async (t) => {
  const env = Object.fromEntries(
    addon.NativeConfig.settings()
      .filter(({ options }) => options === 'exporter')
      .map(({ variable }) => [variable, 'nine']),
  );
  t.true('METRICS_ENDPOINT_PORT' in env && 'METRICS_TLS_CLIENT_AUTH' in env);
  const child = start(
    t,
    async ({ client, say, require }) => {
      const { fastifyMetrics } = require('@llm-devops/prometheus-metrics/fastify');
      client.createMetricsHandler();
      client.createFetchHandler();
      await new Promise((resolve, reject) => {
        const routes = { prefix: '', server: {}, all() {} };
        fastifyMetrics(routes, {}, (error) => (error === undefined ? resolve() : reject(error)));
      });
      const { message } = await client.startExporter({ port: 0 }).catch((error) => error);
      await say(message);
    },
    null,
    { env },
  );
  t.is(await child.heard(), 'Expected an integer from 0 to 65535 for METRICS_ENDPOINT_PORT but received "nine"');
  t.deepEqual(await child.ended, { code: 0, signal: null, stderr: '' });
});

/** The variables that Kubernetes sets in each pod for a Service called `metrics-endpoint`. */
const SERVICE_LINKS = {
  METRICS_ENDPOINT_SERVICE_HOST: '10.96.0.12',
  METRICS_ENDPOINT_SERVICE_PORT: '9090',
  METRICS_ENDPOINT_SERVICE_PORT_WEB: '9090',
  METRICS_ENDPOINT_PORT: 'tcp://10.96.0.12:9090',
  METRICS_ENDPOINT_PORT_9090_TCP: 'tcp://10.96.0.12:9090',
  METRICS_ENDPOINT_PORT_9090_TCP_PROTO: 'tcp',
  METRICS_ENDPOINT_PORT_9090_TCP_PORT: '9090',
  METRICS_ENDPOINT_PORT_9090_TCP_ADDR: '10.96.0.12',
};

/** Starts doors of each kind twice with these variables, and returns the process warnings and the exporter's status. */
async function warnedOf(t, env) {
  const child = start(
    t,
    async ({ client, say }) => {
      const warnings = [];
      process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));
      const statuses = [];
      for (let round = 0; round < 2; round++) {
        client.createMetricsHandler();
        client.createFetchHandler();
        await new Promise((resolve) => setImmediate(resolve));
        const before = warnings.length;
        const exporter = await client.startExporter({ host: '127.0.0.1', port: 0 });
        statuses.push((await fetch(`${exporter.url}/metrics`)).status, before);
        await exporter.close();
      }
      await say([warnings, statuses]);
    },
    null,
    { env },
  );
  const heard = await child.heard();
  t.is((await child.ended).code, 0);
  return heard;
}

test('a port that Kubernetes has set for a Service is ignored, and an exporter warns once', async (t) => {
  const message =
    'Expected an integer from 0 to 65535 for METRICS_ENDPOINT_PORT but received "tcp://10.96.0.12:9090", which Kubernetes sets for a Service of that name. The variable is ignored. Set "enableServiceLinks: false" in the pod, or use the option "port"';
  t.deepEqual(await warnedOf(t, SERVICE_LINKS), [[`PrometheusMetricsWarning: ${message}`], [200, 0, 200, 1]]);
});

test('a misspelled variable is warned of once, a variable of another program is not', async (t) => {
  const env = { METRICS_ENDPONT_PORT: '9464', METRICS_CACHE_TTL: '500', METRICS_PORT: '1', METRICS_URL: 'x' };
  const unknown = (wrong, right) =>
    `PrometheusMetricsWarning: Unknown variable ${wrong} is ignored. Did you mean ${right}?`;
  const [warnings, statuses] = await warnedOf(t, env);
  t.deepEqual(warnings.sort(), [
    unknown('METRICS_CACHE_TTL', 'METRICS_CACHE_TTL_MS'),
    unknown('METRICS_ENDPONT_PORT', 'METRICS_ENDPOINT_PORT'),
  ]);
  t.deepEqual(statuses, [200, 2, 200, 2]);
});

test('configFromEnv ignores the ports that Kubernetes sets, and nothing else', (t) => {
  t.deepEqual(configFromEnv(SERVICE_LINKS), defaults);
  for (const METRICS_ENDPOINT_PORT of ['udp://10.96.0.12:53', 'sctp://10.96.0.12:9', ' tcp://10.96.0.12:9090 ']) {
    t.deepEqual(configFromEnv({ METRICS_ENDPOINT_PORT }), defaults);
  }
  const refused = { instanceOf: ConfigurationError, code: 'INVALID_CONFIG' };
  t.throws(() => configFromEnv({ METRICS_ENDPOINT_PORT: 'http://10.96.0.12:9090' }), refused);
  t.throws(() => configFromEnv({ METRICS_LIMIT_CONNECTIONS: 'tcp://10.96.0.12:9090' }), refused);
});
