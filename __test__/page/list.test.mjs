// Tests the rows of the list, the table of cardinality, and where charts are interrupted, without a browser.

import test from 'ava';
import { cardinalityRows } from '../../crate/core/page/cardinality.mjs';
import { subjectOfSeries } from '../../crate/core/page/detail.mjs';
import { drawChart } from '../../crate/core/page/draw.mjs';
import { List } from '../../crate/core/page/list.mjs';
import { drawing, makeDocument } from './support/elements.mjs';
import { storeOf } from './support/stores.mjs';

makeDocument();
const colours = { lines: Array(8).fill('#000') };

/** The rows of a list that shows a store. */
function rowsOf(list) {
  list.update(colours);
  return list.root.all(({ dataset }) => dataset.row !== undefined);
}

/** The value of the row of a family. */
function valueIn(store, name) {
  const row = rowsOf(new List(store, () => {})).find(({ dataset }) => dataset.family === name);
  const cell = row.all(({ dataset }) => dataset.what === 'value')[0];
  return Number(cell.all(({ dataset }) => dataset.value !== undefined)[0].dataset.value);
}

for (const [name, type, expected, written] of [
  ['a_timestamp_seconds', 'gauge', 1_700_000_100, 'max(a_timestamp_seconds)'],
  ['start_time_seconds', 'gauge', 1_700_000_100, 'max(start_time_seconds)'],
  ['a_ratio', 'untyped', 1_700_000_100, 'max(a_ratio)'],
  ['cpu_utilization', 'gauge', 1_700_000_100, 'max(cpu_utilization)'],
  ['a_bytes', 'gauge', 3_400_000_100, 'sum(a_bytes)'],
  ['a_ratio_total', 'counter', 3_400_000_100, 'sum(rate(a_ratio_total[1m]))'],
]) {
  test(`the ${type} ${name} with several series: what the list, its chart and PromQL show`, (t) => {
    const text = `# TYPE ${name} ${type}\n${name}{n="1"} 1700000000\n${name}{n="2"} 1700000100\n${name}{n="3"} NaN\n`;
    const store = storeOf([text, text]);
    const family = store.families.get(name);
    t.is(valueIn(store, name), expected);
    const subject = subjectOfSeries(store, family, undefined);
    t.deepEqual(subject.promql, [written]);
    t.is(subject.picture(colours, 60_000).lines[0].values.at(-1), type === 'counter' ? 0 : expected);
  });
}

test('a family and its series without labels are different rows', (t) => {
  const store = storeOf(['# TYPE g gauge\ng 1\ng{n="1"} 2\n']);
  const list = new List(store, () => {});
  const [family] = rowsOf(list);
  family.children[0].click();
  const ids = rowsOf(list).map(({ dataset }) => dataset.row);
  t.is(ids.length, 3);
  t.is(new Set(ids).size, 3);
  t.is(list.found, 1);
});

test('a family with a name of JavaScript has no limit', (t) => {
  const store = storeOf(['constructor 1\ntoString 2\nlimited 1\n']);
  const limits = cardinalityRows(store, { limited: 5 }).map(({ dataset, children }) => [
    dataset.cardinality,
    children[2].textContent,
  ]);
  t.deepEqual(limits, [
    ['constructor', '–'],
    ['limited', '5'],
    ['toString', '–'],
  ]);
});

for (const [title, steps, expected] of [
  ['one a second', [1, 1, 1, 1, 1], [6]],
  ['one a minute', [60, 60, 60, 60, 60], [6]],
  ['slower and slower', [1, 1, 20, 20, 60, 60], [7]],
  ['a pause', [1, 1, 1, 16, 1, 1], [4, 3]],
  ['a slow answer', [1, 1, 14, 1], [5]],
  ['a pause of scrapes that are one a minute', [60, 60, 300, 60, 60], [3, 3]],
]) {
  test(`a line of scrapes is interrupted where some are missing: ${title}`, (t) => {
    const times = [0];
    for (const step of steps) times.push(times.at(-1) + step * 1000);
    const { context, paths } = drawing();
    // A second line, as a single one is filled.
    const values = times.map((_, at) => at);
    const lines = [values, values.map(() => Number.NaN)].map((values) => ({ name: '', colour: '', values }));
    drawChart(context, 600, 200, { times, lines, unit: '', from: 0, to: times.at(-1) }, colours);
    t.deepEqual(
      paths.filter((points) => points > 2),
      expected,
    );
  });
}
