// Reads the examples of docs/testing.md by the comment in their first line, and knows where those of runners are
// written.

import { readFile } from 'node:fs/promises';

const page = await readFile(new URL('../../../docs/testing.md', import.meta.url), 'utf8');

export const BLOCKS = new Map(
  [...page.matchAll(/^```js\n\/\/ (.*)\n([\s\S]*?)^```$/gm)].map(([, title, source]) => [title, source]),
);

/** The folder of each runner's project, and the suffix of its test files. */
export const RUNNERS = new Map([
  ['Jest', { folder: 'jest-project', extension: 'cjs' }],
  ['Vitest', { folder: 'vitest-project', extension: 'mjs' }],
  ['node:test', { folder: 'node-project', extension: 'mjs' }],
  ['AVA', { folder: 'ava-project', extension: 'mjs' }],
]);
