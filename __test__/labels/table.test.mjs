// Tests the table that finds label sets, and its finders, against a plain map: similar and colliding texts, removal, growth
// in steps, and processes that may not compile code.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import fc from 'fast-check';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const { LabelTable, NO_ENTRY, NO_SLOT } = require(`${ROOT}dist/labels/table.js`);
const { openFinder } = require(`${ROOT}dist/labels/finder.js`);

/** Far more calls than a finder makes before it is compiled. */
const MANY_CALLS = 200;

/** A table with its finders: the one that it begins with, and the compiled ones. */
function tableOf(...names) {
  const table = new LabelTable(names);
  const finders = {};
  for (const answer of ['slot', 'entry']) {
    const first = openFinder(table, answer, (compiled) => {
      finders[`compiled ${answer}`] = compiled;
    });
    for (let call = 0; call < MANY_CALLS; call++) first({});
    finders[`first ${answer}`] = first;
  }
  return { table, finders };
}

/** What each finder answers for labels, as the slot. */
function answers({ table, finders }, labels) {
  const slots = Object.entries(finders).map(([kind, find]) => {
    const found = find(labels);
    if (kind.endsWith('slot')) return found;
    return found === NO_ENTRY ? NO_SLOT : table.slotOf(found) | 0;
  });
  return [...new Set(slots)];
}

/** A text that another one equals in its length and in the six characters that are hashed after the last two. */
function similar(number) {
  const digits = String(number).padStart(6, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}_-------`;
}

/** Entries of the index with the same hash as another one, at most, and the longest search. */
function shape({ places, names }) {
  const hashes = new Map();
  for (let at = 0; at < places.length; at += 2) {
    if (places[at + 1] > 1) hashes.set(places[at], (hashes.get(places[at]) ?? 0) + 1);
  }
  return { most: Math.max(...hashes.values()), labels: names.length };
}

test('both finders are compiled', (t) => {
  const { finders } = tableOf('a', 'b');
  t.deepEqual(Object.keys(finders).sort(), ['compiled entry', 'compiled slot', 'first entry', 'first slot']);
  t.regex(String(finders['compiled slot']), /text1 === 'string'|chunk\[at \+ 1\] === text1/);
});

test('random programs leave what a plain map has', (t) => {
  const NAMES = ['a', 'constructor', '__proto__', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q'];
  const text = fc.oneof(
    fc.constantFrom('', 'x', 'y', 'xx', 'yxx', 'true', '1', '0', '\ufffd', '\u20ac'),
    fc.nat(40).map(similar),
    fc.nat(9).map((number) => `/users/${number}/profile`),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  );
  const program = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 17).chain((count) =>
    fc.array(
      fc.record({
        texts: fc.array(text, { minLength: count, maxLength: count }),
        kind: fc.constantFrom('insert', 'insert', 'insert', 'remove', 'find', 'find', 'clear'),
        chance: fc.nat(19),
        reversed: fc.boolean(),
      }),
      { minLength: 1, maxLength: 200 },
    ),
  );
  fc.assert(
    fc.property(program, (steps) => {
      const names = NAMES.slice(0, steps[0].texts.length);
      const world = tableOf(...names);
      const { table } = world;
      const model = new Map();
      let slot = 0;
      for (const { texts, kind, chance, reversed } of steps) {
        const key = JSON.stringify(texts);
        if (kind === 'insert' && !model.has(key)) {
          // Slots above 2^31 are as good as any.
          const given = slot++ % 2 === 0 ? slot : 2 ** 32 - 1 - slot;
          table.insert(texts, given, key);
          model.set(key, given);
        } else if (kind === 'remove' && model.has(key)) {
          table.delete(table.search(texts));
          model.delete(key);
        } else if (kind === 'clear' && chance === 0) {
          table.clear();
          model.clear();
        }
        const pairs = names.map((name, label) => [name, texts[label]]);
        if (reversed) pairs.reverse();
        // Object.fromEntries() makes an own property of `__proto__`.
        t.deepEqual(answers(world, Object.fromEntries(pairs)), [(model.get(key) ?? NO_SLOT) | 0]);
      }
      const entries = [...table.entries()];
      t.deepEqual([table.size, entries.length], [model.size, model.size]);
      for (const entry of entries) t.is(table.slotOf(entry), model.get(JSON.stringify(table.textsOf(entry))));
      for (const entry of entries) t.is(table.ownerOf(entry), JSON.stringify(table.textsOf(entry)));
    }),
    { numRuns: 300 },
  );
});

test('values are found by their texts; objects and ill-formed strings are never found', (t) => {
  const world = tableOf('a', 'b');
  const known = { '': 1, 5: 2, true: 3, '-0.5': 4, NaN: 5, 1023: 6, 1024: 7, '18446744073709551616': 8, '\ufffd': 9 };
  for (const [text, slot] of Object.entries(known)) world.table.insert([text, ''], slot, slot);
  const found = (a) => answers(world, { a });
  for (const [value, slot] of [
    [null, 1],
    [undefined, 1],
    [5, 2],
    [5n, 2],
    [true, 3],
    [-0.5, 4],
    [Number.NaN, 5],
    [1023, 6],
    [1024, 7],
    [2n ** 64n, 8],
    ['\ufffd', 9],
    ['\ud800', NO_SLOT],
    [new String('5'), NO_SLOT],
    [{ toString: () => '5' }, NO_SLOT],
    [() => '5', NO_SLOT],
    [Symbol.iterator, NO_SLOT],
  ]) {
    t.deepEqual(found(value), [slot], typeof value);
    if (slot !== NO_SLOT) continue;
    t.is(world.table.takeMissed(), undefined);
  }
  t.deepEqual(found('6'), [NO_SLOT]);
  t.deepEqual(world.table.takeMissed(), ['6', '']);
});

test('an unknown label is an error, and its value is not read', (t) => {
  const { finders } = tableOf('a');
  for (const find of Object.values(finders)) {
    for (const name of ['b', '0', '__proto__', 'toString']) {
      const labels = Object.defineProperty({}, name, { enumerable: true, get: () => t.fail('the value was read') });
      t.throws(() => find(labels), {
        code: 'UNKNOWN_LABEL',
        message: `Added label "${name}" is not included in initial labelset: [ 'a' ]`,
      });
    }
  }
});

for (const count of [1, 3]) {
  test(`${count} labels: texts that were chosen to collide are told apart, while the table grows and shrinks`, (t) => {
    const names = ['a', 'b', 'c'].slice(0, count);
    const world = tableOf(...names);
    const { table } = world;
    const SETS = 20_000;
    const textsOf = (number) => [similar(number), 'same', 'same'].slice(0, count);
    const labelsOf = (number) => Object.fromEntries(names.map((name, label) => [name, textsOf(number)[label]]));
    let longest = 0;
    for (let number = 0; number < SETS; number++) {
      table.insert(textsOf(number), number, number);
      // An index that is being replaced has its entries in two places.
      if (number % 97 === 0) for (const at of [0, number >> 1, number]) t.deepEqual(answers(world, labelsOf(at)), [at]);
      if (number % 1000 === 999) longest = Math.max(longest, shape(table).most);
    }
    t.true(longest < 8, `${longest} label sets have one hash`);
    for (let number = 0; number < SETS; number++) {
      if (number % 10 !== 0) table.delete(table.search(textsOf(number)));
      if (number % 97 === 0) t.deepEqual(answers(world, labelsOf(number)), [number % 10 === 0 ? number : NO_SLOT]);
    }
    t.is(table.size, SETS / 10);
    for (let number = SETS; number < 2 * SETS; number++) table.insert(textsOf(number), number, number);
    for (let number = 0; number < 2 * SETS; number += 5) {
      const kept = number >= SETS || number % 10 === 0;
      t.deepEqual(answers(world, labelsOf(number)), [kept ? number : NO_SLOT]);
    }
  });
}

test('label sets come and go without end', (t) => {
  const world = tableOf('a', 'b');
  const { table } = world;
  for (let number = 0; number < 50_000; number++) {
    table.insert([`${number}`, 'x'], number, number);
    if (number >= 3000) table.delete(table.search([`${number - 3000}`, 'x']));
  }
  t.is(table.size, 3000);
  t.true(table.places.length <= 32_768, `${table.places.length}`);
  t.true(table.chunks.length <= 2, `${table.chunks.length}`);
  for (let number = 47_000; number < 50_000; number++) t.deepEqual(answers(world, { b: 'x', a: number }), [number]);
});

test('a metric may have thousands of labels', (t) => {
  const names = Array.from({ length: 9000 }, (_, label) => `l${label}`);
  const { table } = tableOf(...names);
  const texts = (last) => names.map((_, label) => (label === 8999 ? last : 'x'));
  for (const last of ['a', 'b', 'c']) table.insert(texts(last), last.charCodeAt(0), last);
  for (const last of ['a', 'b', 'c']) t.is(table.slotOf(table.search(texts(last))), last.charCodeAt(0));
  t.is(table.search(texts('d')), NO_ENTRY);
});

test('a process that may not compile code from strings records the same', async (t) => {
  const program = `
    import { Counter, Registry } from '@llm-devops/prometheus-metrics';
    const registers = [new Registry()];
    const counter = new Counter({ name: 'c', help: 'h', labelNames: ['a', 'b'], registers });
    for (let i = 0; i < 1000; i++) counter.inc(i % 2 ? { a: i % 3, b: 'x' } : { b: 'x', a: String(i % 3) });
    try { new Function('') } catch { console.log('none') }
    console.log(await registers[0].metrics());`;
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: new URL('.', import.meta.url) });
  t.deepEqual(stdout.trim().split('\n'), [
    'none',
    '# HELP c h',
    '# TYPE c counter',
    'c{b="x",a="0"} 334',
    'c{a="1",b="x"} 333',
    'c{b="x",a="2"} 333',
  ]);
});
