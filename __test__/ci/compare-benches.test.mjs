// The comparison of two runs of the benches.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { budgets, compareCriterion, compareRecords, table } from '../../.ci/compare-benches.mjs';

const script = fileURLToPath(new URL('../../.ci/compare-benches.mjs', import.meta.url));
const record = (cases) => ({ samples: { alone: cases } });

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'benches-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, stdout) => resolve([error?.code ?? 0, stdout]));
  });
}

test('a machine that is slower during one run makes no difference', (t) => {
  const base = record({ counter: { ours: [2, 4, 6], floor: [1, 2, 3] } });
  const head = record({ counter: { ours: [20, 22, 90], floor: [10, 11, 15] } });
  t.deepEqual(compareRecords(base, head), [
    { name: 'counter, alone', base: '2.00 bare additions', head: '2.00 bare additions', ratio: 1 },
  ]);
});

test('cases that only one run has are left out', (t) => {
  const base = record({ old: { ours: [1], floor: [1] }, both: { ours: [1], floor: [2] } });
  const head = record({ both: { ours: [2], floor: [2] }, added: { ours: [1], floor: [1] } });
  t.deepEqual(
    compareRecords(base, head).map(({ name, ratio }) => [name, ratio]),
    [['both, alone', 2]],
  );
});

test("criterion's baselines are compared by their medians", (t) => {
  const path = folder(t);
  for (const [baseline, time] of [
    ['base', 10],
    ['head', 16],
    ['new', 99],
  ]) {
    mkdirSync(join(path, 'group', 'bench', baseline), { recursive: true });
    const estimates = { median: { point_estimate: time }, mean: { point_estimate: 1 } };
    writeFileSync(join(path, 'group', 'bench', baseline, 'estimates.json'), JSON.stringify(estimates));
  }
  t.deepEqual(compareCriterion(path), [{ name: 'group/bench', base: '10.0 ns', head: '16.0 ns', ratio: 1.6 }]);
});

test('a budget that is not met, or not measured, fails', async (t) => {
  const path = join(folder(t), 'require.json');
  const verdict = (met) => ({ work: '`require()`', reach: '<= 15 ms', measured: '10.1 ms', met });
  const failsWith = async (...met) => {
    writeFileSync(path, JSON.stringify({ verdicts: met.map(verdict) }));
    return (await run(`--budgets=${path}`))[0];
  };
  t.is(await failsWith(true, true), 0);
  t.is(await failsWith(true, false), 1);
  t.is(await failsWith(null), 1);
  t.is(await failsWith(), 1);
  t.is(budgets({ verdicts: [verdict(false)] }).table.split('\n')[2], '| `require()` | <= 15 ms | **10.1 ms** |');
});

test('the table marks what is over the limit', (t) => {
  const cases = [
    { name: 'a', base: '1 ns', head: '1.5 ns', ratio: 1.5 },
    { name: 'b', base: '1 ns', head: '2 ns', ratio: 2 },
  ];
  t.is(
    table(cases, 1.5),
    `| case | base | change | change / base |
|---|--:|--:|--:|
| a | 1 ns | 1.5 ns | 1.50x |
| b | 1 ns | 2 ns | **2.00x** |`,
  );
});

test('the program fails over the limit, and when there is nothing to compare', async (t) => {
  const path = folder(t);
  const write = (name, value) => writeFileSync(join(path, name), JSON.stringify(value));
  write('base.json', record({ counter: { ours: [1], floor: [1] } }));
  write('same.json', record({ counter: { ours: [1], floor: [1] } }));
  write('slow.json', record({ counter: { ours: [3], floor: [1] } }));
  write('none.json', record({}));
  const compare = (name) => run(`--record=${join(path, 'base.json')},${join(path, name)}`);
  const [same, printed] = await compare('same.json');
  t.is(same, 0);
  t.true(printed.endsWith('No case takes more than 1.5 times as long as before.\n'), printed);
  const [slow, table] = await compare('slow.json');
  t.is(slow, 1);
  t.true(table.endsWith('1 of 1 cases take more than 1.5 times as long as before.\n'), table);
  t.is((await compare('none.json'))[0], 1);
  t.is((await run())[0], 1);
  t.is((await run('--limit=x', `--record=${join(path, 'base.json')},${join(path, 'same.json')}`))[0], 1);
});
