// The package as a module: one library for require and import, for its copies, and under strict settings.

import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import client, * as imported from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { manifestFields } from '../../.ci/entries.mjs';
import { samples } from '../support/exposition.mjs';

const require = createRequire(import.meta.url);
const required = require('@llm-devops/prometheus-metrics');
const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

const EXPORTS = [
  'AgentMetricsCollector',
  'AggregatorRegistry',
  'CardinalityError',
  'ClusterRegistry',
  'ConfigurationError',
  'Counter',
  'EndpointError',
  'Gauge',
  'Histogram',
  'Info',
  'LabelError',
  'LlmMetricsCollector',
  'MetricsError',
  'NegativeIncrementError',
  'Pushgateway',
  'RegistrationError',
  'Registry',
  'StateSet',
  'Summary',
  'ValueError',
  'WorkerRegistry',
  'aggregators',
  'collectDefaultMetrics',
  'configFromEnv',
  'contentType',
  'createFetchHandler',
  'createHttpMetrics',
  'createMetricsHandler',
  'exponentialBuckets',
  'linearBuckets',
  'openMetricsContentType',
  'prometheusContentType',
  'register',
  'shareProcesses',
  'startExporter',
  'startPusher',
  'validateMetricName',
  'withMetrics',
];

/** Runs a program in a Node.js of its own, in this folder, so that it finds the package; returns what it prints. */
async function run(source, ...flags) {
  const options = { cwd: fileURLToPath(new URL('.', import.meta.url)) };
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', source], options);
  return stdout;
}

/** A copy of the built package in a folder of its own. */
async function copyOfPackage(t) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(dist, join(folder, 'dist'), { recursive: true });
  return join(folder, 'dist');
}

test('the public names', (t) => {
  t.deepEqual(Object.keys(required).sort(), EXPORTS);
  // What Node.js adds to the names of a CommonJS module depends on its version.
  const added = ['__esModule', 'default', 'module.exports'];
  const names = Object.keys(imported).filter((name) => !added.includes(name));
  t.deepEqual(names.sort(), EXPORTS);
});

test('require and import give the same, by name and as default', (t) => {
  t.is(client, required);
  for (const name of EXPORTS) t.is(imported[name], required[name], name);
  t.is(required.register, required.Registry.globalRegistry);
});

test.serial('as in prom-client, contentType of require() follows the default registry, and sets it', (t) => {
  const { register, prometheusContentType, openMetricsContentType } = required;
  t.is(required.contentType, prometheusContentType);
  register.setContentType(openMetricsContentType);
  t.is(required.contentType, openMetricsContentType);
  required.contentType = prometheusContentType;
  t.is(register.contentType, prometheusContentType);
});

test('the subpath for Fastify, by require and import', async (t) => {
  const subpath = require('@llm-devops/prometheus-metrics/fastify');
  const module = await import('@llm-devops/prometheus-metrics/fastify');
  t.deepEqual(Object.keys(subpath).sort(), ['createHttpMetrics', 'fastifyMetrics']);
  for (const name of Object.keys(subpath)) t.is(module[name], subpath[name], name);
  t.is(module.default, subpath);
  t.not(subpath.createHttpMetrics, required.createHttpMetrics);
});

test('the subpath for tests, by require and import', async (t) => {
  const subpath = require('@llm-devops/prometheus-metrics/testing');
  const module = await import('@llm-devops/prometheus-metrics/testing');
  t.deepEqual(Object.keys(subpath).sort(), [
    'Exposition',
    'ExpositionError',
    'MockClock',
    'MockRegistry',
    'SnapshotDiff',
    'assertCounted',
    'assertMetric',
    'assertObserved',
    'assertValidExposition',
    'diffSnapshots',
    'metricMatchers',
    'parseExposition',
    'replay',
    'synthesize',
  ]);
  for (const name of Object.keys(subpath)) t.is(module[name], subpath[name], name);
  t.is(module.default, subpath);
});

const FRAMEWORKS = {
  langchain: ['createLangChainHandler'],
  mastra: ['createMastraExporter'],
  mcp: ['instrumentMcpClient', 'instrumentMcpServer'],
  'openai-agents': ['createTraceProcessor'],
};

for (const [name, exports] of Object.entries(FRAMEWORKS)) {
  test(`the subpath for ${name}, by require and import, without what it measures`, async (t) => {
    const subpath = require(`@llm-devops/prometheus-metrics/${name}`);
    const module = await import(`@llm-devops/prometheus-metrics/${name}`);
    t.deepEqual(Object.keys(subpath), exports);
    for (const exported of exports) t.is(module[exported], subpath[exported], exported);
    t.is(module.default, subpath);
  });
}

test('package.json has the subpaths of src/entry, as `npm run build:ts` writes them', (t) => {
  const manifest = require('@llm-devops/prometheus-metrics/package.json');
  for (const [field, value] of Object.entries(manifestFields())) t.deepEqual(manifest[field], value, field);
});

test('package.json promises no modules without side effects, because bundlers would drop some that are needed', (t) => {
  t.false('sideEffects' in require('@llm-devops/prometheus-metrics/package.json'));
});

test('only the package itself, its subpaths and its manifest can be imported', (t) => {
  t.is(require('@llm-devops/prometheus-metrics/package.json').name, '@llm-devops/prometheus-metrics');
  for (const path of ['dist/entry/index.js', 'dist/registry/registry.js', 'registry']) {
    t.throws(() => require(`@llm-devops/prometheus-metrics/${path}`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  }
});

test('a second copy of the package hands out what the first made', async (t) => {
  const folder = await copyOfPackage(t);
  const copies = [
    require(join(folder, 'entry/index.js')),
    await import(pathToFileURL(join(folder, 'entry/index.mjs'))),
  ];
  for (const copy of copies) {
    t.not(copy, required);
    for (const name of EXPORTS) t.is(copy[name], required[name], name);
  }
  const [{ Counter, register, ValueError }] = copies;
  const counter = new Counter({ name: 'copied', help: 'Some help' });
  t.true(counter instanceof imported.Counter);
  t.is(imported.register.getSingleMetric('copied'), counter);
  counter.inc(2);
  t.true((await samples(imported.register)).includes('copied 2'));
  t.throws(() => imported.register.getSingleMetric('copied').inc('x'), { instanceOf: ValueError });
  register.removeSingleMetric('copied');
});

test('a copy that comes first hands out its own to the package', async (t) => {
  const folder = await copyOfPackage(t);
  const shown = await run(`
    const copy = require(${JSON.stringify(join(folder, 'entry/index.js'))});
    new copy.Gauge({ name: 'g', help: 'Some help' }).set(7);
    const original = require('@llm-devops/prometheus-metrics');
    original.register.metrics().then((text) => console.log(original.register === copy.register, text));
  `);
  t.is(shown, 'true # HELP g Some help\n# TYPE g gauge\ng 7\n\n');
});

test('it works where strings may not become code', async (t) => {
  const shown = await run(
    `
    const { Counter, Gauge, Histogram, register, createMetricsHandler } = require('@llm-devops/prometheus-metrics');
    try {
      new Function('');
      throw new Error('strings became code');
    } catch (error) {
      if (!(error instanceof EvalError)) throw error;
    }
    for (const count of [0, 1, 2, 3, 4, 5, 8]) {
      const labelNames = Array.from({ length: count }, (_, i) => 'l' + i);
      const labels = Object.fromEntries(labelNames.map((name) => [name, 'x']));
      const config = { help: 'Some help', labelNames };
      new Counter({ name: 'c' + count, ...config }).inc(labels);
      new Gauge({ name: 'g' + count, ...config }).set(labels, 2);
      new Histogram({ name: 'h' + count, buckets: [1], ...config }).observe(labels, 3);
    }
    createMetricsHandler();
    register.scrape().then(({ body }) => {
      console.log(body.toString().match(/^(?!#|llmdevops_metrics_).+$/gm).length, body.toString().includes('\\nc3{l0="x",l1="x",l2="x"} 1\\n'));
    });
  `,
    '--disallow-code-generation-from-strings',
  );
  t.is(shown, `${7 * 6} true\n`);
});

for (const load of [`require('@llm-devops/prometheus-metrics')`, `import('@llm-devops/prometheus-metrics')`]) {
  test(`${load} reads one variable, and opens, starts and listens to nothing`, async (t) => {
    const report = JSON.parse(
      await run(`
      const reads = [];
      const { env } = process;
      const noted = (act) => (target, name, ...rest) => {
        // Node.js reads variables of its own while it loads modules; the reader stands on the third line.
        const reader = new Error().stack.split('\\n')[2];
        if (!reader.includes('node:internal')) reads.push(String(name) + reader);
        return Reflect[act](target, name, ...rest);
      };
      process.env = new Proxy(env, {
        get: noted('get'),
        has: noted('has'),
        ownKeys: noted('ownKeys'),
        getOwnPropertyDescriptor: noted('getOwnPropertyDescriptor'),
      });
      const state = () => ({
        // Node.js may still be closing the files that it has loaded.
        resources: process.getActiveResourcesInfo().filter((name) => !/^(FSReq|CloseReq)/.test(name)),
        listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
      });
      const before = state();
      // Both ways are waited for alike.
      Promise.resolve(${load}).then(() => {
        process.env = env;
        console.log(JSON.stringify({ reads, before, after: state() }));
      });
    `),
    );
    const [read, ...others] = report.reads;
    t.regex(read, /^METRICS_ADDON_PATH .*namedFile/);
    t.deepEqual(others, []);
    t.deepEqual(report.after, report.before);
  });
}

test('it adds one hidden name to the globals, and changes no built-in', async (t) => {
  const added = await run(`
    const keys = () => Reflect.ownKeys(globalThis);
    const builtIns = () => [Array, Object, Map, Promise, Float64Array, String].map(({ prototype }) => Reflect.ownKeys(prototype).length);
    const [before, shapes] = [keys(), builtIns()];
    require('@llm-devops/prometheus-metrics');
    const added = keys().filter((key) => !before.includes(key));
    console.log(JSON.stringify([added.map(String), added.map((key) => Object.prototype.propertyIsEnumerable.call(globalThis, key)), String(builtIns()) === String(shapes)]));
  `);
  t.deepEqual(JSON.parse(added), [['Symbol(@llm-devops/prometheus-metrics@0.1)'], [false], true]);
});
