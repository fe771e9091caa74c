// parseExposition() and the parsers of Python's prometheus-client agree on every text: both read the same values, or
// both reject the text. The texts are expositions of this library and of prom-client, corner cases, and thousands of
// mutations of both.
//
// PARSER_SEED and PARSER_TEXTS select other mutations and their number.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { expositions } from './support/expositions.mjs';
import { mutator, randomOf } from './support/mutations.mjs';
import { startVerdicts } from './support/python.mjs';

const SEED = Number(process.env.PARSER_SEED ?? 1);
const TEXTS = Number(process.env.PARSER_TEXTS ?? 6000);
const BATCH = 200;
const CORNERS = fileURLToPath(new URL('./support/corner-cases.txt', import.meta.url));

for (const format of ['text', 'openmetrics']) {
  test(`both parsers read expositions alike: ${format}`, async (t) => {
    const verdicts = startVerdicts(t);
    const texts = await expositions(format);
    const theirs = await verdicts({ format, texts });
    for (const [index, text] of texts.entries()) {
      t.not(theirs[index], null, text);
      t.deepEqual(ours(format, text), theirs[index]);
    }
  });

  test(`both parsers accept or reject corner cases alike: ${format}`, async (t) => {
    const verdicts = startVerdicts(t);
    const texts = (await readFile(CORNERS, 'utf8')).split('\n----\n').map((text) => JSON.parse(`"${text}"`));
    const theirs = await verdicts({ format, texts });
    for (const [index, text] of texts.entries()) t.deepEqual(ours(format, text), theirs[index], text);
    t.true(theirs.includes(null) && theirs.some((verdict) => verdict !== null));
  });

  test(`both parsers accept or reject mutations alike: ${format}`, async (t) => {
    const verdicts = startVerdicts(t);
    const texts = await expositions(format);
    const mutate = mutator(randomOf(SEED));
    const disagreements = [];
    let read = 0;
    for (let done = 0; done < TEXTS; done += BATCH) {
      const batch = Array.from({ length: BATCH }, () => mutate(texts));
      const theirs = await verdicts({ format, texts: batch });
      for (const [index, text] of batch.entries()) {
        const [one, two] = [JSON.stringify(ours(format, text)), JSON.stringify(theirs[index])];
        if (one !== two) disagreements.push({ text, ours: one, theirs: two, why: whyRefused(format, text) });
        if (two !== 'null') read++;
      }
    }
    t.deepEqual(disagreements.slice(0, 5), [], `${disagreements.length} disagreements`);
    t.log(`seed ${SEED}: ${TEXTS} texts, ${read} of them read`);
    // If all mutations were rejected, or all accepted, the test would show little.
    t.true(read > TEXTS / 20 && read < TEXTS * 0.95, `${read} read`);
  });
}

/** The result of parseExposition() in the form of the verdicts; null for a rejected text. */
function ours(format, text) {
  try {
    return parseExposition(text, { format }).families.map((family) => verdictOf(family, format));
  } catch (error) {
    if (error.code !== 'INVALID_EXPOSITION') throw error;
    return null;
  }
}

function whyRefused(format, text) {
  try {
    parseExposition(text, { format });
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/** Python names counters of the text format as in OpenMetrics. */
function verdictOf({ name, type, help, unit, samples }, format) {
  let [family, suffix] = [name, ''];
  if (format === 'text' && type === 'counter') {
    if (name.endsWith('_total')) family = name.slice(0, -'_total'.length);
    else suffix = '_total';
  }
  return [family, type, help, unit, samples.map((sample) => sampleVerdict(sample, suffix))];
}

function sampleVerdict({ name, labels, value, timestamp, exemplar, nativeHistogram }, suffix) {
  return [
    name + suffix,
    labels,
    bits(value),
    bits(timestamp),
    exemplar === undefined ? null : [exemplar.labels, bits(exemplar.value), bits(exemplar.timestamp)],
    nativeHistogram === undefined ? null : histogramVerdict(nativeHistogram),
  ];
}

function histogramVerdict({ count, sum, schema, zeroThreshold, zeroCount, ...lists }) {
  const { positiveSpans, negativeSpans, positiveDeltas, negativeDeltas } = lists;
  return [
    ...[count, sum, schema, zeroThreshold, zeroCount].map(bits),
    positiveSpans.map((span) => span.map(bits)),
    negativeSpans.map((span) => span.map(bits)),
    positiveDeltas.map(bits),
    negativeDeltas.map(bits),
  ];
}

function bits(value) {
  if (value === undefined) return null;
  if (Number.isNaN(value)) return 'nan';
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  return bytes.toString('hex');
}
