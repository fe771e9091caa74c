// Measures the default metrics: a scrape of only these metrics (all of it on the event loop), their start, and the
// processor time of an otherwise idle process. Each library has processes of its own, and they take turns.

import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  atMost,
  fastest,
  interleave,
  median,
  options,
  ownRole,
  progress,
  publish,
  quantile,
  ratioOfRounds,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { libraryById, OURS, selectLibraries } from './libraries.mjs';

const COLLECTION_MS_MAX = 0.5;

/** Connections have handles, and default metrics count handles by type. */
const settings = [
  { title: 'no connection', sockets: 0 },
  { title: '1,000 connections', sockets: 1000 },
];
const ROUNDS = options.quick ? 3 : 15;
const COLLECTIONS = options.quick ? 5 : 20;
/** Time for the monitors to see delays; empty ones are cheaper to read. */
const WARM_UP_MS = options.quick ? 1000 : 5000;
const IDLE_MS = options.quick ? 1000 : 10_000;
/** Longer than the monitors' precision. The loop turns between two scrapes, as in a service. */
const PAUSE_MS = 15;

const role = ownRole();
if (role) serveRole(service(role));
else await main();

async function main() {
  // OpenTelemetry's runtime metrics are in other packages and have other names.
  const libraries = selectLibraries().filter(({ id }) => id !== 'opentelemetry');
  const measured = [];
  for (const setting of settings) measured.push({ ...setting, ...(await measure(libraries, setting)) });
  publish({
    name: 'default-metrics',
    title: 'Default metrics',
    about: `The registry contains only \`collectDefaultMetrics()\`. A scrape is one \`metrics()\`, all of it on the event loop; the loop turns between two scrapes. Each library makes ${ROUNDS} rounds of ${COLLECTIONS} scrapes, and the libraries take turns. *Start* is the call of \`collectDefaultMetrics()\` in a fresh process. *Idle* is the processor time of a process with default metrics and no work, minus that of a process without them. It includes the timer for event-loop utilisation in the libraries that have it (ours and @prometheus-io/client).`,
    tables: measured.map(({ title, scrapes, starts, idle }) => ({
      caption: `Default metrics, ${title}`,
      columns: ['', 'scrape, ms', 'slowest tenth', 'first scrape', 'start, ms', 'idle, ms per second'],
      rows: libraries.map(({ id, title: library }) => [
        library,
        ...[median(scrapes[id].flat()), quantile(scrapes[id].flat(), 0.9), starts[id].firstMs, starts[id].startMs].map(
          show,
        ),
        show(Math.max(0, idle[id] - idle.none)),
      ]),
    })),
    verdicts: measured.flatMap(judge),
    samples: Object.fromEntries(measured.map(({ title, scrapes, starts, idle }) => [title, { scrapes, starts, idle }])),
  });
}

async function measure(libraries, { title, sockets }) {
  const entries = [...libraries.map(({ id }) => ({ id })), { id: 'none' }];
  const processes = Object.fromEntries(
    entries.map(({ id }) => [id, startRole(import.meta.url, { library: id, sockets })]),
  );
  try {
    const starts = {};
    for (const { id } of entries) starts[id] = await processes[id].ask('start');
    await sleep(WARM_UP_MS);
    const scrapes = await interleave(libraries, ROUNDS, ({ id }) => processes[id].ask('scrape', COLLECTIONS));
    const idle = {};
    // One after the other, because two idle processes wake each other's core.
    for (const { id } of entries) idle[id] = await processes[id].ask('idle', IDLE_MS);
    for (const { id } of libraries) progress(`${title}: ${id} ${show(median(scrapes[id].flat()))} ms`);
    return { starts, scrapes, idle };
  } finally {
    await Promise.all(Object.values(processes).map((child) => child.stop()));
  }
}

function judge({ title, scrapes }) {
  if (!scrapes[OURS]) return [];
  const rivals = Object.keys(scrapes).filter((id) => id !== OURS);
  const medians = Object.fromEntries(Object.entries(scrapes).map(([id, rounds]) => [id, rounds.map(median)]));
  const best = fastest(medians, rivals);
  return [
    atMost(`scrape of the default metrics, ${title}`, median(scrapes[OURS].flat()), COLLECTION_MS_MAX, 'ms'),
    atMost(
      `scrape of the default metrics, ${title}, of the fastest peer's (${best})`,
      ratioOfRounds(medians[OURS], medians[best]),
      1,
      'x',
    ),
  ];
}

// ---- in a process of its own ----

function service({ library, sockets }) {
  let registry;
  return {
    async start() {
      await openConnections(sockets);
      if (library === 'none') return {};
      const client = createRequire(import.meta.url)(libraryById(library).requires[0]);
      registry = new client.Registry();
      const startMs = await timeOf(() => client.collectDefaultMetrics({ register: registry }));
      await sleep(PAUSE_MS);
      return { startMs, firstMs: await timeOf(() => registry.metrics()) };
    },

    async scrape(times) {
      const samples = [];
      for (let time = 0; time < times; time++) {
        await sleep(PAUSE_MS);
        samples.push(await timeOf(() => registry.metrics()));
      }
      return samples;
    },

    /** Milliseconds of processor time per second. */
    async idle(ms) {
      const before = process.cpuUsage();
      await sleep(ms);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / ms;
    },
  };
}

async function timeOf(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** This process has both ends of each connection, so half as many clients give the number of connections. */
async function openConnections(count) {
  if (count === 0) return;
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  for (let opened = 0; opened < count / 2; opened++) {
    await new Promise((resolve, reject) => connect(port, '127.0.0.1').once('connect', resolve).once('error', reject));
  }
}
