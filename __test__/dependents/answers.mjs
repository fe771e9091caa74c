/**
 * Compares what the endpoints of one application answer beside two libraries: names, types, label sets, and the values
 * that the requests decide. The values of measured times differ between any two runs.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The names of all default metrics of the three libraries. */
async function defaultNames() {
  const names = new Set();
  for (const name of ['prom-client', '@prometheus-io/client', '../../dist/entry/index.js']) {
    const client = require(name);
    const registry = new client.Registry();
    client.collectDefaultMetrics({ register: registry });
    for (const metric of registry.getMetricsAsArray()) names.add(metric.name);
  }
  return names;
}

const DEFAULTS = await defaultNames();
const isDefault = (name) => [...DEFAULTS].some((known) => name === known || name.endsWith(`_${known}`));

/** Families whose values are times that the application measures. */
const MEASURED = /http_request|request_seconds|seconds_of_requests|circuit_perf/;

/** The families of a text, in order: name, type, help, and samples with the value that has to be equal. */
function familiesOfText(text) {
  const families = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      const [, name, help] = /^# HELP (\S+) (.*)$/.exec(line);
      families.push({ name, help, samples: [] });
    } else if (line.startsWith('# TYPE ')) families.at(-1).type = line.split(' ')[3];
    else if (line !== '') families.at(-1)?.samples.push(line);
  }
  return families;
}

function familiesOfJson(text) {
  return JSON.parse(text).map(({ values, ...family }) => ({
    ...family,
    samples: values.map(
      ({ value, metricName = family.name, ...rest }) => `${metricName} ${JSON.stringify(rest)} ${value}`,
    ),
  }));
}

const compared = (name) => (sample) => {
  const isCount = /^\S*_count\b/.test(sample);
  return MEASURED.test(name) && !isCount ? sample.replace(/ \S+$/, ' *') : sample;
};

function read({ path, text }) {
  // A page that is not an exposition.
  if (/^<!DOCTYPE/.test(text)) return { own: text, defaults: new Map() };
  const families = path.endsWith('.json') ? familiesOfJson(text) : familiesOfText(text);
  const own = families.filter(({ name }) => !isDefault(name));
  return {
    own: own.map((family) => ({ ...family, samples: family.samples.map(compared(family.name)) })),
    defaults: new Map(families.filter(({ name }) => isDefault(name)).map(({ name, type }) => [name, type])),
  };
}

/** @throws {AssertionError} if the answers differ in what has to be equal */
export function expectEqual(ours, theirs) {
  assert.deepEqual(ours.statuses, theirs.statuses);
  assert.equal(ours.answers.length, theirs.answers.length);
  let samples = 0;
  for (const [index, answer] of theirs.answers.entries()) {
    const [our, their] = [ours.answers[index], answer];
    assert.deepEqual([our.path, our.status, our.type], [their.path, their.status, their.type]);
    const [mine, others] = [read(our), read(their)];
    assert.deepEqual(mine.own, others.own, their.path);
    for (const [name, type] of others.defaults)
      assert.equal(mine.defaults.get(name), type, `the default metric ${name}`);
    samples += others.own.length + others.defaults.size;
  }
  assert.ok(samples > 0, 'the application shows metrics');
}
