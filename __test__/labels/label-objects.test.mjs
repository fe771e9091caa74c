// Tests the objects that carry labels: which properties are read, when, and that getters may act on the same metric.

import vm from 'node:vm';
import { Counter, Gauge, LabelError, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples } from '../support/exposition.mjs';

function counterOf(...labelNames) {
  const registry = new Registry();
  return { registry, counter: new Counter({ name: 'c', help: 'Some help', labelNames, registers: [registry] }) };
}

class Account {
  #secret = 'hidden';
  constructor(a, b) {
    this.a = a;
    this.b = b;
  }
  get c() {
    return this.#secret;
  }
}

const carriers = {
  'a literal': () => ({ a: 'x', b: 'y' }),
  'permuted keys': () => ({ b: 'y', a: 'x' }),
  'a frozen object': () => Object.freeze({ a: 'x', b: 'y' }),
  'a null-prototype object': () => Object.assign(Object.create(null), { a: 'x', b: 'y' }),
  'an object of another realm': () => vm.runInNewContext('({ a: "x", b: "y" })'),
  // As for...in reads them, and prom-client does.
  'inherited labels': () => Object.create({ a: 'x', b: 'y' }),
  'own and inherited labels': () => Object.assign(Object.create({ a: 'z', b: 'y' }), { a: 'x' }),
  'labels of a null prototype further up': () => Object.create(Object.assign(Object.create(null), { a: 'x', b: 'y' })),
  // Accessors of a class are not enumerable, so c is not read as a label.
  'a class instance': () => new Account('x', 'y'),
  getters: () => ({
    get a() {
      return 'x';
    },
    get b() {
      return 'y';
    },
  }),
  'symbol keys beside the labels': () => ({ [Symbol('a')]: 'z', [Symbol.toPrimitive]: null, a: 'x', b: 'y' }),
  'what is not enumerable beside the labels': () => Object.defineProperty({ a: 'x', b: 'y' }, 'q', { value: 'z' }),
  'a proxy': () => new Proxy({ a: 'x', b: 'y' }, {}),
  'a proxy that makes labels up': () =>
    new Proxy(
      {},
      {
        ownKeys: () => ['a', 'b'],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
        get: (_, name) => ({ a: 'x', b: 'y' })[name],
      },
    ),
  'an array with names': () => Object.assign([], { a: 'x', b: 'y' }),
  'a date with names': () => Object.assign(new Date(), { a: 'x', b: 'y' }),
  'a map with names': () => Object.assign(new Map([['a', 'z']]), { a: 'x', b: 'y' }),
};

for (const [title, make] of Object.entries(carriers)) {
  test(`labels may be ${title}`, async (t) => {
    const { registry, counter } = counterOf('a', 'b');
    counter.inc(make());
    counter.inc(make(), 2);
    counter.labels(make()).inc(4);
    counter.inc({ a: 'x', b: 'y' }, 8);
    t.is(counter.value(make()), 15);
    t.is((await samples(registry)).length, 1);
    counter.remove(make());
    t.deepEqual(await samples(registry), []);
  });
}

test('objects without enumerable names have no labels', async (t) => {
  const { registry, counter } = counterOf('a');
  for (const none of [{}, [], new Map([['a', 'x']]), new Set(['a']), new Date(), /a/, new Error('a'), new Number(5)]) {
    counter.inc(none);
  }
  t.deepEqual(await samples(registry), ['c 8']);
});

test('the elements of an array and the characters of a String are unknown labels', async (t) => {
  const { registry, counter } = counterOf('a');
  const unknown = (name) => ({
    instanceOf: LabelError,
    code: 'UNKNOWN_LABEL',
    message: `Added label "${name}" is not included in initial labelset: [ 'a' ]`,
  });
  t.throws(() => counter.inc(['x']), unknown('0'));
  t.throws(() => counter.inc(new String('x')), unknown('0'));
  t.throws(() => counter.inc(Object.create({ b: 'x' })), unknown('b'));
  t.throws(() => counter.inc(JSON.parse('{"__proto__": "x"}')), unknown('__proto__'));
  t.throws(() => counter.inc(new Proxy({ q: 1 }, {})), unknown('q'));
  t.throws(() => counter.inc(Object.assign(Object.create(null), { q: 1 })), unknown('q'));
  t.deepEqual(await samples(registry), []);
});

test('a label object may be changed and used again; series and handles made from it stay', async (t) => {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames: ['a', 'b'], registers: [registry] });
  const labels = { a: 'x', b: ['1'] };
  gauge.inc(labels);
  const child = gauge.labels(labels);
  const later = gauge.labels({ ...labels, a: 'later' });
  labels.b.push('2');
  gauge.inc(labels);
  labels.a = 'y';
  gauge.inc(labels);
  delete labels.b;
  gauge.inc(labels);
  child.inc();
  later.inc();
  t.deepEqual(await samples(registry), [
    'g{a="x",b="1"} 2',
    'g{a="x",b="1,2"} 1',
    'g{a="y",b="1,2"} 1',
    'g{a="y"} 1',
    'g{a="later",b="1"} 1',
  ]);
});

for (const count of [1, 2, 3, 4, 5, 6]) {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, count);
  const plain = Object.fromEntries(names.map((name) => [name, 'x']));
  /** The labels above; one is a getter that calls a function before it returns. */
  const acting = (name, act) =>
    Object.defineProperty({ ...plain }, name, {
      enumerable: true,
      get() {
        act();
        return 'x';
      },
    });

  test(`with ${count} labels, a getter that records on the same metric disturbs nothing`, async (t) => {
    const { registry, counter } = counterOf(...names);
    let calls = 0;
    const other = Object.fromEntries(names.map((name) => [name, 'y']));
    for (const name of names) {
      const labels = acting(name, () => {
        calls++;
        counter.inc(other);
        counter.inc({ [name]: 'z' });
      });
      counter.inc(labels);
      counter.inc(labels);
    }
    const all = (value) => names.map((name) => `${name}="${value}"`).join(',');
    t.deepEqual(
      (await samples(registry)).sort(),
      [
        `c{${all('x')}} ${2 * count}`,
        `c{${all('y')}} ${calls}`,
        ...names.map((name) => [`c{${name}="z"}`, counter.value({ [name]: 'z' })].join(' ')),
      ].sort(),
    );
    const nested = names.reduce((sum, name) => sum + counter.value({ [name]: 'z' }), 0);
    t.is(nested, calls);
  });

  test(`with ${count} labels, a getter that throws records nothing and breaks nothing`, async (t) => {
    const { registry, counter } = counterOf(...names);
    for (const name of names) {
      const labels = acting(name, () => {
        throw new Error('mine');
      });
      t.throws(() => counter.inc(labels), { message: 'mine' });
      t.throws(() => counter.labels(labels), { message: 'mine' });
      t.throws(() => counter.remove(labels), { message: 'mine' });
    }
    t.deepEqual(await samples(registry), []);
    counter.inc(plain);
    counter.inc(plain);
    t.deepEqual(await samples(registry), [`c{${names.map((name) => `${name}="x"`).join(',')}} 2`]);
  });
}

for (const count of [2, 3, 4, 5]) {
  test(`with ${count} labels, a getter that adds series until the levels change places disturbs nothing`, async (t) => {
    // The tree reorders its levels as a metric grows. Here it does so between the reading of two labels, and every label
    // set that could be found by mistake exists.
    const names = ['a', 'b', 'c', 'd', 'e'].slice(0, count);
    const last = names[count - 1];
    const { registry, counter } = counterOf(...names);
    const mixtures = names.reduce(
      (sets, name) => sets.flatMap((set) => [set, { ...set, [name]: 'x' }, { ...set, [name]: 'v' }]),
      [{}],
    );
    let reads = 0;
    const labels = {
      get a() {
        if (reads === 0) for (let i = 0; i < 2000; i++) counter.inc({ a: `s${i}`, [last]: 'v' });
        for (const set of mixtures) counter.inc(set);
        reads++;
        return 'x';
      },
      [last]: 'v',
    };
    counter.inc(labels, 1000);
    for (const set of mixtures) {
      const isMeant = Object.keys(set).length === 2 && set.a === 'x' && set[last] === 'v';
      t.is(counter.value(set), reads + (isMeant ? 1000 : 0), JSON.stringify(set));
    }
    t.is((await samples(registry)).length, 2000 + mixtures.length);
  });
}

test('a getter that gives another value when it is read again, or records its own label set, makes no series twice', async (t) => {
  const { registry, counter } = counterOf('a');
  counter.inc({ a: 'known' });
  for (let call = 0; call < 200; call++) {
    let reads = 0;
    counter.inc({
      get a() {
        return reads++ === 0 ? `new ${call}` : 'known';
      },
    });
    reads = 0;
    counter.inc({
      get a() {
        if (reads++ === 1) counter.inc({ a: `own ${call}` });
        return `own ${call}`;
      },
    });
  }
  const lines = Array.from({ length: 200 }, (_, call) => `c{a="own ${call}"} 2`);
  t.deepEqual(await samples(registry), ['c{a="known"} 201', ...lines]);
});
