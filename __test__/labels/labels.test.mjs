// Tests which label sets are one series: all types of values, and all ways to pass labels. The tests use counters, because
// all metrics share the code that reads labels.

import { inspect } from 'node:util';
import { Counter, LabelError, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { escaped, samples, text } from '../support/exposition.mjs';

function counterOf(...labelNames) {
  const registry = new Registry();
  return { registry, counter: new Counter({ name: 'c', help: 'Some help', labelNames, registers: [registry] }) };
}

// Values.

const printed = [
  ['a string', 'x', 'x'],
  ['a blank', ' ', ' '],
  ['an integer', 42, '42'],
  ['1.0', 1.0, '1'],
  ['-0', -0, '0'],
  ['a fraction', 0.1, '0.1'],
  ['1e21', 1e21, '1e+21'],
  ['1e-7', 1e-7, '1e-7'],
  ['NaN', Number.NaN, 'NaN'],
  ['Infinity', Number.POSITIVE_INFINITY, 'Infinity'],
  ['-Infinity', Number.NEGATIVE_INFINITY, '-Infinity'],
  ['true', true, 'true'],
  ['false', false, 'false'],
  ['a bigint', 9007199254740993n, '9007199254740993'],
  ['a symbol', Symbol('s'), 'Symbol(s)'],
  ['a function', function named() {}, 'function named() {}'],
  ['an object', {}, '[object Object]'],
  ['an object with toString()', { toString: () => 'own' }, 'own'],
  ['an array', ['a', 'b'], 'a,b'],
  ['an empty array', [], ''],
  ['a date', new Date(0), String(new Date(0))],
  ['a URL', new URL('http://host/path'), 'http://host/path'],
  ['an error', new TypeError('bad'), 'TypeError: bad'],
  ['quotes and backslashes', '"\\"\\', '"\\"\\'],
  ['newlines', '\na\n\nb\n', '\na\n\nb\n'],
  ['a carriage return', 'a\r\nb\r', 'a\r\nb\r'],
  ['NUL and other control characters', '\0\x01\x1b\x7f', '\0\x01\x1b\x7f'],
  ['what separates labels', '",b="y"} 1 # {x', '",b="y"} 1 # {x'],
  ['umlauts, CJK, emoji, combining', 'ä漢🦀e\u0301', 'ä漢🦀e\u0301'],
  ['a byte order mark and line separators', '\ufeff\u2028\u2029', '\ufeff\u2028\u2029'],
  ['a lone high surrogate', 'a\ud800b', 'a\ufffdb'],
  ['a lone low surrogate', '\udc00', '\ufffd'],
  ['surrogates the wrong way round', '\udc00\ud800', '\ufffd\ufffd'],
  ['__proto__', '__proto__', '__proto__'],
];

for (const [title, value, expected] of printed) {
  test(`as a label value, ${title} is text`, async (t) => {
    const { registry, counter } = counterOf('a');
    counter.inc({ a: value });
    counter.inc({ a: value });
    counter.labels({ a: value }).inc();
    // An object as the only argument would be read as the labels.
    if (typeof value !== 'object') counter.labels(value).inc();
    counter.inc({ a: expected }, 10);
    const count = typeof value === 'object' ? 13 : 14;
    const head = ['# HELP c Some help', '# TYPE c counter'];
    t.is(await registry.metrics(), text(...head, `c{a="${escaped(expected)}"} ${count}`));
    t.is(counter.value({ a: value }), count);
    counter.remove({ a: value });
    t.is(await registry.metrics(), text(...head));
  });
}

test('a label value of 1 MB is kept whole', async (t) => {
  const { registry, counter } = counterOf('a', 'b');
  const long = `"\\\n${'é'.repeat(2 ** 19)}`;
  counter.inc({ a: long, b: 'x' });
  counter.inc({ b: `${long}x`, a: '' });
  counter.inc({ a: long, b: 'x' });
  t.deepEqual(await samples(registry), [`c{a="${escaped(long)}",b="x"} 2`, `c{b="${escaped(long)}x",a=""} 1`]);
  counter.remove(long, 'x');
  t.is(counter.value({ a: long, b: 'x' }), 0);
  t.is(counter.value({ b: `${long}x` }), 1);
});

test('missing, undefined, null and empty labels are one series', async (t) => {
  const { registry, counter } = counterOf('a', 'b');
  for (const nothing of [undefined, null, '', []]) {
    counter.inc({ a: 'x', b: nothing });
    counter.inc({ b: nothing, a: 'x' });
    counter.labels({ a: 'x', b: nothing }).inc();
    counter.labels('x', nothing).inc();
    counter.inc({ a: nothing, b: nothing });
  }
  counter.inc({ a: 'x' });
  t.deepEqual(await samples(registry), ['c{a="x"} 17', 'c 4']);
});

test('a series prints an empty label if the first call had one', async (t) => {
  const { registry, counter } = counterOf('a', 'b');
  counter.inc({ a: '', b: 'x' });
  counter.inc({ b: 'x' });
  counter.inc({ b: null });
  counter.inc({ b: '' });
  t.deepEqual(await samples(registry), ['c{a="",b="x"} 2', 'c 2']);
});

test('a number and its text are one series, with the type that came first', async (t) => {
  const { registry, counter } = counterOf('a', 'b');
  for (const [a, b] of [
    [1, 'x'],
    ['1', 'x'],
    [1.0, 'x'],
    ['x', '2'],
    ['x', 2],
    [-0, 0],
    ['0', -0],
    [0, '0'],
    [Number.NaN, 1e21],
    ['NaN', '1e+21'],
    [Number.NaN, '1e+21'],
    ['1.0', 'x'],
    ['01', 'x'],
  ]) {
    counter.inc({ a, b });
  }
  t.deepEqual(await samples(registry), [
    'c{a="1",b="x"} 3',
    'c{a="x",b="2"} 2',
    'c{a="0",b="0"} 3',
    'c{a="NaN",b="1e+21"} 3',
    'c{a="1.0",b="x"} 1',
    'c{a="01",b="x"} 1',
  ]);
  const given = (await counter.get()).values.map(({ labels }) => labels);
  t.deepEqual(given, [
    { a: 1, b: 'x' },
    { a: 'x', b: '2' },
    { a: -0, b: 0 },
    { a: Number.NaN, b: 1e21 },
    { a: '1.0', b: 'x' },
    { a: '01', b: 'x' },
  ]);
});

test('two different lone surrogates are one series', async (t) => {
  const { registry, counter } = counterOf('a');
  counter.inc({ a: '\ud800' });
  counter.inc({ a: '\udfff' });
  counter.inc({ a: '\ufffd' });
  counter.inc({ a: { toString: () => '\ud801' } });
  counter.inc({ a: ['\udc00'] });
  t.deepEqual(await samples(registry), ['c{a="\ufffd"} 5']);
});

test('a value without a text is rejected, and makes no series', async (t) => {
  const { registry, counter } = counterOf('a', 'b');
  const refused = (received) => ({
    instanceOf: LabelError,
    code: 'INVALID_LABEL_VALUE',
    message: `Expected something that can be printed for the label "b" but received an object of type ${received}`,
  });
  const throwing = {
    toString() {
      throw new Error('mine');
    },
  };
  for (const [value, received] of [
    [Object.create(null), 'Object'],
    [throwing, 'Object'],
    [{ toString: () => ({}), valueOf: () => ({}) }, 'Object'],
    [
      new (class Unprintable extends Map {
        toString() {
          return {};
        }
        valueOf() {
          return {};
        }
      })(),
      'Unprintable',
    ],
  ]) {
    t.throws(() => counter.inc({ a: 'x', b: value }), refused(received));
    t.throws(() => counter.labels('x', value), refused(received));
    t.throws(() => counter.remove({ b: value }), refused(received));
  }
  t.deepEqual(await samples(registry), []);
});

// Names.

for (let count = 0; count <= 8; count++) {
  test(`a metric may have ${count} labels`, async (t) => {
    const names = Array.from({ length: count }, (_, i) => `l${i}`);
    const { registry, counter } = counterOf(...names);
    const labels = Object.fromEntries(names.map((name, i) => [name, `v${i}`]));
    const backwards = Object.fromEntries(Object.entries(labels).reverse());
    counter.inc(labels);
    counter.inc(backwards, 2);
    counter.labels(...Object.values(labels)).inc(4);
    counter.labels(backwards).inc(8);
    const shown = names.map((name, i) => `${name}="v${i}"`).join(',');
    t.deepEqual(await samples(registry), [`c${shown && `{${shown}}`} 15`]);
    t.is(counter.value(backwards), 15);
    // Each label alone makes another series.
    for (const [name, value] of Object.entries(labels)) counter.inc({ [name]: value });
    t.is((await samples(registry)).length, count < 2 ? 1 : count + 1);
    t.throws(() => counter.inc({ ...labels, q: '' }), {
      code: 'UNKNOWN_LABEL',
      message: `Added label "q" is not included in initial labelset: ${inspect(names)}`,
    });
    counter.remove(...Object.values(labels));
    counter.inc(backwards);
    t.is(counter.value(labels), 1);
  });
}

test('names that objects inherit are ordinary label names', async (t) => {
  const { registry, counter } = counterOf('constructor', 'toString', 'hasOwnProperty', '__proto__');
  counter.inc({ constructor: 'x' });
  counter.inc({ toString: 'y' });
  counter.inc({});
  counter.labels('1', '2', '3', '4').inc();
  t.deepEqual(await samples(registry), [
    'c{constructor="x"} 1',
    'c{toString="y"} 1',
    'c 1',
    'c{constructor="1",toString="2",hasOwnProperty="3",__proto__="4"} 1',
  ]);
});

// Many series.

test('10,000 values of one label are 10,000 series', async (t) => {
  const { registry, counter } = counterOf('a');
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 10_000; i++) counter.inc({ a: i % 2 ? i : `${i}` }, i);
  }
  t.deepEqual(
    await samples(registry),
    Array.from({ length: 10_000 }, (_, i) => `c{a="${i}"} ${2 * i}`),
  );
});

test('values stay right while one label after the other gets the most values', async (t) => {
  const { registry, counter } = counterOf('a', 'b', 'c');
  const sets = [];
  for (let i = 0; i < 5000; i++) {
    const wide = i < 16 ? 'a' : i < 64 ? 'b' : i < 256 ? 'c' : i < 1024 ? 'a' : i < 4096 ? 'b' : 'c';
    const set = { a: i % 3, b: `${i % 5}`, c: i % 2 === 0 ? '' : 'odd', [wide]: i };
    // One value occurs in this set only, so all sets differ.
    sets.push({ ...set, [wide]: `${wide}${i}` });
  }
  const permutations = [
    ['a', 'b', 'c'],
    ['c', 'a', 'b'],
    ['b', 'c', 'a'],
  ];
  const expected = new Map(sets.map((set) => [set, 0]));
  sets.forEach((set, i) => {
    counter.inc(set, i + 1);
    expected.set(set, i + 1);
    // The first set, and one in the middle, with another key order and another type of value.
    for (const again of [sets[0], sets[i >> 1]]) {
      const keys = permutations[i % 3];
      counter.inc(Object.fromEntries(keys.map((name) => [name, name === 'a' ? `${again.a}` : again[name]])), 0.5);
      expected.set(again, expected.get(again) + 0.5);
    }
  });
  const shown = ({ a, b, c }) => `a="${a}",b="${b}",c="${c}"`;
  t.deepEqual(
    await samples(registry),
    sets.map((set) => `c{${shown(set)}} ${expected.get(set)}`),
  );
  for (let i = 0; i < 5000; i += 2) counter.remove(`${sets[i].a}`, Number(sets[i].b) || sets[i].b, sets[i].c);
  const left = sets.filter((_, i) => i % 2 === 1);
  t.deepEqual(
    await samples(registry),
    left.map((set) => `c{${shown(set)}} ${expected.get(set)}`),
  );
  for (const set of left) t.is(counter.value(set), expected.get(set));
});

test('random programs of increments and removals show the values of a plain map', async (t) => {
  const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
  const few = fc.constantFrom('x', 'y', '', '1', '"\\\n', '__proto__', 'null', 'undefined', 'true', '0', 'NaN');
  const value = fc.oneof(
    { weight: 4, arbitrary: few },
    { weight: 2, arbitrary: fc.constantFrom(null, undefined, 0, -0, 1, 1.5, Number.NaN, 1e21, true, false, 5n) },
    { weight: 2, arbitrary: fc.nat(30) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  );
  const program = fc.integer({ min: 1, max: 6 }).chain((count) => {
    const names = NAMES.slice(0, count);
    const labels = fc
      .tuple(fc.shuffledSubarray(names, { minLength: 0 }), fc.array(value, { minLength: count, maxLength: count }))
      .map(([keys, values]) => keys.map((name, i) => [name, values[i]]));
    const step = fc.record({
      labels,
      do: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('inc', 'child') },
        { weight: 1, arbitrary: fc.constantFrom('remove', 'again', 'reset') },
      ),
      nullPrototype: fc.boolean(),
      by: fc.nat(5),
    });
    return fc.record({ names: fc.constant(names), steps: fc.array(step, { minLength: 1, maxLength: 120 }) });
  });
  const textOf = (label) => (label === null || label === undefined ? '' : String(label).toWellFormed());
  await fc.assert(
    fc.asyncProperty(program, async ({ names, steps }) => {
      const { registry, counter } = counterOf(...names);
      const model = new Map();
      let previous = [];
      for (const { do: what, by, nullPrototype, labels } of steps) {
        const pairs = what === 'again' ? [...previous].reverse() : labels;
        const object = Object.assign(nullPrototype ? Object.create(null) : {}, Object.fromEntries(pairs));
        const key = JSON.stringify(names.map((name) => textOf(object[name])));
        if (what === 'remove') {
          counter.remove(object);
          model.delete(key);
        } else if (what === 'reset') {
          if (by === 0) {
            counter.reset();
            model.clear();
          }
        } else {
          if (what === 'child') counter.labels(object).inc(by);
          else counter.inc(object, by);
          const given = pairs.filter(([, label]) => label !== null && label !== undefined);
          const shown = given.map(([name, label]) => `${name}="${escaped(textOf(label))}"`).join(',');
          const found = model.get(key);
          model.set(key, { shown: found?.shown ?? shown, value: (found?.value ?? 0) + by });
          previous = pairs;
        }
      }
      const lines = [...model.values()].map(({ shown, value: sum }) => `c${shown && `{${shown}}`} ${sum}`);
      t.is(await registry.metrics(), text('# HELP c Some help', '# TYPE c counter', ...lines));
    }),
    { numRuns: count(300, 1000) },
  );
});

test('random sets of many series show the values of a plain map', async (t) => {
  // Numbers and strings mixed.
  const program = fc.record({
    names: fc.constantFrom(['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd', 'e', 'f']),
    sizes: fc.array(fc.constantFrom(1, 2, 7, 40, 1000), { minLength: 6, maxLength: 6 }),
    seed: fc.nat(),
    steps: fc.integer({ min: 100, max: 2000 }),
  });
  await fc.assert(
    fc.asyncProperty(program, async ({ names, sizes, seed, steps }) => {
      const { registry, counter } = counterOf(...names);
      const model = new Map();
      let state = seed | 1;
      const random = (below) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return (state >>> 8) % below;
      };
      for (let step = 0; step < steps; step++) {
        // Later labels get their values later.
        const numbers = names.map((_, i) => random(Math.max(1, Math.min(sizes[i], Math.floor((step * (i + 1)) / 20)))));
        const labels = {};
        const from = random(names.length);
        for (let i = 0; i < names.length; i++) {
          const at = (from + i) % names.length;
          labels[names[at]] = random(2) ? numbers[at] : `${numbers[at]}`;
        }
        const key = JSON.stringify(numbers);
        if (random(6) === 0) {
          counter.remove(labels);
          model.delete(key);
        } else {
          counter.inc(labels);
          const shown = Object.entries(labels).map(([name, label]) => `${name}="${label}"`);
          const found = model.get(key);
          model.set(key, { shown: found?.shown ?? shown.join(','), value: (found?.value ?? 0) + 1 });
        }
      }
      const lines = [...model.values()].map(({ shown, value }) => `c{${shown}} ${value}`);
      t.is(await registry.metrics(), text('# HELP c Some help', '# TYPE c counter', ...lines));
    }),
    { numRuns: count(25, 100) },
  );
});
