// Tests what is found in the files of an application, also in texts that a slower reading would take minutes for.

import { join } from 'node:path';
import test from 'ava';
import { findImports } from '../../dist/auto/imports.js';
import { folder } from './support/programs.mjs';

function found(t, text) {
  const { specifiers } = findImports(join(folder(t, { 'main.ts': text }), 'main.ts'));
  return [...specifiers];
}

const END = `\nimport 'openai'\n`;
const LONG = 2_000_000;

const TEXTS = {
  'declarations of types': 'export type T1 = { a: number }\n',
  'import and blanks': `import${' '.repeat(50_000)}`,
  'require and blanks': `require${' '.repeat(50_000)}(${' '.repeat(50_000)}`,
  'open braces': 'import type {',
  'open braces on lines': 'import type {\n',
  'types without names': 'import type ',
  'lines without names': 'export type\n',
  'empty lines': ' \n',
  blanks: ' \t',
  'open strings': `from '`,
  'open strings on lines': `from '\n`,
};

for (const [name, text] of Object.entries(TEXTS)) {
  test(`long: ${name}`, (t) => {
    t.true(found(t, text.repeat(LONG / text.length) + END).includes('openai'));
  });
}

test('an import of types is no import, and removes none', (t) => {
  const clauses = ['A', '{ A }', '{ A, type B as C,\n  D }', '* as all', '*', '{A}'];
  for (const clause of clauses) {
    for (const word of ['import', 'export']) {
      const text = `type X = 1\n${word} type ${clause} from 'koa'\nexport type { Y }\nexport type Z = { a: 1 }${END}`;
      t.deepEqual(found(t, text), ['openai'], text);
    }
  }
  t.deepEqual(found(t, `export type T = { a: number }\nexport type U\nimport A from 'koa'${END}`), ['koa', 'openai']);
  t.deepEqual(found(t, `import type from 'koa'\nimport { type A, b } from 'hono'`), ['koa', 'hono']);
});

test('an application that is too long to be read is not complete', (t) => {
  const names = Array.from({ length: 6 }, (_, at) => `part-${at}.js`);
  const parts = names.map((name) => [name, ' '.repeat(LONG)]);
  const path = folder(t, {
    'main.js': names.map((name) => `import './${name}';`).join(''),
    ...Object.fromEntries(parts),
  });
  t.false(findImports(join(path, 'main.js')).isComplete);
  t.true(findImports(join(path, 'part-0.js')).isComplete);
});
