// Measures recording as applications do it: 30 metrics, many call sites, requests drawn at random, all in one process. The
// libraries take turns case by case. The hot loops of record.mjs show the same calls at their best.
//
// `--beside=folder` measures another checkout of this library too, for example one of the base branch.

import {
  atLeast,
  atMost,
  median,
  options,
  ownRole,
  progress,
  publish,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { BESIDE, libraryById, OURS, openLibrary, peersOf, selectLibraries } from './libraries.mjs';
import { cases, openApplication, openLoop } from './mixed-app.mjs';
import { ODD_OBJECTS, recordOddly } from './mixed-odd.mjs';
import { observations, requests, wideRequests } from './mixed-requests.mjs';

const CALLER = 'caller';
/** The libraries that are fast enough for one process to run all of them many times. */
const LIBRARIES = [OURS, BESIDE, 'prom-client', 'prometheus-io', 'platformatic'];
/** Calls in one sample: short, so that few samples are disturbed and the minimum is one that was not. */
const CALLS = 3_000;
const WARM_UP_ROUNDS = 15;
/** Runs in a row for one sample with warm caches. */
const REPEATS = 4;
const BOUNDS = [5, 11, 24, 60];

/** At least this many times as fast as the faster of the peers, with cold caches. */
const reach = {
  'counter, no labels': 2.2,
  'kept children': 20,
  'counter, 1 label': 1.9,
  'counter, 2 labels': 2,
  'counter, 3 labels': 3,
  'counter, 5 labels': 4.4,
  'counter, 3 labels, 10,000 sets': 3.8,
  'counter, 3 labels, 10,000 sets, fresh strings': 2.9,
  'histogram, 3 labels': 5.4,
  'handler of a request, ten records': 4.3,
  'handler of an LLM call, ten records': 4.9,
};
const ODD_AT_MOST = 1.15;

const role = ownRole();
if (role) serveRole({ measure: () => measure(role) });
else await main();

async function main() {
  const rounds = options.quick ? 10 : 150;
  const ids = selectLibraries()
    .map(({ id }) => id)
    .filter((id) => LIBRARIES.includes(id));
  const samples = await inProcess({ rounds, ids });
  progress('odd label objects');
  const odd = {};
  if (ids.includes(OURS)) {
    for (const kind of ODD_OBJECTS) odd[kind] = await inProcess({ rounds: Math.ceil(rounds / 3), ids: [OURS], kind });
  }
  publish({
    name: 'mixed',
    title: 'Recording in an application',
    about: `Nanoseconds per record on Node.js ${process.versions.node}, minimum of ${rounds} rounds of ${CALLS.toLocaleString('en')} calls. One process has 34 metrics with three call sites each and serves requests that were drawn at random before. Each library has a copy of the application of its own. *Caller* makes the same label objects and records nothing. The ratio is the faster peer to our library. With cold caches, each sample comes after all other libraries; with warm caches, after the same calls.`,
    tables: [
      table('Cold caches', samples.cold, ids),
      table('Warm caches', samples.warm, ids),
      table('Observations at random', samples.observe, ids),
      ...(ids.includes(OURS) ? [oddTable(odd)] : []),
    ],
    verdicts: ids.includes(OURS) ? [...judgeCases(samples.cold, peersOf(ids)), ...judgeOdd(odd)] : [],
    samples: { ...samples, odd },
  });
}

async function inProcess(plan) {
  const child = startRole(import.meta.url, plan);
  try {
    return await child.ask('measure', null, 1_800_000);
  } finally {
    await child.stop();
  }
}

// ---- in the child ----

function measure({ rounds, ids, kind }) {
  const worlds = [...ids, CALLER].map(openWorld);
  const titles = Object.keys(cases);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const world of worlds) for (const title of titles) run(world, title);
  }
  if (kind !== undefined) return measureOdd(worlds[0], kind, rounds);
  const cold = {};
  const warm = {};
  const observe = {};
  for (let round = 0; round < rounds; round++) {
    for (const title of titles) {
      for (const world of inTurn(worlds, round)) keepLeast(cold, title, world.id, () => run(world, title));
    }
    for (const title of titles) {
      for (const world of inTurn(worlds, round)) {
        for (let repeat = 0; repeat < REPEATS; repeat++) keepLeast(warm, title, world.id, () => run(world, title));
      }
    }
    for (const bounds of BOUNDS) {
      for (const world of inTurn(worlds, round)) {
        const { observing } = world;
        if (observing) keepLeast(observe, `kept child, ${bounds} buckets`, world.id, () => time(observing[bounds]));
      }
    }
  }
  return { cold, warm, observe };
}

function measureOdd(world, kind, rounds) {
  const best = {};
  const titles = Object.keys(cases);
  const measureAll = (when) => {
    for (let round = 0; round < rounds; round++) {
      for (const title of titles) keepLeast(best, title, when, () => run(world, title));
    }
  };
  measureAll('before');
  recordOddly(world.library, kind);
  // The engine compiles anew what it has specialised too far.
  for (let round = 0; round < WARM_UP_ROUNDS; round++) for (const title of titles) run(world, title);
  measureAll('after');
  return best;
}

function openWorld(id) {
  const library = id === CALLER ? undefined : openLibrary(id, 200_000);
  return {
    id,
    library,
    sites: openApplication(library),
    loop: openLoop(),
    observing: library && openObserving(library),
  };
}

/** By number of buckets: a loop over random observations of one child. */
function openObserving(library) {
  return Object.fromEntries(
    BOUNDS.map((count) => {
      const buckets = Array.from({ length: count }, (_, index) => (10 * (index + 1)) / count);
      const child = library.histogram(`mixed_observed_${count}`, ['route'], { buckets }).labels('/');
      const loop = new Function(
        'child',
        'values',
        'calls',
        `/* ${library.title} ${count} */ for (let i = 0; i < calls; i++) child.observe(values[i & 4095]);`,
      );
      return [count, (calls) => loop(child, observations, calls)];
    }),
  );
}

/** Nanoseconds a record. */
function run({ sites, loop }, title) {
  const { sites: names, wide, records = 1 } = cases[title];
  const called = names.map((name) => sites[name]);
  const served = wide ? wideRequests : requests;
  return time((calls) => loop(called, served, calls), wide ? wideRequests.length : CALLS) / records;
}

function time(loop, calls = CALLS) {
  const start = process.hrtime.bigint();
  loop(calls);
  return Number(process.hrtime.bigint() - start) / calls;
}

function keepLeast(best, title, id, sample) {
  best[title] ??= {};
  best[title][id] = Math.min(best[title][id] ?? Number.POSITIVE_INFINITY, sample());
}

/** Each round begins with another one. */
function inTurn(worlds, round) {
  const first = round % worlds.length;
  return [...worlds.slice(first), ...worlds.slice(0, first)];
}

// ---- the report ----

function table(caption, best, ids) {
  const shown = Object.values(best).some((entry) => CALLER in entry) ? [CALLER, ...ids] : ids;
  const columns = ['', ...shown.map((id) => (id === CALLER ? 'caller' : libraryById(id).title))];
  if (ids.includes(OURS)) columns.push('best peer / ours');
  if (ids.includes(BESIDE)) columns.push('other build / ours');
  const rows = Object.entries(best).map(([title, entry]) => {
    const row = [title, ...shown.map((id) => show(entry[id]))];
    if (ids.includes(OURS)) row.push(`${show(ratio(entry, peersOf(ids)))}x`);
    if (ids.includes(BESIDE)) row.push(`${show(entry[BESIDE] / entry[OURS])}x`);
    return row;
  });
  return { caption, columns, rows };
}

function ratio(entry, peers) {
  return Math.min(...peers.map((id) => entry[id])) / entry[OURS];
}

function oddTable(odd) {
  const columns = ['one object of this kind in the process', 'after / before, median of the cases'];
  const rows = Object.entries(odd).map(([kind, best]) => [kind, `${show(slowdown(best))}x`]);
  return { caption: 'After one odd label object', columns, rows };
}

/** One case may be disturbed; an object that slows metrics down slows most of the cases with labels. */
function slowdown(best) {
  return median(Object.values(best).map(({ before, after }) => after / before));
}

function judgeCases(cold, peers) {
  return Object.entries(reach).map(([title, least]) =>
    atLeast(`${title}, against the best peer`, ratio(cold[title], peers), least),
  );
}

function judgeOdd(odd) {
  const worst = Math.max(...Object.values(odd).map(slowdown));
  return [atMost('records after one odd label object, against before', worst, ODD_AT_MOST, 'x')];
}
