// The examples of docs/cardinality.md, run one after the other as they stand, do what the page says.

import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import test from 'ava';

const root = new URL('../../', import.meta.url);

test('the examples of the page about series print what it shows', async (t) => {
  const page = await readFile(new URL('docs/cardinality.md', root), 'utf8');
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));
  const [limits, report, removal, ttl, init, tenants] = blocks
    .filter(({ language }) => language === 'js')
    .map(({ text }) => text);
  const shown = blocks.find(({ language }) => language === '').text;
  const program = `${limits}
${report}
console.log(report.series, JSON.stringify(report.metrics[0].labels.tool));
${removal}
console.log(calls.value({ tool: 'shell', user: 'ada' }));
${ttl}
${init}
console.log(registry.cardinality().series);
${tenants.replace('register, Registry', 'register')}
registryOf('acme').registry.counter({ name: 'c_total', help: 'c', labelNames: ['tenant'] }).inc({ tenant: 'ada@example.com' });
console.log(await register.getMetricsAsJSON().then(([{ values }]) => JSON.stringify(values)));`;
  // Inside the package, so that it finds the package by its name.
  const file = new URL(`__test__/.cardinality-${process.pid}.mjs`, root);
  await writeFile(file, program);
  t.teardown(() => rm(file));
  const { stdout } = await promisify(execFile)(process.execPath, [file.pathname]);
  t.is(
    stdout,
    `${shown}3 {"values":3,"maxValues":2}
0
4
[{"value":1,"labels":{"exported_tenant":"[email]","tenant":"acme"}}]
`,
  );
});
