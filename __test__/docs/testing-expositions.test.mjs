// The examples of docs/testing-expositions.md hold: each is run as it stands.

import { readFile, rm, writeFile } from 'node:fs/promises';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/testing-expositions.md', root), 'utf8');
const examples = [...page.matchAll(/^## (\w+)[\s\S]*?^```js\n([\s\S]*?)^```$/gm)].map(([, name, source]) => [
  name,
  source,
]);

test('there is an example for each function', (t) => {
  t.deepEqual(
    examples.map(([name]) => name),
    ['parseExposition', 'diffSnapshots', 'replay', 'synthesize'],
  );
});

for (const [name, source] of examples) {
  test(`the example of ${name}`, async (t) => {
    // Inside the package, so that it finds the package by its name.
    const file = new URL(`__test__/.readme-testing-${process.pid}-${name}.mjs`, root);
    await writeFile(file, source);
    t.teardown(() => rm(file));
    await t.notThrowsAsync(import(file.href));
  });
}
