// Measures a scrape of a cluster by messages: the primary asks its workers, combines their histograms and writes the
// text. Each library has a primary and workers of its own, and they take turns.

import cluster from 'node:cluster';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HISTOGRAMS, watchLoop, withHistograms } from './cluster-workers.mjs';
import {
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
import { libraryById, OURS, selectLibraries } from './libraries.mjs';

const WORKERS = 4;
const ROUNDS = options.quick ? 3 : 15;
const PAUSE_MS = 200;

const role = ownRole();
if (role?.worker) work(role);
else if (role) serveRole(primary(role));
else await main();

async function main() {
  // The other libraries have no registry of a cluster.
  const libraries = selectLibraries().filter(({ id }) => [OURS, 'prom-client', 'prometheus-io'].includes(id));
  const processes = Object.fromEntries(libraries.map(({ id }) => [id, startRole(import.meta.url, { library: id })]));
  let samples;
  try {
    for (const { id } of libraries) await processes[id].ask('start');
    samples = await interleave(libraries, ROUNDS, ({ id }) => processes[id].ask('scrape'));
  } finally {
    await Promise.all(Object.values(processes).map((child) => child.stop()));
  }
  for (const { id } of libraries)
    progress(`${id}: ${show(timesOf(samples[id]))} ms, stall ${show(stallsOf(samples[id]))}`);
  publish({
    name: 'cluster',
    title: 'Scraping: a cluster, by messages',
    about: `\`clusterMetrics()\` in the primary of ${WORKERS} workers with ${HISTOGRAMS} histogram series each, the same in all of them. *Scrape* is the median of ${ROUNDS}; the libraries take turns. *Stall* is the longest gap between two turns of the primary's event loop during a scrape.`,
    tables: [
      {
        caption: `${WORKERS} workers with ${HISTOGRAMS} histograms`,
        columns: ['', 'scrape, ms', 'stall, median, ms', 'stall, longest, ms', 'MB'],
        rows: libraries.map(({ id, title }) => [
          title,
          show(timesOf(samples[id])),
          show(median(samples[id].map(({ stallMs }) => stallMs))),
          show(stallsOf(samples[id])),
          show(samples[id][0].bytes / 1e6),
        ]),
      },
    ],
    verdicts: judge(samples),
    samples,
  });
}

function timesOf(rounds) {
  return median(rounds.map(({ ms }) => ms));
}

function stallsOf(rounds) {
  return Math.max(...rounds.map(({ stallMs }) => stallMs));
}

function judge(samples) {
  if (!samples[OURS]) return [];
  const peers = Object.keys(samples).filter((id) => id !== OURS);
  const of = (field) =>
    Object.fromEntries(Object.entries(samples).map(([id, rounds]) => [id, rounds.map((round) => round[field])]));
  return ['ms', 'stallMs'].map((field) => {
    const values = of(field);
    const best = fastest(values, peers);
    const what = field === 'ms' ? 'scrape of a cluster' : "stall of a cluster's primary";
    return atMost(`${what}, of the best peer's (${best})`, ratioOfRounds(values[OURS], values[best]), 1, 'x');
  });
}

// ---- in the primary of a cluster ----

function primary({ library }) {
  let registry;
  return {
    async start() {
      const client = createRequire(import.meta.url)(libraryById(library).requires[0]);
      registry = new client.AggregatorRegistry();
      const args = [`--role=${JSON.stringify({ library, worker: true })}`];
      cluster.setupPrimary({ exec: fileURLToPath(import.meta.url), args });
      await Promise.all(Array.from({ length: WORKERS }, ready));
      for (let scrape = 0; scrape < 3; scrape++) await registry.clusterMetrics();
    },

    async scrape() {
      await sleep(PAUSE_MS);
      const gaps = watchLoop();
      const began = performance.now();
      const text = await registry.clusterMetrics();
      const ms = performance.now() - began;
      return { ms, stallMs: gaps(), bytes: text.length };
    },
  };
}

/** Starts a worker; settles when it has its series. */
function ready() {
  return new Promise((resolve) => {
    const worker = cluster.fork();
    worker.on('message', (message) => message === 'ready' && resolve());
  });
}

// ---- in a worker ----

function work({ library }) {
  const client = withHistograms(library);
  new client.AggregatorRegistry();
  process.send('ready');
}
