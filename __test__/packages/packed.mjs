/**
 * Makes the packages as a release does: the main package depends on those of all platforms. The addon of this platform
 * is the one in `dist`; the other platforms get a file that cannot be loaded.
 */
import { copyFileSync, cpSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packFolder, unpack } from '../support/programs.mjs';
import { check } from '../support/tally.mjs';
import { node, npm, readJson, root, run, tool, work } from './shell.mjs';

/** Limit of the main package, in bytes. `.ci/release-binary.mjs` has the addon's. */
const LONGEST_PACKAGE = 200_000;

/** The packed packages: `{ manifest, tarball }`, the main one first. */
export async function packAll() {
  const platforms = [];
  for (const name of readdirSync(join(root, 'npm'))) platforms.push(await packPlatform(name));
  const version = readJson(join(root, 'package.json')).version;
  const optional = Object.fromEntries(platforms.map(({ manifest }) => [manifest.name, version]));
  return [await packMain(optional), ...platforms];
}

async function packPlatform(name) {
  const folder = join(work, 'platforms', name);
  cpSync(join(root, 'npm', name), folder, { recursive: true });
  const addon = readJson(join(folder, 'package.json')).main;
  const built = join(root, 'dist', addon);
  try {
    copyFileSync(built, join(folder, addon));
  } catch {
    writeFileSync(join(folder, addon), 'not built on this machine');
  }
  return pack(folder);
}

/** Packs the files of the checkout, and packs them again with the dependencies that a release adds. */
async function packMain(optionalDependencies) {
  const first = await pack(root);
  const folder = await unpack(first.tarball, join(work, 'main'), { run });
  const manifest = { ...readJson(join(folder, 'package.json')), optionalDependencies };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return pack(folder);
}

async function pack(folder) {
  const target = join(work, 'tarballs', folder === root ? 'checkout' : '');
  const tarball = await packFolder(folder, target, { run, npm });
  return { manifest: readJson(join(folder, 'package.json')), tarball };
}

export async function checkPacked([main]) {
  await check(`the main package has at most ${LONGEST_PACKAGE / 1000} kB`, () => {
    const { size } = statSync(main.tarball);
    console.log(`   main package: ${(size / 1000).toFixed(1)} kB`);
    if (size > LONGEST_PACKAGE) throw new Error(`expected at most ${LONGEST_PACKAGE} bytes, received ${size}`);
  });
  await check('publint finds nothing', () => node(work, tool('publint', 'src/cli.js'), main.tarball, '--strict'));
  const attw = (...args) =>
    node(work, tool('@arethetypeswrong/cli', 'dist/index.js'), main.tarball, '--no-emoji', '--no-color', ...args);
  // Files of the peers that are a class or a function with members. TypeScript takes these for named exports, there and here.
  const single = Object.keys(main.manifest.exports)
    .map((entry) => entry.replace('./', ''))
    .filter((entry) => /^lib\/(cluster|worker|metrics\/\w+)(\.js)?$/.test(entry));
  await check('@arethetypeswrong/cli finds nothing', () => attw('--exclude-entrypoints', 'testing/vitest', ...single));
  await check('@arethetypeswrong/cli finds nothing else in files that are a class or a function', () =>
    attw('--entrypoints', ...single, '--ignore-rules', 'named-exports'),
  );
  // Vitest is an ES module, and so is what is imported beside it.
  await check('@arethetypeswrong/cli finds nothing in the entry for Vitest', () =>
    attw('--entrypoints', 'testing/vitest', '--ignore-rules', 'cjs-resolves-to-esm'),
  );
}
