// Measures timers: what it costs to start one and to stop it.

import { ownRole, publish, serveRole } from './harness.mjs';
import { idsOfPromClients, measureCase, measureCases, turnsTable, turnsVerdicts } from './turns.mjs';

const cases = [
  ['none', '`startTimer()`, stopped by `end()`'],
  ['child', 'kept child, `startTimer()`, `end()`'],
  ['labels', '`startTimer({three labels})`, `end()`, 8 label sets'],
  ['late', '`startTimer()`, `end({three labels})`, 8 label sets'],
  ['both', '`startTimer({two labels})`, `end({one label})`, 8 label sets'],
  ['summary', 'a summary: `startTimer({three labels})`, `end()`, 8 label sets'],
];

/** A timer reads the clock twice, which costs every library the same: it must not cost more than in the best peer. */
const REACH = 1;

const role = ownRole();
if (role) serveRole({ measure: () => measureCase(role) });
else await main();

async function main() {
  const ids = idsOfPromClients();
  const samples = await measureCases(import.meta.url, cases, {
    ids,
    loops: './timer-loops.mjs',
    metric: 'bench_timer',
  });
  const all = cases.map(([id, title]) => [title, samples[id], REACH]);
  publish({
    name: 'timers',
    title: 'Timers',
    about:
      'One timer that is started and stopped, of a histogram with the default buckets unless the row names a summary. Median of the rounds. Both ends read the clock, which is part of the figures. The ratio is the best peer to our library, median of the ratios of each round.',
    tables: [{ caption: 'Nanoseconds per timer', ...turnsTable(ids, all) }],
    verdicts: turnsVerdicts(ids, all),
    samples,
  });
}
