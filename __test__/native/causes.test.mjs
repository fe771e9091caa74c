// ADDON_NOT_FOUND: for each cause the whole message, made by really causing it.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  ADDON,
  addonBytes,
  ELSEWHERE,
  HERE,
  install,
  LIBC,
  LOAD,
  NAME,
  OTHER_LIBC,
  run,
} from './support/installed.mjs';

const PAGE = 'See https://github.com/llm-devops/prometheus-metrics/blob/main/docs/troubleshooting.md#addon_not_found';
const SYSTEM = `${process.platform}-${process.arch}`;
const LINUX = process.platform === 'linux';
const CANDIDATES = LINUX ? [HERE, OTHER_LIBC] : [HERE];

const missing = (platform) => `  ${NAME}-${platform}: Cannot find module '${NAME}-${platform}'`;
const MISSING = CANDIDATES.map(missing);

/** The lines of a message. */
function lines(tried, installed, advice, { system = SYSTEM, node = process.version } = {}) {
  const libC = LINUX ? ` (C library: ${LIBC})` : '';
  return [
    `${NAME} could not load its native addon on ${system}${libC}, Node.js ${node}. Tried:`,
    ...tried,
    `Platform packages installed: ${installed}.`,
    `What to do: ${advice}`,
    PAGE,
  ];
}

const OMITTED =
  'the package of this platform is an optional dependency and was not installed. Install without --omit=optional ' +
  'or --no-optional; with npm: `npm install --include=optional`.';

async function refused(t, folder, expected, options) {
  const { shown } = await run(folder, LOAD, options);
  t.deepEqual(shown, { code: 'ADDON_NOT_FOUND', lines: expected });
}

test('the optional dependency was not installed', async (t) => {
  await refused(t, await install(t), lines(MISSING, 'none', OMITTED));
});

test('the same under an alias', async (t) => {
  const folder = await install(t, {}, { name: 'prom-client' });
  const { shown } = await run(folder, LOAD.replace(NAME, 'prom-client'));
  t.deepEqual(shown.lines, lines(MISSING, 'none', OMITTED));
});

test('a lock file of another platform', async (t) => {
  const folder = await install(t, { [ELSEWHERE]: 'addon' });
  const lock = join(folder, 'package-lock.json');
  const names = [...CANDIDATES, ELSEWHERE].map((platform) => [`${NAME}-${platform}`, '0.1.0']);
  const packages = {
    [`node_modules/${NAME}`]: { optionalDependencies: Object.fromEntries(names) },
    [`node_modules/${NAME}-${ELSEWHERE}`]: { optional: true },
  };
  await writeFile(lock, JSON.stringify({ packages }));
  const advice =
    `${lock} was written on another platform and lacks the package of this one. Delete it together with node_modules ` +
    'and run `npm install`.';
  await refused(t, folder, lines(MISSING, ELSEWHERE, advice));
  // One that lists this platform is not the cause.
  packages[`node_modules/${NAME}-${HERE}`] = { optional: true };
  await writeFile(lock, JSON.stringify({ packages }));
  await rm(join(folder, 'node_modules', `${NAME}-${ELSEWHERE}`), { recursive: true });
  await refused(t, folder, lines(MISSING, 'none', OMITTED));
});

if (LINUX) {
  test('a lock file, and node_modules, of the other C library', async (t) => {
    const folder = await install(t, { [OTHER_LIBC]: Buffer.from('needs another C library') });
    const { shown } = await run(folder, LOAD);
    const advice = `node_modules was installed for ${OTHER_LIBC}. Install on the system that runs the program `;
    t.true(shown.lines.at(-2).startsWith(`What to do: ${advice}`), shown.lines.at(-2));
    const packages = { [`node_modules/${NAME}-${OTHER_LIBC}`]: { optional: true } };
    const lock = join(folder, 'package-lock.json');
    await writeFile(lock, JSON.stringify({ packages }));
    const again = await run(folder, LOAD);
    t.true(again.shown.lines.at(-2).startsWith(`What to do: ${lock} was written on another platform `));
  });
}

test('node_modules of another platform', async (t) => {
  const folder = await install(t, { [ELSEWHERE]: 'addon' });
  const advice =
    `node_modules was installed for ${ELSEWHERE}. Install on the system that runs the program (in a container image: ` +
    'list node_modules in .dockerignore and install there).';
  await refused(t, folder, lines(MISSING, ELSEWHERE, advice));
});

test('packages beside the real folder of a linked one are found, as pnpm lays them out', async (t) => {
  const folder = await install(t, { [ELSEWHERE]: 'addon' });
  const store = join(folder, 'node_modules', '.pnpm', 'prometheus-metrics@0.1.0');
  await mkdir(store, { recursive: true });
  await mkdir(join(folder, 'elsewhere'));
  await rename(join(folder, 'node_modules', '@llm-devops'), join(folder, 'elsewhere', 'scope'));
  await mkdir(join(store, 'node_modules'));
  await rename(join(folder, 'elsewhere', 'scope'), join(store, 'node_modules', '@llm-devops'));
  const linked = join(store, 'node_modules', NAME);
  const { shown } = await run(folder, LOAD.replace(NAME, linked));
  t.is(shown.lines.at(-3), `Platform packages installed: ${ELSEWHERE}.`);
});

test('a bundle without the addon', async (t) => {
  const folder = await install(t);
  // A moved copy without package.json is what a bundler leaves, except that it is one file.
  await rename(join(folder, 'node_modules', NAME, 'dist'), join(folder, 'out'));
  await rm(join(folder, 'node_modules'), { recursive: true });
  const advice =
    `the code runs from a bundle without the addon. Mark ${NAME} as external in the bundler, or copy the file ` +
    `prometheus-metrics.${HERE}.node beside the bundle and name it in METRICS_ADDON_PATH.`;
  const { shown } = await run(folder, LOAD.replace(NAME, './out/entry/index.js'));
  t.deepEqual(shown.lines, lines(MISSING, 'none', advice));
});

/** What a bundler makes of a `.node` file that it copies: a module that is the file's address. */
const ADDRESS = "module.exports = '/assets/addon.node';\n";

test('a bundle in which a loader has replaced the addon by its address', async (t) => {
  const folder = await install(t);
  await rename(join(folder, 'node_modules', NAME, 'dist'), join(folder, 'out'));
  const home = join(folder, 'node_modules', `${NAME}-${HERE}`);
  await mkdir(home);
  await writeFile(join(home, 'index.js'), ADDRESS);
  const { shown } = await run(folder, LOAD.replace(NAME, './out/entry/index.js'));
  t.is(shown.lines[1], `  ${NAME}-${HERE}: it is not the addon of this library`);
  t.regex(shown.lines.at(-2), /^What to do: the code runs from a bundle without the addon\. /);
});

test('a package of this platform without its file, or with another one', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  const home = join(folder, 'node_modules', `${NAME}-${HERE}`);
  const advice = `What to do: ${NAME}-${HERE} is there, but its file cannot be loaded. Delete it and install it again on this system.`;
  await rm(join(home, `prometheus-metrics.${HERE}.node`));
  const missing = await run(folder, LOAD);
  t.regex(missing.shown.lines[1], /Cannot find module/);
  t.is(missing.shown.lines.at(-2), advice);
  await writeFile(join(home, 'index.js'), ADDRESS);
  const other = await run(folder, LOAD);
  t.regex(other.shown.lines[1], /: it is not the addon of this library$/);
  t.is(other.shown.lines.at(-2), advice);
});

test('METRICS_ADDON_PATH is relative, and the working directory is gone', async (t) => {
  const folder = await install(t);
  const program = `process.cwd = () => { throw new Error('ENOENT: no such file or directory, uv_cwd'); };
    ${LOAD}`;
  const { shown } = await run(folder, program, { env: { METRICS_ADDON_PATH: 'gone.node' } });
  t.is(shown.lines[1], '  METRICS_ADDON_PATH=gone.node: ENOENT: no such file or directory, uv_cwd');
  t.regex(shown.lines.at(-2), /^What to do: set METRICS_ADDON_PATH to the absolute path /);
});

test('METRICS_ADDON_PATH names a module that is not the addon', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  await mkdir(join(folder, 'other.node'));
  for (const [title, source] of Object.entries({
    'an empty module': '',
    nothing: 'module.exports = null;',
    'an address': ADDRESS,
  })) {
    await writeFile(join(folder, 'other.node', 'index.js'), source);
    const { shown } = await run(folder, LOAD, { env: { METRICS_ADDON_PATH: './other.node' } });
    t.is(shown.code, 'ADDON_NOT_FOUND', title);
    t.is(shown.lines[1], '  METRICS_ADDON_PATH=./other.node: it is not the addon of this library', title);
    t.regex(shown.lines.at(-2), /^What to do: set METRICS_ADDON_PATH to the absolute path of the file /, title);
  }
});

test('METRICS_ADDON_PATH is wrong where there is no prebuilt addon', async (t) => {
  const folder = await install(t);
  const program = `Object.defineProperty(process, 'arch', { value: 'riscv64' });\n${LOAD}`;
  const { shown } = await run(folder, program, { env: { METRICS_ADDON_PATH: '/gone.node' } });
  t.is(
    shown.lines.at(-2),
    'What to do: set METRICS_ADDON_PATH to the absolute path of the .node file that `npm run build:addon` makes in a ' +
      `checkout on ${process.platform}-riscv64, or unset it.`,
  );
});

test('METRICS_ADDON_PATH is wrong', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  const advice =
    `set METRICS_ADDON_PATH to the absolute path of the file prometheus-metrics.${HERE}.node, which is in the package ` +
    `${NAME}-${HERE}, or unset it.`;
  const gone = join(folder, 'gone.node');
  for (const [path, failure] of [
    [gone, `Cannot find module '${gone}'`],
    [folder, `Expected the path of a .node file but received ${folder}`],
  ]) {
    const tried = [`  METRICS_ADDON_PATH=${path}: ${failure}`];
    await refused(t, folder, lines(tried, HERE, advice), { env: { METRICS_ADDON_PATH: path } });
  }
});

test('the permission model, and --no-addons', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const model = 'start Node.js with --allow-addons: the permission model (--permission) forbids native addons.';
  for (const [flags, advice] of [
    [[permission, '--allow-fs-read=*'], model],
    [['--no-addons'], 'start Node.js without --no-addons.'],
  ]) {
    const { shown } = await run(folder, LOAD, { flags });
    t.is(shown.code, 'ADDON_NOT_FOUND');
    t.regex(shown.lines[1], /: Cannot load native addon because loading addons is disabled/);
    t.deepEqual(shown.lines.slice(-3), [`Platform packages installed: ${HERE}.`, `What to do: ${advice}`, PAGE]);
  }
});

test('Deno without its permission to load addons', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  // Deno's error and version; `__test__/runtimes` runs the real Deno.
  const { shown } = await run(
    folder,
    `Object.defineProperty(process.versions, 'deno', { value: '2.9.6' });
     process.dlopen = () => {
       throw Object.assign(new Error('Requires ffi access to "addon.node"'), { name: 'NotCapable' });
     };
     ${LOAD}`,
  );
  t.true(shown.lines[0].endsWith(', Deno 2.9.6. Tried:'), shown.lines[0]);
  t.true(shown.lines[1].endsWith(': Requires ffi access to "addon.node"'), shown.lines[1]);
  t.is(shown.lines.at(-2), 'What to do: start Deno with --allow-ffi --allow-read --allow-env.');
});

test('a file that is damaged', async (t) => {
  const folder = await install(t, { [HERE]: Buffer.from('damaged') });
  const { shown } = await run(folder, LOAD);
  t.is(shown.code, 'ADDON_NOT_FOUND');
  t.deepEqual(shown.lines.slice(-3), [
    `Platform packages installed: ${HERE}.`,
    `What to do: ${NAME}-${HERE} is there, but its file cannot be loaded. Delete it and install it again on this system.`,
    PAGE,
  ]);
});

if (LIBC === 'glibc') {
  test('a glibc that is too old', async (t) => {
    // The dynamic loader compares names of versions: one that no system has is in the place of one that it has.
    const bytes = await addonBytes();
    const version = /GLIBC_2\.\d\d\0/.exec(bytes.toString('latin1'));
    bytes.write('GLIBC_9.99', version.index, 'latin1');
    const folder = await install(t, { [HERE]: bytes });
    const { shown } = await run(folder, LOAD);
    t.regex(shown.lines[1], /version `GLIBC_9\.99' not found/);
    t.is(
      shown.lines.at(-2),
      'What to do: the addon needs glibc 9.99 or newer and this system has an older one. Use the published package, ' +
        'which needs 2.17, or build the addon on this system and name its file in METRICS_ADDON_PATH.',
    );
  });
}

test('a platform without an addon', async (t) => {
  const folder = await install(t);
  const system = `${process.platform}-riscv64`;
  const advice =
    `there is no prebuilt addon for ${system}. Build it from source (\`npm run build:addon\` in a checkout, needs Rust) ` +
    'and name the file in METRICS_ADDON_PATH, or set METRICS_ENABLED=false to run without metrics.';
  const { shown } = await run(folder, `Object.defineProperty(process, 'arch', { value: 'riscv64' });\n${LOAD}`);
  const tried = CANDIDATES.map((platform) => platform.replace(process.arch, 'riscv64'));
  const none = tried.map((platform) => `  ${NAME}-${platform}: There is no package for this platform`);
  t.deepEqual(shown.lines, lines(none, 'none', advice, { system }));
});

test('every message links to a section of the documentation that exists', async (t) => {
  const page = await readFile(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
  t.regex(page, /^## `?ADDON_NOT_FOUND`?$/m);
});
