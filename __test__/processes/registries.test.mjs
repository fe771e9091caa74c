// Tests the registries of many processes and the aggregators in one process, side by side with the peers.

import { createRequire } from 'node:module';
import {
  AggregatorRegistry,
  aggregators,
  ClusterRegistry,
  ConfigurationError,
  Counter,
  Gauge,
  Histogram,
  Registry,
  register,
  WorkerRegistry,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';

const require = createRequire(import.meta.url);
const peers = ['prom-client', '@prometheus-io/client'].map((name) => ({ name, client: require(name) }));

const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.constantFrom('x', 'y'), fc.nat(2)), {
  maxKeys: 3,
});
const sample = fc.record(
  { value: fc.double({ noNaN: true }), labels, metricName: fc.constantFrom('m_sum', 'm_count') },
  { requiredKeys: ['value', 'labels'] },
);
const family = fc.record({
  name: fc.constantFrom('m', 'n'),
  help: fc.constantFrom('one', 'two'),
  type: fc.constantFrom('counter', 'gauge', 'histogram'),
  values: fc.array(sample, { maxLength: 6 }),
  aggregator: fc.constantFrom('sum', 'first', 'omit', 'average', 'min', 'max'),
});

/** The successor lists the samples of a family by their names, prom-client as they come. */
const ordered = (name, families) => {
  if (name === 'prom-client') return families;
  return families.map((each) => each && { ...each, values: each.values.map((value) => JSON.stringify(value)).sort() });
};

for (const { name, client } of peers) {
  test(`aggregators are those of ${name}`, (t) => {
    t.deepEqual(Object.keys(aggregators), Object.keys(client.aggregators));
    fc.assert(
      fc.property(fc.array(family, { maxLength: 4 }), (families) => {
        for (const [key, aggregate] of Object.entries(aggregators)) {
          const theirs = client.aggregators[key](structuredClone(families));
          t.deepEqual(ordered(name, [aggregate(families)]), ordered(name, [theirs]), key);
        }
      }),
      { numRuns: count(100, 300) },
    );
  });

  test(`aggregate() is that of ${name}`, async (t) => {
    const lists = fc.array(fc.uniqueArray(family, { selector: (each) => each.name, maxLength: 2 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lists, async (lists) => {
        const ours = AggregatorRegistry.aggregate(structuredClone(lists));
        const theirs = client.AggregatorRegistry.aggregate(structuredClone(lists));
        t.deepEqual(
          ordered(
            name,
            ours.getMetricsAsArray().map((metric) => metric.get()),
          ),
          ordered(
            name,
            theirs.getMetricsAsArray().map((metric) => metric.get()),
          ),
        );
        t.deepEqual(ordered(name, await ours.getMetricsAsJSON()), ordered(name, await theirs.getMetricsAsJSON()));
      }),
      { numRuns: count(70, 200) },
    );
  });
}

test('aggregators keep label sets apart that only look alike', (t) => {
  const values = [{ a: 'x|y', b: 'z' }, { a: 'x', b: 'y|z' }, { a: 'x,b:y' }, { a: 'x', b: 'y' }, { 'a1:b': 'c' }].map(
    (labels) => ({ labels, value: 1 }),
  );
  const one = { name: 'm', help: 'm', type: 'counter', aggregator: 'sum', values };
  t.deepEqual(
    aggregators.sum([one, structuredClone(one)]).values,
    values.map((each) => ({ ...each, value: 2 })),
  );
  const same = [
    { a: 1, b: 'x' },
    { b: 'x', a: '1' },
    { b: 'x', a: '1', c: '' },
    { b: 'x', a: '1', c: null },
  ];
  t.is(aggregators.sum([{ ...one, values: same.map((labels) => ({ labels, value: 1 })) }]).values[0].value, 4);
});

test('aggregate() of every class combines JSON forms', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'c', help: 'c', registers }).inc(2);
  new Gauge({ name: 'g', help: 'g', aggregator: 'max', registers }).set(3);
  new Gauge({ name: 'o', help: 'o', aggregator: 'omit', registers }).set(3);
  new Histogram({ name: 'h', help: 'h', buckets: [1], registers }).observe(2);
  const lists = [await registry.getMetricsAsJSON(), await registry.getMetricsAsJSON()];
  for (const type of [Registry, AggregatorRegistry, ClusterRegistry, WorkerRegistry]) {
    const combined = type.aggregate(lists);
    t.true(combined instanceof Registry);
    t.is(
      await combined.metrics(),
      '# HELP c c\n# TYPE c counter\nc 4\n\n# HELP g g\n# TYPE g gauge\ng 3\n\n# HELP h h\n# TYPE h histogram\n' +
        'h_bucket{le="1"} 0\nh_bucket{le="+Inf"} 2\nh_sum 4\nh_count 2\n',
    );
    t.is(type.aggregate(lists, Registry.OPENMETRICS_CONTENT_TYPE).contentType, Registry.OPENMETRICS_CONTENT_TYPE);
    t.throws(() => type.aggregate([[{ name: 'm', values: [], aggregator: 'toString' }]]), {
      message: "'toString' is not a defined aggregator.",
    });
  }
  const withoutAggregator = [{ name: 'm', help: 'm', type: 'counter', values: [{ labels: {}, value: 2 }] }];
  const [metric] = Registry.aggregate([withoutAggregator, withoutAggregator]).getMetricsAsArray();
  t.is(metric.get().values[0].value, 4);
});

test('metrics are listed by their aggregator', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  for (const aggregator of ['sum', 'max', 'omit']) {
    new Gauge({ name: aggregator, help: 'x', aggregator, registers }).set(1);
  }
  registry.registerMetric({ name: 'foreign', get: () => ({ name: 'foreign', help: 'x', type: 'gauge', values: [] }) });
  const names = (metrics) => metrics.map(({ name }) => name);
  t.deepEqual(names(registry.getMetricsAsArray('sum')), ['sum', 'foreign']);
  t.deepEqual(names(registry.getMetricsAsArray('max')), ['max']);
  t.deepEqual(names(registry.getMetricsAsArray()), ['sum', 'max', 'omit', 'foreign']);
  t.deepEqual(names(await registry.getMetricsAsJSON('sum')), ['sum', 'foreign']);
  t.deepEqual(names(await registry.getMetricsAsJSON('omit')), ['omit']);
  t.is((await registry.getMetricsAsJSON()).length, 4);
});

test('setRegistries() takes registries only', (t) => {
  for (const type of [AggregatorRegistry, ClusterRegistry, WorkerRegistry]) {
    for (const [given, word] of [
      [undefined, 'undefined'],
      [{}, 'object'],
      [[register, 7], 'number'],
      ['x', 'string'],
    ]) {
      t.throws(() => type.setRegistries(given), {
        instanceOf: ConfigurationError,
        message: `Expected Registry, got ${word}`,
      });
    }
    type.setRegistries([register, new Registry(), new AggregatorRegistry()]);
    type.setRegistries(register);
  }
});

test('they are registries', async (t) => {
  for (const type of [AggregatorRegistry, ClusterRegistry, WorkerRegistry]) {
    const registry = new type(Registry.OPENMETRICS_CONTENT_TYPE);
    t.true(registry instanceof Registry);
    t.is(registry.contentType, Registry.OPENMETRICS_CONTENT_TYPE);
    t.throws(() => new type('text/plain'), { message: 'Content type text/plain is unsupported' });
    new Counter({ name: 'c', help: 'c', registers: [registry] }).inc();
    t.true((await registry.metrics()).includes('c_total 1'));
  }
});

test('a family that is packed and unpacked is the same', async (t) => {
  const { pack, unpack, isPacked, sumPacked } = require('../../dist/processes/packing.js');
  const { text } = require('../../dist/processes/exposition.js');
  const { keyOf, combineOne } = require('../../dist/registry/aggregation.js');
  const histogramOf = async (buckets, observed, labelNames = ['a', 'b']) => {
    const registry = new Registry();
    const histogram = new Histogram({ name: 'h', help: 'h', labelNames, buckets, registers: [registry] });
    for (const [labels, value] of observed) histogram.observe(labels, value);
    // As messages bring it.
    return JSON.parse(JSON.stringify((await registry.getMetricsAsJSON())[0]));
  };
  const plain = ({ exemplar: _, ...value }) => value;
  const label = fc.record({ a: fc.constantFrom('x', 'y', ''), b: fc.nat(2) }, { requiredKeys: ['a'] });
  const observed = fc.array(fc.tuple(label, fc.double({ min: 0, max: 3, noNaN: true })), { maxLength: 6 });
  const buckets = fc.constantFrom([1, 2], [1], [0.5]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(buckets, observed), { minLength: 1, maxLength: 3 }), async (given) => {
      const families = await Promise.all(given.map((each) => histogramOf(...each)));
      const packed = families.map(pack);
      for (const [index, family] of families.entries()) {
        if (family.values.length > 0) t.true(isPacked(packed[index]));
        t.deepEqual({ ...unpack(packed[index]) }, { ...family, values: family.values.map(plain) });
      }
      for (const contentType of [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE]) {
        const lists = packed.map((family) => [family]);
        const plainText = await Registry.aggregate(
          families.map((family) => [family]),
          contentType,
        ).metrics();
        t.is(await text(lists, contentType), plainText);
      }
      if (!packed.every(isPacked)) return;
      const sum = sumPacked(packed, keyOf);
      const alike = new Set(given.map(([bounds]) => String(bounds))).size === 1;
      t.is(sum !== undefined, alike);
      // Rounding depends on the order of the additions, which is the same.
      if (alike) t.deepEqual(unpack(sum), combineOne(families));
    }),
    { numRuns: count(40, 100) },
  );
  for (const change of [
    (family) => ({ ...family, type: 'gauge' }),
    (family) => ({ ...family, aggregator: 'max' }),
    (family) => ({ ...family, values: family.values.slice(1) }),
    (family) => ({ ...family, values: family.values.with(1, { ...family.values[1], value: null }) }),
    (family) => ({ ...family, values: family.values.with(0, { ...family.values[0], labels: { a: 'other', le: 1 } }) }),
    (family) => ({ ...family, values: family.values.with(4, { ...family.values[4], metricName: 'h_else' }) }),
  ]) {
    const family = change(
      await histogramOf(
        [1, 2],
        [
          [{ a: 'x' }, 1],
          [{ a: 'y' }, 2],
        ],
        ['a'],
      ),
    );
    t.is(pack(family), family);
  }
});

test('a packed histogram that this library would refuse is shown as it came', async (t) => {
  const { text } = require('../../dist/processes/exposition.js');
  const slots = [
    ['h_bucket', 2],
    ['h_bucket', '+Inf'],
    ['h_sum', undefined],
    ['h_count', undefined],
  ];
  const packed = {
    name: 'h',
    help: 'h',
    type: 'histogram',
    aggregator: 'sum',
    slots,
    labels: [{}],
    numbers: [1, 2, 3, 2],
  };
  const shown = (bucket, infinite, sum, count, le = '2') =>
    `# HELP h h\n# TYPE h histogram\nh_bucket{le="${le}"} ${bucket}\nh_bucket{le="+Inf"} ${infinite}\nh_sum ${sum}\nh_count ${count}\n`;
  const contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  t.is(await text([[packed]], contentType), shown(1, 2, 3, 2));
  t.is(await text([[packed], [packed]], contentType), shown(2, 4, 6, 4));
  // A count that is not that of all buckets, and buckets that fall.
  t.is(await text([[{ ...packed, numbers: [1, 2, 3, 9] }]], contentType), shown(1, 2, 3, 9));
  t.is(await text([[{ ...packed, numbers: [5, 2, 3, 2] }]], contentType), shown(5, 2, 3, 2));
  const other = slots.with(0, ['h_bucket', 'x']);
  t.is(await text([[{ ...packed, slots: other }]], contentType), shown(1, 2, 3, 2, 'x'));
});
