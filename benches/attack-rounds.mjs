// Attacks one metric of our library in rounds. Four kinds of work take turns: existing sets with fresh strings,
// existing sets with kept strings, sets over the limit, and making sets without recording them. A process runs one
// attack, or each of its threads does.

import { loopsOf, SEEN, seenOrder, unseen } from './attack-sets.mjs';
import { collectGarbage } from './harness.mjs';
import { LAP } from './inputs.mjs';

/** Laps of each kind in a round: about 50 ms. */
const LAPS = 10;
/** Laps of each kind before the first round, so that code is compiled and the limit has refused sets. */
const WARM_UP_LAPS = 40;

/** The total in which the calls of each kind are counted. */
const COUNTED = { fresh: 'seen', kept: 'seen', beyond: 'beyond', made: 'none' };

/** Receives labels that are made but not recorded. Without a place to store them, the engine would skip making them. */
export let lastMade;
const keep = (labels) => {
  lastMade = labels;
};

/** Calls of each kind in a round. */
export const ROUND = LAPS * LAP;

/** Opens the metric, creates its existing series and warms up. `first` is the first set number over the limit. */
export function openAttack({ shape, record, first = SEEN }) {
  const { fresh, kept } = loopsOf(shape, record);
  const made = loopsOf(shape, keep).fresh;
  const next = unseen(first);
  const calls = { seen: 0, beyond: 0, none: 0 };
  // The kept strings create the series.
  kept(Int32Array.from({ length: SEEN }, (_, n) => n));
  calls.seen += SEEN;
  const kinds = {
    fresh: () => fresh(seenOrder),
    kept: () => kept(seenOrder),
    beyond: () => fresh(numbers),
    made: () => made(seenOrder),
  };
  let numbers = seenOrder;

  /** Nanoseconds a call. */
  function lap(kind) {
    if (kind === 'beyond') numbers = next();
    calls[COUNTED[kind]] += LAP;
    const start = process.hrtime.bigint();
    kinds[kind]();
    return Number(process.hrtime.bigint() - start) / LAP;
  }

  /** One round. Each kind goes first in one round of four. */
  function round(turn) {
    const names = Object.keys(kinds);
    const sums = { fresh: 0, kept: 0, beyond: 0, made: 0 };
    for (let step = 0; step < LAPS; step++) {
      for (let place = 0; place < names.length; place++) {
        const kind = names[(turn + place) % names.length];
        sums[kind] += lap(kind);
      }
    }
    return Object.fromEntries(names.map((kind) => [kind, sums[kind] / LAPS]));
  }

  for (let step = 0; step < WARM_UP_LAPS; step++) for (const kind of Object.keys(kinds)) lap(kind);
  return { round, calls };
}

/** Runs `rounds` of an attack. Awaits `pause(done)` at the start and after each `1 / parts` of the rounds. */
export async function runRounds(attack, { rounds, parts, pause }) {
  const found = { fresh: [], kept: [], beyond: [], made: [] };
  await pause(0);
  let paused = 0;
  for (let turn = 0; turn < rounds; turn++) {
    const times = attack.round(turn);
    for (const kind of Object.keys(found)) found[kind].push(times[kind]);
    const part = Math.floor(((turn + 1) * parts) / rounds);
    if (part > paused) await pause(turn + 1);
    paused = part;
  }
  return found;
}

/** Bytes after garbage collection. Finalizers run after a collection, in a later turn. */
export async function settledMemory() {
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}
