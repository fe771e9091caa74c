// Measures new series, and what the number and the texts of the series do to records: label values that were chosen to
// collide in our table, the longest time that one record takes while a metric grows to a million series, and the longest
// turn of the event loop while they expire.

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import {
  atMost,
  interleave,
  median,
  options,
  ownRole,
  progress,
  publish,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { LABEL_NAMES } from './inputs.mjs';
import { libraryById, OURS, openLibrary, peersOf, selectLibraries } from './libraries.mjs';

const role = ownRole();
/** Children do not get the options. */
const quick = role?.quick ?? options.quick;
const SERIES = 10_000;
const ROUNDS = quick ? 5 : 40;
const MANY = quick ? 20_000 : 1_000_000;
/** Each growth is repeated, and each record counts with its shortest time: another process may have delayed the others. */
const GROWTHS = quick ? 2 : 5;
/** Clean-ups, and the time to live before each. */
const CLEAN_UPS = quick ? 1 : 3;
const TTL_SECONDS = 1;
const NEW_NS_MAX = 800;
const COLLIDING_MAX = 2;
const PAUSE_MS_MAX = 1;

/** Label values of one length. Those of `colliding` differ in characters that a hash of a few characters does not see. */
const populations = {
  'ids at the end': (index) => `/orders-by-id/${String(index).padStart(6, '0')}`,
  colliding: (index) => {
    const digits = String(index).padStart(6, '0');
    return `${digits.slice(0, 3)}0-${digits.slice(3, 5)}_${digits.slice(5)}-----------`.slice(0, 20);
  },
};

if (role) {
  const measures = { growth: measureGrowth, cleanUp: measureCleanUp };
  serveRole({ measure: () => (measures[role.work] ?? measure)(role.id) });
} else await main();

async function main() {
  const ids = selectLibraries().map(({ id }) => id);
  const entries = ids.map((id) => ({ id }));
  const samples = await interleave(entries, quick ? 1 : 3, ({ id }) => inProcess({ id }));
  progress('growth');
  const growth = ids.includes(OURS) ? await inProcess({ work: 'growth' }) : undefined;
  progress('clean-up');
  const cleanUp = ids.includes(OURS) ? await inProcess({ work: 'cleanUp' }) : undefined;
  publish({
    name: 'series',
    title: 'New series',
    about: `Nanoseconds per record of a counter with three labels, minimum of ${ROUNDS} rounds of ${SERIES.toLocaleString('en')} label sets, median of the processes. *New* makes the series, *again* finds them. *Colliding* values have a common length and differ only in characters that our table does not hash at first. The longest record is the one that took longest while a metric grew to ${MANY.toLocaleString('en')} series; each record counts with its shortest time in ${GROWTHS} growths. The longest turn is the longest time for which the event loop did nothing else while those series expired, garbage collections included; the least of ${CLEAN_UPS} times.`,
    tables: [table(ids, samples), ...(growth ? [growthTable(growth, cleanUp)] : [])],
    verdicts: growth ? judge(ids, samples, growth, cleanUp) : [],
    samples: { ...samples, growth, cleanUp },
  });
}

async function inProcess(plan) {
  const child = startRole(import.meta.url, { ...plan, quick }, { execArgv: ['--expose-gc'] });
  try {
    return await child.ask('measure', null, 900_000);
  } finally {
    await child.stop();
  }
}

// ---- in the child ----

function measure(id) {
  const best = {};
  for (const [kind, textOf] of Object.entries(populations)) {
    const library = openLibrary(id, SERIES);
    const sets = labelSets(SERIES, textOf);
    const counter = library.counter(`bench_${kind.replaceAll(' ', '_')}_total`, LABEL_NAMES);
    for (let round = 0; round < ROUNDS; round++) {
      // OpenTelemetry cannot forget its series.
      counter.reset?.();
      globalThis.gc();
      const [made, found] = [time(library, counter, sets), time(library, counter, sets)];
      if (counter.reset) best[`${kind}, new`] = Math.min(best[`${kind}, new`] ?? Number.POSITIVE_INFINITY, made);
      best[`${kind}, again`] = Math.min(best[`${kind}, again`] ?? Number.POSITIVE_INFINITY, found);
    }
  }
  return best;
}

function time({ add }, counter, sets) {
  const start = process.hrtime.bigint();
  for (const { method, route, status } of sets) add(counter, { method, route, status }, 1);
  return Number(process.hrtime.bigint() - start) / sets.length;
}

function measureGrowth() {
  const longest = {};
  for (const [kind, textOf] of Object.entries(populations)) {
    const sets = labelSets(MANY, textOf);
    const least = new Float64Array(MANY).fill(Number.POSITIVE_INFINITY);
    const library = openLibrary(OURS, MANY);
    const counter = library.counter('bench_growing_total', LABEL_NAMES);
    for (let growth = 0; growth < GROWTHS; growth++) {
      counter.reset();
      globalThis.gc();
      for (let index = 0; index < MANY; index++) {
        const { method, route, status } = sets[index];
        const start = performance.now();
        counter.inc({ method, route, status });
        least[index] = Math.min(least[index], performance.now() - start);
      }
    }
    longest[kind] = least.reduce((most, ms) => Math.max(most, ms));
  }
  return longest;
}

async function measureCleanUp() {
  const sets = labelSets(MANY, populations['ids at the end']);
  const library = openLibrary(OURS, MANY);
  const counter = library.counter('bench_ending_total', LABEL_NAMES, { ttlSeconds: TTL_SECONDS });
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < CLEAN_UPS; round++) {
    for (const { method, route, status } of sets) counter.inc({ method, route, status });
    // The first scrape sees the values, and a later one that they have not changed.
    await library.scrapes['scrape()']();
    await pause(TTL_SECONDS * 1500);
    globalThis.gc();
    await library.scrapes['scrape()']();
    least = Math.min(least, await longestTurn(counter, sets));
  }
  return least;
}

/** The longest turn until the counter has none of these series. */
async function longestTurn(counter, sets) {
  let longest = 0;
  let gone = 0;
  while (gone < sets.length) {
    await nextTurn();
    const start = performance.now();
    await nextTurn();
    longest = Math.max(longest, performance.now() - start);
    // Not measured. Some turns look at no more than a few, because most series end in no particular order.
    for (let look = 0; look < 1000 && gone < sets.length && counter.value(sets[gone]) === 0; look++) gone++;
  }
  return longest;
}

function labelSets(size, textOf) {
  const methods = ['GET', 'POST', 'PUT'];
  return Array.from({ length: size }, (_, index) => ({
    method: methods[index % 3],
    route: textOf(index),
    status: String(200 + (index % 5)),
  }));
}

// ---- the report ----

function table(ids, samples) {
  const work = Object.keys(populations).flatMap((kind) => [`${kind}, new`, `${kind}, again`]);
  const rows = work.map((title) => [title, ...ids.map((id) => show(middle(samples, id, title)))]);
  return { caption: 'Nanoseconds per record', columns: ['', ...ids.map((id) => libraryById(id).title)], rows };
}

function growthTable(growth, cleanUp) {
  const rows = Object.entries(growth).map(([kind, ms]) => [`record of a growing metric, ${kind}`, show(ms)]);
  rows.push(['turn of the event loop while series expire', show(cleanUp)]);
  return { caption: 'Longest pause', columns: ['', 'milliseconds'], rows };
}

function middle(samples, id, title) {
  return median(samples[id].map((best) => best[title]));
}

function judge(ids, samples, growth, cleanUp) {
  const ours = (title) => middle(samples, OURS, title);
  const best = Math.min(
    ...peersOf(ids)
      .map((id) => middle(samples, id, 'ids at the end, new'))
      .filter(Number.isFinite),
  );
  return [
    atMost('a new series', ours('ids at the end, new'), NEW_NS_MAX, 'ns'),
    atMost('a new series, against the best peer', ours('ids at the end, new') / best, 2, 'x'),
    atMost('colliding label values', ours('colliding, again') / ours('ids at the end, again'), COLLIDING_MAX, 'x'),
    atMost(
      `longest record up to ${MANY.toLocaleString('en')} series`,
      Math.max(...Object.values(growth)),
      PAUSE_MS_MAX,
      'ms',
    ),
    atMost(`longest turn while ${MANY.toLocaleString('en')} series expire`, cleanUp, PAUSE_MS_MAX, 'ms'),
  ];
}
