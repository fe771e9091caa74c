// Tests the loader on other platforms, and on systems that forbid to read files. The programs run here, with another name
// for their platform.

import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'ava';
import { ADDON, HERE, install, LIBC, LOAD, LOADED, NAME, run } from './support/installed.mjs';

const require = createRequire(import.meta.url);

const PLATFORMS = [
  ['darwin', 'arm64', 'darwin-arm64'],
  ['darwin', 'x64', 'darwin-x64'],
  ['linux', 'arm64', 'linux-arm64-gnu'],
  ['linux', 'arm64', 'linux-arm64-musl'],
  ['linux', 'x64', 'linux-x64-gnu'],
  ['linux', 'x64', 'linux-x64-musl'],
  ['win32', 'arm64', 'win32-arm64-msvc'],
  ['win32', 'x64', 'win32-x64-msvc'],
];

/** Begins a program that runs on another platform, as far as it can tell. */
const pretend = (platform, arch) => `
  Object.defineProperty(process, 'platform', { value: '${platform}' });
  Object.defineProperty(process, 'arch', { value: '${arch}' });
`;

for (const [platform, arch, name] of PLATFORMS) {
  test(`${name}: its package is loaded, and no other`, async (t) => {
    // Bytes that fail to load are in the package of every other system.
    const others = PLATFORMS.filter(([system, cpu]) => system !== platform || cpu !== arch);
    const wrong = Object.fromEntries(others.map(([, , other]) => [other, 'no addon']));
    const folder = await install(t, { ...wrong, [name]: ADDON });
    t.deepEqual((await run(folder, pretend(platform, arch) + LOAD)).shown, LOADED);
  });

  // The C library is told by Node.js itself, so both packages of a Linux are one case.
  if (name.endsWith('-musl')) continue;
  test(`${name}: if it is missing, the message names the system and its packages`, async (t) => {
    const { shown } = await run(await install(t), pretend(platform, arch) + LOAD);
    const system = `${platform}-${arch}`;
    const libC = platform === 'linux' ? ` (C library: ${LIBC ?? 'unknown'})` : '';
    t.is(shown.code, 'ADDON_NOT_FOUND');
    t.is(
      shown.lines[0],
      `${NAME} could not load its native addon on ${system}${libC}, Node.js ${process.version}. Tried:`,
    );
    const tried = shown.lines.filter((line) => line.startsWith('  ')).map((line) => line.split(':')[0].trim());
    const wanted = PLATFORMS.filter(([system, cpu]) => system === platform && cpu === arch);
    t.deepEqual(tried.sort(), wanted.map(([, , name]) => `${NAME}-${name}`).sort());
  });
}

test('a lock file that cannot be read does not hide the cause', async (t) => {
  const folder = await install(t);
  // A folder in the place of the file cannot be read by anybody, root included.
  await mkdir(join(folder, 'package-lock.json'));
  const { shown } = await run(folder, LOAD);
  t.is(shown.code, 'ADDON_NOT_FOUND');
  t.regex(shown.lines.at(-2), /^What to do: the package of this platform is an optional dependency/);
});

if (process.platform === 'linux') {
  test('an executable that cannot be read leaves the C library unknown, and both packages are tried', async (t) => {
    const folder = await install(t);
    const program = `Object.defineProperty(process, 'execPath', { value: '${folder}/gone' });\n${LOAD}`;
    const { shown } = await run(folder, program);
    t.true(shown.lines[0].includes('(C library: unknown)'), shown.lines[0]);
    const system = `${process.platform}-${process.arch}`;
    t.deepEqual(
      shown.lines.slice(1, 3).map((line) => line.split(':')[0]),
      [`  ${NAME}-${system}-gnu`, `  ${NAME}-${system}-musl`],
    );
    const loading = await install(t, { [HERE]: ADDON });
    t.deepEqual((await run(loading, program)).shown, LOADED);
  });
}

const READ =
  'What to do: start Node.js with --allow-fs-read=<folder> for the folder of the addon: the permission model forbids to ' +
  'read it.';

test('an addon that the permission model forbids to read', (t) => {
  const { explain } = require('../../dist/native/diagnosis.js');
  const error = Object.assign(new Error('Access to this API has been restricted.'), { code: 'ERR_ACCESS_DENIED' });
  const lines = explain([{ place: `${NAME}-${HERE}`, error }]).split('\n');
  t.is(lines[1], `  ${NAME}-${HERE}: Access to this API has been restricted.`);
  t.is(lines.at(-2), READ);
});

// Node.js 20 has the permission model under another name, and finds packages that it may not read.
if (process.allowedNodeEnvironmentFlags.has('--permission')) {
  test('the permission model forbids to read the package of the addon', async (t) => {
    const folder = await install(t, { [HERE]: ADDON });
    const readable = [join(folder, 'program.cjs'), join(folder, 'node_modules', NAME, '*')];
    const flags = ['--permission', '--allow-addons', ...readable.map((path) => `--allow-fs-read=${path}`)];
    const { shown } = await run(folder, LOAD, { flags });
    t.is(shown.code, 'ADDON_NOT_FOUND');
    t.is(shown.lines.at(-2), READ);
  });
}
