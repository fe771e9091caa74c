/**
 * Tests the library in processes whose globals are replaced: by test environments such as jsdom, by libraries that wrap
 * timers and promises, and by hardened runtimes that freeze all prototypes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const PROGRAM = fileURLToPath(new URL('support/replaced.mjs', import.meta.url));

/** Runs the program. It has to end by itself. */
async function told(t, args, execArgv = []) {
  const child = fork(PROGRAM, args, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let [stderr, last] = ['', undefined];
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.on('message', (message) => {
    last = message;
  });
  t.deepEqual(await once(child, 'close'), [0, null], stderr.slice(0, 2000));
  return last;
}

test.serial('the library works with replaced globals', async (t) => {
  t.timeout(120_000);
  const names = await told(t, []);
  t.true(names.length >= 8);
  const outcomes = await Promise.all(names.map(async (name) => [name, await told(t, [name])]));
  for (const [name, outcome] of outcomes) t.is(outcome, 'done', name);
});

test.serial('the library works with frozen intrinsics', async (t) => {
  t.is(await told(t, ['a console without methods'], ['--frozen-intrinsics']), 'done');
});
