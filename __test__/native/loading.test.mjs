// Where the addon is loaded from: the package of this C library, or of the other one, or the file that a variable names.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ADDON, addonBytes, HERE, install, LOAD, LOADED, NAME, OTHER_LIBC, run } from './support/installed.mjs';

const require = createRequire(import.meta.url);
const built = (file) => fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));

test('the package of this platform is loaded', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  t.deepEqual((await run(folder, LOAD)).shown, LOADED);
});

test('every platform of package.json is written out in the built library, inside a try', async (t) => {
  const source = await readFile(built('bundle/native-loader.js'), 'utf8');
  const written = [...source.matchAll(/return require\(require\.resolve\("(.+?)"\)\);/g)].map(([, name]) => name);
  const { napi } = require('../../package.json');
  const platforms = napi.targets.map((target) => {
    const [cpu, , system, abi] = target.split('-');
    const arch = { x86_64: 'x64', aarch64: 'arm64' }[cpu];
    return [{ linux: 'linux', darwin: 'darwin', windows: 'win32' }[system], arch, abi].filter(Boolean).join('-');
  });
  t.deepEqual(written, platforms.map((platform) => `${NAME}-${platform}`).sort());
  t.regex(source, /try \{\s+switch \(platform\) \{\s+case "darwin-arm64":\s+return require\(require\.resolve\(/);
});

if (process.platform === 'linux') {
  test('if only the package of the other C library is there, it is tried', async (t) => {
    const folder = await install(t, { [OTHER_LIBC]: ADDON });
    t.deepEqual((await run(folder, LOAD)).shown, LOADED);
  });

  test('the C library is that of the executable, even if the machine has files of another one', (t) => {
    const { runningLibC } = require('../../dist/native/platform.js');
    const { glibcVersionRuntime } = process.report.getReport().header;
    t.is(runningLibC(), glibcVersionRuntime === undefined ? 'musl' : 'glibc');
  });
}

test('METRICS_ADDON_PATH names the file, before every package, absolute or not', async (t) => {
  const folder = await install(t, { [HERE]: Buffer.from('not an addon') });
  await writeFile(join(folder, 'moved.node'), await addonBytes());
  for (const path of [join(folder, 'moved.node'), './moved.node', ADDON, ` ${ADDON}\n`]) {
    t.deepEqual((await run(folder, LOAD, { env: { METRICS_ADDON_PATH: path } })).shown, LOADED, path);
  }
});

test('an empty METRICS_ADDON_PATH is not set', async (t) => {
  const folder = await install(t, { [HERE]: ADDON });
  for (const empty of ['', ' ']) {
    t.deepEqual((await run(folder, LOAD, { env: { METRICS_ADDON_PATH: empty } })).shown, LOADED);
  }
});

test('two minor versions of 0.x in one program each have their own registry', async (t) => {
  const { version } = require('../../package.json');
  const [major, minor] = version.split('.');
  const key = `${NAME}@${major}.${minor}`;
  const folder = await install(t, { [HERE]: ADDON });
  const other = await install(t, { [HERE]: ADDON });
  const entry = join(other, 'node_modules', NAME, 'dist/entry/index.js');
  const [, reference] = /require\("(.+?realm.*?)"\)/.exec(await readFile(entry, 'utf8'));
  const realm = createRequire(entry).resolve(reference);
  const source = await readFile(realm, 'utf8');
  t.true(source.includes(key), 'the key has the numbers of package.json');
  await writeFile(realm, source.replace(key, `${NAME}@${major}.${Number(minor) + 1}`));
  // Below `newer`, with platform packages of its own beside it.
  await mkdir(join(folder, 'newer'));
  await rename(join(other, 'node_modules'), join(folder, 'newer', 'node_modules'));
  const { shown } = await run(
    folder,
    `const both = [require('${NAME}'), require('./newer/node_modules/${NAME}')];
     both.forEach(({ Counter }, index) => new Counter({ name: 'loaded_total', help: 'h' }).inc(index + 1));
     Promise.all(both.map(({ register }) => register.metrics())).then((texts) =>
       console.log(JSON.stringify(texts.map((text) => text.split('\\n')[2]))));`,
  );
  t.deepEqual(shown, ['loaded_total 1', 'loaded_total 2']);
});
