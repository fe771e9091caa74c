// Reads the pages of the documentation: their fenced blocks, and the reason why a block is not run. Must not know what a
// block does.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Languages whose blocks have to run. */
const RUN = new Set(['js', 'mjs', 'cjs', 'javascript', 'ts', 'mts', 'cts', 'typescript']);
const TYPESCRIPT = new Set(['ts', 'mts', 'cts', 'typescript']);

export const isProgram = ({ language }) => RUN.has(language);
export const isTypeScript = ({ language }) => TYPESCRIPT.has(language);

/**
 * A page and its blocks, in order. `notRun` is the reason in a comment before the block, `<!-- not run: reason -->`.
 */
export function parsePage(name, text) {
  const blocks = [];
  let open;
  let notRun;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *```(\w*)/.exec(line);
    if (open !== undefined) {
      if (fence === null) open.code += `${line}\n`;
      else open = undefined;
    } else if (fence !== null) {
      open = { page: name, language: fence[1], line: index + 1, code: '', notRun };
      blocks.push(open);
      notRun = undefined;
    } else if (line.trim() !== '') {
      notRun = /^ *<!-- not run: (.+) -->$/.exec(line)?.[1];
    }
  }
  return { name, text, blocks };
}

export function readPage(name) {
  return parsePage(name, readFileSync(join(ROOT, name), 'utf8'));
}

/** The one block of a page that contains a text. */
export function blockOf(page, text) {
  const found = page.blocks.filter((block) => isProgram(block) && block.code.includes(text));
  if (found.length === 1) return found[0];
  throw new Error(`Expected one block of ${page.name} to contain ${JSON.stringify(text)} but ${found.length} do`);
}

/** Every page that a reader of the repository is shown. */
export function pageNames() {
  const below = (folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
      .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
      .filter((name) => !name.includes('node_modules/'));
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  return [...top, ...['docs', 'examples', 'deploy', 'npm', 'crate'].flatMap(below)].sort();
}

/** Blocks that are neither run by a recipe nor marked, as `page:line`. */
export function blocksNotRun(pages, run) {
  return pages
    .flatMap(({ blocks }) => blocks)
    .filter((block) => isProgram(block) && block.notRun === undefined && !run.has(block))
    .map(({ page, line }) => `${page}:${line}`);
}
