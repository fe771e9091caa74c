// promtool reads the rules and runs their test cases. A case is useful only if a wrong rule fails it. So the cases also
// run against rules that never fire and against rules that always fire.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { RULES_FOLDER, readRules } from '../deploy/support/rules.mjs';
import { run, temporaryFolder } from './support/processes.mjs';
import { readYaml } from './support/yaml.mjs';

const rulesFolder = fileURLToPath(RULES_FOLDER);
const casesFolder = fileURLToPath(new URL('../tests/', RULES_FOLDER));
const filesIn = async (folder) => (await readdir(folder)).sort().map((file) => join(folder, file));

test('promtool accepts the rules, and their cases pass', async (t) => {
  const rules = await filesIn(rulesFolder);
  const checked = await run('promtool', ['check', 'rules', ...rules]);
  t.is(checked.code, 0, checked.stdout + checked.stderr);
  t.is(checked.stdout.match(/SUCCESS/g)?.length, rules.length);

  const cases = await filesIn(casesFolder);
  const tested = await run('promtool', ['test', 'rules', ...cases]);
  t.is(tested.code, 0, tested.stdout + tested.stderr);
  t.is(tested.stdout.match(/SUCCESS/g)?.length, cases.length);
});

test('the configuration in deploy loads all of them', async (t) => {
  const { code, stdout } = await run('promtool', ['check', 'config', join(rulesFolder, '../prometheus.yml')]);
  t.is(code, 0, stdout);
  t.regex(stdout, new RegExp(`SUCCESS: ${(await filesIn(rulesFolder)).length} rule files found`));
});

test('the rule reader of the other tests agrees with a YAML parser', async (t) => {
  const documents = await readYaml(await filesIn(rulesFolder));
  const expected = [...documents].flatMap(([path, [{ groups }]]) =>
    groups.flatMap(({ rules }) =>
      rules.map((rule) => ({ file: path.split('/').at(-1), labels: {}, annotations: {}, ...rule })),
    ),
  );
  t.deepEqual(
    await readRules(),
    expected.map((rule) => ({ ...rule, expr: rule.expr.trim() })),
  );
});

/** promtool's result for the cases if every rule has the same expression. */
async function casesAgainst(t, expr) {
  const folder = await temporaryFolder(t);
  for (const name of ['rules', 'tests']) await mkdir(join(folder, name));
  const cases = [];
  for (const [path, [document]] of await readYaml([...(await filesIn(rulesFolder)), ...(await filesIn(casesFolder))])) {
    const copy = join(folder, ...path.split('/').slice(-2));
    for (const { rules } of document.groups ?? []) for (const rule of rules) rule.expr = expr;
    if (document.tests !== undefined) cases.push(copy);
    // JSON is YAML.
    await writeFile(copy, JSON.stringify(document));
  }
  const { code, stdout, stderr } = await run('promtool', ['test', 'rules', ...cases]);
  t.is(code, 1);
  return stdout + stderr;
}

function failuresIn(output, pattern) {
  return [...new Set([...output.matchAll(pattern)].map(([, name]) => name))].sort();
}

test('each alert has a case in which it fires, and one in which it does not', async (t) => {
  const rules = await readRules();
  const named = (kind) => rules.flatMap((rule) => rule[kind] ?? []).sort();

  const silent = await casesAgainst(t, 'vector(1) > 2');
  t.deepEqual(failuresIn(silent, /alertname: (\w+), time: \S+ \n\s+exp:\[\n/g), named('alert'));
  t.deepEqual(failuresIn(silent, /expr: "([^"]+)", time: \S+\n\s+exp: \{/g), named('record'));

  const always = await casesAgainst(t, 'vector(1)');
  t.deepEqual(failuresIn(always, /alertname: (\w+), time: \S+ \n\s+exp:\[\]/g), named('alert'));
  t.deepEqual(failuresIn(always, /expr: "([^"]+)", time: \S+\n\s+exp: nil/g), named('record'));
});
