/**
 * Tests the rule of ARCHITECTURE.md about code outside the library: every callback fails in every way, with values that
 * are errors and values that are not, in a process that must survive and go on answering.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { count } from '../support/count.mjs';
import { places } from './support/places.mjs';
import { manners, thrownValues } from './support/values.mjs';

/** Each of these is mishandled in its own way; the others are close to one of them. */
const LOCALLY = [
  'an error',
  'an error that cannot be read',
  'undefined',
  'a symbol',
  'an object with a failing then',
  'a revoked proxy',
];
const VALUES = count(LOCALLY, Object.keys(thrownValues()));

const PROGRAM = fileURLToPath(new URL('support/program.mjs', import.meta.url));

for (const manner of Object.keys(manners)) {
  test.serial(`a callback that ${manner} ends no process, and every door goes on answering`, async (t) => {
    t.timeout(120_000);
    const child = fork(PROGRAM, [manner, JSON.stringify(VALUES)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let [stderr, last, received] = ['', undefined, 0];
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-4000);
    });
    child.on('message', (message) => {
      last = message;
      received++;
    });
    const [code, signal] = await once(child, 'close');
    t.deepEqual({ code, signal, last }, { code: 0, signal: null, last: 'done' }, stderr);
    t.is(received, VALUES.length * Object.keys(places).length + 1);
  });
}
