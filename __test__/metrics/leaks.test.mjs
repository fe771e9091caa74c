// What comes and goes leaves nothing behind: resident memory is flat over 100,000 rounds, or 20,000 where a
// developer waits.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const ROUNDS = process.env.CI_FULL === '1' ? 100_000 : 20_000;
/** In 40,000 rounds: 50 bytes kept a round would reach it; 250 in a fifth of them. */
const GROWTH_MAX_BYTES = 2 * 2 ** 20;

const program = fileURLToPath(new URL('support/rounds.mjs', import.meta.url));

for (const what of ['series', 'metrics']) {
  test(`${ROUNDS} rounds of ${what} that are created, scraped and removed leave memory as it was`, async (t) => {
    // A young generation that does not grow: left to itself it takes up to 32 MB in steps, which would hide a leak.
    const flags = ['--expose-gc', '--max-semi-space-size=1'];
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [...flags, program, what, `${ROUNDS}`]);
    const resident = JSON.parse(stdout);
    t.is(resident.length, 10);
    // A leak grows in both halves of what follows the start; an engine that takes a few megabytes once does not.
    const [, start, , , , middle, , , , end] = resident;
    t.true(Math.min(middle - start, end - middle) < GROWTH_MAX_BYTES, `resident bytes: ${resident.join(', ')}`);
  });
}
