// Tests Counter and the handles that labels() returns.

import { Counter, LabelError, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { samples, text } from '../support/exposition.mjs';

const HEAD = ['# HELP c Some help', '# TYPE c counter'];

function counterOf(labelNames = [], more = {}) {
  const registry = new Registry();
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames, registers: [registry], ...more });
  return { registry, counter };
}

test('a counter without labels starts at 0', async (t) => {
  const { registry, counter } = counterOf();
  t.is(await registry.metrics(), text(...HEAD, 'c 0'));
  t.is(counter.value(), 0);
});

test('a counter with labels starts without series', async (t) => {
  const { registry, counter } = counterOf(['a']);
  t.is(await registry.metrics(), text(...HEAD));
  t.is(counter.value(), 0);
  t.is(counter.value({ a: 'x' }), 0);
});

const increments = [
  ['inc()', [], 1],
  ['inc(undefined)', [undefined], 1],
  ['inc(null)', [null], 1],
  ['inc(2)', [2], 2],
  ['inc(0)', [0], 0],
  ['inc(-0)', [-0], 0],
  ['inc(0.25)', [0.25], 0.25],
  ['inc({})', [{}], 1],
  ['inc({}, undefined)', [{}, undefined], 1],
  ['inc({}, null)', [{}, null], 1],
  ['inc({}, 7)', [{}, 7], 7],
  ['inc({}, 0)', [{}, 0], 0],
];
for (const [title, args, added] of increments) {
  test(`${title} adds ${added}`, async (t) => {
    const { registry, counter } = counterOf();
    counter.inc(40);
    t.is(counter.inc(...args), undefined);
    t.is(counter.value(), 40 + added);
    t.is(await registry.metrics(), text(...HEAD, `c ${40 + added}`));
  });
}

test('series print in the order of their creation, with their labels in the order of the creating call', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  counter.inc({ b: 'y', a: 'x' });
  counter.inc({ a: 'x', b: 'z' }, 2);
  counter.inc({ a: 'x' }, 3);
  counter.inc({ b: 'z' }, 4);
  counter.inc(5);
  counter.inc({ a: 'x', b: 'y' }, 10);
  counter.inc({ b: 'z', a: 'x' }, 20);
  t.is(
    await registry.metrics(),
    text(...HEAD, 'c{b="y",a="x"} 11', 'c{a="x",b="z"} 22', 'c{a="x"} 3', 'c{b="z"} 4', 'c 5'),
  );
});

test('inc() without labels, with null and with {} count the same series of a labelled counter', async (t) => {
  const { registry, counter } = counterOf(['a']);
  counter.inc();
  counter.inc(null);
  counter.inc({});
  counter.labels({}).inc();
  t.is(await registry.metrics(), text(...HEAD, 'c 4'));
});

test('labels() takes values in the order of labelNames, or an object', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  counter.labels('x', 'y').inc();
  counter.labels({ b: 'y', a: 'x' }).inc(2);
  counter.labels({ b: 'z' }).inc(4);
  counter.labels('', 'z').inc(8);
  counter.labels('x', 1).inc(16);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x",b="y"} 3', 'c{b="z"} 12', 'c{a="x",b="1"} 16'));
});

test('labels() alone creates no series', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const child = counter.labels('x');
  t.is(await registry.metrics(), text(...HEAD));
  child.inc(0);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 0'));
});

test('labels() of a counter without labels is its one series', async (t) => {
  const { registry, counter } = counterOf();
  counter.labels().inc(2);
  counter.labels({}).inc(3);
  t.is(await registry.metrics(), text(...HEAD, 'c 5'));
});

test('all handles of a label set record in one series', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  const handles = [counter.labels('x', 1), counter.labels({ b: '1', a: 'x' }), counter.labels('x', 1)];
  for (const { inc } of handles) inc();
  counter.inc({ a: 'x', b: 1 });
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x",b="1"} 4'));
});

test('a handle takes the same values as its counter', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const child = counter.labels('x');
  for (const args of [[], [undefined], [null], [2], [0], [-0], [0.25]]) child.inc(...args);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 5.25'));
});

test('label arguments that do not fit are rejected, and make no series', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  const unknown = {
    instanceOf: LabelError,
    code: 'UNKNOWN_LABEL',
    message: "Added label \"q\" is not included in initial labelset: [ 'a', 'b' ]",
  };
  for (const call of [
    () => counter.inc({ a: 'x', q: 'y' }),
    () => counter.inc({ q: 'y', a: 'x' }, 2),
    () => counter.inc({ q: undefined }),
    () => counter.labels({ q: 'y' }),
    () => counter.remove({ q: 'y' }),
    () => counter.value({ q: 'y' }),
  ]) {
    t.throws(call, unknown);
  }
  const countOf = (count, values) => ({
    instanceOf: LabelError,
    code: 'LABEL_COUNT',
    message: `Invalid number of arguments (${count}): "${values}" for label names (2): "a, b".`,
  });
  t.throws(() => counter.labels(), countOf(0, ''));
  t.throws(() => counter.labels('x'), countOf(1, 'x'));
  t.throws(() => counter.labels('x', 'y', 'z'), countOf(3, 'x, y, z'));
  t.throws(() => counter.remove('x'), countOf(1, 'x'));
  t.is(await registry.metrics(), text(...HEAD));
});

test('remove() takes values in the order of labelNames, or an object; a series that comes again prints last', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  counter.inc({ a: '1', b: '1' });
  counter.inc({ a: '2', b: '2' }, 2);
  counter.inc({ a: '3', b: '3' }, 3);
  counter.inc({ a: '4' }, 4);
  t.is(counter.remove('1', '1'), undefined);
  counter.remove({ b: '2', a: '2' });
  counter.remove({ a: '4' });
  t.is(await registry.metrics(), text(...HEAD, 'c{a="3",b="3"} 3'));
  counter.inc({ b: '1', a: '1' }, 10);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="3",b="3"} 3', 'c{b="1",a="1"} 10'));
});

test('remove() of a series that does not exist removes nothing', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  counter.inc({ a: 'x', b: 'y' });
  counter.remove('x', 'z');
  counter.remove({ a: 'x' });
  counter.remove({});
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x",b="y"} 1'));
});

test('remove() of a counter without labels removes its series until it counts again', async (t) => {
  const { registry, counter } = counterOf();
  counter.inc(5);
  counter.remove();
  t.is(await registry.metrics(), text(...HEAD));
  t.is(counter.value(), 0);
  counter.inc(2);
  t.is(await registry.metrics(), text(...HEAD, 'c 2'));
});

test('reset() makes a counter without labels 0, and leaves a labelled one without series', async (t) => {
  const plain = counterOf();
  plain.counter.inc(5);
  plain.counter.reset();
  t.is(await plain.registry.metrics(), text(...HEAD, 'c 0'));
  const labelled = counterOf(['a']);
  labelled.counter.inc({ a: 'x' }, 5);
  labelled.counter.inc(5);
  labelled.counter.reset();
  t.is(await labelled.registry.metrics(), text(...HEAD));
  labelled.counter.inc({ a: 'x' });
  t.is(await labelled.registry.metrics(), text(...HEAD, 'c{a="x"} 1'));
});

test('value() reads without creating', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  counter.inc({ a: 1, b: 'y' }, 3);
  counter.inc({ a: 'x' }, 4);
  t.is(counter.value({ b: 'y', a: '1' }), 3);
  t.is(counter.value({ a: 'x', b: null }), 4);
  t.is(counter.value({ a: 'z' }), 0);
  t.is(counter.value(), 0);
  t.is(counter.value({}), 0);
  t.deepEqual(await samples(registry), ['c{a="1",b="y"} 3', 'c{a="x"} 4']);
});

test('get() returns the samples, label values in their own types', async (t) => {
  const { counter } = counterOf(['a', 'b'], { aggregator: 'first' });
  counter.inc({ a: 1, b: 'y' }, 3);
  counter.inc({ b: '1' }, 0.5);
  counter.inc(2);
  t.deepEqual(await counter.get(), {
    name: 'c',
    help: 'Some help',
    type: 'counter',
    aggregator: 'first',
    values: [
      { value: 3, labels: { a: 1, b: 'y' } },
      { value: 0.5, labels: { b: '1' } },
      { value: 2, labels: {} },
    ],
  });
});

test('get() runs collect() first, with the counter as this', async (t) => {
  const { counter } = counterOf([], {
    async collect() {
      await null;
      this.inc(3);
    },
  });
  t.deepEqual((await counter.get()).values, [{ value: 3, labels: {} }]);
});

test('a counter shows its configuration, and keeps no reference to it', async (t) => {
  const labelNames = ['a'];
  const config = { name: 'c', help: 'Some help', labelNames, registers: [] };
  const counter = new Counter(config);
  labelNames.push('b');
  config.name = 'd';
  t.is(counter.name, 'c');
  t.is(counter.help, 'Some help');
  t.is(counter.type, 'counter');
  t.is(counter.aggregator, 'sum');
  t.deepEqual(counter.labelNames, ['a']);
  t.throws(() => counter.inc({ b: 'x' }), { code: 'UNKNOWN_LABEL' });
});

test('values are added in double precision', async (t) => {
  const { registry, counter } = counterOf();
  for (let i = 0; i < 10; i++) counter.inc(0.1);
  t.is(await registry.metrics(), text(...HEAD, 'c 0.9999999999999999'));
  counter.reset();
  counter.inc(2 ** 53);
  counter.inc();
  t.is(counter.value(), 2 ** 53);
});

// Handles that outlive their series.

test('a handle still counts after remove(), reset() and clear()', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const child = counter.labels('x');
  child.inc(5);
  counter.remove('x');
  t.is(await registry.metrics(), text(...HEAD));
  child.inc(2);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 2'));
  counter.reset();
  child.inc(3);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 3'));
  registry.clear();
  child.inc(4);
  t.is(await registry.metrics(), '\n');
  registry.registerMetric(counter);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 7'));
});

test('a handle of a counter that was replaced under its name writes to no visible series', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const child = counter.labels('x');
  child.inc(5);
  registry.removeSingleMetric('c');
  const successor = new Counter({ name: 'c', help: 'Some help', labelNames: ['a'], registers: [registry] });
  successor.inc({ a: 'x' });
  child.inc(100);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 1'));
  t.is(counter.value({ a: 'x' }), 105);
});

test('a handle never writes the cell of another series', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const children = Array.from({ length: 200 }, (_, i) => counter.labels(`old${i}`));
  for (const child of children) child.inc(1000);
  for (let i = 0; i < 200; i++) counter.remove(`old${i}`);
  // Freed cells are reused once no scrape can read them. A new series starts at 0 nevertheless.
  for (let i = 0; i < 200; i++) counter.inc({ a: `new${i}` }, i);
  for (const child of children) child.inc(7);
  for (let i = 0; i < 200; i++) counter.inc({ a: `new${i}` });
  t.deepEqual(await samples(registry), [
    ...Array.from({ length: 200 }, (_, i) => `c{a="new${i}"} ${i + 1}`),
    ...Array.from({ length: 200 }, (_, i) => `c{a="old${i}"} 7`),
  ]);
});

test('two handles taken before the series exists count the same series', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const [one, other] = [counter.labels('x'), counter.labels({ a: 'x' })];
  one.inc();
  other.inc(2);
  counter.inc({ a: 'x' }, 4);
  one.inc(8);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 15'));
  counter.remove('x');
  other.inc(16);
  one.inc(32);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 48'));
});

test('the handle of a removed series counts in the series that another handle has made again', async (t) => {
  const { registry, counter } = counterOf(['a']);
  const old = counter.labels('x');
  old.inc(5);
  counter.remove('x');
  const young = counter.labels('x');
  young.inc();
  old.inc(2);
  counter.remove('x');
  old.inc(4);
  young.inc(8);
  t.is(await registry.metrics(), text(...HEAD, 'c{a="x"} 12'));
});

test('a series that its handle makes again prints its labels unchanged', async (t) => {
  const { registry, counter } = counterOf(['a', 'b']);
  const child = counter.labels({ b: 'y', a: 'x' });
  const empty = counter.labels({ b: '', a: 'z' });
  child.inc();
  empty.inc();
  const before = text(...HEAD, 'c{b="y",a="x"} 1', 'c{b="",a="z"} 1');
  t.is(await registry.metrics(), before);
  counter.reset();
  child.inc();
  empty.inc();
  t.is(await registry.metrics(), before);
});

test('a series that its handle makes again keeps the types of its label values', async (t) => {
  const { counter } = counterOf(['a', 'b']);
  const child = counter.labels({ a: 1, b: '2' });
  child.inc();
  counter.remove(1, 2);
  child.inc(3);
  t.deepEqual((await counter.get()).values, [{ value: 3, labels: { a: 1, b: '2' } }]);
});

test('there is one series without labels, however it is reached and removed', async (t) => {
  const { registry, counter } = counterOf();
  const child = counter.labels();
  counter.remove({});
  child.inc();
  counter.inc(2);
  counter.reset();
  counter.inc(4);
  child.inc(8);
  t.is(await registry.metrics(), text(...HEAD, 'c 12'));
});

test('random programs of handles and removals give the numbers of a plain map', async (t) => {
  const values = fc.constantFrom('x', 'y', 'z', '');
  const place = fc.tuple(values, values);
  const step = fc.oneof(
    fc.record({ do: fc.constant('inc'), place, by: fc.nat(9) }),
    fc.record({ do: fc.constant('take'), place }),
    fc.record({ do: fc.constant('write'), handle: fc.nat(), by: fc.nat(9) }),
    fc.record({ do: fc.constant('remove'), place }),
    fc.record({ do: fc.constantFrom('reset', 'clear', 'scrape') }),
  );
  const program = async (steps) => {
    const { registry, counter } = counterOf(['a', 'b']);
    const model = new Map();
    const handles = [];
    const add = (at, by) => model.set(at.join(), { at, value: (model.get(at.join())?.value ?? 0) + by });
    const shown = () =>
      [...model.values()].map(({ at: [a, b], value }) => {
        const labels = [...(a && [`a="${a}"`]), ...(b && [`b="${b}"`])].join(',');
        return `c${labels && `{${labels}}`} ${value}`;
      });
    const given = ([a, b]) => ({ ...(a && { a }), ...(b && { b }) });
    for (const step of steps) {
      if (step.do === 'inc') {
        counter.inc(given(step.place), step.by);
        add(step.place, step.by);
      } else if (step.do === 'take') {
        handles.push({ child: counter.labels(given(step.place)), at: step.place });
      } else if (step.do === 'write' && handles.length > 0) {
        const { child, at } = handles[step.handle % handles.length];
        child.inc(step.by);
        add(at, step.by);
      } else if (step.do === 'remove') {
        counter.remove(given(step.place));
        model.delete(step.place.join());
      } else if (step.do === 'reset') {
        counter.reset();
        model.clear();
      } else if (step.do === 'clear') {
        registry.clear();
        registry.registerMetric(counter);
      } else if (step.do === 'scrape') {
        t.deepEqual(await samples(registry), shown());
      }
    }
    t.deepEqual(await samples(registry), shown());
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), program), { numRuns: 300 });
});
