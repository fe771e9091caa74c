// Measures what an attacker achieves with ten million distinct label sets over the limit. First our library is
// attacked, with each way to meet a limit, from one thread and from four. Then each library is attacked in a process
// with a bounded heap, to see how far those without a limit get. `BENCH_ATTACK_SETS` changes the number of sets.

import { HEAP_MB, underAttack } from './attack-peers.mjs';
import { casesSection, peersSection, threadsSection } from './attack-report.mjs';
import { ROUND } from './attack-rounds.mjs';
import { cases, measureCase } from './attack-service.mjs';
import { SEEN } from './attack-sets.mjs';
import { measureThreads, THREADS } from './attack-threads.mjs';
import { median, options, ownRole, progress, publish, serveRole, show, startRole } from './harness.mjs';
import { OURS, selectLibraries } from './libraries.mjs';

const SETS = Number(process.env.BENCH_ATTACK_SETS ?? (options.quick ? 1_000_000 : 10_000_000));
const ROUNDS = Math.ceil(SETS / ROUND);
/** Memory is measured after each part of the rounds. */
const PARTS = 5;

/** Sets between two measurements of a peer's memory, and between two scrapes of it. */
const STEP = 250_000;
const SCRAPE_EVERY = 4 * STEP;
/** A library that still records after this time is stopped. */
const PEER_MS_MAX = 120_000;
const CASE_MS_MAX = 600_000;

const role = ownRole();
if (role?.attack) serveRole({ measure: () => measureCase(role.attack) });
else if (role?.threads) serveRole({ measure: () => measureThreads(role.threads) });
else if (role?.peer) serveRole(underAttack(role.peer));
else await main();

async function main() {
  const ids = selectLibraries().map(({ id }) => id);
  const samples = {};
  const sections = [];
  if (ids.includes(OURS)) {
    samples.cases = await measureCases();
    samples.threads = await measureFrom({ threads: { rounds: Math.ceil(ROUNDS / THREADS) } });
    progress(`${THREADS} threads: ${samples.threads.threads.map(({ beyond }) => `${show(median(beyond))} ns`)}`);
    sections.push(casesSection(samples.cases), threadsSection(samples.threads));
  }
  samples.libraries = {};
  for (const id of ids) samples.libraries[id] = await attackLibrary(id);
  sections.push(peersSection(samples.libraries));
  publish({
    name: 'attack',
    title: 'Under attack',
    about: about(),
    tables: sections.flatMap(({ tables }) => tables),
    verdicts: sections.flatMap(({ verdicts }) => verdicts),
    samples,
  });
}

async function measureCases() {
  const found = {};
  for (const { id, title, unjudged } of cases) {
    // An error with its stack takes microseconds, so a tenth of the sets is enough.
    const rounds = unjudged ? Math.ceil(ROUNDS / 10) : ROUNDS;
    found[id] = await measureFrom({ attack: { id, rounds, parts: PARTS } });
    progress(`${title}: ${describe(found[id].times)}`);
  }
  return found;
}

async function measureFrom(what) {
  const child = startRole(import.meta.url, what, { execArgv: ['--expose-gc'] });
  try {
    return await child.ask('measure', null, CASE_MS_MAX);
  } finally {
    await child.stop();
  }
}

/** Attacks a library until all sets are recorded, its process ends, or the time is over. */
async function attackLibrary(id) {
  const execArgv = ['--expose-gc', `--max-old-space-size=${HEAP_MB}`];
  const child = startRole(import.meta.url, { peer: { library: id } }, { execArgv });
  const deadline = Date.now() + PEER_MS_MAX;
  const found = { steps: [], scrapes: [] };
  const ask = (call, argument) => child.ask(call, argument, Math.max(1, deadline - Date.now()));
  const record = async (sets, done) => found.steps.push({ sets: done, ...(await ask('record', sets)) });
  const scrape = async (done) => found.scrapes.push({ sets: done, ...(await ask('scrape')) });
  let doing = 'recording';
  try {
    await record(SEEN, 0);
    await scrape(0);
    for (let done = 0; done < SETS; ) {
      const step = Math.min(STEP, SETS - done);
      doing = `recording ${(done + step).toLocaleString('en')} sets`;
      await record(step, done + step);
      done += step;
      if (done % SCRAPE_EVERY !== 0 && done < SETS) continue;
      doing = `being scraped after ${done.toLocaleString('en')} sets`;
      await scrape(done);
    }
    found.end = 'all sets recorded';
  } catch (error) {
    const reason = Date.now() < deadline ? error.message : `stopped after ${PEER_MS_MAX / 1000} s`;
    found.end = `${reason}, ${doing}`;
  } finally {
    await child.stop();
  }
  const last = found.steps.at(-1);
  progress(`${id}: ${found.end}; ${last?.sets} sets, heap ${show(last?.heap / 2 ** 20)} MiB`);
  return found;
}

function about() {
  const sets = SETS.toLocaleString('en');
  return `A metric with three labels has ${SEEN.toLocaleString('en')} series, which is also its limit. It receives at least ${sets} distinct label sets over the limit. Each case runs in a process of its own. In each round, four kinds of work take turns: *made only* makes labels without a call; *seen, fresh* records existing label sets with strings made for the call; *seen, kept* records existing sets with the strings that created the series; *beyond* records sets over the limit, with strings made for the call and as long as the others. Nanoseconds are medians of the rounds and include making labels and strings; kept strings are not made again. Ratios are medians of the ratios of each round. Memory is measured after garbage collection: *heap* is \`heapUsed\`, *resident* is the process. A scrape is \`scrape()\` of the text format. A *twin* is a registry with the same metrics in the same process that is not attacked; both are measured in turns. Afterwards, totals, counted refusals and the values of the other metric are compared with the exposition. In the last table, every library records the same sets, each in a process with a heap of at most ${HEAP_MB.toLocaleString('en')} MiB and for at most ${PEER_MS_MAX / 1000} s. It is scraped after each million sets. Its limit is ${SEEN.toLocaleString('en')} if it has one. OpenTelemetry's limit counts the sets between two scrapes, so its series grow with each scrape.`;
}

function describe(times) {
  return Object.entries(times)
    .map(([kind, ns]) => `${kind} ${show(median(ns))} ns`)
    .join(', ');
}
