/**
 * Tests the rule of ARCHITECTURE.md about code outside the library: every callback fails in every way, with values that
 * are errors and values that are not, in a process that must survive and go on answering.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { IS_FULL } from '../support/count.mjs';
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
const PROGRAM = fileURLToPath(new URL('support/program.mjs', import.meta.url));

/** By manner, the values of its callbacks: all, or locally every other one, so that each value meets half of the manners. */
const RUNS = Object.keys(manners).map((manner, index) => [
  manner,
  IS_FULL ? Object.keys(thrownValues()) : LOCALLY.filter((_, at) => (at + index) % 2 === 0),
]);

test('callbacks that fail in any manner end no process, and every door goes on answering', async (t) => {
  t.timeout(150_000);
  const child = fork(PROGRAM, [JSON.stringify(RUNS)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
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
  const values = RUNS.reduce((sum, [, values]) => sum + values.length, 0);
  t.is(received, values * Object.keys(places).length + 1);
});
