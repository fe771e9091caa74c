// Runs the program as `npx` does: a child process of the file that package.json names.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
export const MANIFEST = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const PROGRAM = join(root, MANIFEST.bin['prometheus-metrics']);

/** What Node.js reads to decide about colours: set where tests run, as `CI` is, it would change what they expect. */
const COLOURS =
  /^(?:CI|CI_NAME|COLORTERM|FORCE_COLOR|NO_COLOR|NODE_DISABLE_COLORS|TEAMCITY_VERSION|TERM_PROGRAM|TF_BUILD|TMUX)$/;
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !COLOURS.test(name)));

/** @returns {Promise<{code: number | null, stdout: string, stderr: string}>} */
export function run(args, { input = '', env = {} } = {}) {
  return ended(spawn(process.execPath, [PROGRAM, ...args], { env: { ...ENVIRONMENT, ...env } }), input);
}

/** Runs it in a pseudo-terminal, whose output is stdout. `after`: what the shell does a second later. */
export function runInTerminal(args, { env = {}, after } = {}) {
  const command = [process.execPath, PROGRAM, ...args].map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  const options = { env: { ...ENVIRONMENT, TERM: 'xterm-256color', ...env } };
  const whole = after === undefined ? command : `${command} & sleep 1; ${after}; wait`;
  return ended(spawn('script', ['-qec', `stty rows 12 cols 100; ${whole}`, '/dev/null'], options), '');
}

async function ended(child, input) {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  // A program that reads no input may end before it was written.
  child.stdin.on('error', () => {}).end(input);
  const [code] = await once(child, 'close');
  return { code, ...output };
}

/** Starts a server on the loopback interface. @returns its base URL */
export async function serve(t, answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

export const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Serves one exposition. */
export function serveText(t, text, contentType = TEXT) {
  return serve(t, (_, response) => response.setHeader('content-type', contentType).end(text));
}
