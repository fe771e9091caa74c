// What the attack's figures say: tables, and verdicts on what an attack may cost. It measures nothing.

import { cases } from './attack-service.mjs';
import { SEEN } from './attack-sets.mjs';
import { atMost, median, ratioOfRounds, show } from './harness.mjs';
import { libraryById } from './libraries.mjs';

/** A call beyond the limit, of a call to a seen series. */
const CALL_MAX = 2;
/** What a scrape, or a call to another metric, may cost more than its twin: the noise between two equals. */
const TWIN_MAX = 1.1;
/** Over all sets: a tenth of a byte a set, at ten million of them, for the heap. Allocators keep some spare. */
const HEAP_GROWTH_MAX_MB = 1;
const RESIDENT_GROWTH_MAX_MB = 4;

const MB = 1e6;

/** Ours, in each of the ways a limit can be met. */
export function casesSection(samples) {
  const found = cases.map((entry) => ({ ...entry, ...samples[entry.id] }));
  return {
    tables: [callsTable(found), memoryTable(found), aroundTable(found)],
    verdicts: found.filter(({ unjudged }) => !unjudged).flatMap(judgeCase),
  };
}

function callsTable(found) {
  const columns = ['', 'sets', 'seen, fresh', 'seen, kept', 'beyond', 'beyond / fresh', 'beyond / kept'];
  const rows = found.map(({ title, sets, times }) => [title, count(sets), ...callCells(times)]);
  return { caption: 'Nanoseconds a call, and what a call beyond the limit costs', columns, rows };
}

function callCells({ fresh, kept, beyond }) {
  return [
    ...[fresh, kept, beyond].map((ns) => show(median(ns))),
    ...[fresh, kept].map((seen) => `${show(ratioOfRounds(beyond, seen))}x`),
  ];
}

function memoryTable(found) {
  const [{ steps }] = found;
  const columns = ['', ...steps.flatMap(({ sets }) => [`heap at ${millions(sets)}`, 'resident'])];
  const rows = found.map(({ title, steps: own }) => [
    title,
    ...own.flatMap(({ heap, resident }) => [fixed(heap), fixed(resident)]),
  ]);
  return { caption: 'Memory in MB, by sets beyond the limit', columns, rows };
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

function judgeCase({ title, times, steps, after }) {
  return [
    ...judgeCalls(title, times),
    ...judgeGrowth(title, steps[0], steps.at(-1)),
    atMost(`${title}: a scrape afterwards, of its twin's`, toTwin(after.scrape), TWIN_MAX, 'x'),
    atMost(`${title}: a call to another metric afterwards, of its twin's`, toTwin(after.other), TWIN_MAX, 'x'),
  ];
}

function judgeCalls(title, { fresh, kept, beyond }) {
  return [
    atMost(`${title}: a call beyond, of a seen one of fresh strings`, ratioOfRounds(beyond, fresh), CALL_MAX, 'x'),
    atMost(`${title}: a call beyond, of a seen one of kept strings`, ratioOfRounds(beyond, kept), CALL_MAX, 'x'),
  ];
}

function judgeGrowth(title, before, after) {
  return [
    atMost(`${title}: growth of the heap`, (after.heap - before.heap) / MB, HEAP_GROWTH_MAX_MB, 'MB'),
    atMost(
      `${title}: growth of the resident size`,
      (after.resident - before.resident) / MB,
      RESIDENT_GROWTH_MAX_MB,
      'MB',
    ),
  ];
}

function toTwin({ attacked, twin }) {
  return ratioOfRounds(attacked, twin);
}

/** Ours from several threads at once. */
export function threadsSection({ sets, threads, before, during, after }) {
  const columns = ['', 'seen, fresh', 'seen, kept', 'beyond', 'beyond / fresh', 'beyond / kept'];
  const together = Object.fromEntries(
    ['fresh', 'kept', 'beyond'].map((kind) => [kind, threads.flatMap((times) => times[kind])]),
  );
  const rows = threads.map((times, index) => [`thread ${index + 1}`, ...callCells(times)]);
  const title = `${threads.length} threads`;
  const around = [
    ['heap of all threads, MB', fixed(before.heap), '–', fixed(after.heap)],
    ['resident, MB', fixed(before.resident), '–', fixed(after.resident)],
    ['scrape, median ms', show(median(before.scrape)), show(median(during)), show(median(after.scrape))],
    ['scrape, longest ms', ...[before.scrape, during, after.scrape].map((ms) => show(Math.max(...ms)))],
  ];
  return {
    tables: [
      { caption: `From ${title}, ${count(sets)} sets: nanoseconds a call`, columns, rows },
      { caption: `From ${title}: the process`, columns: ['', 'before', 'during', 'after'], rows: around },
    ],
    verdicts: [
      ...judgeCalls(title, together),
      ...judgeGrowth(title, before, after),
      atMost(
        `${title}: a scrape afterwards, of one before`,
        median(after.scrape) / median(before.scrape),
        TWIN_MAX,
        'x',
      ),
    ],
  };
}

/** All libraries: how far they got. Nothing is judged: a limit is a choice, and most chose none. */
export function peersSection(samples) {
  const columns = [
    '',
    'sets beyond the first 10,000',
    'how it ended',
    'heap MB, first',
    'last',
    'resident MB, first',
    'last',
    'ns a call, first',
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
    // The very first step made the seen series.
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

function millions(sets) {
  return sets === 0 ? '0' : `${show(sets / 1e6)} M`;
}

/** Bytes in MB to a tenth, so that growth is seen. */
function fixed(bytes) {
  return bytes === undefined ? '–' : (bytes / MB).toFixed(1);
}
