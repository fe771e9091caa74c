// Tests one registry a tenant: each has its own limits, and is shown with the others under a tenant label, or apart.

import {
  Counter,
  createMetricsHandler,
  Gauge,
  Histogram,
  openMetricsContentType,
  Registry,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples, samplesOf, text, withoutSelfMetrics } from '../support/exposition.mjs';
import { stoppedClock } from '../support/time.mjs';

const quiet = { warn() {} };

/** A tenant's registry, with a counter of one label and a histogram. */
function tenant(options = {}) {
  const registry = new Registry({ logger: quiet, ...options });
  const registers = [registry];
  const counter = new Counter({ name: 'calls_total', help: 'Calls', labelNames: ['model'], registers });
  const histogram = new Histogram({ name: 'seconds', help: 'Time', buckets: [1], registers });
  return { registry, counter, histogram };
}

test('tenants are shown together and apart', async (t) => {
  const root = new Registry({ defaultLabels: { app: 'gateway' } });
  new Counter({ name: 'calls_total', help: 'All calls', labelNames: ['model'], registers: [root] }).inc(
    { model: 'm' },
    9,
  );
  const acme = tenant({ defaultLabels: { zone: 'z' } });
  const zeta = tenant();
  acme.counter.inc({ model: 'm' }, 2);
  zeta.counter.inc({ model: 'm' }, 3);
  zeta.histogram.observe(0.5);
  root.mount(acme.registry, { tenant: 'ac"me' });
  root.mount(zeta.registry, { tenant: 'zeta', plan: 2 });
  const expected = text(
    '# HELP calls_total All calls',
    '# TYPE calls_total counter',
    'calls_total{model="m",app="gateway"} 9',
    'calls_total{model="m",zone="z",tenant="ac\\"me",app="gateway"} 2',
    'calls_total{model="m",tenant="zeta",plan="2",app="gateway"} 3',
    '',
    '# HELP seconds Time',
    '# TYPE seconds histogram',
    'seconds_bucket{le="1",app="gateway",zone="z",tenant="ac\\"me"} 0',
    'seconds_bucket{le="+Inf",app="gateway",zone="z",tenant="ac\\"me"} 0',
    'seconds_sum{app="gateway",zone="z",tenant="ac\\"me"} 0',
    'seconds_count{app="gateway",zone="z",tenant="ac\\"me"} 0',
    'seconds_bucket{le="1",app="gateway",tenant="zeta",plan="2"} 1',
    'seconds_bucket{le="+Inf",app="gateway",tenant="zeta",plan="2"} 1',
    'seconds_sum{app="gateway",tenant="zeta",plan="2"} 0.5',
    'seconds_count{app="gateway",tenant="zeta",plan="2"} 1',
  );
  t.is(await root.metrics(), expected);
  const { body } = await root.scrape({ accept: openMetricsContentType });
  t.deepEqual(
    samplesOf(body.toString()),
    samplesOf(expected).map((line) => line.replace('le="1"', 'le="1.0"')),
  );
  t.is(await root.getSingleMetricAsString('calls_total'), expected.split('\n\n')[0]);
  const apart = await samples(zeta.registry);
  t.is(apart[0], 'calls_total{model="m"} 3');
  const [calls] = await root.getMetricsAsJSON();
  t.deepEqual(
    calls.values.map(({ labels, value }) => [labels, value]),
    [
      [{ model: 'm', app: 'gateway' }, 9],
      [{ model: 'm', zone: 'z', tenant: 'ac"me', app: 'gateway' }, 2],
      [{ model: 'm', tenant: 'zeta', plan: '2', app: 'gateway' }, 3],
    ],
  );
});

test('a tenant cannot speak for another', async (t) => {
  const root = new Registry();
  const registry = new Registry();
  const labelNames = ['tenant', 'exported_tenant'];
  const counter = new Counter({ name: 'c', help: 'h', labelNames, registers: [registry] });
  counter.inc({ tenant: 'zeta' });
  counter.inc({ tenant: 'zeta', exported_tenant: 'z' });
  registry.setDefaultLabels({ tenant: 'zeta', exported_tenant: 'default' });
  root.mount(registry, { tenant: 'acme' });
  t.deepEqual(await samples(root), [
    'c{exported_tenant="zeta",tenant="acme"} 1',
    'c{exported_exported_tenant="zeta",exported_tenant="z",tenant="acme"} 1',
  ]);
});

test('a mount ends once, by its function or by clear()', async (t) => {
  const root = new Registry();
  const { registry, counter } = tenant();
  counter.inc();
  const end = root.mount(registry, { tenant: 1 });
  t.is((await samples(root))[0], 'calls_total{tenant="1"} 1');
  end();
  end();
  t.deepEqual(await samples(root), []);
  root.mount(registry, { tenant: 2 });
  // Calling the function again has no effect.
  end();
  t.is((await samples(root))[0], 'calls_total{tenant="2"} 1');
  root.clear();
  t.deepEqual(await samples(root), []);
  root.mount(registry, { tenant: undefined, plan: null, other: 3 });
  t.is((await samples(root))[0], 'calls_total{other="3"} 1');
  t.is((await samples(registry))[0], 'calls_total 1');
});

test('invalid mounts are rejected', (t) => {
  const [root, first, second] = [new Registry(), new Registry(), new Registry()];
  root.mount(first, { tenant: 'first' });
  const itself = 'Expected another registry to mount but received one that would contain itself';
  const same = 'Expected labels that no other mounted registry has but received labels that one has';
  for (const [call, message] of [
    [() => root.mount(root, {}), itself],
    [() => first.mount(root, { a: 1 }), itself],
    [() => root.mount(first, { a: 1 }), 'Expected a registry that is not mounted here but received one that is'],
    [() => root.mount(second, { tenant: 'first', absent: undefined }), same],
    [() => root.mount({}, {}), 'Expected a registry to mount but received an object of type Object'],
    [() => root.mount(undefined, {}), 'Expected a registry to mount but received undefined of type undefined'],
    [() => root.mount(second), 'Expected labels for mount() but received undefined of type undefined'],
    [() => root.mount(second, null), 'Expected labels for mount() but received null'],
    [() => root.mount(second, 'acme'), 'Expected labels for mount() but received "acme" of type string'],
  ]) {
    t.throws(call, { code: 'INVALID_CONFIG', message });
  }
  for (const [name, message] of [
    ['no name', 'At least one label name is invalid: no name'],
    ['le', 'le is a reserved label keyword'],
    ['quantile', 'quantile is a reserved label keyword'],
  ]) {
    t.throws(() => root.mount(second, { [name]: 1 }), { code: 'INVALID_LABEL_NAME', message });
  }
  root.mount(second, { tenant: 'second' });
});

test('families of another type are left out, and reported once', async (t) => {
  const told = [];
  const root = new Registry({ logger: { warn: (message) => told.push(message) } });
  new Gauge({ name: 'calls_total', help: 'Not calls', registers: [root] }).set(1);
  const { registry, counter } = tenant();
  counter.inc();
  root.mount(registry, { tenant: 'acme' });
  for (let turn = 0; turn < 2; turn++) {
    const [own, ...others] = await samples(root);
    t.is(own, 'calls_total 1');
    t.true(others.every((line) => line.startsWith('seconds_')));
  }
  t.deepEqual(told, [
    'TYPE_MISMATCH: "calls_total" has another type or other buckets in another thread or registry, or writes samples that another metric or the endpoint itself writes; its values there are left out',
  ]);
});

test('each tenant has its own limits and overflow', async (t) => {
  const root = new Registry({ logger: quiet, cardinality: { maxTotal: 1 } });
  const small = tenant({ cardinality: { maxSeries: 1 } });
  const large = tenant();
  root.mount(small.registry, { tenant: 'small' });
  root.mount(large.registry, { tenant: 'large' });
  for (const { counter } of [small, large]) for (const model of ['a', 'b', 'c']) counter.inc({ model });
  const all = (await samples(root)).filter((line) => line.startsWith('calls_total'));
  t.deepEqual(all, [
    'calls_total{model="a",tenant="small"} 1',
    'calls_total{model="other",tenant="small"} 2',
    'calls_total{model="a",tenant="large"} 1',
    'calls_total{model="b",tenant="large"} 1',
    'calls_total{model="c",tenant="large"} 1',
  ]);
  t.is(root.cardinality().series, 0);
  t.is(small.registry.cardinality().metrics[0].overflow, 2);
  const { body } = await root.scrape({ names: ['llmdevops_metrics_cardinality_overflow_total'] });
  t.is(
    body.toString(),
    text(
      '# HELP llmdevops_metrics_cardinality_overflow_total Calls whose label set was beyond a limit, by metric',
      '# TYPE llmdevops_metrics_cardinality_overflow_total counter',
      'llmdevops_metrics_cardinality_overflow_total{metric="calls_total",tenant="small"} 2',
    ),
  );
});

test("a scrape of all runs the tenants' collectors and reads their foreign metrics", async (t) => {
  const root = new Registry();
  const middle = new Registry();
  const leaf = new Registry();
  root.mount(middle, { level: 'middle' });
  middle.mount(leaf, { level: 'leaf' });
  let asked = 0;
  new Gauge({
    name: 'asked',
    help: 'h',
    registers: [leaf],
    collect() {
      this.set(++asked);
    },
  });
  const foreign = { name: 'foreign', help: 'F', type: 'gauge', aggregator: 'sum' };
  leaf.registerMetric({
    name: 'foreign',
    get: async () => ({ ...foreign, values: [{ value: 5, labels: { x: 'y' } }] }),
  });
  t.deepEqual(await samples(root), [
    'asked{exported_level="leaf",level="middle"} 1',
    'foreign{x="y",exported_level="leaf",level="middle"} 5',
  ]);
  const handler = createMetricsHandler({ registry: root });
  const chunks = [];
  await new Promise((resolve) => {
    handler(
      { method: 'GET', url: '/metrics', headers: {} },
      {
        headersSent: false,
        once() {},
        on() {},
        off() {},
        removeListener() {},
        setHeader() {},
        writeHead() {
          return this;
        },
        write(chunk) {
          chunks.push(Buffer.from(chunk));
          return true;
        },
        end(chunk) {
          if (chunk !== undefined) chunks.push(Buffer.from(chunk));
          resolve();
        },
      },
    );
  });
  t.is(
    samplesOf(withoutSelfMetrics(Buffer.concat(chunks).toString()))[0],
    'asked{exported_level="leaf",level="middle"} 2',
  );
});

test.serial('a scrape of all removes expired series of a tenant', async (t) => {
  const pass = stoppedClock(t);
  const root = new Registry();
  const acme = tenant({ ttlSeconds: 1 });
  root.mount(acme.registry, { tenant: 'acme' });
  acme.counter.inc({ model: 'a' });
  t.is((await samples(root)).length, 5);
  pass(1);
  t.is((await samples(root)).length, 4);
  for (let turn = 0; turn < 100 && acme.registry.cardinality().series > 1; turn++) await new Promise(setImmediate);
  t.is(acme.registry.cardinality().series, 1);
});
