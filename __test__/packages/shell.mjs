/**
 * Runs other programs: with the Node.js of this process, without a Rust toolchain on PATH, and with the caches of all
 * package managers in the working folder, so that no earlier build of our packages is installed.
 */
import { execSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram, write } from '../support/programs.mjs';

export { readJson, root } from '../support/programs.mjs';

const tools = fileURLToPath(new URL('node_modules/', import.meta.url));

/** The folder of everything that a run writes. */
export const work = mkdtempSync(join(tmpdir(), 'prometheus-metrics-packages-'));

/** The file of a tool that is installed in this folder, e.g. `tool('publint', 'src/cli.js')`. */
export const tool = (name, file) => join(tools, name, file);

const NPM_ROOT = execSync('npm root --global', { encoding: 'utf8' }).trim();
export const npm = [process.execPath, process.env.npm_execpath ?? join(NPM_ROOT, 'npm', 'bin', 'npm-cli.js')];

/** The registry that serves all packages but ours. */
export const outerRegistry = execSync('npm config get registry', { encoding: 'utf8' }).trim();

const RUST = ['cargo', 'rustc', 'cargo.exe', 'rustc.exe'];

function environment() {
  const bin = join(work, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  const hasRust = (folder) => RUST.some((name) => existsSync(join(folder, name)));
  const others = process.env.PATH.split(delimiter).filter((folder) => !hasRust(folder));
  const { npm_execpath: _, NODE_OPTIONS: __, ...kept } = process.env;
  return {
    ...kept,
    PATH: [bin, ...others].join(delimiter),
    YARN_CACHE_FOLDER: join(work, 'yarn-cache'),
    YARN_GLOBAL_FOLDER: join(work, 'yarn-global'),
    YARN_ENABLE_TELEMETRY: '0',
    BUN_INSTALL_CACHE_DIR: join(work, 'bun-cache'),
    COREPACK_ENABLE_STRICT: '0',
    CI: '1',
  };
}

const env = environment();

/** Runs a program to its end and returns what it wrote to its standard output; throws if it fails. */
export const run = (folder, command, more = {}) =>
  runProgram(folder, command, { env: { ...env, ...more }, timeoutMs: 300_000 });

/** Runs a JavaScript program with this process's Node.js. */
export const node = (folder, ...args) => run(folder, [process.execPath, ...args]);

/** Makes a folder with files: objects are written as JSON. */
export const folderOf = (name, files) => write(join(work, name), files);
