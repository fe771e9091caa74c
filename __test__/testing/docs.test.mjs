// Runs the examples of docs/testing.md. `runners.test.mjs` runs those of test runners.

import { rm, writeFile } from 'node:fs/promises';
import { register } from '@llm-devops/prometheus-metrics';
import { MockRegistry } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { BLOCKS, RUNNERS } from './support/documented.mjs';

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
    // Inside the package, so that the example can import the package by its name.
    const file = new URL(`../.readme-testing-${process.pid}-${number}.mjs`, import.meta.url);
    await writeFile(file, BLOCKS.get(title));
    t.teardown(() => rm(file));
    t.teardown(() => register.clear());
    await t.notThrowsAsync(import(file));
    // The example has restored the clock and the registry.
    t.notThrows(() => new MockRegistry().isolate().restore());
  });
}
