// Tests the testing kit with series limits and expiry.

import { Counter, Gauge, Histogram, register } from '@llm-devops/prometheus-metrics';
import { MockClock, MockRegistry } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

test.serial('series expire on the mock clock', async (t) => {
  const clock = new MockClock().install();
  t.teardown(() => clock.restore());
  const registry = new MockRegistry();
  const gauge = new Gauge({ name: 'g', help: 'G', labelNames: ['a'], ttlSeconds: 60, registers: [registry] });
  gauge.set({ a: 'old' }, 1);
  await registry.metrics();
  clock.advanceSeconds(59);
  gauge.set({ a: 'new' }, 2);
  const shown = async () => (await registry.metrics()).match(/a="\w+"/g);
  t.deepEqual(await shown(), ['a="old"', 'a="new"']);
  clock.advanceSeconds(1);
  // The scrape finds the expired series and hides it from then on.
  await shown();
  t.deepEqual(await shown(), ['a="new"']);
});

test.serial(
  'beyond a limit a metric’s calls are told of the series they went to, a handle’s of its own labels',
  (t) => {
    const registry = new MockRegistry();
    const limited = { labelNames: ['a'], cardinality: { maxSeries: 1 }, registers: [registry] };
    const counter = new Counter({ name: 'c_total', help: 'C', ...limited });
    const handle = counter.labels('c');
    for (const a of ['a', 'b']) counter.inc({ a });
    handle.inc(2);
    registry.assertCounted('c_total', { a: 'a' }, 1);
    registry.assertCounted('c_total', { a: 'other' }, 1);
    registry.assertCounted('c_total', { a: 'c' }, 2);
    t.is(counter.value({ a: 'other' }), 3);
  },
);

test.serial('removeMatching() and init()', (t) => {
  const registry = new MockRegistry();
  const histogram = new Histogram({ name: 'h', help: 'H', labelNames: ['a', 'b'], registers: [registry] });
  histogram.init({ a: ['x', 'y'], b: ['1', '2'] });
  t.deepEqual(registry.operations(), []);
  t.is(histogram.removeMatching({ a: 'x' }), 2);
  t.is(histogram.removeMatching({ a: 'x' }), 0);
  histogram.labels('y', '1').observe(2);
  t.deepEqual(
    registry.operations().map(({ type, labels }) => [type, labels]),
    [
      ['remove', { a: 'x' }],
      ['observe', { a: 'y', b: '1' }],
    ],
  );
});

test.serial('isolation restores series within the limits and over them', async (t) => {
  t.teardown(() => register.clear());
  const cardinality = { maxSeries: 2 };
  const folded = new Counter({ name: 'folded_total', help: 'F', labelNames: ['a'], cardinality });
  const dropped = new Gauge({ name: 'dropped', help: 'D', labelNames: ['a'], cardinality });
  for (let number = 0; number < 5; number++) {
    folded.inc({ a: number }, number + 1);
    dropped.set({ a: number }, number);
  }
  const before = await register.metrics();
  const registry = new MockRegistry().isolate();
  for (let number = 10; number < 15; number++) {
    folded.inc({ a: number });
    dropped.set({ a: number }, number);
  }
  registry.assertCounted('folded_total', { a: 'other' }, 3);
  registry.restore();
  t.is(await register.metrics(), before);
  folded.inc({ a: 'beyond' });
  t.is(folded.value({ a: 'other' }), 13);
});
