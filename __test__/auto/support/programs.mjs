// Runs programs with the zero-code mode, in processes of their own.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const IMPORT = ['--import', '@llm-devops/prometheus-metrics/auto'];
export const REQUIRE = ['--require', '@llm-devops/prometheus-metrics/auto'];

/** Writes files to a folder of their own, below this one or another, so that they find the packages. */
export function folder(t, files, parent = import.meta.dirname) {
  const path = mkdtempSync(join(parent, '.run-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

/** Runs a program to its end. */
export async function run(path, main, { flags = IMPORT, env = {}, node = process.execPath, hasStderr = true } = {}) {
  const child = spawn(node, [...flags, main], {
    cwd: path,
    env: { ...process.env, METRICS_ENDPOINT_PORT: '0', METRICS_ENDPOINT_HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  // The other end of the pipe is closed then.
  if (!hasStderr) child.stderr.destroy();
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

/** A statement of a program that prints the lines of the default registry which a regular expression matches. */
export const print = (pattern) =>
  `console.log((await register.metrics()).split('\\n').filter((line) => ${pattern}.test(line)).join('\\n'));`;
