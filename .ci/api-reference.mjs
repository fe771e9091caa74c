/**
 * `npm run docs:api` writes docs/api from the comments of the public declarations: one file an entry of the package. With
 * `--check` it writes nothing and fails if docs/api is not current. Expects the library to be built. TypeDoc reads a copy of the
 * declarations, in which nothing is declared twice.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = join(root, '.ci', 'typedoc');
const reference = join(root, 'docs', 'api');

/** Entries without names of their own: loaded for their effect, other names of an entry, or data. */
const LEFT_OUT = /^\.\/(lib\/|index\.js$|package\.json$|testing\/)/;

/** The entries of a manifest: the name of the page, and the file with the declarations. */
export function entriesOf({ exports }) {
  return Object.entries(exports)
    .filter(([subpath]) => !LEFT_OUT.test(subpath))
    .map(([subpath, { require, types }]) => ({
      page: subpath === '.' ? 'index' : subpath.slice(2),
      declarations: (require ?? { types }).types,
    }));
}

/** The default export, which is all names of the module once more. */
const DEFAULT_EXPORT = /^import (\w+) = require\('[^']+'\);\n(?:\/\*\*.*\*\/\n)?export default \1;\n/m;

/** The names of prom-client for types that have names of their own here, such as `Counter.Internal`. */
const NAMESPACE = /^(?:\/\*\*.*\*\/\n)?export declare namespace \w+ {\n[\s\S]*?^}\n/gm;

/** Declarations without the names that stand for others. */
export const withoutRepeated = (source) => source.replace(DEFAULT_EXPORT, '').replaceAll(NAMESPACE, '');

/**
 * Declarations in which methods that subclasses may override with any signature look like others: without `Over` and its
 * type parameter, and declared once.
 */
export function withoutOver(source) {
  const plain = source.split('\n').map((line) => {
    if (!/Over<P, /.test(line)) return line;
    const bare = line.replace('<P = never>', '').replace(', P = never>', '>');
    return unwrapped(bare.replace(/\.\.\.args: Over<P, \[(.*?)\]>\): /, '$1): '));
  });
  return plain.filter((line, at) => line !== plain[at - 1] || !/^ +\w+[<(].*;$/.test(line)).join('\n');
}

/** A line with `V` in place of each `Over<P, V>`. */
function unwrapped(line) {
  const start = line.indexOf('Over<P, ');
  if (start < 0) return line;
  let depth = 0;
  let end = start;
  do {
    if (line[end] === '<') depth += 1;
    // An arrow is no bracket.
    if (line[end] === '>' && line[end - 1] !== '=') depth -= 1;
    end += 1;
  } while (end < line.length && (depth > 0 || line[end - 1] !== '>'));
  return unwrapped(line.slice(0, start) + line.slice(start + 'Over<P, '.length, end - 1) + line.slice(end));
}

/** True for members that classes share inside the library: their names are symbols that no entry exports. */
function isInternal({ name }) {
  return /^\[(?!dispose|asyncDispose|iterator|asyncIterator|toStringTag|hasInstance)/.test(name);
}

function install() {
  const installed = join(tools, 'node_modules', '.package-lock.json');
  const lock = join(tools, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const argv = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', argv, { cwd: tools, stdio: 'inherit', shell: process.platform === 'win32' });
}

/** Copies the declarations into `folder` and returns the entries' files there, by page. */
function prepare(folder, entries) {
  const isDeclaration = (path) => statSync(path).isDirectory() || /\.d\.m?ts$/.test(path);
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true, filter: isDeclaration });
  const gathered = join(folder, 'dist', 'declarations.d.ts');
  writeFileSync(gathered, withoutRepeated(withoutOver(readFileSync(gathered, 'utf8'))));
  // Pages are named like the files.
  return entries.map(({ page, declarations }) => {
    const file = join(folder, declarations);
    writeFileSync(file, withoutRepeated(readFileSync(file, 'utf8')));
    const named = join(dirname(file), `${page}.d.ts`);
    if (named !== file) renameSync(file, named);
    return named;
  });
}

async function generate(folder) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const load = createRequire(join(tools, 'package.json'));
  const { Application, Converter, LogLevel } = await import(pathToFileURL(load.resolve('typedoc')).href);
  const sources = mkdtempSync(join(root, 'target', 'api-reference-'));
  try {
    const entryPoints = prepare(sources, entriesOf(manifest));
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'es2024.string', 'esnext.disposable'],
      module: 'node16',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
    };
    const tsconfig = join(sources, 'tsconfig.json');
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: entryPoints }));
    writeFileSync(join(sources, 'package.json'), JSON.stringify({ name: manifest.name, type: manifest.type }));
    const app = await Application.bootstrapWithPlugins({
      plugin: [load.resolve('typedoc-plugin-markdown')],
      name: manifest.name,
      // TypeDoc empties this folder. Without the option that would be docs.
      out: folder,
      tsconfig,
      entryPoints,
      // Types that no entry exports are mentioned by name.
      validation: { notExported: false, invalidLink: true },
      treatWarningsAsErrors: true,
      logLevel: LogLevel.Warn,
      excludeInternal: true,
      excludePrivate: true,
      excludeExternals: true,
      disableSources: true,
      disableGit: true,
      readme: 'none',
      hideGenerator: true,
      outputFileStrategy: 'modules',
      hidePageHeader: true,
      hideBreadcrumbs: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      tableColumnSettings: { hideInherited: true, hideOverrides: true },
      propertyMembersFormat: 'table',
      // The plugin numbers equal headings in an order of its own, so GitHub's anchors are others.
      useHTMLAnchors: true,
    });
    app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, declaration) => {
      if (isInternal(declaration)) context.project.removeReflection(declaration);
    });
    const project = await app.convert();
    if (!project) throw new Error('TypeDoc could not read the declarations; the lines above say why');
    app.validate(project);
    await app.generateOutputs(project);
    if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('TypeDoc found mistakes in comments');
    finish(folder, manifest);
  } finally {
    rmSync(sources, { recursive: true });
  }
}

/** Gives the pages their titles, the folder its list of pages, and each example the mark that it is not a whole program. */
function finish(folder, manifest) {
  const rows = entriesOf(manifest).map(({ page }) => {
    const name = page === 'index' ? manifest.name : `${manifest.name}/${page}`;
    const file = join(folder, `${page}.md`);
    const [, ...lines] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `# ${name}\n${withMarks(lines.join('\n'))}`);
    return `- [${name}](${page}.md)`;
  });
  const introduction = 'Every public name, made from the comments by `npm run docs:api`. The guides are in [docs](..).';
  writeFileSync(join(folder, 'README.md'), `# API reference\n\n${introduction}\n\n${rows.join('\n')}\n`);
}

/** A page whose TypeScript examples are marked: the test of the documentation runs blocks without a mark. */
export function withMarks(page) {
  return page.replace(/^```ts\n/gm, '<!-- not run: an excerpt, whole programs are in the guides -->\n\n```ts\n');
}

/** The files below a folder, by their path. */
function filesIn(folder) {
  const paths = existsSync(folder) ? readdirSync(folder, { recursive: true }).sort() : [];
  return new Map(
    paths
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path.split(sep).join('/'), readFileSync(join(folder, path), 'utf8')]),
  );
}

async function main() {
  if (!existsSync(join(root, 'dist', 'declarations.d.ts')))
    throw new Error('dist has no declarations: run `npm run build` first');
  install();
  mkdirSync(join(root, 'target'), { recursive: true });
  const made = mkdtempSync(join(root, 'target', 'api-pages-'));
  try {
    await generate(made);
    const [now, before] = [filesIn(made), filesIn(reference)];
    const stale = [...new Set([...now.keys(), ...before.keys()])].filter((path) => now.get(path) !== before.get(path));
    if (process.argv.includes('--check')) {
      for (const path of stale) console.error(`✗ docs/api/${path} is not what the comments say`);
      if (stale.length > 0)
        throw new Error('docs/api is not current: run `npm run docs:api` and commit what it changes');
    } else {
      rmSync(reference, { recursive: true, force: true });
      cpSync(made, reference, { recursive: true });
    }
    console.log(`docs/api: ${now.size} pages, ${stale.length} of them changed`);
  } finally {
    rmSync(made, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(`✗ ${error.message}`);
    process.exitCode = 1;
  }
}
