// The figures of docs/comparison.md are those of the reports in benches/.

import test from 'ava';
import { current, filled } from '../../.ci/comparison.mjs';

test('the tables are those of the reports', (t) => {
  const { page, filled } = current();
  t.is(page, filled, 'run `node .ci/comparison.mjs`');
  t.is(page.match(/^<!-- table: /gm).length, 9);
  t.true(page.match(/^\| /gm).length > 80);
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

test('a heading that a report does not have is an error', (t) => {
  t.throws(() => filled('<!-- table: R.md, Gone -->\n\n', () => '### Other\n\n| a |\n'), {
    message: 'Expected a table below "### Gone" but found none',
  });
});

test('figures of the prose are targets, not results', (t) => {
  const [, figures] = current().page.split('## Figures\n');
  const prose = figures.split('\n').filter((line) => !/^(\||#|<!--)/.test(line));
  t.deepEqual(prose.join('\n').match(/\d[\d.,]* (?:ns|ms|µs|MB|times)/g), [
    '25 times',
    '1 ms',
    '20 times',
    '1.1 times',
  ]);
});
