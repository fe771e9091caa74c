// Runs the same attack from four worker threads at once, each with its thread's own metric, while the main thread
// scrapes the process. This module has both sides: `measureThreads()` for the main thread, and the attack that runs in
// a worker.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openAttack, ROUND, runRounds, settledMemory } from './attack-rounds.mjs';
import { compare } from './attack-service.mjs';
import { SEEN, shapes } from './attack-sets.mjs';
import { interleave } from './harness.mjs';
import { LABEL_NAMES, totals } from './inputs.mjs';

export const THREADS = 4;

const require = createRequire(import.meta.url);
const TEXT = { accept: 'text/plain; version=0.0.4', acceptEncoding: 'identity' };
const ATTACKED = 'bench_attacked';
const OTHER = 'bench_other_total';
const OTHER_SUM = 4_950;
const SCRAPES = 41;
const WARM_UP_ROUNDS = 12;
/** Parts of the attack; the process is measured after each. */
const PARTS = 4;
const PAUSE_MS = 100;
/** The set numbers of one thread. No set is used by two threads. */
const OWN_SETS = 20_000_000;

if (!isMainThread) await attackFromHere();

/** Each thread records its share of the sets. */
export async function measureThreads({ rounds }) {
  const client = require('../dist/entry/index.js');
  const { register } = client;
  const other = new client.Counter({ name: OTHER, help: 'Beside it', labelNames: ['part'] });
  other.inc({ part: 'only' }, OTHER_SUM);
  const workers = await Promise.all(Array.from({ length: THREADS }, (_, thread) => start(thread)));

  const twin = openTwin(client);
  // The first scrapes allocate memory of their own.
  await lookAround(register, twin, workers);
  // A first attack with millions of sets. Until then, the engine and the allocators grow to their working size.
  await scrapeDuring(register, attackFrom(workers, WARM_UP_ROUNDS));
  const looks = [await lookAround(register, twin, workers)];
  const part = Math.ceil(rounds / PARTS);
  const threads = workers.map(() => ({}));
  const during = [];
  for (let turn = 0; turn < PARTS; turn++) {
    const attack = attackFrom(workers, part);
    during.push(...(await scrapeDuring(register, attack)));
    for (const [index, times] of (await attack).entries()) append(threads[index], times);
    looks.push(await lookAround(register, twin, workers));
  }

  const found = totals((await register.scrape(TEXT)).body.toString());
  compare(found.get(ATTACKED).lines, SEEN + 1, 'series of the attacked metric');
  const calls = await Promise.all(workers.map((worker) => worker.ask('calls')));
  compare(
    found.get(ATTACKED).sum,
    calls.reduce((sum, { seen, beyond }) => sum + seen + beyond, 0),
    'calls of the attacked metric',
  );
  compare(found.get(OTHER).sum, OTHER_SUM, 'in the other metric');
  await Promise.all(workers.map((worker) => worker.stop()));
  return { sets: PARTS * part * ROUND * THREADS, threads, looks, during };
}

function append(all, times) {
  for (const [kind, ns] of Object.entries(times)) all[kind] = (all[kind] ?? []).concat(ns);
}

function attackFrom(workers, rounds) {
  return Promise.all(workers.map((worker) => worker.ask('attack', rounds)));
}

/** Scrapes until the attack is over; returns milliseconds. */
async function scrapeDuring(register, attack) {
  const found = [];
  let running = true;
  const end = () => {
    running = false;
  };
  attack.then(end, end);
  while (running) {
    found.push(await timeScrape(register));
    await sleep(PAUSE_MS);
  }
  await attack;
  return found;
}

/** The twin: a registry of this thread with the same number of series. It is not attacked. */
function openTwin({ Counter, Registry }) {
  const registry = new Registry();
  const counter = new Counter({ name: ATTACKED, help: 'Twin', labelNames: LABEL_NAMES, registers: [registry] });
  for (let n = 0; n < SEEN; n++) counter.inc(shapes.oneNew(n));
  return registry;
}

async function lookAround(register, twin, workers) {
  const heaps = await Promise.all(workers.map((worker) => worker.ask('memory')));
  const own = await settledMemory();
  const entries = [
    { id: 'attacked', registry: register },
    { id: 'twin', registry: twin },
  ];
  const scrape = await interleave(entries, SCRAPES, ({ registry }) => timeScrape(registry));
  return { heap: heaps.reduce((sum, { heap }) => sum + heap, own.heap), resident: own.resident, scrape };
}

async function timeScrape(register) {
  const start = process.hrtime.bigint();
  await register.scrape(TEXT);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

async function start(thread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { thread } });
  const answer = async () => (await once(worker, 'message'))[0];
  await answer();
  return {
    ask(call, argument) {
      const answered = answer();
      worker.postMessage({ call, argument });
      return answered;
    },
    stop: () => worker.terminate(),
  };
}

// ---- in the worker ----

async function attackFromHere() {
  const { thread } = workerData;
  const { Counter } = require('../dist/entry/index.js');
  const counter = new Counter({
    name: ATTACKED,
    help: 'Attacked',
    labelNames: LABEL_NAMES,
    cardinality: { maxSeries: SEEN },
  });
  const attack = openAttack({
    shape: 'oneNew',
    record: (labels) => counter.inc(labels),
    first: SEEN + thread * OWN_SETS,
  });
  const answers = {
    memory: settledMemory,
    attack: (rounds) => runRounds(attack, { rounds, parts: 1, pause: () => undefined }),
    calls: () => attack.calls,
  };
  parentPort.on('message', async ({ call, argument }) => parentPort.postMessage(await answers[call](argument)));
  parentPort.postMessage('ready');
}
