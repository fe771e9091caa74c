/** Tests the two readers of imports on small trees, so that a reader that misses imports is noticed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { rustImports } from './support/rust-imports.mjs';
import { typescriptImports } from './support/typescript-imports.mjs';

function tree(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'imports-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const listed = (imports) => Object.fromEntries([...imports].map(([file, targets]) => [file, [...targets].sort()]));

test('TypeScript: import, type import, re-export, dynamic import and require count; comments and packages do not', (t) => {
  const root = tree(t, {
    'src/a.ts': [
      "import { b } from './b';",
      "import type { C } from './c/index';",
      "export * from './d';",
      "// import { e } from './e';",
      "const text = 'no comment: // import';",
      "import fs from 'node:fs';",
    ].join('\n'),
    'src/b.ts': "const load = () => import('./d');\nimport './e';",
    'src/c/index.ts': "type T = import('../e').E;",
    'src/d.ts': "const e = require('./e');",
    'src/e.ts': 'export type E = 1;',
    'src/f.mts': "export { b } from './b.js';",
  });
  t.deepEqual(listed(typescriptImports(root)), {
    'src/a.ts': ['src/b.ts', 'src/c/index.ts', 'src/d.ts'],
    'src/b.ts': ['src/d.ts', 'src/e.ts'],
    'src/c/index.ts': ['src/e.ts'],
    'src/d.ts': ['src/e.ts'],
    'src/e.ts': [],
    'src/f.mts': ['src/b.ts'],
  });
});

test('Rust: a path counts as the file that defines its item, through re-exports, modules and test modules', (t) => {
  const root = tree(t, {
    'core/lib.rs': 'mod a; mod b;\npub use a::Thing;\npub struct Root;',
    'core/a/mod.rs': 'mod thing; mod other;\npub use thing::Thing;\npub use other::*;',
    'core/a/thing.rs': 'pub struct Thing; // use crate::b::Bee;\nconst TEXT: &str = "crate::b::Bee";',
    'core/a/other.rs':
      'use super::Thing;\npub struct Other;\n#[cfg(test)] mod tests { use super::*; use crate::b::Bee; }',
    'core/b.rs': 'use crate::{Thing, a::Other};\npub struct Bee;\nfn f() -> crate::Root { todo!() }',
  });
  t.deepEqual(listed(rustImports(root, { folder: 'core', entry: 'lib.rs' })), {
    'core/a/mod.rs': [],
    'core/a/other.rs': ['core/a/thing.rs', 'core/b.rs'],
    'core/a/thing.rs': [],
    'core/b.rs': ['core/a/other.rs', 'core/a/thing.rs', 'core/lib.rs'],
    'core/lib.rs': [],
  });
});
