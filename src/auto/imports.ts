/**
 * Finds the packages that an application's own files name in `import` statements and calls of `require()`, beginning with its
 * main file. Reads text only; nothing is loaded.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Most files that are read. */
const FILES_MAX = 500;
/** Most characters of a file that are read: larger files are bundles. */
const CHARACTERS_MAX = 2_500_000;
/** Most characters that are read: the application waits for it. */
const ALL_CHARACTERS_MAX = 10_000_000;

/** What an application's files import. */
export interface Imports {
  /** Specifiers that are not relative paths. */
  readonly specifiers: ReadonlySet<string>;
  /** False if a file was not found or not read, so that there may be more. */
  readonly isComplete: boolean;
}

// Every repetition has a bound or ends at the character with which the next match would begin, so the time is linear.

/** `from 'x'`, `import 'x'`, `import('x')` and `require('x')`. */
const IMPORT = /\b(?:from\s{0,99}|import\s{0,99}(?:\(\s{0,99})?|require\s{0,99}\(\s{0,99})(["'])([^"'\n]{1,200})\1/g;
/** `import type … from 'x'`: compilers remove it. What is between `type` and `from` is one clause: a name, `*` or braces. */
const TYPES_ONLY =
  /^[ \t]{0,99}(?:im|ex)port\s{1,99}type(?:\s{1,99}[\w$]{1,99}|\s{0,99}\*(?:\s{0,99}as\s{1,99}[\w$]{1,99})?|\s{0,99}\{[^{}=;'"]*\})\s{0,99}from\s{0,99}(["'])[^"'\n]{1,200}\1/gm;

export function findImports(main: string): Imports {
  const specifiers = new Set<string>();
  const files = [main];
  const known = new Set(files);
  let isComplete = true;
  let left = ALL_CHARACTERS_MAX;
  for (const [at, file] of files.entries()) {
    const text = at < FILES_MAX ? textOf(file, Math.min(left, CHARACTERS_MAX)) : undefined;
    if (text === undefined) {
      isComplete = false;
      continue;
    }
    left -= text.length;
    for (const [, , specifier = ''] of text.replace(TYPES_ONLY, '').matchAll(IMPORT)) {
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

/** The text of a file; undefined if it has more bytes than the limit, cannot be read, or is a pipe, which can be read only once. */
export function textOf(file: string, limit = CHARACTERS_MAX): string | undefined {
  try {
    const stats = statSync(file);
    return stats.isFile() && stats.size <= limit ? readFileSync(file, 'utf8') : undefined;
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

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
