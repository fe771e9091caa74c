/**
 * Makes every file of `src/entry` a subpath of the package. Writes a forwarder for `import` into `dist`, and `main`,
 * `types`, `exports` and `typesVersions` into package.json. The folder is the only list of subpaths: to add one, add a
 * file and run `npm run build:ts`, which runs this after the compiler.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src', 'entry');

const FORWARDER = (name) => `/**
 * The same names for \`import\`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './${name}.js';
export * from './${name}.js';
export default library;
`;

/**
 * The entries by their path below `src/entry`, without extension. `hasBoth`: loaded by `require` and by `import`. An
 * entry that exports nothing is loaded for its effect, so one file serves both.
 */
export function entries() {
  const files = readdirSync(sources, { recursive: true }).map((file) => file.split(sep).join('/'));
  const paths = [...new Set(files.filter((file) => /\.m?ts$/.test(file)).map((file) => file.replace(/\.m?ts$/, '')))];
  return paths.sort().map((path) => {
    const isModule = !files.includes(`${path}.ts`);
    const hasBoth = !isModule && /^export /m.test(readFileSync(join(sources, `${path}.ts`), 'utf8'));
    return { path, isModule, hasBoth, hasOwnForwarder: !isModule && files.includes(`${path}.mts`) };
  });
}

/** The fields of package.json that follow from the entries. */
export function manifestFields() {
  const file = (path, letter) => ({
    types: `./dist/entry/${path}.d.${letter}ts`,
    default: `./dist/entry/${path}.${letter}js`,
  });
  const exported = {};
  const types = {};
  for (const { path, isModule, hasBoth } of entries()) {
    const subpath = path === 'index' ? '.' : `./${path}`;
    exported[subpath] = hasBoth
      ? { import: file(path, 'm'), require: file(path, '') }
      : file(path, isModule ? 'm' : '');
    // TypeScript's `node10` resolution does not read `exports`.
    if (path !== 'index') types[path] = [file(path, isModule ? 'm' : '').types];
  }
  return {
    main: './dist/entry/index.js',
    types: './dist/entry/index.d.ts',
    exports: { '.': exported['.'], ...exported, './package.json': './package.json' },
    typesVersions: { '*': types },
  };
}

function writeForwarders() {
  for (const { path, hasBoth, hasOwnForwarder } of entries()) {
    if (!hasBoth || hasOwnForwarder) continue;
    const text = FORWARDER(parse(path).name);
    for (const extension of ['mjs', 'd.mts']) writeFileSync(join(root, 'dist', 'entry', `${path}.${extension}`), text);
  }
}

function writeManifest() {
  const path = join(root, 'package.json');
  const text = readFileSync(path, 'utf8');
  const written = `${JSON.stringify({ ...JSON.parse(text), ...manifestFields() }, null, 2)}\n`;
  if (written !== text) writeFileSync(path, written);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeForwarders();
  writeManifest();
}
