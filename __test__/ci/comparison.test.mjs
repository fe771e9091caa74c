// The figures of README, DESIGN and docs/comparison.md are those of the reports in benches/.

import test from 'ava';
import { current, filled } from '../../.ci/comparison.mjs';

const pageOf = (name) => current().find(({ path }) => path.endsWith(name)).page;

test('the figures are those of the reports', (t) => {
  for (const { path, page, filled } of current()) t.is(page, filled, `run \`node .ci/comparison.mjs\` for ${path}`);
  const page = pageOf('comparison.md');
  t.is(page.match(/^<!-- table: /gm).length, 9);
  t.true(page.match(/^\| /gm).length > 80);
});

test('every time in README is copied from a report', (t) => {
  const times = pageOf('README.md').match(/.{0,9}\d (?:ns|µs|ms)\b/g);
  t.is(times.length, 10);
  for (const time of times) t.regex(time, / -->[\d.]+ \w+$/);
});

test('a table is replaced by that below the heading, and nothing else changes', (t) => {
  const report = '### Other\n\n| no |\n\n### Times, ms\n\nText.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\nText.\n';
  const page = 'Before\n\n<!-- table: R.md, Times, ms -->\n\n| old |\n| - |\n\nAfter\n';
  const wanted = 'Before\n\n<!-- table: R.md, Times, ms -->\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\nAfter\n';
  t.is(
    filled(page, (name) => (name === 'R.md' ? report : '')),
    wanted,
  );
  t.is(
    filled(wanted, () => report),
    wanted,
  );
});

test('a figure is replaced by the first number of its cell, and nothing else changes', (t) => {
  const report =
    '### Times\n\n| | ours | theirs | ours |\n| - | - | - | - |\n| `a(b)` | 1.5 (2) | 3 | 4 |\n| c | 5 | – | 7 |\n';
  const read = () => report.replace('| |', '|  |');
  const marker = '<!-- figure: R.md > Times > `a(b)` > ours -->';
  t.is(filled(`It takes ${marker}9.25 ns and more.`, read), `It takes ${marker}1.5 ns and more.`);
  t.is(filled(`| ${marker} ns | 7 |`, read), `| ${marker}1.5 ns | 7 |`);
  for (const gone of ['Times > b > ours', 'Times > c > theirs', 'Times > c > others']) {
    t.throws(() => filled(`<!-- figure: R.md > ${gone} -->1`, read), {
      message: `Expected a number at "${gone}" but found none`,
    });
  }
});

test('a heading that a report does not have is an error', (t) => {
  t.throws(() => filled('<!-- table: R.md, Gone -->\n\n', () => '### Other\n\n| a |\n'), {
    message: 'Expected a table below "### Gone" but found none',
  });
});

test('figures of the prose are targets, not results', (t) => {
  const [, figures] = pageOf('comparison.md').split('## Figures\n');
  const prose = figures.split('\n').filter((line) => !/^(\||#|<!--)/.test(line));
  t.deepEqual(prose.join('\n').match(/\d[\d.,]* (?:ns|ms|µs|MB|times)/g), [
    '28 times',
    '25 times',
    '1 ms',
    '1.1 times',
  ]);
});
