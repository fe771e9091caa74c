// Asks `target/judges-native`, which observes values in native histograms of Go's library.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../target/judges-native', import.meta.url));

/** Starts the program. Returns a function that has it make the scrapes of one request, as buffers. */
export function startNative(t) {
  const child = spawn(PROGRAM, ['-test.timeout=5m'], { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] });
  t.teardown(() => child.kill());
  const lines = createInterface({ input: child.stdio[3] })[Symbol.asyncIterator]();
  return async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('Expected an answer of Go’s library but the program has ended');
    return JSON.parse(value).map((body) => Buffer.from(body, 'base64'));
  };
}
