/**
 * Installs copies of the built package in folders of their own, with made-up platform packages beside them, and runs
 * programs there.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const require = createRequire(import.meta.url);
const { platformNames, runningLibC } = require('../../../dist/native/platform.js');

export const NAME = '@llm-devops/prometheus-metrics';
/** The platform of this machine, and that of its other C library. */
export const [HERE, OTHER_LIBC] = platformNames();
export const LIBC = runningLibC();
/** A platform that is not this one. */
export const ELSEWHERE = HERE.startsWith('darwin') ? 'linux-x64-gnu' : 'darwin-arm64';
/** The addon that was built in this checkout. */
export const ADDON = join(root, 'dist', `prometheus-metrics.${HERE}.node`);

const dist = join(root, 'dist');
/** What programs load, without types and addons. */
const CODE = readdirSync(dist, { recursive: true }).filter((file) => /\.m?js$/.test(file));

/**
 * A folder with the package in `node_modules`, without an addon. `platforms` are the packages beside it, by platform: the
 * bytes of their addons, or `ADDON`.
 */
export async function install(t, platforms = {}, { name = NAME } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const home = join(folder, 'node_modules', name);
  for (const folder of new Set(CODE.map(dirname))) mkdirSync(join(home, 'dist', folder), { recursive: true });
  for (const file of CODE) copyFileSync(join(dist, file), join(home, 'dist', file));
  copyFileSync(join(root, 'package.json'), join(home, 'package.json'));
  for (const [platform, bytes] of Object.entries(platforms)) await addPlatform(folder, platform, bytes);
  return folder;
}

/** Adds the package of a platform, with these bytes as its addon; `ADDON` is copied. */
async function addPlatform(folder, platform, bytes) {
  const home = join(folder, 'node_modules', `${NAME}-${platform}`);
  await mkdir(home, { recursive: true });
  const main = `prometheus-metrics.${platform}.node`;
  await writeFile(join(home, 'package.json'), JSON.stringify({ main }));
  if (bytes === ADDON) await copyFile(ADDON, join(home, main));
  else await writeFile(join(home, main), bytes);
}

/** The bytes of this machine's addon. */
export function addonBytes() {
  return readFile(ADDON);
}

/** Runs a program in a folder; returns what it printed as JSON, and its warnings. */
export async function run(folder, source, { env = {}, flags = [], node = process.execPath } = {}) {
  await writeFile(join(folder, 'program.cjs'), source);
  const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('METRICS_')));
  const { stdout, stderr } = await new Promise((resolve, reject) => {
    execFile(node, [...flags, 'program.cjs'], { cwd: folder, env: { ...clean, ...env } }, (error, stdout, stderr) =>
      error && stdout === '' ? reject(new Error(stderr)) : resolve({ stdout, stderr }),
    );
  });
  return { shown: JSON.parse(stdout), stderr };
}

/** A program that prints the exposition of one counter, or the code and the lines of the error. */
export const LOAD = `
  try {
    const { Counter, register } = require('${NAME}');
    new Counter({ name: 'loaded_total', help: 'h' }).inc(2);
    register.metrics().then((text) => console.log(JSON.stringify({ text })));
  } catch ({ code, message }) {
    console.log(JSON.stringify({ code, lines: message.split('\\n') }));
  }
`;
export const LOADED = { text: '# HELP loaded_total h\n# TYPE loaded_total counter\nloaded_total 2\n' };
