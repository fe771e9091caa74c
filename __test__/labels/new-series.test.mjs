// Tests how labels reach the core: most as bytes in shared memory, and the others as arrays. Texts of all lengths around
// what the memory takes, ASCII and not, in every order, also on worker threads.

import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { Counter, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { escaped, samplesOf } from '../support/exposition.mjs';

const require = createRequire(import.meta.url);
const { addon } = require('../../dist/native/addon.js');

/** The longest value that is passed as bytes, and the bytes of all labels of a series. */
const VALUE = 255;
const ALL = addon.SCRATCH_BYTES;

const length = fc.oneof(
  fc.nat(40),
  fc.constantFrom(0, 1, VALUE - 1, VALUE, VALUE + 1, ALL / 4 - 2, ALL / 4 - 1, ALL, ALL + 1, 70_000),
);
const character = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('a', '0', ' ', '"', '\\', '\n', '\0', '\x7f') },
  { weight: 1, arbitrary: fc.constantFrom('\x80', '\xff', '\u0100', '\u20ac', '\ud83e\udd80') },
);
/** A text of some length with another character somewhere. */
const text = fc
  .tuple(length, character, character, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([size, most, one, at]) => {
    const before = Math.floor(size * at);
    return most.repeat(before) + one + most.repeat(size - before);
  });

test('each series has the labels that it was given', async (t) => {
  const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
  const sets = fc.uniqueArray(
    fc.shuffledSubarray(NAMES).chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), text)))),
    { selector: (pairs) => JSON.stringify([...pairs].sort()), minLength: 1, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(sets, async (sets) => {
      const registry = new Registry();
      const counter = new Counter({ name: 'c', help: 'Some help', labelNames: NAMES, registers: [registry] });
      for (const [index, pairs] of sets.entries()) counter.inc(Object.fromEntries(pairs), index);
      t.deepEqual(
        samplesOf(await registry.metrics()),
        sets.map((pairs, index) => {
          const labels = pairs.map(([name, value]) => `${name}="${escaped(value)}"`).join();
          return `c${labels && `{${labels}}`} ${index}`;
        }),
      );
    }),
    { numRuns: 50 },
  );
});

test('a metric may have more labels than a byte counts', async (t) => {
  const registry = new Registry();
  const labelNames = Array.from({ length: 300 }, (_, index) => `l${index}`);
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames, registers: [registry] });
  for (const name of ['l0', 'l255', 'l256', 'l299']) counter.inc({ [name]: name });
  counter.inc(Object.fromEntries(labelNames.map((name) => [name, ''])));
  const all = labelNames.map((name) => `${name}=""`).join();
  t.deepEqual(samplesOf(await registry.metrics()), [
    'c{l0="l0"} 1',
    'c{l255="l255"} 1',
    'c{l256="l256"} 1',
    'c{l299="l299"} 1',
    `c{${all}} 1`,
  ]);
});

test('bytes that are not packed labels add nothing', (t) => {
  const { createFamily, cellsOf, cellIndexOf, scratchSlot } = require('../../dist/native/contributor.js');
  const limits = { labelNames: [], labelLimits: [] };
  const family = createFamily({
    kind: 'counter',
    name: 'c',
    help: '',
    labelNames: ['a'],
    buckets: [],
    aggregator: 'sum',
    limits,
  });
  const cells = cellsOf(scratchSlot());
  const memory = new Uint8Array(cells.buffer, cellIndexOf(scratchSlot()) * 8, ALL);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.oneof(fc.nat(70), fc.nat()), (bytes, size) => {
      memory.fill(0xff);
      memory.set(bytes);
      const before = JSON.parse(family.read().text)[0].series.length;
      const added = addon.addPackedSeries(family.number(), size);
      t.is(JSON.parse(family.read().text)[0].series.length, before + Number(added));
      // Labels of values that are too long, or unfinished.
      if (size > 64) t.false(added);
    }),
  );
});

test('threads do not see labels of each other', async (t) => {
  const source = `
    const { Counter, register } = require(${JSON.stringify(require.resolve('@llm-devops/prometheus-metrics'))});
    const { parentPort, workerData } = require('node:worker_threads');
    const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['thread', 'number'] });
    for (let number = 0; number < 2000; number++) counter.inc({ thread: 't' + workerData, number: 'n' + number });
    register.metrics().then((text) => parentPort.postMessage(text));`;
  const texts = await Promise.all(
    [1, 2, 3].map(async (workerData) => {
      const worker = new Worker(source, { eval: true, workerData });
      const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
      return answer;
    }),
  );
  texts.forEach((text, index) => {
    const own = samplesOf(text).filter((line) => line.startsWith(`c{thread="t${index + 1}"`));
    t.deepEqual(
      own,
      Array.from({ length: 2000 }, (_, n) => `c{thread="t${index + 1}",number="n${n}"} 1`),
    );
    t.true(
      samplesOf(text).every((line) => !line.startsWith('c{') || /^c\{thread="t[123]",number="n\d+"\} \d$/.test(line)),
    );
  });
});
