// The public declarations of all modules are gathered in one file. A name there must mean what it meant in its own module.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { gathered, statementsOf } from '../../.ci/declarations.mjs';

/** Gathers modules, all statements of which are used. */
function gather(modules) {
  const folder = mkdtempSync(join(tmpdir(), 'declarations-'));
  const paths = Object.entries(modules).map(([name, text]) => {
    const path = join(folder, `${name}.d.ts`);
    writeFileSync(path, text);
    return path;
  });
  const read = (path) => {
    const statements = statementsOf(path, (other) => paths.includes(other));
    for (const found of statements) for (const used of found.words ? [found] : found.links) used.isUsed = true;
    return [path, statements];
  };
  return gathered(new Map(paths.map(read)));
}

test('modules become one file, without what they import from each other', (t) => {
  const text = gather({
    one: "/** The module. */\nimport type { Two } from './two';\n/** One. */\nexport interface One {\n    two: Two;\n}\n",
    three: 'import type * as Space from \'./two\';\nexport type Three = Space.Two | import("./one").One;\n',
    two: "import type { EventEmitter } from 'node:events';\ndeclare class Two extends EventEmitter {\n}\nexport {};\n",
  });
  t.is(
    text,
    `import type { EventEmitter } from 'node:events';
/** One. */
export interface One {
    two: Two;
}
export type Three = Two | One;
declare class Two extends EventEmitter {
}
export {};
`,
  );
});

test('a name that two modules declare is refused', (t) => {
  const modules = { one: 'export type Twice = 1;\n', two: 'type Twice = 2;\n' };
  t.throws(() => gather(modules), { message: /Expected one declaration of Twice/ });
});

test('a name that is global in one module and declared in another is refused', (t) => {
  const modules = { one: 'export type Sent = Request;\n', two: 'export type Request = 2;\n' };
  t.throws(() => gather(modules), { message: /one\.d\.ts means a global Request/ });
  t.notThrows(() => gather({ ...modules, one: 'export type Sent = { Request?: 1 };\n' }));
});

test('a renamed import, and a declaration without a name, are refused', (t) => {
  const renaming = "import type { Two as Other } from './two';\nexport type One = Other;\n";
  t.throws(() => gather({ one: renaming, two: 'export type Two = 2;\n' }), { message: /renames Two to Other/ });
  t.throws(() => gather({ one: 'declare global {\n    type One = 1;\n}\n' }), { message: /without a name/ });
});
