/**
 * Runs other programs with the Node.js of this process, in folders below one temporary folder.
 */
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../support/programs.mjs';

export { readJson, root, write } from '../support/programs.mjs';

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

/** Runs a program to its end and returns what it wrote to its standard output; throws if it fails. */
export const run = (folder, command, { env = {} } = {}) =>
  runProgram(folder, command, { env: { ...environment(), ...env }, timeoutMs: 600_000 });
