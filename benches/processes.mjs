// Measures several processes of one service: a scrape of all of them, through shared files and by messages; an increment of
// a cell that lies in a file beside one in this process's own memory; and the time until another process answers on the
// port of a killed one.

import cluster from 'node:cluster';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../__test__/support/ports.mjs';
import { HISTOGRAMS, watchLoop, withHistograms } from './cluster-workers.mjs';
import {
  atMost,
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

const SIZES = options.quick ? [4] : [4, 16, 64];
const ROUNDS = options.quick ? 3 : 11;
const RECORDS = options.quick ? 300_000 : 3_000_000;
const TAKEOVERS = options.quick ? 3 : 10;
const PAUSE_MS = 200;
const STALL_MS_MAX = 1;
const RECORD_RATIO_MAX = 1.05;
const ANSWER_MS_MAX = 1000;

/** Our library with files instead of messages. */
const SHARED = 'shared';
/** The same, scraped over HTTP by another process. */
const EXPORTER = 'exporter';
const TITLES = {
  [SHARED]: '@llm-devops/prometheus-metrics, shared files',
  [EXPORTER]: 'the same, by its exporter',
};

const role = ownRole();
if (role?.worker) work(role);
else if (role?.primary) serveRole(primary(role));
else if (role?.recorder) serveRole(recorder(role));
else if (role?.listener) serveRole(listener(role));
else await main();

async function main() {
  const base = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'bench-processes-'));
  try {
    const clusters = {};
    for (const size of SIZES) clusters[size] = await measureClusters(size, base);
    const recording = await measureRecording(base);
    const takeover = await measureTakeover(base);
    report(clusters, recording, takeover);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

// ---- a scrape of all processes ----

async function measureClusters(size, base) {
  const ids = selectLibraries().map(({ id }) => id);
  const samples = {};
  // One after another: several clusters at once would not leave a processor to the one that is measured.
  for (const id of [SHARED, EXPORTER, ...ids.filter((id) => [OURS, 'prom-client', 'prometheus-io'].includes(id))]) {
    const isShared = id in TITLES;
    const child = startRole(import.meta.url, { primary: true, library: isShared ? OURS : id, isShared, base, size });
    try {
      const url = await child.ask('start');
      const scrape = async () => {
        if (id !== EXPORTER) return child.ask('scrape');
        await child.ask('watch');
        const began = performance.now();
        const bytes = (await (await fetch(`${url}/metrics`)).text()).length;
        const ms = performance.now() - began;
        return { ms, bytes, ...(await child.ask('watched')) };
      };
      samples[id] = [];
      for (let round = 0; round < ROUNDS; round++) samples[id].push(await scrape());
      Object.assign(samples[id][0], await child.ask('count'));
    } catch (error) {
      // A library that cannot gather as many workers in its own time.
      progress(`${size} workers, ${id}: ${error.message}`);
      delete samples[id];
    } finally {
      await child.stop();
    }
    if (samples[id]) progress(`${size} workers, ${id}: ${rowOf(id, samples[id]).slice(1).join(', ')}`);
  }
  return samples;
}

function primary({ library, isShared, base, size }) {
  const client = createRequire(import.meta.url)(libraryById(library).requires[0]);
  const workers = [];
  let registry;
  let run;
  let watched;
  const activeMs = () => Promise.all(workers.map((worker) => answerOf(worker, 'active')));
  return {
    async start() {
      if (isShared) run = client.shareProcesses({ dir: base, name: `cluster of ${size}` });
      registry = new client.AggregatorRegistry();
      const args = [`--role=${JSON.stringify({ library, worker: true })}`];
      cluster.setupPrimary({ exec: fileURLToPath(import.meta.url), args });
      for (let number = 0; number < size; number++) {
        const worker = cluster.fork();
        workers.push(worker);
        await new Promise((resolve) => worker.on('message', (message) => message === 'ready' && resolve()));
      }
      for (let scrape = 0; scrape < 3; scrape++) await registry.clusterMetrics();
      return isShared ? (await client.startExporter({ host: '127.0.0.1', port: 0 })).url : undefined;
    },

    async watch() {
      await sleep(PAUSE_MS);
      const before = await activeMs();
      const gaps = watchLoop();
      watched = async () => {
        const stallMs = gaps();
        const after = await activeMs();
        // Asking for it takes a little of it too.
        return { stallMs, busyMs: Math.max(...after.map((active, index) => active - before[index])) };
      };
    },

    watched: () => watched(),

    async scrape() {
      await this.watch();
      const began = performance.now();
      const text = await registry.clusterMetrics();
      const ms = performance.now() - began;
      return { ms, bytes: text.length, ...(await watched()) };
    },

    /** Counts what one scrape sends, and what a worker takes of the file system. */
    async count() {
      let messages = 0;
      let messageBytes = 0;
      const count = (_, message) => {
        messages += 1;
        messageBytes += JSON.stringify(message).length;
      };
      cluster.on('message', count);
      await registry.clusterMetrics();
      cluster.off('message', count);
      const files = run ? readdirSync(run.dir).filter((name) => name.startsWith('process-')) : [];
      const sizes = files.map((name) => statSync(join(run.dir, name)).blocks * 512);
      return { messages, messageBytes, fileBytes: sizes.length > 0 ? Math.max(...sizes) : 0 };
    },
  };
}

function answerOf(worker, question) {
  return new Promise((resolve) => {
    const listen = (message) => {
      if (message?.answer !== question) return;
      worker.off('message', listen);
      resolve(message.value);
    };
    worker.on('message', listen);
    worker.send({ question });
  });
}

function work({ library }) {
  const client = withHistograms(library);
  new client.AggregatorRegistry();
  process.on('message', ({ question }) => {
    const value = performance.eventLoopUtilization().active;
    if (question === 'active') process.send({ answer: question, value });
  });
  process.send('ready');
}

// ---- recording ----

async function measureRecording(base) {
  const kinds = [{ id: 'own memory' }, { id: 'file' }];
  const children = Object.fromEntries(
    kinds.map(({ id }) => [id, startRole(import.meta.url, { recorder: true, isShared: id === 'file', base })]),
  );
  try {
    return await interleave(kinds, ROUNDS, ({ id }) => children[id].ask('record'));
  } finally {
    await Promise.all(Object.values(children).map((child) => child.stop()));
  }
}

function recorder({ isShared, base }) {
  const client = createRequire(import.meta.url)(libraryById(OURS).requires[0]);
  if (isShared) client.shareProcesses({ dir: base, name: 'recorder' });
  const counter = new client.Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['kind'] });
  const histogram = new client.Histogram({ name: 'job_seconds', help: 'Time', labelNames: ['kind'] });
  const nanoseconds = (record) => {
    const began = performance.now();
    for (let number = 0; number < RECORDS; number++) record(number);
    return ((performance.now() - began) * 1e6) / RECORDS;
  };
  const kinds = Array.from({ length: 16 }, (_, index) => ({ kind: `k${index}` }));
  return {
    record: () => ({
      counter: nanoseconds((number) => counter.inc(kinds[number & 15])),
      histogram: nanoseconds((number) => histogram.observe(kinds[number & 15], (number & 7) / 8)),
    }),
  };
}

// ---- the port of a killed process ----

async function measureTakeover(base) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/metrics`;
  const start = async () => {
    const child = startRole(import.meta.url, { listener: true, base, port });
    return { child, pid: await child.ask('listen') };
  };
  const running = [await start(), await start(), await start()];
  const samples = [];
  try {
    for (let round = 0; round < TAKEOVERS; round++) {
      await sleep(PAUSE_MS + Math.random() * PAUSE_MS);
      // The oldest one listens, the others wait.
      const oldest = running.shift();
      process.kill(oldest.pid, 'SIGKILL');
      const began = performance.now();
      while (!(await answers(url))) await sleep(1);
      samples.push({ ms: performance.now() - began });
      await oldest.child.stop();
      running.push(await start());
    }
  } finally {
    await Promise.all(running.map(({ child }) => child.stop()));
  }
  return samples;
}

async function answers(url) {
  try {
    return (await fetch(url, { headers: { connection: 'close' } })).ok;
  } catch {
    return false;
  }
}

function listener({ base, port }) {
  const client = createRequire(import.meta.url)(libraryById(OURS).requires[0]);
  return {
    async listen() {
      client.shareProcesses({ dir: base, name: 'listener' });
      await client.startExporter({ host: '127.0.0.1', port });
      return process.pid;
    },
  };
}

// ---- the report ----

function rowOf(id, rounds) {
  const title = TITLES[id] ?? libraryById(id).title;
  const longest = (field) => Math.max(...rounds.map((round) => round[field]));
  const { messages, messageBytes, fileBytes, bytes } = rounds[0];
  return [
    title,
    show(median(rounds.map(({ ms }) => ms))),
    show(median(rounds.map(({ stallMs }) => stallMs))),
    show(longest('stallMs')),
    show(median(rounds.map(({ busyMs }) => busyMs))),
    String(messages),
    show(messageBytes / 1e6),
    show(fileBytes / 1e6),
    show(bytes / 1e6),
  ];
}

function report(clusters, recording, takeover) {
  const tables = Object.entries(clusters).map(([size, samples]) => ({
    caption: `${size} workers with ${HISTOGRAMS} histograms`,
    columns: [
      '',
      'scrape, ms',
      'stall, median, ms',
      'stall, longest, ms',
      'busiest worker, ms',
      'messages',
      'MB of messages',
      'MB of a file',
      'MB',
    ],
    rows: Object.entries(samples).map(([id, rounds]) => rowOf(id, rounds)),
  }));
  tables.push({
    caption: 'Recording, ns',
    columns: ['', 'counter', 'histogram'],
    rows: Object.entries(recording).map(([id, rounds]) => [
      id,
      ...['counter', 'histogram'].map((kind) => show(median(rounds.map((round) => round[kind])))),
    ]),
  });
  const ms = takeover.map((round) => round.ms);
  tables.push({
    caption: 'From the death of the process that listens to the next answer, ms',
    columns: ['median', 'longest'],
    rows: [[show(median(ms)), show(Math.max(...ms))]],
  });
  const ratio = (kind) =>
    ratioOfRounds(
      recording.file.map((round) => round[kind]),
      recording['own memory'].map((round) => round[kind]),
    );
  publish({
    name: 'processes',
    title: 'Several processes that share their metrics',
    about: `\`clusterMetrics()\` in the primary of a cluster whose workers each have ${HISTOGRAMS} histogram series, the same in all of them: through shared files, and by messages. *Scrape* is the median of ${ROUNDS}. *Stall* is the longest gap between two turns of the primary's event loop during a scrape, *busiest worker* the time that a worker's event loop was busy meanwhile. Recording takes turns between a process that shares and one that does not.`,
    tables,
    verdicts: [
      ...Object.entries(clusters).map(([size, { [EXPORTER]: rounds }]) =>
        atMost(
          `stall of a primary of ${size} workers that share`,
          median(rounds.map((it) => it.stallMs)),
          STALL_MS_MAX,
          'ms',
        ),
      ),
      ...['counter', 'histogram'].map((kind) =>
        atMost(
          `recording of a ${kind} in a shared cell, of the same in an own one`,
          ratio(kind),
          RECORD_RATIO_MAX,
          'x',
        ),
      ),
      atMost(
        'time from the death of the process that listens to the next answer',
        Math.max(...ms),
        ANSWER_MS_MAX,
        'ms',
      ),
    ],
    samples: { clusters, recording, takeover },
  });
}
