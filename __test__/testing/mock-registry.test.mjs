// Tests MockRegistry: the operations that it records from every caller, and the state that it isolates and restores.

import { Counter, Gauge, Histogram, Registry, register } from '@llm-devops/prometheus-metrics';
import { MockClock, MockRegistry } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

const { dispose } = Symbol;

/** Operations in short form: `inc c_total{a="1"} 2`. */
function told(operations) {
  return operations.map(({ type, name, labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
    return [type, `${name}{${pairs}}`, ...(value === undefined ? [] : [value])].join(' ');
  });
}

test.serial('every operation is recorded, with the clock’s time', (t) => {
  const clock = new MockClock({ now: 5000 }).install();
  t.teardown(() => clock.restore());
  const registry = new MockRegistry();
  const counter = registry.counter({ name: 'c_total', help: 'C', labelNames: ['a'] });
  const gauge = new Gauge({ name: 'g', help: 'G', registers: [registry] });
  const histogram = new Histogram({ name: 'h', help: 'H', labelNames: ['a'], registers: [new Registry(), registry] });
  counter.inc({ a: 1 });
  counter.inc({ a: '1' }, 2);
  counter.labels('2').inc(null);
  gauge.set(3);
  gauge.inc();
  gauge.inc(-2);
  gauge.dec(4);
  clock.advanceMs(250);
  gauge.setToCurrentTime();
  const end = histogram.startTimer({ a: 'x' });
  const endOfSeries = histogram.labels('y').startTimer();
  clock.advanceSeconds(1);
  end();
  endOfSeries({ a: 'z' });
  gauge.time(() => clock.advanceSeconds(2));
  histogram.observe({ a: '' }, 7);
  histogram.zero({ a: 'x' });
  histogram.remove('x');
  counter.remove({ a: 1 });
  registry.resetMetrics();
  t.deepEqual(told(registry.operations()), [
    'inc c_total{a=1} 1',
    'inc c_total{a=1} 2',
    'inc c_total{a=2} 1',
    'set g{} 3',
    'inc g{} 1',
    'inc g{} -2',
    'dec g{} 4',
    'set g{} 5.25',
    'startTimer h{a=x}',
    'startTimer h{a=y}',
    'observe h{a=x} 1',
    'observe h{a=z} 1',
    'startTimer g{}',
    'set g{} 2',
    'observe h{} 7',
    'zero h{a=x}',
    'remove h{a=x}',
    'remove c_total{a=1}',
    'reset c_total{}',
    'reset g{}',
    'reset h{}',
  ]);
  t.deepEqual(
    registry.operations({ name: 'g', type: 'set' }).map(({ timestampMs }) => timestampMs),
    [5000, 5250, 8250],
  );
  t.deepEqual(told(registry.operations({ labels: { a: /[xy]/ }, type: 'startTimer' })), [
    'startTimer h{a=x}',
    'startTimer h{a=y}',
  ]);
  t.deepEqual(told(registry.operations({ labels: { a: '' }, name: 'h', type: 'observe' })), ['observe h{} 7']);
  registry.clearOperations();
  t.deepEqual(registry.operations(), []);
});

test('rejected operations are not recorded', (t) => {
  const registry = new MockRegistry();
  const counter = registry.counter({ name: 'c_total', help: 'C', labelNames: ['a'] });
  const histogram = registry.histogram({ name: 'h', help: 'H' });
  for (const call of [
    () => counter.inc(-1),
    () => counter.inc({ a: 1 }, Number.NaN),
    () => counter.inc({ b: 1 }),
    () => counter.labels('1').inc('2'),
    () => histogram.observe(Number.NaN),
    () => histogram.observe(undefined),
    () => counter.remove('1', '2'),
  ]) {
    t.throws(call);
  }
  t.deepEqual(registry.operations(), []);
});

test('children record: made before or after, written or not, removed and written again', (t) => {
  const registry = new MockRegistry();
  const make = (Class, name, more) => new Class({ name, help: 'M', labelNames: ['a'], registers: [], ...more });
  const counter = make(Counter, 'c_total');
  const gauge = make(Gauge, 'g');
  const histogram = make(Histogram, 'h');
  const [written, unwritten, removed] = ['w', 'u', 'r'].map((a) => counter.labels(a));
  written.inc();
  removed.inc();
  const [set, added, subtracted] = ['s', 'a', 'd'].map((a) => gauge.labels(a));
  const observed = histogram.labels('o');
  const timed = histogram.labels('t').startTimer();
  for (const metric of [counter, gauge, histogram]) registry.registerMetric(metric);
  counter.remove('r');
  for (let round = 0; round < 2; round++) {
    for (const handle of [written, unwritten, removed]) handle.inc(2);
    set.set(1);
    added.inc(2);
    subtracted.dec(3);
    observed.observe(4);
  }
  timed();
  const round = ['inc c_total{a=w} 2', 'inc c_total{a=u} 2', 'inc c_total{a=r} 2'];
  round.push('set g{a=s} 1', 'inc g{a=a} 2', 'dec g{a=d} 3', 'observe h{a=o} 4');
  const operations = told(registry.operations());
  t.regex(operations.pop(), /^observe h\{a=t\} /);
  t.deepEqual(operations, ['remove c_total{a=r}', ...round, ...round]);
  t.deepEqual(
    ['w', 'u', 'r'].map((a) => counter.value({ a })),
    [5, 4, 4],
  );
  t.deepEqual(
    ['s', 'a', 'd'].map((a) => gauge.value({ a })),
    [1, 4, -6],
  );
  t.is(histogram.value({ a: 'o' }).sum, 8);
});

test('the series without labels is recorded after it was removed, reset and revived', (t) => {
  const registry = new MockRegistry();
  for (const Class of [Counter, Gauge]) {
    const metric = new Class({ name: 'm', help: 'M', registers: [] });
    metric.remove();
    registry.registerMetric(metric);
    metric.reset();
    metric.inc(2);
    metric.reset();
    metric.inc(3);
    t.is(metric.value(), 3);
    t.deepEqual(told(registry.operations()), ['reset m{}', 'inc m{} 2', 'reset m{}', 'inc m{} 3']);
    registry.clear();
    registry.clearOperations();
    metric.inc(4);
    t.is(metric.value(), 7);
    t.deepEqual(registry.operations(), []);
    const [set] = Object.getOwnPropertySymbols(metric).map((key) => metric[key]);
    t.deepEqual(Object.keys(metric).includes('inc') || Object.keys(set).includes('at'), false);
  }
});

test('several registries record one metric, each while it is attached', (t) => {
  const [one, two] = [new MockRegistry(), new MockRegistry()];
  const counter = new Counter({ name: 'c_total', help: 'C', registers: [one, two] });
  one.registerMetric(counter);
  counter.inc();
  one.removeSingleMetric('c_total');
  counter.inc(2);
  one.registerMetric(counter);
  counter.inc(3);
  t.deepEqual(told(one.operations()), ['inc c_total{} 1', 'inc c_total{} 3']);
  t.deepEqual(told(two.operations()), ['inc c_total{} 1', 'inc c_total{} 2', 'inc c_total{} 3']);
  t.is(counter.value(), 6);
});

test('exemplars and collectors work while they are recorded', async (t) => {
  const registry = new MockRegistry();
  const counter = registry.counter({ name: 'c_total', help: 'C', labelNames: ['a'], enableExemplars: true });
  const held = counter.labels('1');
  counter.inc({ labels: { a: 1 }, value: 2, exemplarLabels: { trace: 'x' } });
  held.inc();
  const gauge = registry.gauge({
    name: 'g',
    help: 'G',
    collect() {
      this.set(9);
    },
  });
  await registry.metrics();
  t.is(gauge.value(), 9);
  t.deepEqual(told(registry.operations()), ['inc c_total{a=1} 2', 'inc c_total{a=1} 1', 'set g{} 9']);
  const { values } = await counter.get();
  t.like(values, [{ value: 3, exemplar: { labelSet: { trace: 'x' }, value: 2 } }]);
});

// The following tests use the default registry, so they run one at a time.

function populated(t) {
  const names = ['old_total', 'old_gauge', 'old_seconds'];
  t.teardown(() => register.clear());
  const counter = new Counter({ name: names[0], help: 'C', labelNames: ['b', 'a'] });
  counter.inc({ a: 'x', b: 1 }, 2.5);
  counter.inc({ b: 'y' });
  counter.inc({ b: 'y', a: 'x' });
  const gauge = new Gauge({ name: names[1], help: 'G' });
  gauge.set(Number.NaN);
  const histogram = new Histogram({ name: names[2], help: 'H', labelNames: ['a'] });
  histogram.observe({ a: 'x' }, 0.3);
  histogram.observe({ a: 'x' }, 300);
  register.setDefaultLabels({ zone: 'z' });
  return { counter, gauge, histogram };
}

test.serial('isolate() starts empty and records, and restore() brings the old state back', async (t) => {
  const { counter, gauge, histogram } = populated(t);
  const held = counter.labels({ a: 'x', b: 1 });
  const before = await register.metrics();
  const json = await register.getMetricsAsJSON();
  const registry = new MockRegistry().isolate();
  t.deepEqual([counter.value({ b: 'y' }), gauge.value(), histogram.value({ a: 'x' }).count], [0, 0, 0]);
  held.inc(7);
  counter.inc({ b: 'new' });
  gauge.inc();
  histogram.observe({ a: 'x' }, 1);
  const added = new Counter({ name: 'new_total', help: 'N' });
  added.inc();
  register.gauge({ name: 'newer', help: 'N' }).set(4);
  register.setDefaultLabels({ zone: 'other' });
  register.removeSingleMetric('old_gauge');
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  t.deepEqual(
    register.getMetricsAsArray().map(({ name }) => name),
    ['old_total', 'old_seconds', 'new_total', 'newer'],
  );
  t.deepEqual(
    registry.getMetricsAsArray().map(({ name }) => name),
    ['old_total', 'old_seconds', 'new_total', 'newer'],
  );
  registry.assertCounted('old_total', { a: 'x' }, 7);
  registry.assertGauge('newer', 4);
  registry.restore();
  t.is(await register.metrics(), before);
  t.deepEqual(await register.getMetricsAsJSON(), json);
  t.deepEqual(registry.getMetricsAsArray(), []);
  t.is(registry.operations().length, 6);
  held.inc();
  added.inc();
  t.is(counter.value({ a: 'x', b: 1 }), 3.5);
  t.is(registry.operations().length, 6);
  // The name can be used again.
  new Counter({ name: 'new_total', help: 'N' });
});

test.serial('code that clears and refills the default registry does not change the old state', async (t) => {
  const { counter } = populated(t);
  const before = await register.metrics();
  const registry = new MockRegistry().isolate();
  register.clear();
  const namesake = new Counter({ name: 'old_total', help: 'Another' });
  namesake.inc();
  counter.inc({ b: 'y' });
  t.deepEqual(told(registry.operations()), ['inc old_total{} 1']);
  registry[dispose]();
  t.is(await register.metrics(), before);
});

test.serial('isolation ends once, is exclusive, and changes nothing if it fails', async (t) => {
  const { counter } = populated(t);
  const before = await register.metrics();
  const registry = new MockRegistry();
  registry.restore();
  registry.isolate();
  const message =
    'Expected the default registry to be free but another MockRegistry has isolated it: call its restore() first';
  t.is(t.throws(() => new MockRegistry().isolate(), { code: 'INVALID_CONFIG' }).message, message);
  t.is(t.throws(() => registry.isolate(), { code: 'INVALID_CONFIG' }).message, message);
  registry.restore();
  registry.restore();
  t.is(await register.metrics(), before);
  const taken = new MockRegistry();
  taken.gauge({ name: 'old_gauge', help: 'Its own' });
  t.throws(() => taken.isolate(), { code: 'DUPLICATE_METRIC' });
  t.is(await register.metrics(), before);
  counter.inc({ b: 'y' });
  t.deepEqual(taken.operations(), []);
  t.deepEqual(
    taken.getMetricsAsArray().map(({ help }) => help),
    ['Its own'],
  );
});
