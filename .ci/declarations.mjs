/**
 * Prepares the declarations that the compiler wrote to `dist` for publishing. Makes names of other files re-exports, deletes
 * declarations that no entry leads to, so that internals are not published, and makes the others compile in programs that have
 * no types of Node.js.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

const MARK = '// @ts-ignore: unknown without @types/node';
const USES_NODE = /'node:|\b(Buffer|Disposable|Request|Response)\b|\[Symbol\.dispose\]/;
const IS_COMMENT = /^\s*(\*|\/[/*])/;

/** What the next run of the compiler reads. `files` of package.json leaves out the ones that no entry leads to. */
const COMPILER_READS = ['native.d.ts', 'settings.d.ts', 'tables.d.ts', 'words.d.ts'];
/** `import`, `export … from` and `export * from`, as the compiler writes them: `{ names }` or `* as name`, and the file. */
const LINK = /^(import|export)(?: type)? (?:\* as (\w+)|(\*)|(\w+)|\{([^}]*)\}) from '([^']+)';$/;
const REQUIRED = /^import (\w+) = require\('(\.[^']+)'\);$/;
const INLINE = /\bimport\("(\.[^"]+)"\)\.(\w+)/g;
const DECLARED =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|let|namespace|enum) ([\w$]+)/;

/**
 * Declarations with re-exports where a file declares a value, and perhaps a type, of another module. The entries export values
 * of the realm's copy (`export declare const Counter: typeof Api.Counter`). The compiler of a program that exports a counter
 * must write the class's name into its declarations, and finds it only if an entry exports the class itself.
 */
export function withReexports(source) {
  const modules = new Map(
    [...source.matchAll(/^import type \* as (\w+) from '([^']+)';$/gm)].map(([, name, path]) => [name, path]),
  );
  const values = new Set();
  const reexporting = source.replace(
    /^export declare const (\w+): typeof (\w+)\.(\w+);$/gm,
    (line, name, module, original) => {
      if (!modules.has(module)) return line;
      values.add(name);
      return `export { ${original}${original === name ? '' : ` as ${name}`} } from '${modules.get(module)}';`;
    },
  );
  return reexporting.replace(/^export type (\w+)(?:<.*?>)? = (\w+)\.\w+(?:<.*>)?;\n/gm, (line, name, module) =>
    values.has(name) && modules.has(module) ? '' : line,
  );
}

/** Makes re-exports of the names that entries, and modules that load others on first use, have from other files. */
export function reexportNames() {
  for (const file of declarations()) {
    if (!/[\\/]entry[\\/]|[\\/]api\.d\.ts$|on-first-use/.test(file)) continue;
    writeFileSync(file, withReexports(readFileSync(file, 'utf8')));
  }
}

function declarations() {
  return readdirSync(dist, { recursive: true })
    .filter((file) => /\.d\.m?ts$/.test(file))
    .map((file) => join(dist, file));
}

/**
 * The statements of a declaration file: text, the comment before it, and the names that it declares or links. Every
 * statement of the compiler's output begins in the first column.
 */
function statementsOf(path, isFile) {
  const statements = [];
  let [comment, lines] = ['', []];
  const finish = () => {
    if (lines.length > 0) statements.push(statement(comment, lines.join('\n'), path, isFile));
    [comment, lines] = ['', []];
  };
  let inComment = false;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (inComment || /^\/[/*]/.test(line)) {
      if (!inComment) finishIfCode();
      comment += `${line}\n`;
      inComment = (inComment || line.startsWith('/*')) && !line.includes('*/');
    } else if (/^[a-z]/.test(line)) {
      finishIfCode();
      lines.push(line);
    } else if (line !== '' || lines.length > 0) {
      lines.push(line);
    }
  }
  finish();
  return statements;

  function finishIfCode() {
    if (lines.length > 0) finish();
  }
}

function statement(comment, text, path, isFile) {
  const found = { comment, text, isUsed: false, names: [], links: [] };
  const link = LINK.exec(text.trim());
  const fileOf = (reference) => {
    const target = resolve(dirname(path), reference).replace(/\.(m?)js$/, '.d.$1ts');
    return [target, `${target}.d.ts`, join(target, 'index.d.ts')].find(isFile);
  };
  if (link !== null) {
    const [, kind, all, star, alone, list, reference] = link;
    const specifiers = (list ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    found.isExport = kind === 'export';
    found.isStar = star !== undefined;
    found.file = fileOf(reference);
    found.links = specifiers.map((specifier) => {
      const [name, local = name] = specifier.replace(/^type /, '').split(' as ');
      return { specifier, name, local, isUsed: false };
    });
    if (all ?? alone) found.links.push({ name: '*', local: all ?? alone, isUsed: false });
    return found;
  }
  const required = REQUIRED.exec(text.trim());
  if (required !== null) return { ...found, file: fileOf(required[2]), links: [{ name: '*', local: required[1] }] };
  const declared = DECLARED.exec(text);
  if (declared !== null) found.names.push(declared[1]);
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  found.words = new Set(code.match(/[\w$]+/g));
  found.inline = [...code.matchAll(INLINE)].map(([, reference, name]) => ({ file: fileOf(reference), name }));
  return found;
}

/**
 * Deletes what no entry refers to, directly or through others: files, and statements and imports in the remaining files.
 * They would be a tenth of the package. The type tests read all remaining declarations, so they notice a missing one.
 */
export function removeUnreachedDeclarations() {
  const paths = declarations();
  const files = new Map();
  const isFile = (path) => paths.includes(path);
  for (const path of paths) files.set(path, statementsOf(path, isFile));

  /** Marks the statements of a file that a name needs; `*` is all exported names. */
  const need = (path, name) => {
    for (const found of files.get(path) ?? []) {
      for (const link of found.links) if (found.isExport && (name === '*' || link.local === name)) follow(found, link);
      if (found.isStar) {
        found.isUsed = true;
        need(found.file, name);
      }
      if (found.words && isNeeded(found, name)) use(path, found);
    }
  };
  const follow = (found, link) => {
    if (link.isUsed) return;
    link.isUsed = true;
    found.isUsed = true;
    if (found.file !== undefined) need(found.file, link.name === 'default' ? '*' : link.name);
  };
  const use = (path, found) => {
    if (found.isUsed) return;
    found.isUsed = true;
    for (const { file, name } of found.inline) need(file, name);
    for (const other of files.get(path)) {
      for (const link of other.links) if (!other.isExport && found.words.has(link.local)) follow(other, link);
      if (other.words && other.names.some((name) => found.words.has(name))) use(path, other);
    }
  };
  for (const path of paths) if (path.startsWith(join(dist, 'entry'))) need(path, '*');

  for (const [path, statements] of files) {
    if (path.startsWith(join(dist, 'entry'))) continue;
    const isRead = COMPILER_READS.includes(relative(dist, path));
    if (!statements.some(({ isUsed }) => isUsed)) {
      if (!isRead) rmSync(path);
    } else if (!isRead) {
      writeFileSync(path, textOf(statements));
    }
  }
}

/** Statements without a name, such as `declare global`, belong to all others of their file. */
function isNeeded({ names, text }, name) {
  return names.length === 0 || (name === '*' ? text.startsWith('export') : names.includes(name));
}

/** A file with the statements and links that are used. The first comment is the file's own. */
function textOf(statements) {
  const texts = [];
  for (const { comment, text, isUsed, isStar, links } of statements) {
    if (isStar) texts.push(text);
    else if (!isUsed) continue;
    else if (links.length === 0 || links[0].specifier === undefined) texts.push(`${comment}${text}`);
    else {
      const used = links.filter((link) => link.isUsed).map(({ specifier }) => specifier);
      texts.push(`${comment}${text.replace(/\{[^}]*\}/, `{ ${used.join(', ')} }`)}`);
    }
  }
  if (!texts.some((text) => /^(export|import) /m.test(text))) texts.push('export {};');
  return `${texts.map((text) => text.trimEnd()).join('\n')}\n`;
}

/**
 * Marks each line that uses a type of Node.js, so that the compiler reads the type as `any` where it is unknown, instead
 * of reporting an error. Programs with `@types/node` see the same types as before. Changes nothing if it runs again.
 *
 * Also writes `export type *` as `export *`, which is the same in declarations of types alone: TypeScript 4.9 does not
 * know the first.
 */
export function markNodeTypes() {
  for (const path of declarations()) {
    const text = readFileSync(path, 'utf8');
    const marked = mark(text.replaceAll(/^export type \* from/gm, 'export * from'));
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
