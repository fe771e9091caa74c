// The default exports that compiled programs need, imports of the files of prom-client, and lazy loading.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import test from 'ava';
import { entries } from '../../.ci/entries.mjs';

const require = createRequire(import.meta.url);
const PACKAGE = '@llm-devops/prometheus-metrics';
const library = require(PACKAGE);

/** What compilers make of `import x from` in a CommonJS program: `default`, if the module says that it was an ES module. */
const compiledDefault = (module) => (module.__esModule ? module : { default: module }).default;

// The entry `auto` starts an exporter when it is loaded.
process.env.METRICS_ENDPOINT_PORT = '0';

for (const { path, hasNames } of entries()) {
  if (!hasNames) continue;
  const name = path === 'index' ? PACKAGE : `${PACKAGE}/${path}`;

  test(`${name}: the default export has all names, and is hidden`, (t) => {
    const module = require(name);
    t.is(compiledDefault(module), module);
    t.false(Object.keys(module).includes('default'));
    t.true(Object.keys(module).length > 0);
  });
}

const CLASSES = {
  cluster: 'AggregatorRegistry',
  counter: 'Counter',
  gauge: 'Gauge',
  histogram: 'Histogram',
  pushgateway: 'Pushgateway',
  registry: 'Registry',
  worker: 'WorkerRegistry',
};

for (const [file, name] of Object.entries(CLASSES)) {
  test(`prom-client's lib/${file} is the class ${name}, with and without extension`, async (t) => {
    for (const path of [`${PACKAGE}/lib/${file}`, `${PACKAGE}/lib/${file}.js`]) {
      t.is(require(path), library[name]);
      t.is(compiledDefault(require(path)), library[name]);
      t.is((await import(path)).default, library[name]);
    }
  });
}

test("prom-client's lib/registry leads to the default registry", async (t) => {
  t.is(require(`${PACKAGE}/lib/registry`).globalRegistry, library.register);
  t.is((await import(`${PACKAGE}/lib/registry.js`)).globalRegistry, library.register);
});

test("prom-client's other files that programs import", async (t) => {
  for (const extension of ['', '.js']) {
    t.is(require(`${PACKAGE}/lib/defaultMetrics${extension}`), library.collectDefaultMetrics);
    const { linearBuckets, exponentialBuckets } = await import(`${PACKAGE}/lib/bucketGenerators${extension}`);
    t.is(linearBuckets, library.linearBuckets);
    t.is(exponentialBuckets, library.exponentialBuckets);
    const { aggregators, AggregatorFactory } = await import(`${PACKAGE}/lib/metricAggregators${extension}`);
    t.is(aggregators, library.aggregators);
    const last = AggregatorFactory((values) => values.at(-1).value);
    const families = [1, 2].map((value) => ({ name: 'm', values: [{ labels: {}, value }] }));
    t.is(last(families).values[0].value, 2);
  }
  t.is(require(`${PACKAGE}/index.js`), library);
});

/** Runs a program that has the library as `library`, by `require` or by `import`; returns what it prints as JSON. */
async function run(source, load = `require('${PACKAGE}')`) {
  const program = `(async () => {
    const library = await ${load};
    ${source}
  })();`;
  return JSON.parse((await promisify(execFile)(process.execPath, ['-e', program])).stdout);
}

for (const load of [`require('${PACKAGE}')`, `import('${PACKAGE}')`]) {
  test(`${load} loads collectors and doors when they are first used`, async (t) => {
    const shown = await run(
      `const parts = ['llm-collector', 'agent-collector', 'default-metrics', 'http', 'instrumentation', 'testing'];
      const loaded = () => {
        const files = Object.keys(require.cache).map((file) => file.slice(file.lastIndexOf('dist')));
        return parts.filter((part) => files.some((file) => file.includes(part)));
      };
      const uses = [
        () => {},
        () => new library.LlmMetricsCollector(),
        () => new library.AgentMetricsCollector(),
        () => library.collectDefaultMetrics()(),
        () => library.createMetricsHandler(),
      ];
      console.log(JSON.stringify(uses.map((use) => (use(), loaded()))));`,
      load,
    );
    t.deepEqual(shown, [
      [],
      ['llm-collector'],
      ['llm-collector', 'agent-collector'],
      ['llm-collector', 'agent-collector', 'default-metrics'],
      ['llm-collector', 'agent-collector', 'default-metrics', 'http'],
    ]);
  });
}

test('functions that load a part on first use have their names', (t) => {
  for (const name of [
    'configFromEnv',
    'createFetchHandler',
    'createHttpMetrics',
    'createMetricsHandler',
    'startExporter',
  ]) {
    t.is(library[name].name, name);
  }
});

test('a class that is loaded on first use is a class like any other', async (t) => {
  const shown = await run(
    `const { AgentMetricsCollector, LlmMetricsCollector, Registry } = library;
    const registry = new Registry();
    class Own extends LlmMetricsCollector {
      constructor(options) {
        super(options);
        this.own = true;
      }
    }
    const own = new Own({ registry, namespace: 'own' });
    const plain = new LlmMetricsCollector({ registry });
    LlmMetricsCollector.added = 1;
    const result = {
      instances: [own instanceof Own, own instanceof LlmMetricsCollector, plain instanceof LlmMetricsCollector],
      others: [plain instanceof Own, plain instanceof AgentMetricsCollector, {} instanceof LlmMetricsCollector],
      constructors: [own.constructor === Own, plain.constructor === LlmMetricsCollector],
      names: [LlmMetricsCollector.name, require('node:util').inspect(plain)],
      own: Object.getOwnPropertyNames(LlmMetricsCollector),
      describes: Object.keys(Object.getOwnPropertyDescriptors(LlmMetricsCollector)).length,
      added: [LlmMetricsCollector.added, 'added' in LlmMetricsCollector, delete LlmMetricsCollector.added, 'added' in LlmMetricsCollector],
      parents: [Object.getPrototypeOf(LlmMetricsCollector) === Function.prototype, Object.getPrototypeOf(Own) === LlmMetricsCollector],
    };
    try { LlmMetricsCollector(); } catch (error) { result.called = error.constructor.name; }
    // As a test replaces a method.
    LlmMetricsCollector.prototype.recordRequest = () => 'replaced';
    result.replaced = plain.recordRequest();
    console.log(JSON.stringify(result));`,
  );
  t.deepEqual(shown, {
    instances: [true, true, true],
    others: [false, false, false],
    constructors: [true, true],
    names: ['LlmMetricsCollector', 'LlmMetricsCollector {}'],
    own: ['length', 'name', 'prototype', 'added'],
    describes: 4,
    added: [1, true, true, false],
    parents: [true, true],
    called: 'TypeError',
    replaced: 'replaced',
  });
});

test('what is loaded when it is first read can be replaced, as other exports can', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    `'use strict';
    const library = require('${PACKAGE}');
    for (const name of ['Counter', 'LlmMetricsCollector', 'Pushgateway', 'AggregatorRegistry', 'aggregators']) {
      const fake = class {};
      library[name] = fake;
      console.log(library[name] === fake, Object.keys(library).includes(name));
    }`,
  ]);
  t.is(stdout, 'true true\n'.repeat(5));
});
