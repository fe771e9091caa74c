// The parsers of Python's prometheus-client, one of them the reference for OpenMetrics, read arbitrary metrics back
// from both formats exactly: names, types, help texts, label values and every bit of every number.

import { Counter, Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { expectedFamily, program, readableLabels } from './support/programs.mjs';
import { startExpositionReader } from './support/python.mjs';

const ACCEPT = {
  text: 'text/plain;version=0.0.4',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
};
const PROGRAMS = 1000;

for (const format of Object.keys(ACCEPT)) {
  test(`the Python ${format} parser reads back the recorded values`, async (t) => {
    const read = startExpositionReader(t);
    let samplesRead = 0;
    await fc.assert(
      fc.asyncProperty(program, async (families) => {
        const { status, body } = await perform(families).scrape({ accept: ACCEPT[format] });
        if (status !== 200) throw new Error(`The scrape answered ${status}`);
        const answer = await read({ format, body: body.toString('base64') });

        const formatBound = await boundFormatter(families, format, read);
        const expected = families.map((family) => expectedFamily(family, format, formatBound));
        // A scrape may contain metrics about itself.
        const actual = answer.families.filter(({ name }) => !name.startsWith('llmdevops_metrics_'));
        assertSame(actual.map(readFamily), expected.map(comparable));
        samplesRead += expected.flatMap(({ samples }) => samples).length;
      }),
      { numRuns: PROGRAMS, includeErrorInReport: true },
    );
    t.log(`${PROGRAMS} programs, ${samplesRead} samples`);
    t.true(samplesRead > PROGRAMS);
  });
}

test('the Python parsers reject broken expositions', async (t) => {
  const read = startExpositionReader(t);
  const registry = perform([
    { type: 'gauge', name: 'f0', help: 'help', labelNames: ['a'], series: [{ labels: { a: 'b' }, value: 1 }] },
  ]);
  const { body } = await registry.scrape({ accept: ACCEPT.openmetrics });
  const broken = {
    'no end': body.toString().replace('# EOF\n', ''),
    'an open quote': body.toString().replace('"b"', '"b'),
    'bytes that are not UTF-8': Buffer.from(body.toString().replace('"b"', '"\xff"'), 'latin1'),
  };
  for (const [what, text] of Object.entries(broken)) {
    const request = { format: 'openmetrics', body: Buffer.from(text).toString('base64') };
    await t.throwsAsync(read(request), { message: /^The openmetrics parser refuses/ }, what);
  }
});

/** Registers the families in their own registry and records their values. */
function perform(families) {
  const registry = new Registry();
  for (const { type, series, ...config } of families) {
    const options = { ...config, registers: [registry] };
    if (type === 'counter') {
      const counter = new Counter(options);
      for (const { labels, value } of series) counter.inc(labels, value);
    } else if (type === 'gauge') {
      const gauge = new Gauge(options);
      for (const { labels, value } of series) gauge.set(labels, value);
    } else {
      const histogram = new Histogram(options);
      for (const { labels, value } of series) for (const observed of value) histogram.observe(labels, observed);
    }
  }
  return registry;
}

/**
 * The text format prints bounds as JavaScript does, OpenMetrics as Go does. For OpenMetrics the Python library gives
 * the expected bounds.
 */
async function boundFormatter(families, format, read) {
  const bounds = [...new Set(families.flatMap(({ buckets = [] }) => buckets))];
  const written = new Map([[Infinity, '+Inf']]);
  for (const bound of bounds) {
    written.set(bound, format === 'text' ? String(bound) : (await read({ format, bound })).bound);
  }
  return (bound) => written.get(bound);
}

function readFamily({ name, type, help, samples }) {
  const values = samples.map(({ name: sample, labels, bits }) => {
    return [sample, readableLabels(labels), Buffer.from(bits, 'hex').readDoubleBE()];
  });
  return comparable({ name, type, help, samples: values });
}

/**
 * One string per fact, sorted. Two lists are equal exactly if the same data was read. A double is printed with the
 * shortest digits that identify it, so only the sign of zero is lost, which Python's integers do not have.
 */
function comparable({ name, type, help, samples }) {
  const lines = samples.map(([sample, labels, value]) => {
    const pairs = Object.keys(labels)
      .sort()
      .map((label) => `${label}=${JSON.stringify(labels[label])}`);
    return `${sample}{${pairs}} ${value}`;
  });
  return [`${name} ${type} ${JSON.stringify(help)}`, ...lines.sort()];
}

function assertSame(actual, expected) {
  const read = JSON.stringify(actual, null, 1);
  const recorded = JSON.stringify(expected, null, 1);
  if (read !== recorded) throw new Error(`Read back:\n${read}\nRecorded:\n${recorded}`);
}
