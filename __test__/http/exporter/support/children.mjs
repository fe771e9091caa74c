// Runs programs in processes of their own, with which the test exchanges messages.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('program.mjs', import.meta.url));

/**
 * Starts a program: a function of the test file that uses nothing but its argument (see `program.mjs`). A program that
 * still runs when the test ends is killed.
 */
export function start(t, program, argument = null, { env = {}, flags = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  const gate = join(folder, 'gate');
  const child = fork(PROGRAM, [String(program), JSON.stringify(argument), gate], {
    env: { ...process.env, ...env },
    execArgv: flags,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  });
  const received = [];
  const waiting = [];
  child.on('message', (message) => {
    if (waiting.length > 0) waiting.shift().resolve(message);
    else received.push(message);
  });
  ended.then((end) => {
    const error = new Error(`the program ended and said nothing: ${JSON.stringify(end)}`);
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return {
    pid: child.pid,
    /** Resolves with code, signal and standard error. */
    ended,
    kill: (signal) => child.kill(signal),
    say: (message) => child.send(message),
    /** Ends `block()` of the program. */
    free: () => writeFileSync(gate, ''),
    heard() {
      if (received.length > 0) return Promise.resolve(received.shift());
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}
