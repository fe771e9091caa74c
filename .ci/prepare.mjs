/**
 * Makes a fresh checkout ready: checks the toolchains, installs, builds the addon and the TypeScript. Needs nothing but
 * Node.js, and says plainly what is missing. Run by `npm start`, and with `--release` by `npm run bench`.
 *
 * The addon is built quickly, with the profile that `npm test` uses. `--release` builds the one that is published: the
 * compiler then optimises all crates as one, which takes several times as long.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, root, step } from './steps.mjs';
import { checkToolchains } from './toolchains.mjs';

/** `npm ci` in a folder, unless it was done for this very lock file. */
export async function installOnce(folder, title, flags, options) {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(folder, 'node_modules', '.prepared');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  await step(title, 'npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund', ...flags], options);
  writeFileSync(stamp, lock);
}

/** The packages of the project. */
export const install = (options) => installOnce(root, 'Installing npm packages', [], options);

/** What `napi build` is told beside the profile: as in the script `build:addon`. */
export const ADDON = ['build', '--platform', '--no-js', '--dts', 'native.d.ts', '--output-dir', 'dist'];

/** Part of the types is made from the addon, so it has to be built before. */
export const buildTypeScript = (options) =>
  step('Building the TypeScript', 'npm', ['run', '--silent', 'build:ts'], options);

export async function prepare({ release = false } = {}) {
  checkToolchains();
  const quiet = { quiet: true };
  await install(quiet);
  if (release) await step('Building the addon (Rust, release)', 'npm', ['run', '--silent', 'build:addon'], quiet);
  else await step('Building the addon (Rust, quick)', bin('napi'), ADDON, quiet);
  await buildTypeScript(quiet);
}

if (process.argv[1]?.endsWith('prepare.mjs')) await prepare({ release: process.argv.includes('--release') });
