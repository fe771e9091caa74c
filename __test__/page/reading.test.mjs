// Tests how the page reads expositions: lines in pieces of any size, labels, histories, and what changed between scrapes.

import { Counter, Gauge, Histogram, Registry, Summary } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { PanelHistory } from '../../crate/core/page/cards.mjs';
import { Cell, Span } from '../../crate/core/page/cell.mjs';
import { LineReader, parseSeries, writeLabels } from '../../crate/core/page/parse.mjs';
import { histogramQuantile, increase, rate } from '../../crate/core/page/rates.mjs';
import { Store } from '../../crate/core/page/store.mjs';
import { feed, seriesOf, storeOf } from './support/stores.mjs';

const anyText = fc.string({ unit: fc.constantFrom(...'ab"\\\n{}=, #é😀', 'le="1"'), maxLength: 12 });

test('an exposition of the library is read as it was recorded, in pieces of any size', async (t) => {
  const labelSets = fc.array(fc.record({ a: anyText, b: anyText, value: fc.double({ noDefaultInfinity: false }) }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(labelSets, fc.integer({ min: 1, max: 40 }), async (sets, size) => {
      const registry = new Registry();
      const registers = [registry];
      const gauge = new Gauge({ name: 'g', help: 'h\\"\n', labelNames: ['a', 'b'], registers });
      const expected = new Map();
      for (const { a, b, value } of sets) {
        gauge.set({ a, b }, value);
        // The sign of zero is not written.
        expected.set(JSON.stringify([a, b]), value + 0);
      }
      const store = storeOf([await registry.metrics()], size);
      const family = store.families.get('g');
      t.is(family.help, 'h\\"\n');
      const read = new Map(
        [...family.series.values()].map(({ labels, cell }) => {
          const values = new Map(labels);
          return [JSON.stringify([values.get('a') ?? '', values.get('b') ?? '']), cell.value];
        }),
      );
      t.deepEqual(read, expected);
    }),
    { numRuns: 60 },
  );
});

test('labels that are written are read again', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b_1', 'le'), anyText)), (labels) => {
      t.deepEqual(parseSeries(`name${writeLabels(labels)}`), { name: 'name', labels });
    }),
  );
});

test('each type of family has its series, and the parts of one series belong together', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'c_total', help: 'h', registers }).inc(3);
  const histogram = new Histogram({ name: 'h_seconds', help: 'h', labelNames: ['r'], buckets: [1, 2], registers });
  histogram.observe({ r: 'x' }, 1.5);
  histogram.observe({ r: 'y' }, 0.5);
  new Summary({ name: 's', help: 'h', percentiles: [0.5], registers }).observe(4);
  // Its name begins like that of the histogram, and ends like a part of one.
  new Gauge({ name: 'h_seconds_count_max', help: 'h', registers }).set(7);
  const store = storeOf([await registry.metrics()]);
  t.deepEqual(
    [...store.families.values()].map(({ name, kind, series }) => [name, kind, series.size]),
    [
      ['c_total', 'counter', 1],
      ['h_seconds', 'histogram', 2],
      ['s', 'summary', 1],
      ['h_seconds_count_max', 'gauge', 1],
    ],
  );
  const { parts, count, sum } = seriesOf(store, 'h_seconds', '{r="x"}');
  t.deepEqual(
    parts.map(({ bound, cell }) => [bound, cell.value]),
    [
      [1, 0],
      [2, 1],
      [Number.POSITIVE_INFINITY, 1],
    ],
  );
  t.deepEqual([count.value, sum.value], [1, 1.5]);
  t.is(seriesOf(store, 's').parts[0].cell.value, 4);
  t.is(store.seriesCount, 5);
});

test('values, rates and gaps are those of any course', (t) => {
  const course = fc.array(fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }), {
    minLength: 2,
    maxLength: 60,
  });
  fc.assert(
    fc.property(course, (values) => {
      const store = storeOf(
        values.map((value) => `# TYPE c counter\nother 1\n${value === undefined ? '' : `c ${value}\n`}`),
      );
      const { cell } = store.families.get('c').series.get('') ?? {};
      if (cell === undefined) return;
      values.forEach((value, at) => void t.is(cell.at(at), value ?? Number.NaN));
      // By definition, from the first value that was seen.
      const known = values.map((value, at) => ({ value, at })).filter(({ value }) => value !== undefined);
      let [sum, before] = [Number.NaN, undefined];
      for (const { value, at } of known) {
        if (before === undefined) sum = at === 0 ? Number.NaN : value;
        else sum = (Number.isNaN(sum) ? 0 : sum) + (value >= before ? value - before : value);
        before = value;
      }
      t.is(increase(cell, 0, store.latest), sum);
      t.is(rate(store, cell, store.latest, 1e6), sum / store.latest);
    }),
  );
});

test('a store remembers ten minutes of scrapes, and forgets series that are gone', (t) => {
  const store = new Store();
  for (let at = 0; at < 1300; at++)
    feed(store, at * 1000, `# TYPE g gauge\ng ${at}\n${at < 100 ? 'g{gone="1"} 1\n' : ''}`);
  const { cell } = seriesOf(store, 'g');
  t.is(store.latest - store.oldest, 599);
  t.deepEqual([cell.at(store.oldest), cell.at(store.latest)], [700, 1299]);
  t.deepEqual([...store.families.get('g').series.keys()], ['']);
});

test('a family that is gone for ten minutes leaves the list, and one without series stays', (t) => {
  const store = new Store();
  for (let at = 0; at < 1300; at++)
    feed(store, at * 1000, `# TYPE empty counter\n${at < 100 ? '# TYPE gone gauge\ngone 1\n' : ''}`);
  t.deepEqual([...store.families.keys()], ['empty']);
});

test('a value that comes back after a long absence is at its own scrape alone', (t) => {
  const cell = new Cell(new Span());
  for (let at = 0; at < 10; at++) cell.put(at, 5);
  for (let at = 10; at < 110; at++) cell.miss(at);
  cell.put(110, 7);
  const seen = Array.from({ length: 111 }, (_, at) => cell.at(at));
  t.deepEqual(seen, [...Array(10).fill(5), ...Array(100).fill(Number.NaN), 7]);
});

test('a scrape that breaks off leaves nothing', (t) => {
  const store = new Store();
  const text = (value) => `# TYPE c_total counter\nc_total ${value}\n`;
  feed(store, 0, text(10));
  feed(store, 2000, text(10));
  store.begin(4000);
  new LineReader(store).push(text(20));
  feed(store, 6000, text(30));
  const { cell } = seriesOf(store, 'c_total');
  t.deepEqual([cell.at(0), cell.at(1), cell.at(2)], [10, 10, 30]);
  t.is(store.families.get('c_total').activity.at(2), 5);
});

test('a chart shows the groups of its time, the largest first', (t) => {
  const query = { kind: 'value', name: 'g', by: ['n'], match: {} };
  const history = new PanelHistory({ title: 'G', unit: '', queries: [query] });
  const store = new Store();
  for (let at = 0; at < 1000; at++) {
    feed(store, at * 1000, `# TYPE g gauge\ng{n="m${Math.floor(at / 10)}"} ${at}\n`);
    history.sample(store);
  }
  const { lines, hidden } = history.picture(store, { lines: Array(8).fill('#000') }, 100_000);
  t.deepEqual(
    lines.map(({ name }) => name),
    ['m92', 'm93', 'm94', 'm95', 'm96', 'm97', 'm98', 'm99'],
  );
  t.true(hidden <= 3, `${hidden}`);
});

test('an exposition with very many changing values shortens what is remembered', (t) => {
  const store = new Store();
  const text = (at) =>
    `# TYPE g gauge\n${Array.from({ length: 40_000 }, (_, n) => `g{n="${n}"} ${n + at}\n`).join('')}`;
  for (let at = 0; at < 4; at++) feed(store, at * 1000, text(at));
  t.deepEqual(
    [0, 1, 2, 3].map((at) => seriesOf(store, 'g', '{n="39999"}').cell.at(at)),
    [39_999, 40_000, 40_001, 40_002],
  );
  t.deepEqual(
    [0, 1, 2, 3].map((at) => store.time(at)),
    [0, 1000, 2000, 3000],
  );
});

test('a quantile lies in the bucket of the observation of its rank', (t) => {
  const bounds = [0.1, 0.5, 1, 2.5, 10];
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 12, noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0.001, max: 1, noNaN: true }),
      (seen, quantile) => {
        const all = [...bounds, Number.POSITIVE_INFINITY];
        const counts = all.map((bound) => seen.filter((value) => value <= bound).length);
        const found = histogramQuantile(quantile, all, counts);
        const sorted = [...seen].sort((a, b) => a - b);
        const rank = Math.max(0, Math.ceil(quantile * sorted.length) - 1);
        const bucket = all.findIndex((bound) => sorted[rank] <= bound);
        const top = Math.min(bucket, bounds.length - 1);
        t.true(
          found <= all[top] && found >= (bucket === bounds.length ? bounds.at(-1) : (all[bucket - 1] ?? 0)),
          `${found}`,
        );
      },
    ),
  );
});

test('a quantile of nothing, or without +Inf, is missing', (t) => {
  t.is(histogramQuantile(0.5, [1, Number.POSITIVE_INFINITY], [0, 0]), Number.NaN);
  t.is(histogramQuantile(0.5, [1, 2], [1, 2]), Number.NaN);
  t.is(histogramQuantile(0.5, [], []), Number.NaN);
  // As Prometheus: interpolated within the bucket.
  t.is(histogramQuantile(0.5, [1, 2, Number.POSITIVE_INFINITY], [0, 4, 4]), 1.5);
});
