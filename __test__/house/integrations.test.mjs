/**
 * Checks that every integration is complete: a subpath has its page, its row in the list of pages, its tests against the
 * real package, and its types checked. `src/entry` is the list of subpaths.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { entries } from '../../.ci/entries.mjs';

const root = join(import.meta.dirname, '../..');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
/** The other subpaths, with pages and tests of their own; `lib/` has the files of prom-client. */
const OTHERS = /^(?:index|auto|fastify|prices|testing(?:\/.*)?|lib\/.*)$/;
const integrations = entries()
  .map(({ path }) => path)
  .filter((path) => !OTHERS.test(path));

test('the list of subpaths has integrations', (t) => {
  t.true(integrations.includes('openai') && integrations.length >= 8, integrations.join());
});

for (const name of integrations) {
  test(`${name}: its page shows the import and stands in the list of pages`, (t) => {
    t.true(read(`docs/integrations/${name}.md`).includes(`@llm-devops/prometheus-metrics/${name}'`));
    t.true(read('docs/integrations/README.md').includes(`(${name}.md)`));
  });

  test(`${name}: tests use the real package, and a program checks the types`, (t) => {
    const uses = (folder) =>
      readdirSync(join(root, folder))
        .filter((file) => /\.m(?:js|ts)$/.test(file))
        .filter((file) => read(folder, file).includes(`@llm-devops/prometheus-metrics/${name}'`));
    t.not(uses('__test__/sdks').concat(uses('__test__/sdks/support')).length, 0, 'tests');
    t.not(uses('__test__/sdks/types').length, 0, 'types');
  });

  test(`${name}: the zero-code mode measures it, or its page says that it needs code`, (t) => {
    const measured = read('src/auto/sdks.ts').includes(`'../instrumentation/${name}/`);
    t.true(measured || read('docs/zero-code.md').includes(`](integrations/${name}.md)`));
  });
}
