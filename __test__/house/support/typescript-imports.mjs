/**
 * Lists which source file of `src` imports which other one, type-only imports and re-exports included. Knows files, not
 * rooms.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { blank, filesBelow } from './sources.mjs';

const STATEMENT =
  /\b(?:import|export)\b[^;'"`]*?\bfrom\s*(['"])(?<from>[^'"]+)\1|\bimport\s*\(?\s*(['"])(?<bare>[^'"]+)\3/g;
const REQUIRE = /\brequire\(\s*(['"])(?<path>[^'"]+)\1/g;

/** A map from each file (path below `root`) to the set of files that it imports. */
export function typescriptImports(root, folder = 'src') {
  const imports = new Map();
  for (const file of filesBelow(join(root, folder), ['.ts', '.mts'])) {
    const source = blank(readFileSync(file, 'utf8'), { strings: false });
    const found = new Set();
    for (const path of importedPaths(source)) {
      if (!path.startsWith('.')) continue;
      const target = resolveImport(dirname(file), path);
      if (target !== undefined) found.add(relative(root, target));
    }
    found.delete(relative(root, file));
    imports.set(relative(root, file), found);
  }
  return imports;
}

function* importedPaths(source) {
  for (const { groups } of source.matchAll(STATEMENT)) yield groups.from ?? groups.bare;
  for (const { groups } of source.matchAll(REQUIRE)) yield groups.path;
}

function resolveImport(folder, path) {
  const base = join(folder, path);
  const stem = base.replace(/\.(m?)js$/, '.$1ts');
  return [base, stem, `${base}.ts`, `${base}.mts`, join(base, 'index.ts')].find(
    (candidate) => /\.m?ts$/.test(candidate) && existsSync(candidate),
  );
}
