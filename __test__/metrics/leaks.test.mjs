// Series and metrics that are removed leave no memory behind: resident memory is flat over 100,000 rounds (10,000 without
// CI_FULL).

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { count } from '../support/count.mjs';

const ROUNDS = count(10_000, 100_000);
/** A leak of 300 bytes a round reaches it, with CI_FULL one of 50 bytes. The engine's own steps stay below it. */
const GROWTH_MAX_BYTES = count(3 * 2 ** 18, 2 ** 21);

const program = fileURLToPath(new URL('support/rounds.mjs', import.meta.url));

for (const what of ['series', 'metrics']) {
  test(`${ROUNDS} rounds of ${what} that are created, scraped and removed do not grow memory`, async (t) => {
    // The young generation must not grow: by default it takes up to 32 MB in steps, which would hide a leak.
    const flags = ['--expose-gc', '--max-semi-space-size=1'];
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [...flags, program, what, `${ROUNDS}`]);
    const resident = JSON.parse(stdout);
    t.is(resident.length, 10);
    // A leak grows in both halves after the start. The engine itself takes a few megabytes once.
    const [, start, , , , middle, , , , end] = resident;
    t.true(Math.min(middle - start, end - middle) < GROWTH_MAX_BYTES, `resident bytes: ${resident.join(', ')}`);
  });
}
