// Starts the judges' child processes in folders of their own, waits for them, and always stops them. A missing program
// fails the test with a message; no test is skipped.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Stops with SIGTERM, and with SIGKILL after this time. */
const STOP_MS_MAX = 10_000;

export class Process {
  #child;
  #command;
  #exited;
  #stderr = '';

  constructor(command, args, { env = {}, onLine = () => {} } = {}) {
    this.#command = command;
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr += text;
    });
    const lines = createInterface({ input: this.#child.stdout });
    lines.on('line', onLine);
    this.#exited = once(this.#child, 'close').then(
      ([code, signal]) => ({ code, signal, stderr: this.#stderr }),
      (error) => ({ code: null, signal: null, stderr: '', error: this.#describe(error) }),
    );
    // An ended process is reported through `exited`; the broken pipe to it is ignored.
    this.#child.stdin.on('error', () => {});
  }

  get stdin() {
    return this.#child.stdin;
  }

  /** @returns {Promise<{code: number | null, signal: string | null, stderr: string, error?: Error}>} never rejects. */
  get exited() {
    return this.#exited;
  }

  /** Calls the probe until it returns a value. If the process ends first, throws an error with its output. */
  async until(probe, what, { timeoutMs = 30_000 } = {}) {
    const over = new AbortController();
    this.#exited.then(({ code, signal, stderr, error }) => {
      over.abort(error ?? new Error(`${this.#command} ended (${code ?? signal}) before ${what}:\n${stderr}`));
    });
    return poll(probe, `${this.#command}: ${what}`, { timeoutMs, signal: over.signal });
  }

  signal(name) {
    this.#child.kill(name);
  }

  async stop(signal = 'SIGTERM') {
    this.#child.kill(signal);
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    const exit = await this.#exited;
    clearTimeout(kill);
    return exit;
  }

  #describe(error) {
    if (error.code !== 'ENOENT') return error;
    return new Error(`${this.#command} is not installed; .ci/judges.sh installs every judge`, { cause: error });
  }
}

/** Runs a program to its end. */
export async function run(command, args, { input = '', env } = {}) {
  const stdout = [];
  const child = new Process(command, args, { env, onLine: (line) => stdout.push(line) });
  child.stdin.end(input);
  const exit = await child.exited;
  if (exit.error) throw exit.error;
  return { ...exit, stdout: stdout.join('\n') };
}

/** Repeats until the probe returns a defined value. Its errors mean "not yet" until the time is over. */
export async function poll(probe, what, { timeoutMs = 30_000, pauseMs = 100, signal } = {}) {
  const end = Date.now() + timeoutMs;
  let last;
  while (Date.now() < end) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    signal?.throwIfAborted();
    await sleep(pauseMs);
  }
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
}

/** A folder that is deleted when the test ends. */
export async function temporaryFolder(t) {
  const folder = await mkdtemp(join(tmpdir(), 'judges-'));
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
