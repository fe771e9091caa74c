/** Holds the table of rooms in ARCHITECTURE.md against the real imports of both languages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { circles } from './support/circles.mjs';
import { mistakes, readRooms, violations } from './support/rooms.mjs';
import { rustImports } from './support/rust-imports.mjs';
import { typescriptImports } from './support/typescript-imports.mjs';

const root = join(import.meta.dirname, '../..');
const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

const LANGUAGES = [
  {
    heading: 'Rooms of the core',
    read: () => rustImports(root, { folder: 'crate/core/src', entry: 'lib.rs' }),
    least: 100,
  },
  {
    heading: 'Rooms of the binding',
    read: () => rustImports(root, { folder: 'crate/binding', entry: 'lib.rs' }),
    least: 15,
  },
  { heading: 'Rooms of the TypeScript', read: () => typescriptImports(root), least: 150 },
];

for (const { heading, read, least } of LANGUAGES) {
  test(`${heading}: every file belongs to a room and imports only what the table allows`, (t) => {
    const imports = read();
    t.true(imports.size >= least, 'the reader finds the files');
    t.true(
      [...imports.values()].some((targets) => targets.size > 3),
      'the reader finds imports',
    );
    const rooms = readRooms(architecture, heading);
    t.deepEqual(mistakes(rooms, [...imports.keys()]), []);
    t.deepEqual(violations(rooms, imports), []);
  });

  test(`${heading}: no import circle among files`, (t) => {
    t.deepEqual(circles(read()), []);
  });
}

test('an import upwards is reported with both files', (t) => {
  const rooms = readRooms(architecture, 'Rooms of the TypeScript');
  const imports = new Map([['src/labels/table.ts', new Set(['src/http/door.ts', 'src/labels/value.ts'])]]);
  t.deepEqual(violations(rooms, imports), [
    'src/labels/table.ts imports src/http/door.ts: src/labels may not import src/http',
  ]);
});

test('an import upwards in Rust is reported, also through a re-export', (t) => {
  const rooms = readRooms(architecture, 'Rooms of the core');
  const imports = new Map([['crate/core/src/registry/family.rs', new Set(['crate/core/src/http/handler.rs'])]]);
  t.deepEqual(violations(rooms, imports), [
    'crate/core/src/registry/family.rs imports crate/core/src/http/handler.rs: ' +
      'crate/core/src/registry may not import crate/core/src/http',
  ]);
});

test('a file that no room names is reported', (t) => {
  const rooms = readRooms(architecture, 'Rooms of the TypeScript');
  t.deepEqual(violations(rooms, new Map([['src/novel/file.ts', new Set()]])), [
    'src/novel/file.ts belongs to no room of ARCHITECTURE.md',
  ]);
});

test('a circle is found through several files', (t) => {
  const imports = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c'])],
    ['c', new Set(['a'])],
    ['d', new Set(['a'])],
  ]);
  t.deepEqual(circles(imports), [['a', 'b', 'c']]);
});
