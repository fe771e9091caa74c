// Runs a program of a test in a process of its own: contributors, retired counts and crashes are a process's, so that
// no two tests may share one. The program is a function of the test file that uses nothing but its argument.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { count } from '../../support/count.mjs';

const MAIN = fileURLToPath(new URL('main.mjs', import.meta.url));
const ENGINE_MEMORY = fileURLToPath(new URL('engine-memory.cjs', import.meta.url));

/** Both sources of slabs; cheap tests run with each. */
export const MEMORIES = [
  { memory: 'memory of the addon', engineMemory: false },
  { memory: 'memory of the engine', engineMemory: true },
];

/** Those for tests that take seconds: locally the one that nearly all programs have. */
export const MEMORIES_OF_SLOW = count(MEMORIES.slice(0, 1), MEMORIES);

/**
 * Runs a program until it ends in any way.
 *
 * @param program `(tools) => result`, see `main.mjs` for the tools
 * @param argument reaches the program as `tools.argument`
 */
export function attempt(program, argument, { flags = [], engineMemory = false, env = {} } = {}) {
  const preload = engineMemory ? ['--require', ENGINE_MEMORY] : [];
  const child = spawn(
    process.execPath,
    [...preload, ...flags, MAIN, String(program), JSON.stringify(argument ?? null)],
    {
      env: { ...process.env, ...env },
      // The result has its own pipe: standard output belongs to the program.
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Before AVA's own timeout, so that a program that hangs fails its test and not the file.
      timeout: 150_000,
      killSignal: 'SIGKILL',
    },
  );
  const texts = child.stdio.slice(1).map(textOf);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', async (code, signal) => {
      const [stdout, stderr, result] = await Promise.all(texts);
      resolve({ code, signal, stdout, stderr, result: result === '' ? undefined : JSON.parse(result) });
    });
  });
}

/** Runs a program that must end well, and returns its result. */
export async function run(program, argument, options) {
  const { code, signal, stderr, result } = await attempt(program, argument, options);
  if (code !== 0) throw new Error(`the program ended with ${signal ?? code}:\n${stderr}`);
  return result;
}

async function textOf(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
