/**
 * Prepares the declarations that the compiler wrote to `dist` for publishing. Makes names of other files re-exports, gathers
 * what the entries lead to in one file, so that internals are not published, and makes it compile in programs that have no types
 * of Node.js.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
/** All public declarations but those of the entries. */
const GATHERED = join(dist, 'declarations.d.ts');

const MARK = '// @ts-ignore: unknown without @types/node';
const USES_NODE = /'node:|\b(Buffer|Disposable|Request|Response)\b|\[Symbol\.dispose\]/;
const IS_COMMENT = /^\s*(\*|\/[/*])/;

/** What the next run of the compiler reads. `files` of package.json leaves them out. */
const COMPILER_READS = ['native.d.ts', 'settings.d.ts', 'tables.d.ts', 'words.d.ts'];
/** `import`, `export … from` and `export * from`, as the compiler writes them: `{ names }` or `* as name`, and the file. */
const LINK = /^(import|export)(?: type)? (?:\* as (\w+)|(\*)|(\w+)|\{([^}]*)\}) from '([^']+)';$/;
const REQUIRED = /^import (\w+) = require\('(\.[^']+)'\);$/;
const REFERENCE = /((?:from '|import\("|require\('))(\.[^'"]+)(['"])/g;
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
export function statementsOf(path, isFile) {
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

/** The file that a reference in another file means; none for a module of Node.js. */
function fileOf(path, reference, isFile) {
  const target = resolve(dirname(path), reference).replace(/\.(m?)js$/, '.d.$1ts');
  return [target, `${target}.d.ts`, join(target, 'index.d.ts')].find(isFile);
}

function statement(comment, text, path, isFile) {
  const found = { comment, text, isUsed: false, names: [], links: [] };
  const link = LINK.exec(text.trim());
  if (link !== null) {
    const [, kind, all, star, alone, list, reference] = link;
    const specifiers = (list ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    found.isExport = kind === 'export';
    found.isStar = star !== undefined;
    found.file = fileOf(path, reference, isFile);
    found.links = specifiers.map((specifier) => {
      const [name, local = name] = specifier.replace(/^type /, '').split(' as ');
      return { specifier, name, local, isUsed: false };
    });
    if (all ?? alone) found.links.push({ name: '*', local: all ?? alone, isUsed: false });
    return found;
  }
  const required = REQUIRED.exec(text.trim());
  if (required !== null)
    return { ...found, file: fileOf(path, required[2], isFile), links: [{ name: '*', local: required[1] }] };
  const declared = DECLARED.exec(text);
  if (declared !== null) found.names.push(declared[1]);
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  found.code = code;
  found.words = new Set(code.match(/[\w$]+/g));
  found.inline = [...code.matchAll(INLINE)].map(([, reference, name]) => ({
    file: fileOf(path, reference, isFile),
    name,
  }));
  return found;
}

/**
 * Writes what the entries refer to, directly or through others, into one file, and deletes the files of the compiler. What no
 * entry leads to would be a tenth of the package, and the names of a hundred files, and what they import from each other, a
 * twentieth. The type tests read all declarations, so they notice a missing one.
 */
export function gatherDeclarations() {
  const paths = declarations().filter((path) => path !== GATHERED);
  const files = new Map();
  const isFile = (path) => paths.includes(path);
  for (const path of paths) files.set(path, statementsOf(path, isFile));

  /** Marks the statements of a file that a name needs; `*` is all exported names. */
  const need = (path, name) => {
    for (const found of files.get(path) ?? []) {
      for (const link of found.links) if (found.isExport && (name === '*' || link.local === name)) follow(found, link);
      if (found.isStar) need(found.file, name);
      if (found.words && isNeeded(found, name)) use(path, found);
    }
  };
  const follow = (found, link) => {
    if (link.isUsed) return;
    link.isUsed = true;
    if (found.file !== undefined) need(found.file, link.name === 'default' ? '*' : link.name);
  };
  /** Follows a link from a statement that may need only some names of a space: `Space.Name`. */
  const followFrom = (found, other, link) => {
    const names = link.name === '*' ? [...found.code.matchAll(new RegExp(`\\b${link.local}\\.(\\w+)`, 'g'))] : [];
    if (names.length === 0) return follow(other, link);
    for (const [, name] of names) need(other.file, name);
  };
  const use = (path, found) => {
    if (found.isUsed) return;
    found.isUsed = true;
    for (const { file, name } of found.inline) need(file, name);
    for (const other of files.get(path)) {
      for (const link of other.links)
        if (!other.isExport && found.words.has(link.local)) followFrom(found, other, link);
      if (other.words && other.names.some((name) => found.words.has(name))) use(path, other);
    }
  };
  for (const path of paths) if (isEntry(path)) need(path, '*');

  const inner = new Map([...files].filter(([path]) => !isEntry(path)));
  writeFileSync(GATHERED, gathered(inner));
  for (const path of paths) {
    if (isEntry(path)) writeFileSync(path, withGathered(readFileSync(path, 'utf8'), path, files));
    else if (!COMPILER_READS.includes(relative(dist, path))) rmSync(path);
  }
}

const isEntry = (path) => path.startsWith(join(dist, 'entry'));

/** Statements without a name, such as `declare global`, belong to all others of their file. */
function isNeeded({ names, text }, name) {
  return names.length === 0 || (name === '*' ? text.startsWith('export') : names.includes(name));
}

/** One file with the statements that are used, of all files. Fails if a name would mean something else there. */
export function gathered(files) {
  const owners = new Map();
  for (const [path, statements] of files) {
    for (const name of statements.filter(({ isUsed }) => isUsed).flatMap(({ names }) => names)) {
      const owner = owners.get(name) ?? path;
      if (owner !== path)
        throw new Error(`Expected one declaration of ${name}, but ${owner} and ${path} have one each`);
      owners.set(name, path);
    }
  }
  const [imports, texts] = [new Map(), []];
  for (const [path, statements] of files) {
    const links = statements.filter(({ isExport }) => !isExport).flatMap((found) => found.links);
    const linked = new Set(links.map(({ local }) => local));
    const spaces = statements.flatMap(({ file, links }) =>
      file === undefined ? [] : links.filter(({ name }) => name === '*').map(({ local }) => local),
    );
    for (const { file, links, text } of statements) {
      for (const { name, local, isUsed } of links) {
        if (name !== local && name !== '*' && name !== 'default')
          throw new Error(`${path} renames ${name} to ${local}`);
        if (isUsed && file === undefined) imports.set(local, / from '(.*)';$/.exec(text.trim())[1]);
      }
    }
    const inSpace = new RegExp(`\\b(?:${spaces.join('|')})\\.(?=\\w)`, 'g');
    for (const { comment, text, code, isUsed, names } of statements) {
      if (!isUsed || /^export (?:type )?\{/.test(text)) continue;
      if (names.length === 0) throw new Error(`${path} declares something without a name: ${text}`);
      const global = (code.match(/(?<![\w$.])[A-Z][\w$]*(?![\w$]|\??:)/g) ?? []).find(
        (word) => !linked.has(word) && (owners.get(word) ?? path) !== path,
      );
      if (global !== undefined)
        throw new Error(`${path} means a global ${global}, and ${owners.get(global)} declares one`);
      const whole = `${comment}${text}`.trimEnd().replace(INLINE, '$2');
      texts.push(spaces.length === 0 ? whole : whole.replace(inSpace, ''));
    }
  }
  const heads = [...imports].map(([name, module]) => `import type { ${name} } from '${module}';`);
  // Without the last line, the compiler would see what is not exported as exported.
  return `${[...heads.sort(), ...texts, 'export {};'].join('\n')}\n`;
}

/** The names that a file exports. */
function exportsOf(path, files) {
  return files.get(path).flatMap(({ text, names, links, file, isExport, isStar }) => {
    if (isStar) return exportsOf(file, files);
    return isExport ? links.map(({ local }) => local) : text.startsWith('export') ? names : [];
  });
}

/** An entry that reads the gathered declarations in place of the files they come from. */
function withGathered(text, path, files) {
  const gathered = relative(dirname(path), GATHERED).replaceAll('\\', '/').replace('.d.ts', '');
  const inner = (reference) => {
    const file = fileOf(path, reference, (other) => files.has(other));
    return file === undefined || isEntry(file) ? undefined : file;
  };
  return text
    .replace(/^export (?:type )?\* from '(\.[^']+)';$/gm, (line, reference) => {
      const file = inner(reference);
      return file === undefined ? line : `export { ${exportsOf(file, files).join(', ')} } from '${reference}';`;
    })
    .replace(REFERENCE, (whole, start, reference, end) => {
      // The declarations of an ES module need the extension.
      const extension = reference.endsWith('.js') ? '.js' : '';
      return inner(reference) === undefined ? whole : `${start}${gathered}${extension}${end}`;
    });
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
