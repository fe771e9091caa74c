// Measures summaries: what one observation costs, and what a scrape of many summaries costs. Each case has a process of
// its own, in which the libraries take turns.

import {
  atLeast,
  fastest,
  interleave,
  median,
  options,
  ownRole,
  progress,
  publish,
  ratioOfRounds,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { LAP, totals } from './inputs.mjs';
import { libraryById, OURS, openLibrary, peersOf, selectLibraries } from './libraries.mjs';

const cases = [
  ['none', '`observe(v)`'],
  ['child', 'kept child, `observe(v)`'],
  ['labels', '`observe({three labels}, v)`, 8 label sets'],
  ['window-none', 'window of 5 steps, `observe(v)`'],
  ['window-labels', 'window of 5 steps, `observe({three labels}, v)`, 8 label sets'],
].map(([id, title]) => ({ id, title }));

/** At least this many times as fast as the best peer. */
const RECORD_REACH = 20;
const SCRAPE_REACH = 10;

const SERIES = options.quick ? 200 : 2000;
/** Observations of each series before each scrape. */
const FRESH = 100;
const SCRAPED = `scrape of ${SERIES} summaries`;

const role = ownRole();
if (role) serveRole(role.scrape ? scraped(role) : { measure: () => measureCase(role) });
else await main();

async function main() {
  const plan = options.quick ? { rounds: 3, sampleMs: 20, warmUpMs: 100 } : { rounds: 15, sampleMs: 75, warmUpMs: 300 };
  // OpenTelemetry has no summaries.
  const ids = selectLibraries()
    .map(({ id }) => id)
    .filter((id) => id !== 'opentelemetry');
  const samples = {};
  for (const { id, title } of cases) {
    const child = startRole(import.meta.url, { ...plan, ids, caseId: id }, { execArgv: ['--expose-gc'] });
    samples[id] = await child.ask('measure', null, 900_000);
    await child.stop();
    progress(`${title}: ${describe(samples[id])}`);
  }
  const scrapes = await scrapeInTurns(ids, plan.rounds);
  progress(`${SERIES} summaries: ${describe(scrapes)}`);
  const all = [...cases.map(({ id, title }) => [title, samples[id], RECORD_REACH]), [SCRAPED, scrapes, SCRAPE_REACH]];
  publish({
    name: 'summary',
    title: 'Summaries',
    about: `Median of the rounds. The observed values are all different and skewed, so that the digests have to do their work; ours include all digesting that the thread does. The scrape is of ${SERIES} summaries with three labels, the default percentiles and ${FRESH} new observations each, by \`metrics()\`. The ratio is the best peer to our library, median of the ratios of each round.`,
    tables: [
      {
        caption: 'Nanoseconds per observation; milliseconds per scrape',
        columns: ['', ...ids.map((id) => libraryById(id).title), ...(ids.includes(OURS) ? ['best peer / ours'] : [])],
        rows: all.map(([title, measured]) => {
          const row = [title, ...ids.map((id) => show(median(measured[id])))];
          return ids.includes(OURS) ? [...row, `${show(ratio(measured, ids))}x`] : row;
        }),
      },
    ],
    verdicts: ids.includes(OURS)
      ? all.map(([title, measured, reach]) => atLeast(`${title}, against the best peer`, ratio(measured, ids), reach))
      : [],
    samples: { ...samples, scrapes },
  });
}

function ratio(measured, ids) {
  return ratioOfRounds(measured[fastest(measured, peersOf(ids))], measured[OURS]);
}

function describe(measured) {
  return Object.entries(measured)
    .map(([id, values]) => `${id} ${show(median(values))}`)
    .join(', ');
}

async function scrapeInTurns(ids, rounds) {
  const children = Object.fromEntries(
    ids.map((id) => [id, startRole(import.meta.url, { scrape: true, library: id }, { execArgv: ['--expose-gc'] })]),
  );
  try {
    const entries = ids.map((id) => ({ id }));
    await interleave(entries, 2, ({ id }) => children[id].ask('scrape'));
    return await interleave(entries, rounds, ({ id }) => children[id].ask('scrape'));
  } finally {
    await Promise.all(Object.values(children).map((child) => child.stop()));
  }
}

// ---- in the children ----

async function measureCase({ ids, caseId, rounds, sampleMs, warmUpMs }) {
  const entries = [];
  for (const id of ids) {
    const { loops } = await import(`./summary-loops.mjs?library=${id}`);
    const library = openLibrary(id, 1000);
    const entry = { id, library, loop: loops[caseId](library, 'bench_summary'), laps: 0 };
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
    const found = totals(await library.scrapes['metrics()']()).get('bench_summary_count').sum;
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

function scraped({ library: id }) {
  const library = openLibrary(id, SERIES);
  const summary = library.summary('bench_summary', ['tenant', 'route', 'status']);
  let round = 0;
  return {
    async scrape() {
      round += 1;
      for (let series = 0; series < SERIES; series++) {
        const labels = { tenant: `t${series % 50}`, route: `/r/${series}`, status: '200' };
        for (let i = 0; i < FRESH; i++) summary.observe(labels, ((i * 7919 + series * 31 + round) % 10_007) / 100);
      }
      globalThis.gc({ type: 'minor' });
      const start = process.hrtime.bigint();
      const text = await library.scrapes['metrics()']();
      text.charCodeAt(text.length - 1);
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      const found = totals(text).get('bench_summary_count');
      if (found.sum !== round * SERIES * FRESH) throw new Error(`${id} lost observations: ${found.sum}`);
      return ms;
    },
  };
}
