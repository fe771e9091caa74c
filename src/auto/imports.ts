/**
 * Finds the packages that an application's own files name in `import` statements and calls of `require()`, beginning with its
 * main file. Reads text only; nothing is loaded.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Most files that are read. */
const FILES_MAX = 500;
/** Most characters of a file that are read: larger files are bundles. */
const CHARACTERS_MAX = 4_000_000;

/** What an application's files import. */
export interface Imports {
  /** Specifiers that are not paths. */
  readonly specifiers: ReadonlySet<string>;
  /** False if a file was not found or not read, so that there may be more. */
  readonly isComplete: boolean;
}

/** `from 'x'`, `import 'x'`, `import('x')` and `require('x')`. */
const IMPORT = /\b(?:from\s*|import\s*\(?\s*|require\s*\(\s*)(["'])([^"'\n]{1,200})\1/g;
/** `import type … from 'x'`: compilers remove it. */
const TYPES_ONLY = /^[ \t]*(?:im|ex)port\s+type\b[^;'"]*from\s*(["'])[^"'\n]*\1/gm;

export function findImports(main: string): Imports {
  const specifiers = new Set<string>();
  const files = [main];
  const known = new Set(files);
  let isComplete = true;
  for (const file of files) {
    const text = files.length > FILES_MAX ? undefined : textOf(file);
    if (text === undefined) isComplete = false;
    for (const [, , specifier = ''] of (text ?? '').replace(TYPES_ONLY, '').matchAll(IMPORT)) {
      if (!specifier.startsWith('.')) {
        specifiers.add(specifier);
        continue;
      }
      const imported = findFile(resolve(dirname(file), specifier));
      if (imported === undefined) isComplete = false;
      else if (!known.has(imported)) {
        known.add(imported);
        files.push(imported);
      }
    }
  }
  return { specifiers, isComplete };
}

function textOf(file: string): string | undefined {
  try {
    const { size } = statSync(file);
    return size > CHARACTERS_MAX ? undefined : readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const ENDINGS = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.cts', '.tsx', '.json', '/index.js', '/index.ts'];

/** The file of a path in a program, which may leave the ending out, or have that of the compiled file. */
function findFile(path: string): string | undefined {
  const source = path.replace(/\.([cm]?)js$/, '.$1ts');
  return [...ENDINGS.map((ending) => `${path}${ending}`), source].find(isFile);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
