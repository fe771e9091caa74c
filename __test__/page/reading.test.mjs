// Tests how the page reads expositions: lines in pieces of any size, labels, histories, and what changed between scrapes.

import { Counter, Gauge, Histogram, Registry, Summary } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { PanelHistory } from '../../crate/core/page/cards.mjs';
import { Cell, Span } from '../../crate/core/page/cell.mjs';
import { subjectOfSeries } from '../../crate/core/page/detail.mjs';
import { LineReader, parseSeries, writeLabels } from '../../crate/core/page/parse.mjs';
import { bucketsOf, evaluate, RATE_SECONDS, SHARE_SECONDS } from '../../crate/core/page/queries.mjs';
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
  const names = Array.from({ length: 40_000 }, (_, n) => `g{n="${n}"}`);
  const scrape = (at, count) => {
    store.begin(at * 1000);
    store.type('g', 'gauge');
    for (let n = 0; n < count; n++) store.sample(names[n], n + at);
    store.end();
  };
  // All have changed and keep their room, though most are missing later.
  for (let at = 0; at < 300; at++) scrape(at, at < 4 ? names.length : 2);
  const { cell } = seriesOf(store, 'g', '{n="1"}');
  t.is(store.latest - store.oldest, 198);
  for (let at = store.oldest; at <= store.latest; at++) t.deepEqual([cell.at(at), store.time(at)], [1 + at, at * 1000]);
});

/** A histogram of one process: each scrape adds as many observations to each bucket. */
function histogramText(buckets, at, labels = '') {
  const bounds = Object.keys(buckets).sort((a, b) => (Number(a) || 1e9) - (Number(b) || 1e9));
  const counts = bounds.map((_, n) => bounds.slice(0, n + 1).reduce((sum, bound) => sum + buckets[bound] * at, 0));
  const lines = bounds.map((bound, n) => `h_bucket{${labels}le="${bound}"} ${counts[n]}\n`);
  const own = labels === '' ? '' : `{${labels.slice(0, -1)}}`;
  return `# TYPE h histogram\n${lines.join('')}h_sum${own} ${at}\nh_count${own} ${counts.at(-1)}\n`;
}

const p50 = { kind: 'quantile', quantile: 0.5, name: 'h' };
const LINES = { lines: Array(8).fill('#000') };

test('after a restart with other buckets, those of the earlier process say nothing', (t) => {
  const [old, young] = [
    { 0.1: 5, 0.5: 5, 1: 5, '+Inf': 5 },
    { 0.2: 0, 0.6: 4, 2: 0, '+Inf': 0 },
  ];
  const store = new Store();
  const history = new PanelHistory({ title: 'H', unit: 's', queries: [p50], isHeat: true });
  const within = (value) => value > 0.2 && value <= 0.6;
  for (let at = 0; at < 1400; at++) {
    feed(store, at * 1000, at < 100 ? histogramText(old, at + 1) : histogramText(young, at - 99));
    history.sample(store);
    const members = [...store.families.get('h').series.values()];
    for (const seconds of [RATE_SECONDS, SHARE_SECONDS, Number.POSITIVE_INFINITY]) {
      const { bounds, counts } = bucketsOf(store, members, at, seconds);
      t.is(bounds.length, 4);
      t.true(counts.every((count, n) => n === 0 || count >= counts[n - 1]));
    }
    if (at > 100) t.true(within(evaluate(store, p50, at).get('')), `${at}`);
    if (at === 120) {
      const all = [0.1, 0.2, 0.5, 0.6, 1, 2, Number.POSITIVE_INFINITY];
      const detail = subjectOfSeries(store, store.families.get('h'), undefined).picture(LINES, 60_000);
      for (const { heat, times } of [history.picture(store, LINES, 60_000), detail]) {
        t.deepEqual(heat.bounds, all);
        t.is(heat.columns.length, times.length);
        t.true(heat.columns.flat().every((count) => !(count < 0)));
        t.true(heat.columns.at(-1)[3] > 0);
        t.false(heat.columns.at(-1)[2] > 0);
        t.true(heat.columns[0][2] > 0);
      }
    }
  }
  const { heat } = history.picture(store, LINES, 60_000);
  t.deepEqual(heat.bounds, [0.2, 0.6, 2, Number.POSITIVE_INFINITY]);
  t.deepEqual(
    seriesOf(store, 'h').parts.map(({ bound }) => bound),
    [0.2, 0.6, 2, Number.POSITIVE_INFINITY],
  );
});

test('what a series got before it was removed counts, unless its buckets are of an earlier process', (t) => {
  const course = (gone) => {
    const store = new Store();
    for (let at = 0; at < 30; at++) {
      const removed = at < 20 ? histogramText(gone, at, 'n="a",') : '';
      feed(store, at * 1000, removed + histogramText({ 1: 0, 2: 1, '+Inf': 0 }, at, 'n="b",'));
    }
    return bucketsOf(store, [...store.families.get('h').series.values()], store.latest, SHARE_SECONDS);
  };
  const bounds = [1, 2, Number.POSITIVE_INFINITY];
  t.deepEqual(course({ 1: 1, 2: 0, '+Inf': 0 }), { bounds, counts: [19, 48, 48] });
  t.deepEqual(course({ 1: 1, 3: 0, '+Inf': 0 }), { bounds, counts: [0, 29, 29] });
});

test('a summary shows the quantiles of its newest scrape', (t) => {
  const text = (quantile) => `# TYPE s summary\ns{n="1",quantile="${quantile}"} 2\ns_sum{n="1"} 2\ns_count{n="1"} 1\n`;
  const store = storeOf([...Array(10).fill(text('0.5')), ...Array(1200).fill(text('0.9'))]);
  t.deepEqual(
    seriesOf(store, 's', '{n="1"}').parts.map(({ bound }) => bound),
    [0.9],
  );
});

test('buckets that come back after a long absence are not those of before', (t) => {
  const [one, other] = [
    { 1: 3, '+Inf': 0 },
    { 2: 3, '+Inf': 0 },
  ];
  const store = new Store();
  const history = new PanelHistory({ title: 'H', unit: 's', queries: [p50], isHeat: true });
  for (let at = 0; at < 900; at++) {
    feed(store, at * 1000, histogramText(at >= 700 && at < 800 ? other : one, at % 100));
    history.sample(store);
  }
  const { heat, times } = history.picture(store, LINES, 300_000);
  t.deepEqual(heat.bounds, [1, 2, Number.POSITIVE_INFINITY]);
  times.forEach((time, at) => {
    if (time >= 700_000 && time < 800_000) t.false(heat.columns[at][0] > 0, `${time}`);
  });
});

test('quantiles of one scrape are not those of another, of other labels or of another time', (t) => {
  const store = new Store();
  for (let at = 0; at < 100; at++) {
    const a = { 1: at < 80 ? 1 : 2, 2: 1, '+Inf': 0 };
    feed(store, at * 1000, histogramText(a, at, 'n="a",') + histogramText({ 1: 0, 2: 1, '+Inf': 0 }, at, 'n="b",'));
    for (const query of [p50, { ...p50, by: ['n'] }, { ...p50, match: { n: 'a' } }, { ...p50, quantile: 0.9 }]) {
      for (const seconds of [undefined, 10]) {
        evaluate(store, query, at, seconds);
        const again = evaluate(store, query, at, seconds);
        store.buckets.clear();
        t.deepEqual(again, evaluate(store, query, at, seconds));
      }
    }
  }
});

test('a gauge without a number does not hide the others; a counter without one has not grown', (t) => {
  const text = (value, at) =>
    `# TYPE g gauge\ng{n="1"} NaN\ng{n="2"} 3\ng{n="3"} 4\n# TYPE c_total counter\nc_total{n="1"} ${value}\nc_total{n="2"} ${at}\n`;
  const store = storeOf([5, Number.NaN, 5, 6].map(text));
  const activity = (name) => [0, 1, 2, 3].map((at) => store.families.get(name).activity.at(at));
  t.deepEqual(activity('g'), [7, 7, 7, 7]);
  t.deepEqual(activity('c_total'), [Number.NaN, 1, 1, 2]);
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
