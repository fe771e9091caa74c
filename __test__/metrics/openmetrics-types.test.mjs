// Info, StateSet and the option unit.

import {
  Counter,
  Gauge,
  Histogram,
  Info,
  openMetricsContentType,
  Registry,
  StateSet,
  Summary,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples, text } from '../support/exposition.mjs';

/** The registry's text in both formats. */
async function both(registry) {
  const text = await registry.metrics();
  registry.setContentType(openMetricsContentType);
  const openMetrics = await registry.metrics();
  registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
  return { text, openMetrics };
}

test('an info is a type of its own in OpenMetrics, and a gauge in text', async (t) => {
  for (const name of ['build', 'build_info']) {
    const registry = new Registry();
    const info = new Info({ name, help: 'Some help', labelNames: ['version', 'mode'], registers: [registry] });
    t.deepEqual(await both(registry), {
      text: text('# HELP build_info Some help', '# TYPE build_info gauge'),
      openMetrics: text('# HELP build Some help', '# TYPE build info', '# EOF'),
    });
    info.set({ version: '1.2.3', mode: 'dev' });
    const line = 'build_info{version="1.2.3",mode="dev"} 1';
    t.deepEqual(await both(registry), {
      text: text('# HELP build_info Some help', '# TYPE build_info gauge', line),
      openMetrics: text('# HELP build Some help', '# TYPE build info', line, '# EOF'),
    });
    t.deepEqual(await info.get(), {
      ...{ name, help: 'Some help', type: 'info', aggregator: 'max' },
      values: [{ value: 1, labels: { version: '1.2.3', mode: 'dev' } }],
    });
  }
});

test('set() of an info replaces the facts of the same thing', async (t) => {
  const registry = new Registry();
  const labelNames = ['device', 'firmware'];
  const config = { name: 'd', help: 'Some help', labelNames, identity: ['device'], registers: [registry] };
  const info = new Info(config);
  info.set({ device: 'a', firmware: '1' });
  info.set({ device: 'b', firmware: '1' });
  info.set({ device: 'a', firmware: '2' });
  info.set({ device: 'b', firmware: '1' });
  t.deepEqual(await samples(registry), ['d_info{device="b",firmware="1"} 1', 'd_info{device="a",firmware="2"} 1']);
  t.true(info.value({ device: 'a', firmware: '2' }));
  t.false(info.value({ device: 'a', firmware: '1' }));
  info.reset();
  t.deepEqual(await samples(registry), []);
  t.throws(() => info.set({ other: 'x' }), { code: 'UNKNOWN_LABEL' });
  for (const identity of [['other'], 'device', [1]]) {
    t.throws(() => new Info({ ...config, identity, registers: [] }), { code: 'INVALID_CONFIG', message: /identity/ });
  }
});

test('an info whose family name is taken is unknown to OpenMetrics', async (t) => {
  const registry = new Registry();
  new Gauge({ name: 'build', help: 'Some help', registers: [registry] });
  new Info({ name: 'build_info', help: 'Some help', labelNames: ['v'], registers: [registry] }).set({ v: '1' });
  const { openMetrics } = await both(registry);
  t.true(openMetrics.includes('# TYPE build_info unknown\nbuild_info{v="1"} 1\n'), openMetrics);
  t.throws(() => new Info({ name: 'build', help: 'h', registers: [registry] }), { code: 'DUPLICATE_METRIC' });
  new Info({ name: 'other', help: 'h', registers: [registry] });
  t.throws(() => new Gauge({ name: 'other_info', help: 'h', registers: [registry] }), { code: 'DUPLICATE_METRIC' });
});

test('a state set shows each state as 0 or 1', async (t) => {
  const registry = new Registry();
  const states = ['open', 'closed', 'half "open"'];
  const breaker = new StateSet({ name: 'breaker', help: 'Some help', states, registers: [registry] });
  const lines = (...values) => [
    `breaker{breaker="open"} ${values[0]}`,
    `breaker{breaker="closed"} ${values[1]}`,
    `breaker{breaker="half \\"open\\""} ${values[2]}`,
  ];
  t.deepEqual(await both(registry), {
    text: text('# HELP breaker Some help', '# TYPE breaker gauge', ...lines(0, 0, 0)),
    openMetrics: text('# HELP breaker Some help', '# TYPE breaker stateset', ...lines(0, 0, 0), '# EOF'),
  });
  breaker.set('closed');
  t.deepEqual(await samples(registry), lines(0, 1, 0));
  breaker.set('half "open"');
  t.deepEqual(await samples(registry), lines(0, 0, 1));
  breaker.turn('open', true);
  t.deepEqual(breaker.value(), ['open', 'half "open"']);
  breaker.turn('half "open"', false);
  t.deepEqual(breaker.value(), ['open']);
  breaker.reset();
  t.deepEqual(await samples(registry), lines(0, 0, 0));
});

test('a state set with labels shows all states of each label set', async (t) => {
  const registry = new Registry();
  const config = { name: 's', help: 'Some help', labelNames: ['host'], states: ['on', 'off'], registers: [registry] };
  const set = new StateSet(config);
  t.deepEqual(await samples(registry), []);
  set.set({ host: 'a' }, 'off');
  set.turn({ host: 'b' }, 'off', false);
  t.deepEqual(await samples(registry), [
    's{host="a",s="on"} 0',
    's{host="a",s="off"} 1',
    's{host="b",s="on"} 0',
    's{host="b",s="off"} 0',
  ]);
  t.deepEqual(set.value({ host: 'a' }), ['off']);
  t.throws(() => set.set({ hos: 'a' }, 'off'), { code: 'UNKNOWN_LABEL' });
  t.throws(() => new StateSet({ ...config, registers: [], initial: 'on' }), { code: 'INVALID_CONFIG' });
});

test('invalid states are refused with the list of valid ones', (t) => {
  const make = (more) => new StateSet({ name: 's', help: 'h', states: ['on', 'off'], registers: [], ...more });
  t.deepEqual(make({ initial: 'off' }).value(), ['off']);
  t.throws(() => make({}).set('of'), {
    code: 'INVALID_CONFIG',
    message: 'Expected one of on, off for a state of s but received "of" of type string',
  });
  t.throws(() => make({}).turn('of', true), { code: 'INVALID_CONFIG' });
  t.throws(() => make({}).turn('off', 1), { code: 'INVALID_CONFIG' });
  t.throws(() => make({ initial: 'x' }), { code: 'INVALID_CONFIG' });
  for (const states of [undefined, [], ['a', 'a'], [''], [1], 'on']) {
    t.throws(() => make({ states }), { code: 'INVALID_CONFIG', message: /states/ });
  }
  t.throws(() => make({ labelNames: ['s'] }), {
    code: 'INVALID_LABEL_NAME',
    message: /^s is a reserved label keyword/,
  });
  t.throws(() => make({ name: 'a:b' }), { code: 'INVALID_LABEL_NAME' });
});

test('registries return the info and the state set that they have', (t) => {
  const registry = new Registry();
  const info = registry.info({ name: 'i', help: 'h', labelNames: ['a'] });
  t.is(registry.info({ name: 'i', help: 'h', labelNames: ['a'] }), info);
  const set = registry.stateSet({ name: 's', help: 'h', states: ['a', 'b'] });
  t.is(registry.stateSet({ name: 's', help: 'h', states: ['a', 'b'] }), set);
  t.throws(() => registry.stateSet({ name: 'i', help: 'h', states: ['a'] }), { code: 'TYPE_MISMATCH' });
  t.throws(() => registry.stateSet({ name: 's', help: 'h', states: ['a'] }), { code: 'TYPE_MISMATCH' });
});

test('OpenMetrics shows the unit, and text does not', async (t) => {
  const registry = new Registry();
  const config = { help: 'Some help', unit: 'seconds', registers: [registry] };
  new Counter({ ...config, name: 'a_seconds_total' });
  new Gauge({ ...config, name: 'b_seconds' });
  new Histogram({ ...config, name: 'c_seconds', buckets: [] });
  new Summary({ ...config, name: 'd_seconds', percentiles: [] });
  new Counter({ ...config, name: 'e_seconds' });
  const { text, openMetrics } = await both(registry);
  t.false(text.includes('UNIT'));
  const units = openMetrics.split('\n').filter((line) => line.startsWith('# UNIT'));
  t.deepEqual(
    units,
    ['a', 'b', 'c', 'd', 'e'].map((name) => `# UNIT ${name}_seconds seconds`),
  );
});

test('a name must end with its unit', (t) => {
  const make = (Class, name, unit, more = {}) => new Class({ name, help: 'h', unit, registers: [], ...more });
  t.throws(() => make(Counter, 'a_total', 'seconds'), {
    code: 'INVALID_METRIC_NAME',
    message:
      'Expected a name that ends with "_seconds_total" for the unit "seconds" but received "a_total": rename the counter or leave out its unit',
  });
  t.throws(() => make(Gauge, 'a_seconds_total', 'seconds'), { code: 'INVALID_METRIC_NAME' });
  t.throws(() => make(Gauge, 'aseconds', 'seconds'), { code: 'INVALID_METRIC_NAME' });
  t.throws(() => make(Gauge, 'seconds', 'seconds'), { code: 'INVALID_METRIC_NAME' });
  t.throws(() => make(Histogram, 'a_seconds_bytes', 'seconds'), { code: 'INVALID_METRIC_NAME' });
  t.throws(() => make(Gauge, 'a', ''), { code: 'INVALID_CONFIG', message: /a unit such as "seconds"/ });
  t.throws(() => make(Gauge, 'a', 5), {
    code: 'INVALID_CONFIG',
    message: 'Expected a string for unit but received 5 of type number',
  });
  t.throws(() => make(Info, 'a_seconds', 'seconds'), { code: 'INVALID_CONFIG', message: /no unit for the info/ });
  t.throws(() => make(StateSet, 'a_seconds', 'seconds', { states: ['x'] }), { code: 'INVALID_CONFIG' });
  t.notThrows(() => make(Gauge, 'a_seconds', undefined));
});
