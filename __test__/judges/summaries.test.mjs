// Python's parsers read summaries, infos, state sets and units back from both formats: names, types, labels and every bit
// of every number. OpenMetrics' parser also checks quantiles, states and units by its own rules.

import { Info, Registry, StateSet, Summary } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { readableLabels } from './support/programs.mjs';
import { startExpositionReader } from './support/python.mjs';

const ACCEPT = {
  text: 'text/plain;version=0.0.4',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
};
const PROGRAMS = 300;

const label = fc.oneof(fc.constantFrom('x', 'quo"te', 'back\\slash', 'new\nline', 'é𝒳'), fc.string({ minLength: 1 }));
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e12 }), fc.nat(5));
const program = fc.record({
  percentiles: fc.uniqueArray(fc.constantFrom(0, 1e-5, 0.25, 0.5, 0.999, 1), { maxLength: 5 }),
  series: fc.uniqueArray(fc.record({ label, values: fc.array(number, { maxLength: 200 }) }), {
    selector: ({ label }) => label,
    maxLength: 4,
  }),
  facts: fc.uniqueArray(label, { maxLength: 3 }),
  states: fc.uniqueArray(label, { minLength: 1, maxLength: 4 }),
  on: fc.nat(3),
});

for (const format of Object.keys(ACCEPT)) {
  test(`the Python ${format} parser reads back summaries, infos and state sets`, async (t) => {
    const read = startExpositionReader(t);
    let samplesRead = 0;
    await fc.assert(
      fc.asyncProperty(program, async (program) => {
        const { registry, expected } = perform(program, format);
        const { status, body } = await registry.scrape({ accept: ACCEPT[format] });
        if (status !== 200) throw new Error(`The scrape answered ${status}`);
        const answer = await read({ format, body: body.toString('base64') });
        const actual = answer.families.filter(({ name }) => !name.startsWith('llmdevops_metrics_')).map(readFamily);
        const [found, wanted] = [actual, expected].map((families) => JSON.stringify(families, null, 1));
        if (found !== wanted) throw new Error(`Read back:\n${found}\nRecorded:\n${wanted}`);
        samplesRead += expected.flatMap(({ samples }) => samples).length;
      }),
      { numRuns: PROGRAMS, includeErrorInReport: true },
    );
    t.true(samplesRead > PROGRAMS, `${samplesRead} samples`);
  });
}

/** Records, and says what a parser must read. */
function perform({ percentiles, series, facts, states, on }, format) {
  const registry = new Registry();
  const config = { help: 'Some help', labelNames: ['a'], registers: [registry] };
  const summary = new Summary({ ...config, name: 's_bytes', unit: 'bytes', percentiles });
  const info = new Info({ ...config, name: 'build', identity: ['a'] });
  const set = new StateSet({ ...config, name: 'state', labelNames: [], states });
  for (const { label, values } of series) for (const value of values) summary.observe({ a: label }, value);
  for (const fact of facts) info.set({ a: fact });
  set.set(states[on % states.length]);

  const isText = format === 'text';
  const samples = [];
  for (const { label, values } of series.filter(({ values }) => values.length > 0)) {
    const { count, sum, quantiles } = summary.value({ a: label });
    if (count !== values.length) throw new Error(`Expected ${values.length} observations but found ${count}`);
    for (const { quantile, value } of quantiles) {
      samples.push(['s_bytes', { quantile: isText ? String(quantile) : canonical(quantile), a: label }, value]);
    }
    samples.push(['s_bytes_sum', { a: label }, sum], ['s_bytes_count', { a: label }, count]);
  }
  const family = (name, type, samples) => ({ name, type, samples: samples.map(asText) });
  return {
    registry,
    expected: [
      family('s_bytes', 'summary', samples),
      family(
        ...(isText ? ['build_info', 'gauge'] : ['build', 'info']),
        facts.map((a) => ['build_info', { a }, 1]),
      ),
      family(
        'state',
        isText ? 'gauge' : 'stateset',
        states.map((state, at) => ['state', { state }, at === on % states.length ? 1 : 0]),
      ),
    ],
  };
}

/** A quantile as Go prints it. */
function canonical(quantile) {
  return { 0: '0.0', 1: '1.0', 1e-5: '1e-05' }[quantile] ?? String(quantile);
}

function readFamily({ name, type, samples }) {
  const values = samples.map(({ name, labels, bits }) => [name, labels, Buffer.from(bits, 'hex').readDoubleBE()]);
  return { name, type, samples: values.map(asText) };
}

function asText([name, labels, value]) {
  const own = Object.entries(readableLabels(labels)).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name} ${JSON.stringify(own)} ${value}`;
}
