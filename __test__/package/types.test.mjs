// The types, as the compiler sees them in every kind of program that can load the package, and the package as it
// would be published.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { IS_FULL } from '../support/count.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const types = join(root, '__test__', 'package', 'types');

const require = createRequire(import.meta.url);
const TSC = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
/** The last compiler that knows `node10`; the one that builds this package has dropped it. */
const OLD_TSC = createRequire(require.resolve('@napi-rs/cli/package.json')).resolve('typescript/bin/tsc');
const PUBLINT = join(root, 'node_modules', 'publint', 'src', 'cli.js');

/** Runs a JavaScript program; returns its exit code and everything it printed. */
function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
    });
  });
}

/** A program that has installed the package: its files, by name, and compiler options. */
async function consumer(t, compilerOptions, files) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-types-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const scope = join(folder, 'node_modules', '@llm-devops');
  await mkdir(scope, { recursive: true });
  await symlink(root, join(scope, 'prometheus-metrics'), 'junction');
  for (const [name, content] of Object.entries(files)) {
    if (content instanceof URL) await copyFile(content, join(folder, name));
    else await writeFile(join(folder, name), content);
  }
  const { compilerOptions: common } = JSON.parse(await readFile(join(types, 'tsconfig.json'), 'utf8'));
  const typeRoots = [join(root, 'node_modules', '@types')];
  const project = { compilerOptions: { ...common, typeRoots, ...compilerOptions }, files: Object.keys(files) };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
  return folder;
}

const MODES = {
  'CommonJS in node16': ['cts', { module: 'node16' }],
  'an ES module in node16': ['mts', { module: 'node16' }],
  'an ES module in nodenext': ['mts', { module: 'nodenext' }],
  'a bundled program': ['ts', { module: 'esnext', moduleResolution: 'bundler' }],
  'a bundled program that preserves its modules': ['ts', { module: 'preserve' }],
  'CommonJS in node10': ['ts', { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' }, OLD_TSC],
  'a program with exact optional properties': ['cts', { module: 'node16', exactOptionalPropertyTypes: true }],
};

/** Two are close to other modes; the old compiler is written in JavaScript and takes ten seconds each time. */
const ONLY_IN_CI = ['an ES module in nodenext', 'a bundled program that preserves its modules', 'CommonJS in node10'];

// One after the other: each compiler takes a processor and some 200 MB for itself.
test.serial('the type tests compile where they lie', async (t) => {
  t.deepEqual(await run(TSC, '-p', types, '--noEmit'), { code: 0, output: '' });
});

test.serial('what is for frameworks fits the types of the real ones', async (t) => {
  t.deepEqual(await run(TSC, '-p', join(types, 'frameworks')), { code: 0, output: '' });
});

for (const [title, [extension, options, compiler = TSC]] of Object.entries(MODES)) {
  if (ONLY_IN_CI.includes(title) && !IS_FULL) continue;

  test.serial(
    `the type tests compile as ${title}, and a program that exports metrics can have declarations`,
    async (t) => {
      const sources = ['usage', 'prom-client', 'fastify', 'testing', 'testing-expositions', 'exported'];
      const files = sources.map((name) => [`${name}.${extension}`, new URL(`types/${name}.ts`, import.meta.url)]);
      const made = { declaration: true, noEmit: false, emitDeclarationOnly: true, outDir: 'out', rootDir: '.' };
      const folder = await consumer(t, { ...options, ...made }, Object.fromEntries(files));
      t.deepEqual(await run(compiler, '-p', folder), { code: 0, output: '' });
      const file = `exported.${extension}`.replace(/(m|c)?ts$/, 'd.$1ts');
      const declarations = await readFile(join(folder, 'out', file), 'utf8');
      t.regex(declarations, /^export declare const c: (client\.)?Counter<"a">;$/m);
      // Files that no entry of package.json names cannot be read by the program's own users.
      t.notRegex(declarations, /dist\//);
    },
  );

  // A compiler takes a second each time: locally one run for two kinds of resolution.
  if (!IS_FULL && !['CommonJS in node16', 'a bundled program'].includes(title)) continue;

  test.serial(`every mistake of the type tests is found in ${title}`, async (t) => {
    // Without its directives, each line under one must be an error, and no other line.
    const source = await readFile(join(types, 'usage.ts'), 'utf8');
    const lines = source.split('\n');
    const mistakes = lines.flatMap((line, at) => (line.trim().startsWith('// @ts-expect-error') ? [at + 2] : []));
    t.true(mistakes.length > 30);
    const name = `usage.${extension}`;
    const folder = await consumer(t, options, { [name]: source.replaceAll('// @ts-expect-error', '//') });
    const { code, output } = await run(compiler, '-p', folder, '--pretty', 'false');
    t.not(code, 0);
    const found = [...output.matchAll(/usage\.\w+\((\d+),\d+\): error /g)].map(([, line]) => Number(line));
    t.deepEqual([...new Set(found)], mistakes);
  });
}

test.serial('a program that does not check its libraries needs no types of Node.js', async (t) => {
  const source = `import { register } from '@llm-devops/prometheus-metrics';\nregister.metrics();\n`;
  const folder = await consumer(
    t,
    { module: 'node16', skipLibCheck: true, types: [], typeRoots: [] },
    { 'a.cts': source },
  );
  t.deepEqual(await run(TSC, '-p', folder), { code: 0, output: '' });
});

test.serial('the package has no declarations of internals, lacks no declaration, and is small', async (t) => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const packing = promisify(execFile)(npm, ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    ...{ cwd: root, maxBuffer: 1 << 26, shell: process.platform === 'win32' },
  });
  const [{ files, size }] = JSON.parse((await packing).stdout);
  t.true(size <= 200_000, `${size} bytes`);
  const paths = new Set(files.map(({ path }) => path));
  for (const path of ['dist/native.d.ts', 'dist/tables.d.ts', 'dist/settings.d.ts']) {
    t.false(paths.has(path), path);
  }
  for (const path of [...paths].filter((path) => /\.d\.m?ts$/.test(path))) {
    const text = await readFile(join(root, path), 'utf8');
    for (const [, reference] of text.matchAll(/(?:from|import|require)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const target = posix.join(posix.dirname(path), reference).replace(/\.(m?)js$/, '.d.$1ts');
      const found = [target, `${target}.d.ts`, `${target}/index.d.ts`].some((file) => paths.has(file));
      t.true(found, `${path} refers to ${reference}, which is not in the package`);
    }
    t.notRegex(text, /\b(Native(?!Histogram(?:Options|Value)\b)[A-Z]\w+|RegistryInternals)\b/, path);
  }
});

test.serial('publint finds nothing in the package', async (t) => {
  const { code, output } = await run(PUBLINT, 'run', root, '--strict');
  t.is(code, 0, output);
  t.regex(output, /All good!/);
});
