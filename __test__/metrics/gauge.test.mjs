// Gauge and the handles that labels() returns.

import { Gauge, LabelError, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { samples, text } from '../support/exposition.mjs';

const HEAD = ['# HELP g Some help', '# TYPE g gauge'];

function gaugeOf(labelNames = [], more = {}) {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames, registers: [registry], ...more });
  return { registry, gauge };
}

test('a gauge without labels starts at 0', async (t) => {
  const { registry, gauge } = gaugeOf();
  t.is(await registry.metrics(), text(...HEAD, 'g 0'));
  t.is(gauge.value(), 0);
});

test('a gauge with labels starts without series', async (t) => {
  const { registry, gauge } = gaugeOf(['a']);
  t.is(await registry.metrics(), text(...HEAD));
  t.is(gauge.value({ a: 'x' }), 0);
});

const writes = [
  ['inc', [], 41],
  ['inc', [undefined], 41],
  ['inc', [null], 41],
  ['inc', [2], 42],
  ['inc', [0], 40],
  ['inc', [-2.5], 37.5],
  ['inc', [{}], 41],
  ['inc', [{}, undefined], 41],
  ['inc', [{}, null], 41],
  ['inc', [{}, 7], 47],
  ['inc', [{}, 0], 40],
  ['dec', [], 39],
  ['dec', [undefined], 39],
  ['dec', [null], 39],
  ['dec', [2], 38],
  ['dec', [0], 40],
  ['dec', [-2.5], 42.5],
  ['dec', [{}], 39],
  ['dec', [{}, undefined], 39],
  ['dec', [{}, null], 39],
  ['dec', [{}, 7], 33],
  ['dec', [{}, 0], 40],
  ['set', [2.5], 2.5],
  ['set', [0], 0],
  ['set', [-3], -3],
  ['set', [{}, 7], 7],
  ['set', [{}, 0], 0],
];
for (const [method, args, expected] of writes) {
  const shown = args.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : String(arg))).join(', ');
  test(`${method}(${shown}) on 40 is ${expected}`, async (t) => {
    const { registry, gauge } = gaugeOf();
    gauge.set(40);
    t.is(gauge[method](...args), undefined);
    t.is(gauge.value(), expected);
    t.is(await registry.metrics(), text(...HEAD, `g ${expected}`));
    // The child takes the same, without the labels.
    const child = gauge.labels();
    child.set(40);
    child[method](...(typeof args[0] === 'object' && args[0] !== null ? args.slice(1) : args));
    t.is(gauge.value(), expected);
  });
}

test('series print in the order of their creation, with their labels in the order of the creating call', async (t) => {
  const { registry, gauge } = gaugeOf(['a', 'b']);
  gauge.set({ b: 'y', a: 'x' }, 5);
  gauge.inc({ a: 'x', b: 'z' }, 2);
  gauge.dec({ b: 'z' });
  gauge.labels('x', 'y').dec(1);
  gauge.labels({ b: 'z', a: 'x' }).inc();
  gauge.inc();
  t.is(await registry.metrics(), text(...HEAD, 'g{b="y",a="x"} 4', 'g{a="x",b="z"} 3', 'g{b="z"} -1', 'g 1'));
});

test('labels() alone creates no series; the first write does, with any value', async (t) => {
  const { registry, gauge } = gaugeOf(['a']);
  const [set, inc, dec] = ['set', 'inc', 'dec'].map((name) => gauge.labels(name));
  t.is(await registry.metrics(), text(...HEAD));
  set.set(0);
  inc.inc(0);
  dec.dec(0);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="set"} 0', 'g{a="inc"} 0', 'g{a="dec"} 0'));
});

test('label arguments that do not fit are refused, and make no series', async (t) => {
  const { registry, gauge } = gaugeOf(['a', 'b']);
  const unknown = {
    instanceOf: LabelError,
    code: 'UNKNOWN_LABEL',
    message: "Added label \"q\" is not included in initial labelset: [ 'a', 'b' ]",
  };
  for (const call of [
    () => gauge.set({ a: 'x', q: 'y' }, 1),
    () => gauge.inc({ q: 'y' }),
    () => gauge.dec({ q: 'y' }, 2),
    () => gauge.setToCurrentTime({ q: 'y' }),
    () => gauge.startTimer({ q: 'y' })(),
    () => gauge.startTimer()({ q: 'y' }),
    () => gauge.labels({ q: 'y' }),
    () => gauge.remove({ q: 'y' }),
    () => gauge.value({ q: 'y' }),
  ]) {
    t.throws(call, unknown);
  }
  t.throws(() => gauge.labels('x'), {
    instanceOf: LabelError,
    code: 'LABEL_COUNT',
    message: 'Invalid number of arguments (1): "x" for label names (2): "a, b".',
  });
  t.is(await registry.metrics(), text(...HEAD));
});

test('remove() and reset()', async (t) => {
  const { registry, gauge } = gaugeOf(['a', 'b']);
  gauge.set({ a: '1', b: '1' }, 1);
  gauge.set({ a: '2', b: '2' }, 2);
  gauge.set({ a: '3' }, 3);
  gauge.remove('1', '1');
  gauge.remove({ a: '3' });
  gauge.remove({ a: '4' });
  t.is(await registry.metrics(), text(...HEAD, 'g{a="2",b="2"} 2'));
  gauge.inc({ a: '1', b: '1' });
  t.is(await registry.metrics(), text(...HEAD, 'g{a="2",b="2"} 2', 'g{a="1",b="1"} 1'));
  gauge.reset();
  t.is(await registry.metrics(), text(...HEAD));
});

test('reset() makes a gauge without labels 0; remove() takes its series', async (t) => {
  const { registry, gauge } = gaugeOf();
  gauge.set(5);
  gauge.reset();
  t.is(await registry.metrics(), text(...HEAD, 'g 0'));
  gauge.remove();
  t.is(await registry.metrics(), text(...HEAD));
  gauge.dec();
  t.is(await registry.metrics(), text(...HEAD, 'g -1'));
});

test('setToCurrentTime() sets the seconds since the epoch', (t) => {
  const { gauge } = gaugeOf(['a']);
  const before = Date.now() / 1000;
  gauge.setToCurrentTime();
  gauge.setToCurrentTime({ a: 'x' });
  gauge.labels('y').setToCurrentTime();
  const after = Date.now() / 1000;
  for (const value of [gauge.value(), gauge.value({ a: 'x' }), gauge.value({ a: 'y' })]) {
    t.true(value >= before && value <= after, `${value}`);
  }
});

test('value() reads without creating', async (t) => {
  const { registry, gauge } = gaugeOf(['a']);
  gauge.set({ a: 1 }, -3);
  t.is(gauge.value({ a: '1' }), -3);
  t.is(gauge.value({ a: 'z' }), 0);
  t.is(gauge.value(), 0);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="1"} -3'));
});

test('get() runs collect() and returns the samples, label values in their own types', async (t) => {
  const { gauge } = gaugeOf(['a'], {
    aggregator: 'max',
    collect() {
      this.set({ a: 1 }, 9);
    },
  });
  gauge.set(Number.NaN);
  t.deepEqual(await gauge.get(), {
    name: 'g',
    help: 'Some help',
    type: 'gauge',
    aggregator: 'max',
    values: [
      { value: Number.NaN, labels: {} },
      { value: 9, labels: { a: 1 } },
    ],
  });
});

test('a kept child writes on after remove(), reset() and clear()', async (t) => {
  const { registry, gauge } = gaugeOf(['a']);
  const child = gauge.labels('x');
  child.set(5);
  gauge.remove('x');
  t.is(await registry.metrics(), text(...HEAD));
  child.inc(2);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="x"} 2'));
  gauge.reset();
  child.dec(3);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="x"} -3'));
  gauge.reset();
  child.set(4);
  registry.clear();
  child.inc();
  t.is(await registry.metrics(), '\n');
  registry.registerMetric(gauge);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="x"} 5'));
});

test('two handles taken before the series exists write the same series', async (t) => {
  const { registry, gauge } = gaugeOf(['a']);
  const [one, other] = [gauge.labels('x'), gauge.labels({ a: 'x' })];
  one.set(1);
  other.inc(2);
  t.is(gauge.value({ a: 'x' }), 3);
  gauge.remove('x');
  other.set(10);
  one.dec(3);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="x"} 7'));
});

test('the handle of a removed series writes the one that another handle has made since', async (t) => {
  const { registry, gauge } = gaugeOf(['a']);
  const old = gauge.labels('x');
  old.set(5);
  gauge.remove('x');
  const young = gauge.labels('x');
  young.set(1);
  old.inc(2);
  t.is(await registry.metrics(), text(...HEAD, 'g{a="x"} 3'));
});

test('any program of writes, handles and removals ends as a map of numbers does', async (t) => {
  const values = fc.constantFrom('x', 'y', 1);
  const number = fc.double({ noNaN: false });
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('inc', 'dec', 'set'), a: values, by: number }),
    fc.record({ do: fc.constant('take'), a: values }),
    fc.record({ do: fc.constantFrom('inc', 'dec', 'set'), handle: fc.nat(), by: number }),
    fc.record({ do: fc.constantFrom('remove'), a: values }),
    fc.record({ do: fc.constant('reset') }),
  );
  const spelled = (value) => String(value).replace('Infinity', 'Inf').replace(/^Inf/, '+Inf');
  const program = async (steps) => {
    const { registry, gauge } = gaugeOf(['a']);
    const model = new Map();
    const handles = [];
    const calculate = { inc: (was, by) => was + by, dec: (was, by) => was - by, set: (_, by) => by };
    for (const { do: what, a, handle, by } of steps) {
      if (what === 'take') handles.push([String(a), gauge.labels(a)]);
      else if (what === 'reset') {
        gauge.reset();
        model.clear();
      } else if (what === 'remove') {
        gauge.remove(a);
        model.delete(String(a));
      } else if (a !== undefined) {
        gauge[what]({ a }, by);
        model.set(String(a), calculate[what](model.get(String(a)) ?? 0, by));
      } else if (handles.length > 0) {
        const [key, child] = handles[handle % handles.length];
        child[what](by);
        model.set(key, calculate[what](model.get(key) ?? 0, by));
      }
    }
    t.deepEqual(
      await samples(registry),
      [...model].map(([a, value]) => `g{a="${a}"} ${spelled(value)}`),
    );
    for (const [a, value] of model) t.true(Object.is(gauge.value({ a }) + 0, value + 0));
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), program), { numRuns: 300 });
});
