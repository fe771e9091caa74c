// The examples of docs/testing.md do what they say. Those of runners are run by `runners.test.mjs`.

import { rm, writeFile } from 'node:fs/promises';
import { register } from '@llm-devops/prometheus-metrics';
import { MockRegistry } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { BLOCKS, RUNNERS } from '../testing/support/documented.mjs';

const ALONE = [...BLOCKS.keys()].filter((title) => title !== 'app.cjs' && !RUNNERS.has(title));

test('there are examples', (t) => {
  t.deepEqual(ALONE, ['MockRegistry', 'MockClock', 'A registry of its own', 'The default registry']);
  t.deepEqual(
    [...RUNNERS.keys()].filter((title) => BLOCKS.has(title)),
    ['Jest', 'Vitest', 'node:test', 'AVA'],
  );
});

for (const [number, title] of ALONE.entries()) {
  test.serial(`example: ${title}`, async (t) => {
    // Inside the package, so that it finds the package by its name.
    const file = new URL(`../.readme-testing-${process.pid}-${number}.mjs`, import.meta.url);
    await writeFile(file, BLOCKS.get(title));
    t.teardown(() => rm(file));
    t.teardown(() => register.clear());
    await t.notThrowsAsync(import(file));
    // It has given back what it took.
    t.notThrows(() => new MockRegistry().isolate().restore());
  });
}
