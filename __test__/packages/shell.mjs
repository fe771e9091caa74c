/**
 * Runs other programs: with the Node.js of this process, without a Rust toolchain on PATH, and with the caches of all
 * package managers in the working folder, so that no earlier build of our packages is installed.
 */
import { execFile, execSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
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

/**
 * Runs a program to its end and returns everything it printed.
 *
 * @throws if it exits with another code than 0
 */
export function run(folder, [command, ...args], more = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: { ...env, ...more }, maxBuffer: 1 << 26, timeout: 300_000 };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${[command, ...args].join(' ')}\nin ${folder}: ${error.code}\n${stdout}${stderr}`));
    });
  });
}

/** Runs a JavaScript program with this process's Node.js. */
export const node = (folder, ...args) => run(folder, [process.execPath, ...args]);

/** Makes a folder with files: objects are written as JSON. */
export function folderOf(name, files) {
  const folder = join(work, name);
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }
  return folder;
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
