// What the default metrics cost: a scrape of nothing else, all of which is the event loop's time, their start, and the
// processor time of a process that does nothing but have them. Every library has processes of its own, and they take
// turns.

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

/** Connections have handles, which are counted by type. */
const settings = [
  { title: 'no connection', sockets: 0 },
  { title: '1,000 connections', sockets: 1000 },
];
const ROUNDS = options.quick ? 3 : 15;
const COLLECTIONS = options.quick ? 5 : 20;
/** Delays have to be seen before their statistics cost what they cost. */
const WARM_UP_MS = options.quick ? 1000 : 5000;
const IDLE_MS = options.quick ? 1000 : 10_000;
/** Longer than the monitors' precision: the loop turns between two scrapes, as it does in a service. */
const PAUSE_MS = 15;

const role = ownRole();
if (role) serveRole(service(role));
else await main();

async function main() {
  // OpenTelemetry has its runtime metrics in packages of other names and other metrics.
  const libraries = selectLibraries().filter(({ id }) => id !== 'opentelemetry');
  const measured = [];
  for (const setting of settings) measured.push({ ...setting, ...(await measure(libraries, setting)) });
  publish({
    name: 'default-metrics',
    title: 'Default metrics',
    about: `\`collectDefaultMetrics()\` and nothing else in the registry. A scrape is one \`metrics()\`, of which every part is the event loop's time; the loop turns between two of them. It is ${ROUNDS} rounds of ${COLLECTIONS} scrapes a library, taking turns. Start is the call of \`collectDefaultMetrics()\` in a fresh process. Idle is the processor time of a process that has default metrics and nothing to do, less that of one without; it includes the timer of the event loop's utilisation where a library has that (ours and @prometheus-io/client).`,
    tables: measured.map(({ title, scrapes, starts, idle }) => ({
      caption: `Default metrics, ${title}`,
      columns: ['', 'scrape, ms', 'slowest tenth', 'first scrape', 'start, ms', 'idle, ms a second'],
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
    // One after the other: two idle processes wake each other's core.
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

    /** Milliseconds of processor time a second. */
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

/** Both ends are this process's: as many connections are half as many clients. */
async function openConnections(count) {
  if (count === 0) return;
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  for (let opened = 0; opened < count / 2; opened++) {
    await new Promise((resolve, reject) => connect(port, '127.0.0.1').once('connect', resolve).once('error', reject));
  }
}
