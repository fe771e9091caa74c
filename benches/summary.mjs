// Measures summaries: what one observation costs, and what a scrape of many summaries costs. Each case has a process of
// its own, in which the libraries take turns.

import { interleave, options, ownRole, progress, publish, serveRole, startRole } from './harness.mjs';
import { totals } from './inputs.mjs';
import { openLibrary } from './libraries.mjs';
import {
  describeTurns,
  idsOfPromClients,
  measureCase,
  measureCases,
  PLAN,
  turnsTable,
  turnsVerdicts,
} from './turns.mjs';

const cases = [
  ['none', '`observe(v)`'],
  ['child', 'kept child, `observe(v)`'],
  ['labels', '`observe({three labels}, v)`, 8 label sets'],
  ['window-none', 'window of 5 steps, `observe(v)`'],
  ['window-labels', 'window of 5 steps, `observe({three labels}, v)`, 8 label sets'],
];

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
  const ids = idsOfPromClients();
  const samples = await measureCases(import.meta.url, cases, {
    ids,
    loops: './summary-loops.mjs',
    metric: 'bench_summary',
  });
  const scrapes = await scrapeInTurns(ids, PLAN.rounds);
  progress(`${SERIES} summaries: ${describeTurns(scrapes)}`);
  const all = [...cases.map(([id, title]) => [title, samples[id], RECORD_REACH]), [SCRAPED, scrapes, SCRAPE_REACH]];
  publish({
    name: 'summary',
    title: 'Summaries',
    about: `Median of the rounds. The observed values are all different and skewed, so that the digests have to do their work; ours include all digesting that the thread does. The scrape is of ${SERIES} summaries with three labels, the default percentiles and ${FRESH} new observations each, by \`metrics()\`. The ratio is the best peer to our library, median of the ratios of each round.`,
    tables: [
      {
        caption: 'Nanoseconds per observation; milliseconds per scrape',
        ...turnsTable(ids, all),
      },
    ],
    verdicts: turnsVerdicts(ids, all),
    samples: { ...samples, scrapes },
  });
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
