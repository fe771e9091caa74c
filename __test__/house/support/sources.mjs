/** Finds source files, and blanks what is not code in them, so that a text search finds code only. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The files below a folder with one of these extensions, in the order of their paths. */
export function filesBelow(folder, extensions) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

// The alternatives in the order in which they may begin; a string that begins first hides comment signs in it.
const TYPESCRIPT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g;
const RUST =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|r(#*)"[\s\S]*?"\1|b?"(?:[^"\\]|\\[\s\S])*"|b?'(?:[^'\\\n]|\\(?:.|u\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}))'/g;

/** The source with its comments (and, unless kept, its strings) replaced by spaces; line breaks stay. */
export function blank(source, { strings = true, rust = false } = {}) {
  return source.replace(rust ? RUST : TYPESCRIPT, (text) => {
    const isComment = text.startsWith('/');
    return isComment || strings ? text.replace(/[^\n]/g, ' ') : text;
  });
}
