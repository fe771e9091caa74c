// Tests how the page writes numbers and CSV, and the sources from which the build makes one document.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { show, showText, unitOf } from '../../crate/core/page/format.mjs';
import { toCsv } from '../../crate/core/page/save.mjs';

for (const [value, unit, expected] of [
  [0, '', '0'],
  [12_345, '', '12,345'],
  [123_456, '', '123 k'],
  [1_234_567, '', '1.23 M'],
  [-3, '', '−3'],
  [Number.NaN, 's', '–'],
  [Number.POSITIVE_INFINITY, '', '∞'],
  [Number.NEGATIVE_INFINITY, 'B', '−∞'],
  [12.345, '/s', '12.3/s'],
  [0.00123, 's', '1.23 ms'],
  [0.9063, 's', '906 ms'],
  [59.9999, 's', '1 min'],
  [950, 's', '15.8 min'],
  [0, 's', '0 s'],
  [123_456_789, 'B', '118 MiB'],
  [1000, 'B/s', '1,000 B/s'],
  [0.5, '%', '50%'],
  [0.123456, '%', '12.3%'],
  [1.5, 's/s', '150%'],
  [12.5, 'USD/h', '$12.50/h'],
  [0.00031, 'USD', '$0.00031'],
  [0, 'USD', '$0.00'],
]) {
  test(`${value} with the unit "${unit}" is ${expected}`, (t) => {
    t.is(showText(value, unit), expected);
  });
}

test('no number is longer than a tile', (t) => {
  fc.assert(
    fc.property(fc.double(), fc.constantFrom('', '/s', 's', 'B', '%', 'USD', 'USD/h', 'B/s'), (value, unit) => {
      t.true(show(value, unit).text.length <= 13, showText(value, unit));
    }),
  );
});

test('units follow from names', (t) => {
  const units = {
    a_seconds: 's',
    a_seconds_total: 's',
    a_bytes: 'B',
    a_usd_total: 'USD',
    a_ratio: '%',
    process_start_time_seconds: 'time',
    a_total: '',
  };
  for (const [name, unit] of Object.entries(units)) t.is(unitOf(name), unit, name);
});

test('CSV: a column for each line; texts that a spreadsheet would run are disarmed', (t) => {
  const lines = [
    { name: 'a,"b"', colour: '', values: [1.5, Number.NaN] },
    { name: '=1+1', colour: '', values: [-2, 3] },
  ];
  t.is(
    toCsv({ times: [0, 1000], lines, unit: '', from: 0, to: 1 }),
    'time,"a,""b""",\'=1+1\r\n1970-01-01T00:00:00.000Z,1.5,-2\r\n1970-01-01T00:00:01.000Z,,3\r\n',
  );
});

const folder = join(import.meta.dirname, '../../crate/core/page');
const modules = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
const sourceOf = (file) => readFileSync(join(folder, file), 'utf8').replace(/^ *\/\*[\s\S]*?\*\/|^ *\/\/.*$/gm, '');

test('the modules can share one scope: each top-level name is declared once', (t) => {
  const names = modules.flatMap((file) =>
    [...sourceOf(file).matchAll(/^(?:export )?(?:async )?(?:const|let|class|function\*?) ([\w$]+)/gm)].map(
      ([, name]) => name,
    ),
  );
  t.true(names.length > 100);
  t.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});

test('the modules have only what the build script understands', (t) => {
  for (const file of modules) {
    const source = sourceOf(file);
    t.notRegex(source, /^export (?:default|\{|\*)/m, file);
    t.notRegex(source, /^import (?!\{)/m, file);
    t.notRegex(source, /\bimport\(['"]|import .* as /, file);
    t.notRegex(source, /<\/script|<!--/i, file);
    // Lines lose their indentation, also in a text.
    for (const [template] of source.matchAll(/`(?:[^`\\]|\\.)*`/g))
      t.false(template.includes('\n'), `${file}: ${template}`);
  }
});

test('the page makes no HTML of texts and asks no other origin', (t) => {
  for (const file of modules)
    t.notRegex(
      sourceOf(file),
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:\/\//,
      file,
    );
});

test('the types in the comments of the modules are correct', async (t) => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const told = await new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', join(folder, 'jsconfig.json')], (_, stdout) => resolve(stdout));
  });
  t.is(told, '');
});
