// Starts the processes of a service, and asks them to do things.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const program = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'sharing-program.cjs');

/** A service whose processes share their metrics in a folder of their own. */
export class Service {
  #children = new Set();

  constructor(t, { parent = tmpdir(), env = {} } = {}) {
    this.dir = mkdtempSync(join(parent, 'metrics-test-'));
    this.env = env;
    t.teardown(async () => {
      await Promise.all([...this.#children].map((child) => child.kill()));
      rmSync(this.dir, { recursive: true, force: true });
    });
  }

  /** Starts a process. It shares its metrics unless `options` is `null`. */
  async start(options = {}, env = {}) {
    const child = new Child({ ...process.env, ...this.env, ...env });
    this.#children.add(child);
    if (options !== null) child.dir = await child.ask('share', { dir: this.dir, ...options });
    return child;
  }
}

class Child {
  #process;
  #answers;
  stderr = '';

  constructor(env) {
    this.#process = spawn(process.execPath, [program], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdin.on('error', () => {});
    this.#process.stderr.on('data', (data) => {
      this.stderr += data;
    });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#process.pid;
  }

  /** @throws the error of the process, and if it ends before it answers */
  async ask(command, options) {
    this.#process.stdin.write(`${JSON.stringify({ command, options })}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`The process has ended: ${this.stderr}`);
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }

  signal(name) {
    this.#process.kill(name);
  }

  /** Ends it without a chance to do anything. Resolves when it has ended. */
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  /** Resolves when it has ended by itself. */
  async ended() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }
}
