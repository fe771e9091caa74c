/**
 * Makes the declarations in `dist` compile in programs that have no types of Node.js. Marks each line that uses a type
 * of `@types/node`, so that the compiler reads an unknown type there as `any` instead of reporting an error. Programs
 * with `@types/node` see the same types as before.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

const MARK = '// @ts-ignore: unknown without @types/node';
const USES_NODE = /'node:|\b(Buffer|Disposable|Request|Response)\b|\[Symbol\.dispose\]/;
const IS_COMMENT = /^\s*(\*|\/[/*])/;

/** Marks the lines of all declarations. Changes nothing if it runs again. */
export function markNodeTypes() {
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!/\.d\.m?ts$/.test(file)) continue;
    const path = join(dist, file);
    const text = readFileSync(path, 'utf8');
    const marked = mark(text);
    if (marked !== text) writeFileSync(path, marked);
  }
}

function mark(text) {
  const marked = [];
  for (const line of text.split('\n')) {
    const isMarked = marked.at(-1)?.trim() === MARK;
    if (!isMarked && USES_NODE.test(line) && !IS_COMMENT.test(line)) marked.push(`${/^\s*/.exec(line)[0]}${MARK}`);
    marked.push(line);
  }
  return marked.join('\n');
}
