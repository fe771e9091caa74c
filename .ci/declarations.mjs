/**
 * Prepares the declarations that the compiler wrote to `dist` for publishing. Deletes those that no entry leads to, and
 * makes the others compile in programs that have no types of Node.js.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

const MARK = '// @ts-ignore: unknown without @types/node';
const USES_NODE = /'node:|\b(Buffer|Disposable|Request|Response)\b|\[Symbol\.dispose\]/;
const IS_COMMENT = /^\s*(\*|\/[/*])/;

const REFERENCE = /(?:from|import|require)\s*\(?\s*['"](\.[^'"]+)['"]/g;

function declarations() {
  return readdirSync(dist, { recursive: true })
    .filter((file) => /\.d\.m?ts$/.test(file))
    .map((file) => join(dist, file));
}

/** What the next run of the compiler reads, beside the declarations of the entries. */
const COMPILER_READS = ['tables.d.ts'];

/** Deletes declarations that no entry refers to, directly or by others: they are a tenth of the package. */
export function removeUnreachedDeclarations() {
  const all = declarations();
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, reference] of readFileSync(path, 'utf8').matchAll(REFERENCE)) {
      const target = resolve(dirname(path), reference).replace(/\.(m?)js$/, '.d.$1ts');
      for (const file of [target, `${target}.d.ts`, join(target, 'index.d.ts')]) if (all.includes(file)) visit(file);
    }
  };
  for (const path of all) if (path.startsWith(join(dist, 'entry'))) visit(path);
  for (const path of all) if (!reached.has(path) && !COMPILER_READS.includes(relative(dist, path))) rmSync(path);
}

/**
 * Marks each line that uses a type of Node.js, so that the compiler reads the type as `any` where it is unknown, instead
 * of reporting an error. Programs with `@types/node` see the same types as before. Changes nothing if it runs again.
 */
export function markNodeTypes() {
  for (const path of declarations()) {
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
