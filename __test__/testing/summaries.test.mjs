// The testing kit with summaries, infos and state sets: recorded operations, assertions, the default registry that a
// test borrows, and expositions.

import { Info, openMetricsContentType, Registry, register, StateSet, Summary } from '@llm-devops/prometheus-metrics';
import { assertObserved, MockRegistry, parseExposition, replay } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

function told(operations) {
  return operations.map(({ type, name, labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
    return [type, `${name}{${pairs}}`, ...(value === undefined ? [] : [value])].join(' ');
  });
}

test('operations are recorded once, through the metric and through old handles', (t) => {
  const config = { help: 'h', labelNames: ['a'], registers: [] };
  const summary = new Summary({ ...config, name: 's' });
  const old = summary.labels('old');
  const registry = new MockRegistry();
  registry.registerMetric(summary);
  const info = new Info({ ...config, name: 'i', registers: [registry] });
  const set = new StateSet({ ...config, labelNames: [], name: 'st', states: ['on', 'off'], registers: [registry] });
  old.observe(1);
  old.observe(2);
  summary.observe({ a: 'new' }, 3);
  summary.zero({ a: 'new' });
  summary.reset();
  info.set({ a: 'x' });
  set.set('on');
  set.turn('on', false);
  t.deepEqual(told(registry.operations()), [
    ...['observe s{a=old} 1', 'observe s{a=old} 2', 'observe s{a=new} 3', 'zero s{a=new}', 'reset s{}'],
    ...['set i{a=x} 1', 'set st{st=on} 1', 'set st{st=off} 0', 'set st{st=on} 0'],
  ]);
  registry.assertObserved('s', { a: 'old' }, { count: 2, sum: 3 });
  t.throws(() => registry.assertObserved('s', { a: 'old' }, { count: 3 }));
  registry.assertGauge('st', { st: 'on' }, 0);
});

test('assertObserved() reads a summary', (t) => {
  const registry = new Registry();
  const summary = new Summary({ name: 's', help: 'h', labelNames: ['a'], registers: [registry] });
  summary.observe({ a: 'x' }, 2);
  summary.observe({ a: 'x' }, 4);
  assertObserved(registry, 's', { a: 'x' }, { count: 2, sum: 6 });
  t.throws(() => assertObserved(registry, 's', { a: 'y' }));
});

test.serial('a borrowed default registry gives observations, facts and states back', async (t) => {
  register.clear();
  const summary = new Summary({ name: 's', help: 'h', labelNames: ['a'], percentiles: [0.5, 1] });
  const alone = new Summary({ name: 'alone', help: 'h', percentiles: [0.5] });
  const info = new Info({ name: 'i', help: 'h', labelNames: ['v'] });
  const set = new StateSet({ name: 'st', help: 'h', states: ['on', 'off'], initial: 'on' });
  info.set({ v: '1' });
  // More than a buffer.
  for (let i = 0; i <= 300; i += 1) for (const a of ['x', 'y']) summary.observe({ a }, i);
  alone.observe(5);
  const before = await register.metrics();
  const registry = new MockRegistry().isolate();
  const lent = await register.metrics();
  t.false(lent.includes('a="x"'), lent);
  t.true(lent.includes('alone_count 0\n') && lent.includes('st{st="on"} 1\n') && !lent.includes('i_info{'), lent);
  for (let i = 0; i < 200; i += 1) summary.observe({ a: 'x' }, 1e6);
  alone.observe(1e6);
  set.set('off');
  info.set({ v: '2' });
  registry.assertObserved('s', { a: 'x' }, { count: 200 });
  registry.restore();
  t.is(await register.metrics(), before);
  summary.observe({ a: 'x' }, 500);
  t.like(summary.value({ a: 'x' }), { count: 302, sum: 45150 + 500 });
  t.deepEqual(
    summary.value({ a: 'x' }).quantiles.map(({ value }) => value),
    [150.5, 500],
  );
  register.clear();
});

test('expositions are parsed and replayed', async (t) => {
  const registry = new Registry(openMetricsContentType);
  const registers = [registry];
  new Summary({ name: 's_bytes', help: 'h', unit: 'bytes', percentiles: [0.5], registers }).observe(3);
  new Info({ name: 'i', help: 'h', labelNames: ['v'], registers }).set({ v: '1' });
  new StateSet({ name: 'st', help: 'h', states: ['on', 'off'], registers }).set('off');
  const text = await registry.metrics();
  const { families } = parseExposition(text, { strict: true });
  t.deepEqual(
    families.map(({ name, type, unit, samples }) => [name, type, unit, samples.length]),
    [
      ['s_bytes', 'summary', 'bytes', 3],
      ['i', 'info', '', 1],
      ['st', 'stateset', '', 2],
    ],
  );
  const again = await replay(text).metrics();
  const samples = (text) => text.split('\n').filter((line) => !line.startsWith('#'));
  t.deepEqual(samples(again), samples(text));
});
