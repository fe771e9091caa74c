// Measures how long it takes to record one value. Each case runs twice: in its own process, where the libraries take
// turns, and in one process together with all other cases. A service makes every kind of call, and engines specialise
// code on the calls they have seen.

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
import { amounts, LAP, latencies, totals } from './inputs.mjs';
import { libraryById, OURS, openLibrary, peersOf, selectLibraries } from './libraries.mjs';

const FLOOR = 'floor';

/** Case id, title in the report, and how many series it creates. */
const cases = [
  ['counter-ones', '`counter.inc()`', 1],
  ['counter', '`counter.inc(v)`', 1],
  ['counter-child', 'kept child, `inc(v)`', 1],
  ['counter-children', 'eight kept children in turn, `inc(v)`', 8],
  ['counter-hot', '`inc({three labels}, v)`, 8 label sets', 8],
  ['counter-wide', '`inc({three labels}, v)`, 10,000 label sets', 10_000],
  ['counter-hot-fresh', '`inc({three labels}, v)`, 8 label sets, freshly made strings', 8],
  ['counter-wide-fresh', '`inc({three labels}, v)`, 10,000 label sets, freshly made strings', 10_000],
  ['histogram', '`histogram.observe(v)`', 1],
  ['histogram-child', 'kept child, `observe(v)`', 1],
  ['histogram-hot', '`observe({three labels}, v)`, 8 label sets', 8],
  ['histogram-wide', '`observe({three labels}, v)`, 10,000 label sets', 10_000],
  ['gauge', '`gauge.set(v)`', 1],
].map(([id, title, series]) => ({ id, title, series }));

/** Targets of each case: at least this many times as fast as the best peer, at most this many times the bare add. */
const reach = {
  'counter-ones': { floor: 1.5 },
  counter: { floor: 1.5 },
  'counter-child': { floor: 1.5, peers: 25 },
  'counter-hot': { peers: 5 },
  'counter-wide': { peers: 3.5 },
  histogram: { peers: 7 },
  'histogram-child': { peers: 20 },
  'histogram-hot': { peers: 5 },
};

const role = ownRole();
if (role) serveRole({ measure: () => measureCases(role) });
else await main();

async function main() {
  const plan = options.quick ? { rounds: 3, sampleMs: 20, warmUpMs: 100 } : { rounds: 15, sampleMs: 75, warmUpMs: 300 };
  const ids = selectLibraries().map(({ id }) => id);
  const alone = {};
  for (const { id, title } of cases) {
    Object.assign(alone, await inProcess({ ...plan, ids, caseIds: [id] }));
    progress(`${title}: ${describe(alone[id])}`);
  }
  progress('all cases in one process');
  const together = await inProcess({ ...plan, ids, caseIds: cases.map(({ id }) => id) });
  publish({
    name: 'record',
    title: 'Recording',
    about:
      "Nanoseconds per call, median of the rounds. *Bare add* is `Float64Array[i] += v` in the same loop with the same label objects and strings. The ratio is the best peer to our library, median of the ratios of each round. Afterwards, every total is compared with the library's exposition.",
    tables: [
      table('Each case in a process of its own', alone, ids),
      table('All cases in one process, each warmed up before the first is timed', together, ids),
    ],
    verdicts: ids.includes(OURS) ? cases.flatMap((entry) => judge(entry, alone[entry.id], peersOf(ids))) : [],
    samples: { alone, together },
  });
}

async function inProcess(plan) {
  const child = startRole(import.meta.url, plan, { execArgv: ['--expose-gc'] });
  try {
    return await child.ask('measure', null, 900_000);
  } finally {
    await child.stop();
  }
}

// ---- in the child ----

async function measureCases({ ids, caseIds, rounds, sampleMs, warmUpMs }) {
  const worlds = await Promise.all([...ids, FLOOR].map(openWorld));
  const contenders = new Map();
  for (const { id } of cases.filter((entry) => caseIds.includes(entry.id))) {
    const entries = worlds.filter(({ loops }) => loops[id]).map((world) => contend(world, id));
    for (const entry of entries) entry.lapNs = warmUp(entry, warmUpMs);
    contenders.set(id, entries);
  }
  const samples = {};
  for (const [id, entries] of contenders) {
    samples[id] = await interleave(entries, rounds, (entry) => sample(entry, sampleMs));
  }
  for (const world of worlds) await world.verify();
  return samples;
}

/** A library with its own copy of the module of loops. */
async function openWorld(id) {
  const cells = new Float64Array(4_096);
  const style = { [FLOOR]: 'floor', opentelemetry: 'otel' }[id] ?? 'prom';
  // The query makes a separate module: call sites shared by two libraries would be megamorphic in both.
  const { loops } = await import(`./record-${style}.mjs?library=${id}`);
  const opened = [];
  if (id === FLOOR) {
    let next = 8;
    const open = (caseId) => loops[caseId](cells, next++);
    const verify = () =>
      compare(
        cells.reduce((sum, cell) => sum + cell),
        sumOf(opened),
        'the bare adds',
      );
    return { id, loops, open, opened, verify };
  }
  const library = openLibrary(id, 100_000);
  const open = (caseId) => loops[caseId](library, nameOf(caseId));
  const verify = async () => {
    const found = totals(await library.scrapes['metrics()']());
    for (const entry of opened) verifyMetric(libraryById(id).title, found, entry);
  };
  return { id, loops, open, opened, verify };
}

function contend(world, caseId) {
  const entry = { id: world.id, caseId, loop: world.open(caseId), laps: 0 };
  world.opened.push(entry);
  return entry;
}

function warmUp(entry, warmUpMs) {
  const end = process.hrtime.bigint() + BigInt(warmUpMs * 1e6);
  let lapNs;
  do lapNs = timeLaps(entry, 1);
  while (process.hrtime.bigint() < end);
  return lapNs;
}

function sample(entry, sampleMs) {
  // Each library pays for its own garbage.
  globalThis.gc({ type: 'minor' });
  const laps = Math.max(1, Math.round((sampleMs * 1e6) / entry.lapNs));
  return timeLaps(entry, laps) / (laps * LAP);
}

function timeLaps(entry, laps) {
  entry.laps += laps;
  const start = process.hrtime.bigint();
  entry.loop(laps * LAP);
  return Number(process.hrtime.bigint() - start);
}

function verifyMetric(title, found, { caseId, laps }) {
  const { series } = cases.find(({ id }) => id === caseId);
  const name = nameOf(caseId);
  const seen = (suffix) => found.get(name + suffix) ?? { lines: 0, sum: 0 };
  const of = (what) => `${title}, ${caseId}: ${what}`;
  if (caseId === 'gauge') return compare(seen('').sum, amounts.at(-1), of('value'));
  if (!caseId.startsWith('histogram')) {
    compare(seen('').lines, series, of('series'));
    return compare(seen('').sum, laps * lapTotal(caseId), of('total'));
  }
  compare(seen('_count').lines, series, of('series'));
  compare(seen('_count').sum, laps * LAP, of('count'));
  compare(seen('_sum').sum, laps * lapTotal(caseId), of('sum'));
}

function sumOf(opened) {
  return opened.reduce((sum, { caseId, laps }) => {
    if (caseId === 'gauge') return sum + amounts.at(-1);
    return sum + laps * lapTotal(caseId === 'counter-ones' ? 'counter' : caseId);
  }, 0);
}

function lapTotal(caseId) {
  if (caseId === 'counter-ones') return LAP;
  const values = caseId.startsWith('histogram') ? latencies : amounts;
  return (LAP / values.length) * values.reduce((sum, value) => sum + value);
}

function compare(found, expected, what) {
  if (found !== expected) throw new Error(`Expected ${expected} for ${what} but found ${found}`);
}

function nameOf(caseId) {
  const name = `bench_${caseId.replaceAll('-', '_')}`;
  return caseId.startsWith('counter') ? `${name}_total` : name;
}

// ---- the report ----

function table(caption, samples, ids) {
  const columns = ['', 'bare add', ...ids.map((id) => libraryById(id).title)];
  if (ids.includes(OURS)) columns.push('best peer / ours', 'ours / bare add');
  const rows = cases.map(({ id, title }) => {
    const measured = samples[id];
    const row = [title, ...[FLOOR, ...ids].map((key) => (measured[key] ? show(median(measured[key])) : '–'))];
    if (!ids.includes(OURS)) return row;
    const best = fastest(measured, peersOf(ids));
    return [
      ...row,
      `${show(ratioOfRounds(measured[best], measured[OURS]))}x`,
      `${show(ratioOfRounds(measured[OURS], measured[FLOOR]))}x`,
    ];
  });
  return { caption, columns, rows };
}

function judge({ id, title }, samples, peers) {
  const verdicts = [];
  if (reach[id]?.floor) {
    const ratio = ratioOfRounds(samples[OURS], samples[FLOOR]);
    verdicts.push(atMost(`${title}, against a bare \`Float64Array\` add`, ratio, reach[id].floor, 'x'));
  }
  if (reach[id]?.peers) {
    const best = fastest(samples, peers);
    verdicts.push(
      atLeast(
        `${title}, against ${libraryById(best).title}`,
        ratioOfRounds(samples[best], samples[OURS]),
        reach[id].peers,
      ),
    );
  }
  return verdicts;
}

function describe(samples) {
  return Object.entries(samples)
    .map(([id, values]) => `${id} ${show(median(values))}`)
    .join(', ');
}
