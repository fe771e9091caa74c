// Measures a whole scrape, from the call to the finished exposition; all values change before each scrape. Each library
// has its own process, so that it does not pay for another library's garbage. The processes take turns; one works at a
// time.

import {
  atLeast,
  atMost,
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
import { libraryById, OURS, openLibrary, selectLibraries } from './libraries.mjs';
import { populate } from './populations.mjs';

const TEXT = 'metrics()';
const BUFFER = 'scrape()';

const populations = [
  { title: '10,000 counters', kind: 'counters', size: 10_000, rounds: 15, reach: { [BUFFER]: 28, [TEXT]: 25 } },
  { title: '10,000 counters, values with long decimals', kind: 'costs', size: 10_000, rounds: 15 },
  {
    title: '10,000 histograms (140,000 lines)',
    kind: 'histograms',
    size: 10_000,
    rounds: 9,
    reach: { [BUFFER]: 35, [TEXT]: 30 },
  },
  { title: '100,000 counters', kind: 'counters', size: 100_000, rounds: 9, reach: { [BUFFER]: 25, [TEXT]: 25 } },
];

/** One library after the other: five heaps of this size exceed the memory of many machines. */
const MILLION = { title: '1,000,000 counters', kind: 'counters', size: 1_000_000, rounds: 5 };
const MILLION_SCRAPE_MS_MAX = 150;
const MILLION_BUDGET_MS = 30_000;
const WARM_UPS = 3;

const role = ownRole();
if (role) serveRole(scraped(role));
else await main();

async function main() {
  const ids = selectLibraries().map(({ id }) => id);
  const ways = ids.flatMap((id) => (id === OURS ? [way(OURS, BUFFER), way(OURS, TEXT)] : [way(id, TEXT)]));
  const samples = {};
  const deaths = {};
  const chosen = options.quick ? populations.filter(({ size }) => size <= 10_000) : populations;
  for (const population of chosen) {
    samples[population.title] = await takeTurns(population, ids, ways);
    progress(`${population.title}: ${describe(samples[population.title])}`);
  }
  if (!options.quick) {
    samples[MILLION.title] = {};
    for (const entry of ways) {
      try {
        samples[MILLION.title][entry.id] = await alone(MILLION, entry);
      } catch (error) {
        deaths[entry.id] = error.message;
      }
    }
    progress(`${MILLION.title}: ${describe(samples[MILLION.title])}${Object.entries(deaths).join('; ')}`);
  }
  publish({
    name: 'scrape',
    title: 'Scraping: total time',
    about:
      'Milliseconds from the call to the finished exposition (identity encoding), median of the rounds. In brackets: the processor time and the minor page faults of the whole process, all threads included. Our `scrape()` returns a `Buffer`, which the HTTP doors send; our `metrics()` returns a string, as the peers do. Every series changes before each scrape. Each exposition is checked for its lines and its total.',
    tables: [table(ways, samples, deaths)],
    verdicts: ids.includes(OURS) ? judge(chosen, ways, samples) : [],
    samples,
  });
}

async function takeTurns(population, ids, ways) {
  const children = Object.fromEntries(ids.map((id) => [id, start(id, population)]));
  try {
    await interleave(ways, WARM_UPS, ({ library, how }) => children[library].ask('scrape', how));
    const rounds = options.quick ? 3 : population.rounds;
    const samples = await interleave(ways, rounds, ({ library, how }) => children[library].ask('scrape', how));
    for (const id of ids) await children[id].ask('verify');
    return samples;
  } finally {
    await Promise.all(Object.values(children).map((child) => child.stop()));
  }
}

async function alone(population, { library, how }) {
  const child = start(library, population);
  const deadline = Date.now() + MILLION_BUDGET_MS;
  const samples = [];
  try {
    while (samples.length < population.rounds && (samples.length === 0 || Date.now() < deadline)) {
      samples.push(await child.ask('scrape', how, Math.max(1_000, deadline - Date.now())));
    }
    await child.ask('verify');
  } catch (error) {
    // A library that is too slow for all rounds has not failed: its finished rounds count.
    if (samples.length === 0 || Date.now() < deadline) throw error;
  } finally {
    await child.stop();
  }
  return samples;
}

function start(library, { kind, size }) {
  return startRole(import.meta.url, { library, kind, size }, { execArgv: ['--expose-gc'] });
}

// ---- in the child ----

function scraped({ library: id, kind, size }) {
  let library;
  let population;
  let body;
  let step = 0;
  return {
    async scrape(how) {
      library ??= openLibrary(id, size);
      population ??= populate(library, kind, size);
      population.touchAll(++step);
      // The labels made above are the bench's garbage and not the scrape's.
      globalThis.gc({ type: 'minor' });
      const { minorPageFault } = process.resourceUsage();
      const cpu = process.cpuUsage();
      const start = process.hrtime.bigint();
      body = await library.scrapes[how]();
      // OpenTelemetry returns a string that is still a tree of pieces. Reading its end makes it flat.
      if (typeof body === 'string') body.charCodeAt(body.length - 1);
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      const { user, system } = process.cpuUsage(cpu);
      const faults = process.resourceUsage().minorPageFault - minorPageFault;
      return { ms, cpuMs: (user + system) / 1e3, faults, megabytes: body.length / 1e6 };
    },
    verify() {
      population.verify(body.toString());
    },
  };
}

// ---- the report ----

function way(library, how) {
  return { id: library === OURS ? `${library} ${how}` : library, library, how };
}

function table(ways, samples, deaths) {
  const ours = ways.some(({ library }) => library === OURS);
  const titleOf = ({ library, how }) => libraryById(library).title + (library === OURS ? ` \`${how}\`` : '');
  const columns = [
    '',
    'MB',
    ...ways.map(titleOf),
    ...(ours ? ['best peer / `scrape()`', 'best peer / `metrics()`'] : []),
  ];
  const rows = Object.entries(samples).map(([title, measured]) => {
    const cells = ways.map(({ id }) => {
      if (!measured[id]) return deaths[id] ?? '–';
      const of = (figure) => show(median(measured[id].map((sample) => sample[figure])));
      return `${of('ms')} (${of('cpuMs')}, ${of('faults')})`;
    });
    const size = show(Object.values(measured)[0]?.[0].megabytes);
    return [
      title,
      size,
      ...cells,
      ...(ours ? [BUFFER, TEXT].map((how) => `${show(ratio(measured, ways, how))}x`) : []),
    ];
  });
  return { caption: 'Scrape, ms (processor ms, page faults)', columns, rows };
}

function judge(chosen, ways, samples) {
  const verdicts = chosen
    .filter(({ reach }) => reach)
    .flatMap(({ title, reach }) =>
      Object.entries(reach).map(([how, wanted]) =>
        atLeast(`${title}, \`${how}\`, against the best peer`, ratio(samples[title], ways, how), wanted),
      ),
    );
  const million = samples[MILLION.title];
  if (!million) return verdicts;
  const ms = median(times(million[way(OURS, BUFFER).id] ?? []));
  return [...verdicts, atMost(`${MILLION.title}, \`${BUFFER}\``, ms, MILLION_SCRAPE_MS_MAX, 'ms')];
}

/** How many times as long the best peer takes. Compares medians if the two did not run in the same rounds. */
function ratio(samples, ways, how) {
  const byTime = Object.fromEntries(Object.entries(samples).map(([id, list]) => [id, times(list)]));
  const best = fastest(
    byTime,
    ways.filter(({ library }) => library !== OURS).map(({ id }) => id),
  );
  const ours = byTime[way(OURS, how).id];
  if (!best || !ours) return Number.NaN;
  if (byTime[best].length !== ours.length) return median(byTime[best]) / median(ours);
  return ratioOfRounds(byTime[best], ours);
}

function times(samples) {
  return samples.map(({ ms }) => ms);
}

function describe(samples) {
  return Object.entries(samples)
    .map(([id, values]) => `${id} ${show(median(times(values)))} ms`)
    .join(', ');
}
