/**
 * Runs other programs with the Node.js of this process, in folders below one temporary folder.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** The packages that every run installs. */
export const tools = fileURLToPath(new URL('node_modules/', import.meta.url));
/** The packages that only the complete run installs. */
export const fullTools = fileURLToPath(new URL('full/node_modules/', import.meta.url));

/** The folder of everything that a run writes. It has no `node_modules` above it. */
export const work = mkdtempSync(join(realpathSync(tmpdir()), 'prometheus-metrics-bundlers-'));

/** The command of a tool that is installed in this folder, e.g. `tool('rollup', 'dist/bin/rollup')`. */
export const tool = (name, file) => [process.execPath, join(tools, name, file)];
/** The same for a tool of the complete run. */
export const fullTool = (name, file) => [process.execPath, join(fullTools, name, file)];

/** The variables of this process without those that would change how the library or Node.js loads. */
export function environment() {
  const isForeign = (key) => key.startsWith('METRICS_') || key.startsWith('npm_') || key === 'NODE_OPTIONS';
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !isForeign(key)));
}

/**
 * Runs a program to its end and returns what it wrote to its standard output.
 *
 * @throws if it exits with another code than 0
 */
export function run(folder, [command, ...args], { env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: { ...environment(), ...env }, maxBuffer: 1 << 26, timeout: 600_000 };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${[command, ...args].join(' ')}\nin ${folder}: ${error.code}\n${stdout}${stderr}`));
    });
  });
}

/** Writes files below a folder: objects are written as JSON. Returns the folder. */
export function write(folder, files) {
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
  return folder;
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
