// Makes tables and verdicts from the figures of the attack. It measures nothing.

import { cases } from './attack-service.mjs';
import { SEEN } from './attack-sets.mjs';
import { atMost, median, ratioOfRounds, show } from './harness.mjs';
import { libraryById } from './libraries.mjs';

/** Target: a call over the limit against a call to an existing series. */
const CALL_MAX = 2;
/** Target: a scrape, or a call to another metric, against the twin. The rest is noise between two equals. */
const TWIN_MAX = 1.1;
/**
 * Growth over all sets. For the heap this is a tenth of a byte per set, at ten million sets. Allocators keep some
 * spare.
 */
const HEAP_GROWTH_MAX_MB = 1;
const RESIDENT_GROWTH_MAX_MB = 4;

const MB = 1e6;

const CALL_COLUMNS = ['made only', 'seen, fresh', 'seen, kept', 'beyond', 'beyond / fresh', 'beyond / kept'];

/** Our library, with each way to meet a limit. */
export function casesSection(samples) {
  const found = cases.map((entry) => ({ ...entry, ...samples[entry.id] }));
  return {
    tables: [callsTable(found), memoryTable(found), aroundTable(found)],
    verdicts: judgeCases(found.filter(({ unjudged }) => !unjudged)),
  };
}

function callsTable(found) {
  const columns = ['', 'sets', ...CALL_COLUMNS];
  const rows = found.map(({ title, sets, times }) => [title, count(sets), ...callCells(times)]);
  return { caption: 'Nanoseconds per call, and the cost of a call over the limit', columns, rows };
}

function callCells({ made, fresh, kept, beyond }) {
  return [
    ...[made, fresh, kept, beyond].map((ns) => show(median(ns))),
    ...[fresh, kept].map((seen) => `${show(ratioOfRounds(beyond, seen))}x`),
  ];
}

function memoryTable(found) {
  const parts = found[0].steps.map((_, index, { length }) => (index === 0 ? 'before' : `${index}/${length - 1}`));
  const columns = ['', ...['heap', 'resident'].flatMap((what) => parts.map((part) => `${what}, ${part}`))];
  const rows = found.map(({ title, steps }) => [
    title,
    ...['heap', 'resident'].flatMap((what) => steps.map((step) => fixed(step[what]))),
  ]);
  return { caption: 'Memory in MB, before and after each part of the sets', columns, rows };
}

function aroundTable(found) {
  const columns = [
    '',
    'series before',
    'after',
    'scrape ms before',
    'after',
    'after / twin',
    'other metric ns before',
    'after',
    'after / twin',
  ];
  const rows = found.map(({ title, before, after }) => [
    title,
    count(before.series),
    count(after.series),
    ...['scrape', 'other'].flatMap((what) => [
      show(median(before[what].attacked)),
      show(median(after[what].attacked)),
      `${show(toTwin(after[what]))}x`,
    ]),
  ]);
  return { caption: 'Scrapes and another metric, before and after', columns, rows };
}

/** Judges the calls of each case, and the worst case of everything else. */
function judgeCases(found) {
  const worst = (value, what, reach, unit) => {
    const { title, ...entry } = found.reduce((a, b) => (value(b) > value(a) ? b : a));
    return atMost(`${what}, worst of these cases (${title})`, value(entry), reach, unit);
  };
  return [
    ...found.flatMap(({ title, times }) => judgeCalls(title, times)),
    worst(({ steps }) => growth(steps, 'heap'), 'growth of the heap', HEAP_GROWTH_MAX_MB, 'MB'),
    worst(({ steps }) => growth(steps, 'resident'), 'growth of the resident size', RESIDENT_GROWTH_MAX_MB, 'MB'),
    worst(({ after }) => toTwin(after.scrape), "a scrape afterwards / the twin's", TWIN_MAX, 'x'),
    worst(({ after }) => toTwin(after.other), "a call to another metric afterwards / the twin's", TWIN_MAX, 'x'),
  ];
}

function judgeCalls(title, { fresh, kept, beyond }) {
  return [
    atMost(
      `${title}: a call over the limit / to an existing series, fresh strings`,
      ratioOfRounds(beyond, fresh),
      CALL_MAX,
      'x',
    ),
    atMost(
      `${title}: a call over the limit / to an existing series, kept strings`,
      ratioOfRounds(beyond, kept),
      CALL_MAX,
      'x',
    ),
  ];
}

/** Growth in MB from the first measurement to the last. */
function growth(steps, key) {
  return (steps.at(-1)[key] - steps[0][key]) / MB;
}

function toTwin({ attacked, twin }) {
  return ratioOfRounds(attacked, twin);
}

/** Our library, attacked from several threads at once. */
export function threadsSection({ sets, threads, looks, during }) {
  const [before, after] = [looks[0], looks.at(-1)];
  const title = `${threads.length} threads`;
  const rows = threads.map((times, index) => [`thread ${index + 1}`, ...callCells(times)]);
  const around = [
    ['heap of all threads, MB', '–', ...looks.map(({ heap }) => fixed(heap))],
    ['resident, MB', '–', ...looks.map(({ resident }) => fixed(resident))],
    ['scrape, median ms', ...[during, ...looks.map(attackedScrapes)].map((ms) => show(median(ms)))],
    ['scrape, longest ms', ...[during, ...looks.map(attackedScrapes)].map((ms) => show(Math.max(...ms)))],
    ["scrape / the twin's", '–', ...looks.map(({ scrape }) => `${show(toTwin(scrape))}x`)],
  ];
  return {
    tables: [
      { caption: `From ${title}, ${count(sets)} sets: nanoseconds per call`, columns: ['', ...CALL_COLUMNS], rows },
      {
        caption: `From ${title}: the process`,
        columns: ['', 'during', 'before', ...looks.slice(1).map((_, index, all) => `${index + 1}/${all.length}`)],
        rows: around,
      },
    ],
    verdicts: [
      ...judgeCalls(title, together(threads)),
      atMost(`${title}: growth of the heap`, growth(looks, 'heap'), HEAP_GROWTH_MAX_MB, 'MB'),
      atMost(`${title}: growth of the resident size`, growth(looks, 'resident'), RESIDENT_GROWTH_MAX_MB, 'MB'),
      atMost(
        `${title}: a scrape / the twin's, after / before the attack`,
        toTwin(after.scrape) / toTwin(before.scrape),
        TWIN_MAX,
        'x',
      ),
    ],
  };
}

function together(threads) {
  return Object.fromEntries(Object.keys(threads[0]).map((kind) => [kind, threads.flatMap((times) => times[kind])]));
}

const attackedScrapes = ({ scrape }) => scrape.attacked;

/** All libraries: how far they got. There is no verdict: most libraries have no limit by design. */
export function peersSection(samples) {
  const columns = [
    '',
    'sets beyond the first 10,000',
    'how it ended',
    'heap MB, first',
    'last',
    'resident MB, first',
    'last',
    'ns per call, first',
    'last',
    `scrape ms at ${count(SEEN)} series`,
    'last',
    'series then',
    'MB then',
  ];
  const rows = Object.entries(samples).map(([id, { steps, scrapes, end }]) => [
    libraryById(id).title,
    count(steps.at(-1)?.sets ?? 0),
    end,
    ...firstAndLast(steps, 'heap', fixed),
    ...firstAndLast(steps, 'resident', fixed),
    // The first step created the series within the limit.
    ...firstAndLast(steps.slice(1), 'ns', show),
    ...firstAndLast(scrapes, 'ms', show),
    count(scrapes.at(-1)?.series ?? 0),
    fixed(scrapes.at(-1)?.bytes),
  ]);
  return {
    tables: [{ caption: 'How far each library gets', columns, rows }],
    verdicts: [],
  };
}

function firstAndLast(list, key, print) {
  return [list[0], list.at(-1)].map((entry) => (entry ? print(entry[key]) : '–'));
}

function count(value) {
  return value.toLocaleString('en');
}

/** Bytes in MB with one decimal, so that growth is visible. */
function fixed(bytes) {
  return bytes === undefined ? '–' : (bytes / MB).toFixed(1);
}
