// Tests the output of `diff` and `docs`.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { OPENMETRICS, run, serveText } from './support/program.mjs';

const BEFORE = `# HELP a_total Before.
# TYPE a_total counter
a_total{x="1"} 5
a_total{x="2"} 9
# TYPE gone gauge
gone 1
# TYPE kind gauge
kind{b="1"} 2
`;
const AFTER = `# HELP a_total After.
# TYPE a_total counter
a_total{x="1"} 8
a_total{x="2"} 1
a_total{x="3"} 1
# TYPE kind counter
kind{b="1",c="2"} 2
# TYPE new gauge
new 1
`;

async function diff(t, args, before = BEFORE, after = AFTER) {
  const folder = await mkdtemp(join(tmpdir(), 'cli-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'before'), before);
  return run(['diff', ...args, join(folder, 'before'), '-'], { input: after });
}

test('diff: metrics, their types, help texts and labels, series, and values', async (t) => {
  t.deepEqual(await diff(t, []), {
    code: 1,
    stderr: '',
    stdout: `3 series added, 2 removed, 2 changed
  ~ help of a: "Before." → "After."
  - gauge gone
  ~ type of kind: gauge → counter
  + gauge new
  + a_total{x="3"} 1
  + kind{b="1",c="2"} 2
  + new 1
  - gone 1
  - kind{b="1"} 2
  ~ a_total{x="1"} 5 → 8 (+3)
  ~ a_total{x="2"} 9 → 1 (reset)
  ~ labels of kind: b → b, c
`,
  });
});

test('diff --schema: no series and no values', async (t) => {
  const { code, stdout } = await diff(t, ['--schema']);
  t.is(code, 1);
  t.is(
    stdout,
    `  ~ help of a: "Before." → "After."
  - gauge gone
  ~ type of kind: gauge → counter
  + gauge new
  ~ labels of kind: b → b, c
`,
  );
  const moved = await diff(t, ['--schema'], BEFORE, BEFORE.replace(' 5', ' 6'));
  t.deepEqual(moved, { code: 0, stdout: 'Nothing changed\n', stderr: '' });
  const labels = await diff(t, ['--schema'], 'a{x="1"} 1\n', 'a{y="1"} 1\n');
  t.deepEqual(labels, { code: 1, stdout: '  ~ labels of a: x → y\n', stderr: '' });
});

test('diff --json, and equal expositions', async (t) => {
  const { code, stdout } = await diff(t, ['--json']);
  const found = JSON.parse(stdout);
  t.is(code, 1);
  t.false(found.equal);
  t.deepEqual(found.labels, [{ name: 'kind', before: ['b'], after: ['b', 'c'] }]);
  t.deepEqual(found.changed[0], { name: 'a_total', labels: { x: '1' }, before: 5, after: 8, delta: 3, reset: false });
  t.deepEqual(await diff(t, [], BEFORE, BEFORE), { code: 0, stdout: 'Nothing changed\n', stderr: '' });
  t.true(JSON.parse((await diff(t, ['--json'], BEFORE, BEFORE)).stdout).equal);
});

test('diff: the two formats of one registry are equal', async (t) => {
  const text = '# HELP a_total H.\n# TYPE a_total counter\na_total{x="1"} 5\n';
  const other = '# HELP a H.\n# TYPE a counter\na_total{x="1"} 5.0\n# EOF\n';
  const [one, two] = [await serveText(t, text), await serveText(t, other, OPENMETRICS)];
  t.deepEqual(await run(['diff', one, two]), { code: 0, stdout: 'Nothing changed\n', stderr: '' });
});

test('docs: a row for each metric, under the name of queries', async (t) => {
  const input = `# HELP z_seconds Time | of a *thing* with <b> and __init__, snake_case.
# TYPE z_seconds histogram
z_seconds_bucket{route="/a",le="1"} 1
z_seconds_bucket{route="/a",le="+Inf"} 1
z_seconds_count{route="/a"} 1
z_seconds_sum{route="/a"} 1
# HELP a Requests\\nof two lines.
# TYPE a counter
a_total{b="1",c="2"} 1
# TYPE build info
build_info{version="1"} 1
# EOF
`;
  const { code, stdout, stderr } = await run(['docs', '-'], { input });
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  t.is(
    stdout,
    `| metric | type | labels | help |
|---|---|---|---|
| \`a_total\` | counter | \`b\`, \`c\` | Requests of two lines. |
| \`build_info\` | info | \`version\` |  |
| \`z_seconds\` | histogram | \`route\` | Time \\| of a \\*thing\\* with \\<b\\> and \\__init_\\_, snake_case. |
`,
  );
  const rows = JSON.parse((await run(['docs', '--json', '-'], { input })).stdout);
  t.deepEqual(rows[0], { name: 'a_total', type: 'counter', labels: ['b', 'c'], help: 'Requests\nof two lines.' });
});
