// Runs the steps of `npm start`, `npm test` and `npm run bench`, one after the other or beside each other, and knows how long
// each took. Must not know what a step does.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
export const bin = (name) => join(root, 'node_modules', '.bin', name);

const times = [];
const running = new Set();

/**
 * Runs a command and waits for it. A quiet step shows its output only when it fails; the others write to the terminal as
 * they go. The first failure ends everything.
 *
 * @param quiet for steps that run beside others, whose lines would be mixed
 */
export async function step(title, command, args, { quiet = false, env = {} } = {}) {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  console.log(`• ${title} …`);
  const { status, signal, output, error } = await run(command, args, { quiet, env });
  if (status !== 0) {
    process.stdout.write(output);
    const reason = error?.message ?? (signal && `ended by ${signal}`);
    console.error(`✗ ${title} failed${reason ? `: ${reason}` : ''} after ${seconds().toFixed(1)} s.`);
    for (const child of running) child.kill();
    printTimes();
    process.exit(1);
  }
  times.push([title, seconds(), processorSeconds()]);
  console.log(`  ${title}: ${seconds().toFixed(1)} s`);
}

/** Prints how long each step took, in the order in which they ended. */
export function printTimes() {
  if (times.length < 2) return;
  const width = Math.max(...times.map(([title]) => title.length));
  const all = ['All', performance.now() / 1000, times.reduce((sum, [, , processor]) => sum + processor, 0)];
  const shown = (seconds) => seconds.toFixed(1).padStart(7);
  console.log(`\nSeconds of each step, on the clock and on the processors (some steps run beside each other):`);
  for (const [title, clock, processor] of [...times, all]) {
    console.log(`  ${title.padEnd(width)} ${shown(clock)} ${Number.isNaN(processor) ? '' : shown(processor)}`);
  }
}

let counted = 0;

/** Processor time of the children that have ended since the last call. Only Linux tells; NaN elsewhere. */
function processorSeconds() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ');
    // User and system time of children, in hundredths of a second.
    const total = (Number(fields[13]) + Number(fields[14])) / 100;
    const seconds = total - counted;
    counted = total;
    return seconds;
  } catch {
    return Number.NaN;
  }
}

function run(command, args, { quiet, env }) {
  // npm is a script: run it with this Node.js where npm says where it lies, which also serves Windows.
  const npm = process.env.npm_execpath;
  const viaNode = command === 'npm' && npm;
  const [file, argv] = viaNode ? [process.execPath, [npm, ...args]] : [command, args];
  const child = spawn(file, argv, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    shell: !viaNode && process.platform === 'win32',
  });
  running.add(child);
  let output = '';
  const keep = (text) => {
    output += text;
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  return new Promise((resolve) => {
    const ended = (result) => {
      running.delete(child);
      resolve({ output, ...result });
    };
    child.once('error', (error) => ended({ status: 1, error }));
    child.once('close', (status, signal) => ended({ status, signal }));
  });
}
