/**
 * Makes the JavaScript that the package ships: the library in few files (`dist/bundle`), because Node.js takes longer to find
 * and open files than to run them, and the entries that load these. Run by `npm run build:ts` as its last step, so that the
 * tests run what is published. The modules that the compiler wrote to `dist` are not published; tests of internals read them.
 *
 * A file begins where the source says so: a module that an entry imports, or that another module loads by `require()` when it
 * is first used, becomes a file with all that only it imports. `api.js` has what every program loads, `native-loader.js` what
 * finds the addon. What several of the others share is in one file for each room, because each module may run only once.
 *
 * The code is then shortened: without layout, and with short names where neither other modules nor stack traces need them.
 * Names of methods, of classes, and of the functions that entries export, stay, and lines stay short, because Node.js shows the
 * whole line that throws an uncaught error. Names by which the files know each other are a letter or two.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { rollup } from 'rollup';
import { minify } from 'terser';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src');
const dist = join(root, 'dist');
const target = join(dist, 'bundle');
const entries = join(dist, 'entry');

const isEntry = (path) => path.startsWith(join(sources, 'entry'));

/** `require()` of a file of ours, in TypeScript and in what compilers make of it. */
const REQUIRE = /\brequire\((['"])(\.[^'"]+)\1\)/g;
/** The program of a worker thread, which is a text in the source. */
const WORKER = /^const WORKER = `([^`]*)`;$/m;
/** An import or a re-export of values in TypeScript. */
const IMPORT = /^(?:im|ex)port (?!type\b)[^;]*?\bfrom (['"])(\.[^'"]+)\1;$/gm;
const COMPILER_OPTIONS = { target: 'es2022', useDefineForClassFields: true, verbatimModuleSyntax: false };
/** What every program loads. */
const CORE = 'api';
/** Read by file tracers and bundlers, some of which do not read new syntax: it stays as the compiler has written it. */
const LOADER = 'native-loader';
/** Their modules are in no other file, and may have more names than they export, for the other files. */
const LAYERS = [LOADER, CORE];
/** The program of the package's `bin`, which no module loads. */
const PROGRAM = 'cli';

const read = (path) => readFileSync(path, 'utf8');
const filesBelow = (folder, pattern) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => pattern.test(file))
    .map((file) => join(folder, file));

/** The name of a source in the bundle: its path. */
function nameOf(path) {
  return relative(sources, path)
    .replace(/\.ts$/, '')
    .split(sep)
    .filter((part) => part !== 'index')
    .join('-');
}

/** The file of the bundle that `require(reference)` in a source means. */
function fileOf(reference, source) {
  return `${nameOf(resolve(dirname(source), reference))}.js`;
}

/** The source that a reference in another source means. */
function sourceOf(reference, from) {
  const path = resolve(dirname(from), reference);
  return [`${path}.ts`, join(path, 'index.ts')].find((file) => existsSync(file));
}

/** The modules with which files of the bundle begin, by name. */
function findStarts() {
  const starts = new Map([
    [LOADER, join(sources, 'native', 'loader.ts')],
    [PROGRAM, join(sources, PROGRAM, 'index.ts')],
  ]);
  for (const source of filesBelow(sources, /\.ts$/)) {
    for (const [, , reference] of read(source).matchAll(isEntry(source) ? IMPORT : REQUIRE)) {
      const start = sourceOf(reference, source);
      if (start === undefined) throw new Error(`${relative(root, source)} loads ${reference}, which does not exist`);
      if (!isEntry(start)) starts.set(nameOf(start), start);
    }
  }
  return Object.fromEntries(starts);
}

/** Reads TypeScript for Rollup. */
const typescript = {
  name: 'typescript',
  resolveId(reference, from) {
    if (from === undefined) return reference;
    if (!reference.startsWith('.')) return { id: reference, external: true };
    const source = sourceOf(reference, from);
    // What the build makes from the core's definitions.
    return source ?? { id: `${resolve(dirname(from), reference)}.js`, external: 'relative' };
  },
  async transform(source, path) {
    const { code: made } = await transform(await withSmallWorker(source), {
      loader: 'ts',
      format: 'esm',
      target: COMPILER_OPTIONS.target,
      sourcefile: path,
      tsconfigRaw: { compilerOptions: COMPILER_OPTIONS },
    });
    return made.replace(REQUIRE, (_, quote, reference) => `require(${quote}./${fileOf(reference, path)}${quote})`);
  },
};

/** A source with a shortened program of its worker. */
async function withSmallWorker(source) {
  const worker = WORKER.exec(source);
  if (worker === null) return source;
  const { code } = await minify(worker[1], SMALLEST);
  return source.replace(WORKER, () => `const WORKER = ${JSON.stringify(code)};`);
}

/** Makes a file for each start. */
function startingWith(starts) {
  return {
    name: 'starts',
    buildStart() {
      for (const [name, id] of Object.entries(starts)) {
        const preserveSignature = LAYERS.includes(name) ? 'allow-extension' : 'strict';
        this.emitFile({ type: 'chunk', id, fileName: `${name}.js`, preserveSignature });
      }
    },
  };
}

/**
 * Names the file of a module that several others need: a layer's, or one for each room. Rollup would make one for every
 * combination of files.
 */
function sharedFile(starts) {
  const reached = new Map();
  return (path, { getModuleInfo }) => {
    if (reached.size === 0) {
      for (const [name, start] of Object.entries(starts)) walk(start, name, getModuleInfo, reached);
    }
    const names = reached.get(path);
    const layer = LAYERS.find((name) => names.has(name));
    if (layer !== undefined) return layer;
    const [room, inner] = relative(sources, path).split(sep);
    if (names.size === 1 || inner === undefined) return undefined;
    // Each integration is a room of its own.
    return room === 'instrumentation' && !inner.endsWith('.ts') ? `${room}-${inner}` : room;
  };
}

function walk(path, name, getModuleInfo, reached) {
  const names = reached.get(path) ?? new Set();
  if (names.has(name)) return;
  reached.set(path, names.add(name));
  for (const imported of getModuleInfo(path)?.importedIds ?? []) {
    if (getModuleInfo(imported)?.isExternal === false) walk(imported, name, getModuleInfo, reached);
  }
}

async function bundle(starts) {
  const built = await rollup({
    input: [],
    // Modules of Node.js do nothing when they are loaded.
    treeshake: { moduleSideEffects: 'no-external' },
    plugins: [typescript, startingWith(starts)],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  const { output } = await built.generate({
    format: 'cjs',
    chunkFileNames: '[name].js',
    paths: (id) => (isAbsolute(id) ? relative(target, id) : id),
    manualChunks: sharedFile(starts),
    onlyExplicitManualChunks: true,
    hoistTransitiveImports: false,
    externalLiveBindings: false,
    minifyInternalExports: true,
    interop: 'default',
    generatedCode: { constBindings: true, objectShorthand: true },
  });
  await built.close();
  return output;
}

/** What Terser may change. `exported` are the names of functions that stay. */
function shortening(exported, isEntry) {
  const names = { keep_classnames: true, keep_fnames: new RegExp(`^(?:${exported.join('|')})$`) };
  // Without `sequences`, an error tells the statement that threw it by its column.
  const compress = { ...names, passes: 2, sequences: false, hoist_funs: false, inline: 1, reduce_funcs: false };
  return {
    ecma: 2020,
    // Node.js reads the exported names in the source of entries, in the form that the compiler gives them.
    toplevel: !isEntry,
    compress: isEntry ? false : compress,
    mangle: names,
    format: { max_line_len: 500, comments: false },
  };
}

/** For programs that report their errors themselves, so that no name and no line has to be readable. */
const SMALLEST = {
  ecma: 2020,
  toplevel: true,
  compress: { passes: 3, unsafe_arrows: true },
  format: { comments: false },
};

async function write(path, code, options) {
  writeFileSync(path, `${(await minify(code, options)).code}\n`);
}

async function writeBundle() {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  for (const { fileName, code, exports } of await bundle(findStarts())) {
    const double = /\bclass (\w+\$\d+)/.exec(code);
    if (double !== null) throw new Error(`${fileName} has two classes of one name: ${double[1]}`);
    if (fileName === `${LOADER}.js`) writeFileSync(join(target, fileName), code);
    else await write(join(target, fileName), code, fileName.startsWith(PROGRAM) ? SMALLEST : shortening(exports));
  }
}

/** Makes the entries load the bundle in place of the compiler's modules. */
async function writeEntries() {
  for (const entry of filesBelow(entries, /\.m?js$/)) {
    const code = read(entry).replace(REQUIRE, (text, quote, reference) => {
      const path = resolve(dirname(entry), reference);
      if (path.startsWith(entries) || path.startsWith(target)) return text;
      const name = nameOf(join(sources, relative(dist, path)));
      const file = relative(dirname(entry), join(target, `${name}.js`));
      return `require(${quote}${file.split(sep).join('/')}${quote})`;
    });
    await write(entry, code, { ...shortening([], true), module: entry.endsWith('.mjs') });
  }
}

await writeBundle();
await writeEntries();
