// The same attack from four worker threads at once, each on the metric as its own thread has it, while the main thread
// scrapes the process. This module is both sides: the main thread's `measureThreads()` and, in a worker, its attack.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openAttack, ROUND, runRounds, settledMemory } from './attack-rounds.mjs';
import { compare } from './attack-service.mjs';
import { SEEN } from './attack-sets.mjs';
import { LABEL_NAMES, totals } from './inputs.mjs';

export const THREADS = 4;

const require = createRequire(import.meta.url);
const TEXT = { accept: 'text/plain; version=0.0.4', acceptEncoding: 'identity' };
const ATTACKED = 'bench_attacked';
const OTHER = 'bench_other_total';
const SCRAPES = 21;
const PAUSE_MS = 100;
/** Set numbers of one thread; no set comes from two. */
const OWN_SETS = 20_000_000;

if (!isMainThread) await attackFromHere();

/** Each thread sends its share of the sets. */
export async function measureThreads({ rounds }) {
  const { Counter, register } = require('../dist/index.js');
  const other = new Counter({ name: OTHER, help: 'Beside it', labelNames: ['part'] });
  for (let part = 0; part < 100; part++) other.inc({ part }, part);
  const workers = await Promise.all(Array.from({ length: THREADS }, (_, thread) => start(thread, rounds)));

  const before = await lookAround(register, workers);
  const attacks = Promise.all(workers.map((worker) => worker.ask('attack')));
  const during = [];
  let running = true;
  attacks
    .finally(() => {
      running = false;
    })
    .catch(() => {});
  while (running) {
    during.push(await timeScrape(register));
    await sleep(PAUSE_MS);
  }
  const threads = await attacks;
  const after = await lookAround(register, workers);

  const found = totals((await register.scrape(TEXT)).body.toString());
  compare(found.get(ATTACKED).lines, SEEN + 1, 'series of the attacked metric');
  compare(
    found.get(ATTACKED).sum,
    threads.reduce((sum, { calls }) => sum + calls.seen + calls.beyond, 0),
    'calls of the attacked metric',
  );
  compare(found.get(OTHER).sum, 4_950, 'in the other metric');
  await Promise.all(workers.map((worker) => worker.stop()));
  return { sets: rounds * ROUND * THREADS, threads: threads.map(({ times }) => times), before, during, after };
}

async function lookAround(register, workers) {
  const heaps = await Promise.all(workers.map((worker) => worker.ask('memory')));
  const own = await settledMemory();
  const scrape = [];
  for (let turn = 0; turn < SCRAPES; turn++) scrape.push(await timeScrape(register));
  return { heap: heaps.reduce((sum, { heap }) => sum + heap, own.heap), resident: own.resident, scrape };
}

async function timeScrape(register) {
  const start = process.hrtime.bigint();
  await register.scrape(TEXT);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

async function start(thread, rounds) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { thread, rounds } });
  const answer = async () => (await once(worker, 'message'))[0];
  await answer();
  return {
    ask(call) {
      const answered = answer();
      worker.postMessage(call);
      return answered;
    },
    stop: () => worker.terminate(),
  };
}

// ---- in the worker ----

async function attackFromHere() {
  const { thread, rounds } = workerData;
  const { Counter } = require('../dist/index.js');
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
    async attack() {
      const times = await runRounds(attack, { rounds, parts: 1, pause: () => undefined });
      return { times, calls: attack.calls };
    },
  };
  parentPort.on('message', async (call) => parentPort.postMessage(await answers[call]()));
  parentPort.postMessage('ready');
}
