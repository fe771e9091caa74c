/**
 * Packs the main package and that of this platform as a release does, and lays them out as `npm install` does. The
 * addon is the one in `dist`; no package of another platform is installed.
 */
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packFolder, unpack } from '../support/programs.mjs';
import { fullTools, readJson, root, run, work } from './shell.mjs';

const { platformNames } = createRequire(import.meta.url)('../../dist/native/platform.js');

export const NAME = '@llm-devops/prometheus-metrics';
/** The platform of this process. */
export const [PLATFORM] = platformNames();
/** The name of the addon's file. */
export const ADDON = `prometheus-metrics.${PLATFORM}.node`;

const modules = join(work, 'packed', 'node_modules');

/** Packs and unpacks both packages. Must run before anything else. */
export async function pack() {
  const main = await lay(root, NAME);
  const file = join(main, 'package.json');
  const manifest = readJson(file);
  const optional = readdirSync(join(root, 'npm')).map((platform) => [`${NAME}-${platform}`, manifest.version]);
  writeFileSync(file, JSON.stringify({ ...manifest, optionalDependencies: Object.fromEntries(optional) }));
  const platform = join(work, 'platform');
  cpSync(join(root, 'npm', PLATFORM), platform, { recursive: true });
  copyFileSync(join(root, 'dist', ADDON), join(platform, ADDON));
  await lay(platform, `${NAME}-${PLATFORM}`);
}

async function lay(folder, name) {
  const npm = [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  return unpack(await packFolder(folder, work, { run, npm }), join(modules, name), { run });
}

/** Installs the packed packages into a folder. */
export function install(folder) {
  cpSync(modules, join(folder, 'node_modules'), { recursive: true });
}

/** Installs the packages of the complete run into a folder, beside the packed ones: as hard links where possible. */
export function installFull(folder) {
  link(fullTools, join(folder, 'node_modules'));
}

function link(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) link(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkFile(source, target);
  }
}

function linkFile(source, target) {
  try {
    linkSync(source, target);
  } catch {
    // The temporary folder is on another file system.
    copyFileSync(source, target);
  }
}

/** Copies the addon's file into a folder, and returns its path. */
export function copyAddon(folder) {
  const target = join(folder, ADDON);
  copyFileSync(join(modules, `${NAME}-${PLATFORM}`, ADDON), target);
  return target;
}
