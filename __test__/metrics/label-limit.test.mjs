// Compares a limit on one label's values with a model of it, for each label set. The library has a fast path for label sets
// over a limit, and the result must be the same with it.

import test from 'ava';
import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from '../../dist/entry/index.js';

const NAMES = ['method', 'route', 'status'];
const LIMIT = 3;

/** Values of several types with the same text, values without a text, and `other` itself. */
const method = fc.constantFrom('GET', 'PUT', undefined, 1, '1');
const route = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: 6 }).map(String),
  fc.constantFrom('', null, undefined, true, 'true', 'other', '\ud800', '\ufffd'),
);
const status = fc.constantFrom('200', 200, '500');
const labelSet = fc.record({ method, route, status });

test('folds the value of the limited label only, for values of all types', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(labelSet, { maxLength: 60 }), async (sets) => {
      const counter = open(Counter, { maxLabelValues: { route: LIMIT } });
      const model = new Model();
      for (const set of sets) {
        counter.inc(set);
        model.add(set);
      }
      t.deepEqual(await valuesOf(counter), model.sorted());
    }),
    { numRuns: 300 },
  );
});

test('folds again once a removed series has been replaced', async (t) => {
  const counter = open(Counter, { maxLabelValues: { route: 2 } });
  const at = (route) => ({ method: 'GET', route, status: '200' });
  for (const route of ['a', 'b', 'c', 'd', 'd']) counter.inc(at(route));
  t.deepEqual(await valuesOf(counter), [line(at('a'), 1), line(at('b'), 1), line(at('other'), 3)]);
  counter.remove(at('a'));
  for (const route of ['c', 'd', 'a', 'b']) counter.inc(at(route));
  t.deepEqual(await valuesOf(counter), [line(at('b'), 2), line(at('c'), 1), line(at('other'), 5)]);
});

test('a gauge drops what is beyond, and leaves alone a series that is named `other`', async (t) => {
  const gauge = open(Gauge, { maxLabelValues: { route: 1 } });
  gauge.set({ method: 'GET', route: 'a', status: '200' }, 1);
  gauge.set({ method: 'GET', route: 'other', status: '200' }, 2);
  for (const route of ['b', 'c', 'd']) gauge.set({ method: 'GET', route, status: '200' }, 9);
  t.deepEqual(await valuesOf(gauge), [
    line({ method: 'GET', route: 'a', status: '200' }, 1),
    line({ method: 'GET', route: 'other', status: '200' }, 2),
  ]);
});

for (const policy of ['drop', 'throw']) {
  test(`${policy}: nothing is added to a series that is named \`other\``, async (t) => {
    const counter = open(Counter, { maxLabelValues: { route: 1 }, policy });
    counter.inc({ method: 'GET', route: 'a', status: '200' });
    counter.inc({ method: 'GET', route: 'other', status: '200' });
    for (const route of ['b', 'c', 'd']) {
      const write = () => counter.inc({ method: 'GET', route, status: '200' });
      if (policy === 'throw') t.throws(write, { code: 'CARDINALITY_LIMIT' });
      else write();
    }
    t.deepEqual(await valuesOf(counter), [
      line({ method: 'GET', route: 'a', status: '200' }, 1),
      line({ method: 'GET', route: 'other', status: '200' }, 1),
    ]);
  });
}

test('a histogram keeps each observation beyond', async (t) => {
  const registry = new Registry();
  const histogram = new Histogram({
    name: 'limited',
    help: 'Limited',
    labelNames: ['route'],
    buckets: [1],
    registers: [registry],
    cardinality: { maxLabelValues: { route: 1 } },
  });
  for (const route of ['a', 'b', 'c', 'd']) histogram.observe({ route }, 0.5);
  t.is(
    await registry.metrics(),
    `# HELP limited Limited
# TYPE limited histogram
limited_bucket{le="1",route="a"} 1
limited_bucket{le="+Inf",route="a"} 1
limited_sum{route="a"} 0.5
limited_count{route="a"} 1
limited_bucket{le="1",route="other"} 3
limited_bucket{le="+Inf",route="other"} 3
limited_sum{route="other"} 1.5
limited_count{route="other"} 3
`,
  );
});

/** What the documentation says: the first values have series, later ones are `other`, and none is not counted. */
class Model {
  #routes = new Set();
  #values = new Map();

  add(set) {
    const [method, route, status] = NAMES.map((name) => String(set[name] ?? '').toWellFormed());
    const counted = route !== '' && route !== 'other';
    const known = this.#routes.has(route) || !counted;
    if (!known && this.#routes.size < LIMIT) this.#routes.add(route);
    const key = line({ method, route: known || this.#routes.has(route) ? route : 'other', status }, '');
    this.#values.set(key, (this.#values.get(key) ?? 0) + 1);
  }

  sorted() {
    return [...this.#values].map(([key, value]) => key + value).sort();
  }
}

function open(Metric, cardinality) {
  return new Metric({ name: 'limited', help: 'Limited', labelNames: NAMES, registers: [new Registry()], cardinality });
}

async function valuesOf(metric) {
  const { values } = await metric.get();
  return values.map(({ labels, value }) => line(labels, value)).sort();
}

function line(labels, value) {
  return `${NAMES.map((name) => labels[name] ?? '').join('|')} ${value}`;
}
