/**
 * Makes the folders that are published: the main package with its platform packages as optional dependencies, and a
 * package for each platform with its addon, the licence and the notices of third parties. Changes no tracked file.
 *
 * `node .ci/release-packages.mjs` expects the addons of all platforms in `artifacts/`, at any depth, and the built
 * TypeScript in `dist/`. `--only <platform>` makes the package of one platform, to try it; the main package still names
 * all of them.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { faultsOf as binaryFaults, inspect } from './release-binary.mjs';
import { faultsOf as manifestFaults, platformOf, platformPackages } from './release-manifest.mjs';
import { notices } from './release-notices.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'target', 'packages');
/** What only a checkout needs. */
const DEVELOPMENT = ['scripts', 'devDependencies', 'overrides', 'ava', 'napi'];

/** Makes the packages of these platforms, and the main package; returns their folders in the order of publishing. */
export function makePackages(platforms) {
  const manifest = readJson('package.json');
  const targets = Object.fromEntries(manifest.napi.targets.map((target) => [platformOf(target), target]));
  rmSync(out, { recursive: true, force: true });
  const folders = platforms.map((platform) => makePlatform(platform, targets[platform], manifest.version));
  // The main package comes last: once it is there, people install the others.
  return [...folders, makeMain(manifest)];
}

function makePlatform(platform, target, version) {
  if (target === undefined) throw new Error(`Expected a platform of package.json but received ${platform}`);
  const manifest = readJson(join('npm', platform, 'package.json'));
  if (manifest.version !== version) {
    throw new Error(
      `Expected version ${version} in npm/${platform} but received ${manifest.version}: npx napi version`,
    );
  }
  const addon = addonOf(manifest.main);
  if (platform.startsWith('linux')) {
    const faults = binaryFaults(inspect(readFileSync(addon)));
    if (faults.length > 0) throw new Error(`${addon}: ${faults.join('; ')}`);
  }
  const folder = join(out, platform);
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, 'npm', platform), folder, { recursive: true });
  cpSync(addon, join(folder, manifest.main));
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES'), notices(target));
  return folder;
}

function addonOf(file) {
  const artifacts = join(root, 'artifacts');
  const found = readdirSync(artifacts, { recursive: true }).filter((path) => basename(path) === file);
  if (found.length !== 1) throw new Error(`Expected one file ${file} below artifacts/ but found ${found.length}`);
  return join(artifacts, found[0]);
}

function makeMain(source) {
  const names = Object.values(platformPackages(source));
  const manifest = { ...source, optionalDependencies: Object.fromEntries(names.map((name) => [name, source.version])) };
  const faults = manifestFaults(manifest);
  if (faults.length > 0) throw new Error(faults.join('; '));
  for (const field of DEVELOPMENT) delete manifest[field];
  const folder = join(out, 'main');
  for (const path of packedFiles()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
}

/** The files that npm would pack in this checkout: those that `files` names, without built addons. */
function packedFiles() {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, shell: process.platform === 'win32' };
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  return JSON.parse(stdout)[0].files.map(({ path }) => path);
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
  const folders = makePackages(values.only ?? Object.keys(platformPackages(readJson('package.json'))));
  console.log('Publish in this order:');
  for (const folder of folders) console.log(`  npm publish ${folder}`);
}
