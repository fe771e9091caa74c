/**
 * Makes every file of `src/entry` a subpath of the package. Writes a forwarder for `import` and a default export for
 * `require` into `dist`, and `main`, `types`, `exports` and `typesVersions` into package.json. The folder is the only
 * list of subpaths: to add one, add a file and run `npm run build:ts`, which runs this after the compiler.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, parse, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gatherDeclarations, markNodeTypes, reexportNames } from './declarations.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src', 'entry');

const FORWARDER = (name) => `/**
 * The same names for \`import\`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './${name}.js';
export * from './${name}.js';
export default library;
`;

const DEFAULT_EXPORT = `
// Compilers read \`default\` of a module with \`__esModule\` for \`import x from\`. It is hidden from Object.keys().
Object.defineProperty(exports, 'default', { value: module.exports });
`;

const DEFAULT_EXPORT_TYPES = (name) => `
import everything = require('./${name}.js');
/** All names of this module, for \`import x from\`. */
export default everything;
`;

/** prom-client's files of single default metrics export one function each, of one type: the declaration of one serves all. */
const ONE_TYPE = 'lib/metrics/';
const SHARED_DECLARATION = `${ONE_TYPE}gc`;

/**
 * The entries by their path below `src/entry`, without extension. `hasBoth`: one file for `require` and one for
 * `import`. One file serves both if an entry exports nothing, because it is loaded for its effect, or if it is one class
 * or function by `export =`. `hasNames`: it is neither of these. `isDeep`: a file of prom-client, which is found by its
 * path with `.js`, too. `declaration`: the file with its types.
 */
export function entries() {
  const files = readdirSync(sources, { recursive: true }).map((file) => file.split(sep).join('/'));
  const paths = [...new Set(files.filter((file) => /\.m?ts$/.test(file)).map((file) => file.replace(/\.m?ts$/, '')))];
  return paths.sort().map((path) => {
    const isModule = !files.includes(`${path}.ts`);
    const hasNames = !isModule && /^export [^=]/m.test(readFileSync(join(sources, `${path}.ts`), 'utf8'));
    const hasOwnForwarder = !isModule && files.includes(`${path}.mts`);
    const isDeep = path.startsWith('lib/');
    const declaration = `${path.startsWith(ONE_TYPE) ? SHARED_DECLARATION : path}.d.${isModule ? 'm' : ''}ts`;
    return { path, declaration, isModule, hasNames, hasBoth: hasNames || hasOwnForwarder, isDeep, hasOwnForwarder };
  });
}

/** The fields of package.json that follow from the entries. */
export function manifestFields() {
  const file = (path, letter, declaration = `${path}.d.${letter}ts`) => ({
    types: `./dist/entry/${declaration}`,
    default: `./dist/entry/${path}.${letter}js`,
  });
  const exported = {};
  const types = {};
  for (const { path, declaration, isModule, hasBoth, isDeep } of entries()) {
    const subpath = path === 'index' ? '.' : `./${path}`;
    const own = file(path, isModule ? 'm' : '', declaration);
    const files = hasBoth ? { import: file(path, 'm'), require: own } : own;
    exported[subpath] = files;
    // TypeScript's `node10` resolution does not read `exports`.
    const declarations = [own.types];
    if (path !== 'index') types[path] = declarations;
    if (!isDeep) continue;
    exported[`${subpath}.js`] = files;
    types[`${path}.js`] = declarations;
  }
  // prom-client's main file, which some programs import by its name.
  exported['./index.js'] = exported['.'];
  types['index.js'] = ['./dist/entry/index.d.ts'];
  return {
    main: './dist/entry/index.js',
    types: './dist/entry/index.d.ts',
    exports: { '.': exported['.'], ...exported, './package.json': './package.json' },
    typesVersions: { '*': types },
  };
}

/** Deletes programs in `dist` that were compiled from a source which no longer exists: they would be published. */
function removeStalePrograms() {
  const dist = join(root, 'dist');
  for (const file of readdirSync(dist, { recursive: true })) {
    const source = join(root, 'src', file.replace(/\.m?js$/, ''));
    const isMade = file === 'tables.js' || file.startsWith(`bundle${sep}`) || !/\.m?js$/.test(file);
    if (!isMade && !existsSync(`${source}.ts`) && !existsSync(`${source}.mts`)) rmSync(join(dist, file));
  }
}

function writeForwarders() {
  for (const { path, hasBoth, hasNames, hasOwnForwarder } of entries()) {
    if (!hasBoth) continue;
    const text = FORWARDER(parse(path).name);
    if (!hasOwnForwarder) writeFileSync(join(root, 'dist', 'entry', `${path}.mjs`), text);
    if (hasNames) writeFileSync(join(root, 'dist', 'entry', `${path}.d.mts`), text);
  }
}

/** Adds the default export to entries with names. Changes nothing if it runs again. */
function writeDefaultExports() {
  for (const { path, hasNames } of entries()) {
    if (!hasNames) continue;
    const file = join(root, 'dist', 'entry', path);
    appendOnce(`${file}.js`, DEFAULT_EXPORT);
    appendOnce(`${file}.d.ts`, DEFAULT_EXPORT_TYPES(parse(path).name));
  }
}

/** Deletes the declarations for which another one serves. */
function removeSharedDeclarations() {
  for (const { path, declaration } of entries()) {
    if (!declaration.startsWith(`${path}.`)) rmSync(join(root, 'dist', 'entry', `${path}.d.ts`), { force: true });
  }
}

function appendOnce(path, text) {
  if (!readFileSync(path, 'utf8').endsWith(text)) appendFileSync(path, text);
}

function writeManifest() {
  const path = join(root, 'package.json');
  const text = readFileSync(path, 'utf8');
  const written = `${JSON.stringify({ ...JSON.parse(text), ...manifestFields() }, null, 2)}\n`;
  if (written !== text) writeFileSync(path, written);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  removeStalePrograms();
  writeForwarders();
  reexportNames();
  writeDefaultExports();
  removeSharedDeclarations();
  gatherDeclarations();
  markNodeTypes();
  writeManifest();
}
