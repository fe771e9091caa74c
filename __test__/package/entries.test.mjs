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

test('require loads the LLM and agent collectors when they are first read', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    `const names = () => Object.keys(require.cache).filter((file) => /collectors.(llm|agent)./.test(file));
    const library = require('${PACKAGE}');
    const before = names().length;
    new library.LlmMetricsCollector();
    const llm = names().filter((file) => file.includes('llm-collector')).length;
    const agent = names().filter((file) => file.includes('agent-collector')).length;
    new library.AgentMetricsCollector();
    const both = names().filter((file) => file.includes('agent-collector')).length;
    console.log(JSON.stringify([before, llm, agent, both]));`,
  ]);
  t.deepEqual(JSON.parse(stdout), [0, 1, 0, 1]);
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
