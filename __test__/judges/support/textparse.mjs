// Asks `target/judges-textparse`, which reads expositions with the parsers of Prometheus' server.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../target/judges-textparse', import.meta.url));

/** Starts the program. Returns a function that has it read an exposition; one at a time. */
export function startTextparse(t) {
  const child = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (contentType, body) => {
    child.stdin.write(`${JSON.stringify({ contentType, body: body.toString('base64') })}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('Expected an answer of the parsers but the program has ended');
    return JSON.parse(value);
  };
}
