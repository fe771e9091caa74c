// The README's first screen does what it says: its code is run as it stands, and prints what stands below it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import test from 'ava';
import { withoutSelfMetrics } from '../support/exposition.mjs';

const root = new URL('../../', import.meta.url);

/** The nth fenced block of a language in the README. */
function block(readme, language, n) {
  const blocks = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language);
  return blocks[n][2];
}

let started = 0;

/** Runs a module inside the package, so that it finds the package by its name. */
async function start(t, source) {
  const file = new URL(`__test__/.readme-${process.pid}-${++started}.mjs`, root);
  await writeFile(file, source);
  const child = spawn(process.execPath, [file.pathname], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    child.kill();
    await rm(file);
  });
  return child;
}

test('the first example prints what the README shows', async (t) => {
  const readme = await readFile(new URL('README.md', root), 'utf8');
  const [code, shown] = [block(readme, 'js', 0), block(readme, '', 0)];
  t.true(code.includes('.listen(9090);'));
  // A port of its own, told on standard output.
  const child = await start(
    t,
    code.replace('.listen(9090);', '.listen(0, "127.0.0.1", function () { console.log(this.address().port); });'),
  );
  const [port] = await once(child.stdout, 'data');
  const response = await fetch(`http://127.0.0.1:${String(port).trim()}/metrics`);
  const printed = await response.text();
  t.is(withoutSelfMetrics(printed), shown);
  t.not(printed, shown);
});

test('the get-or-create example reads what it wrote', async (t) => {
  const readme = await readFile(new URL('README.md', root), 'utf8');
  const code = [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)]
    .map(([, source]) => source)
    .find((source) => source.includes('new Registry()'));
  const child = await start(t, `${code}\nconsole.log(retries.value({ reason: 'rate_limit' }));`);
  const [printed] = await once(child.stdout, 'data');
  t.is(String(printed), '1\n');
});
