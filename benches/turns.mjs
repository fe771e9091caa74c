// Times a loop over one metric in all libraries: each case has a process of its own, in which the libraries take turns.

import { atLeast, fastest, interleave, median, options, progress, ratioOfRounds, show, startRole } from './harness.mjs';
import { LAP, totals } from './inputs.mjs';
import { libraryById, OURS, openLibrary, peersOf, selectLibraries } from './libraries.mjs';

export const PLAN = options.quick
  ? { rounds: 3, sampleMs: 20, warmUpMs: 100 }
  : { rounds: 15, sampleMs: 75, warmUpMs: 300 };

/** The libraries that have prom-client's classes. OpenTelemetry has neither its summaries nor its timers. */
export function idsOfPromClients() {
  return selectLibraries()
    .map(({ id }) => id)
    .filter((id) => id !== 'opentelemetry');
}

/**
 * Nanoseconds per call of the cases `[id, title]`, by case and library. The bench at `url` answers `measure` by `measureCase()`.
 *
 * @param role `ids`, `loops` (the module with a loop for each case) and `metric` (the name that the loops get)
 */
export async function measureCases(url, cases, role) {
  const samples = {};
  for (const [id, title] of cases) {
    const child = startRole(url, { ...role, caseId: id, plan: PLAN }, { execArgv: ['--expose-gc'] });
    samples[id] = await child.ask('measure', null, 900_000);
    await child.stop();
    progress(`${title}: ${describeTurns(samples[id])}`);
  }
  return samples;
}

/** In the child: the samples of one case. The metric must have counted each call. */
export async function measureCase({ ids, loops: module, metric, caseId, plan: { rounds, sampleMs, warmUpMs } }) {
  const entries = [];
  for (const id of ids) {
    const { loops } = await import(`${module}?library=${id}`);
    const library = openLibrary(id, 1000);
    const entry = { id, library, loop: loops[caseId](library, metric), laps: 0 };
    const end = Date.now() + warmUpMs;
    do entry.lapNs = timeLaps(entry, 1);
    while (Date.now() < end);
    entries.push(entry);
  }
  const samples = await interleave(entries, rounds, (entry) => {
    globalThis.gc({ type: 'minor' });
    const laps = Math.max(1, Math.round((sampleMs * 1e6) / entry.lapNs));
    return timeLaps(entry, laps) / (laps * LAP);
  });
  for (const { id, library, laps } of entries) {
    const found = totals(await library.scrapes['metrics()']()).get(`${metric}_count`).sum;
    if (found !== laps * LAP) throw new Error(`Expected ${laps * LAP} observations of ${id} but found ${found}`);
  }
  return samples;
}

function timeLaps(entry, laps) {
  entry.laps += laps;
  const start = process.hrtime.bigint();
  entry.loop(laps * LAP);
  return Number(process.hrtime.bigint() - start);
}

/** A line of progress. */
export function describeTurns(measured) {
  return Object.entries(measured)
    .map(([id, values]) => `${id} ${show(median(values))}`)
    .join(', ');
}

/** Columns and rows of the cases `[title, samples by library]`, and against the best peer if our library ran. */
export function turnsTable(ids, all) {
  return {
    columns: ['', ...ids.map((id) => libraryById(id).title), ...(ids.includes(OURS) ? ['best peer / ours'] : [])],
    rows: all.map(([title, measured]) => {
      const row = [title, ...ids.map((id) => show(median(measured[id])))];
      return ids.includes(OURS) ? [...row, `${show(ratio(measured, ids))}x`] : row;
    }),
  };
}

/** Judges the cases `[title, samples by library, aim]`. */
export function turnsVerdicts(ids, all) {
  if (!ids.includes(OURS)) return [];
  return all.map(([title, measured, reach]) => atLeast(`${title}, against the best peer`, ratio(measured, ids), reach));
}

function ratio(measured, ids) {
  return ratioOfRounds(measured[fastest(measured, peersOf(ids))], measured[OURS]);
}
