// The service that soak.mjs watches: one process with both doors, in which tenants come and go, sessions expire, and worker
// threads start and end. It reports what it has counted and what it holds. It judges nothing.

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { collectGarbage } from './harness.mjs';

const ENTRY = createRequire(import.meta.url).resolve('../dist/entry/index.js');
export const TENANTS = 20;
export const SESSIONS_A_TURN = 50;
export const TTL_SECONDS = 5;
const WORKER_CALLS = 1000;
const TURN_MS = 50;

/** A worker thread that records its share and ends, or is ended while it records. */
const WORK = `
  const { Counter } = require(${JSON.stringify(ENTRY)});
  const { parentPort, workerData } = require('node:worker_threads');
  const counter = new Counter({ name: 'soak_worker_calls_total', help: 'Calls of ended threads', labelNames: ['end'] });
  for (let n = 0; n < ${WORKER_CALLS}; n++) counter.inc({ end: workerData });
  parentPort.postMessage('recorded');
  if (workerData === 'terminated') setInterval(() => {}, 1000);`;

/** The calls that the soak makes to the service. */
export function service() {
  const counted = { turns: 0, sessions: 0, exited: 0, terminated: 0 };
  const tenants = [];
  let isRunning = false;
  let running = Promise.resolve();
  let made;

  async function start() {
    const { Counter, Gauge, Registry, createMetricsHandler, register, startExporter } = await import(ENTRY);
    const turns = new Counter({ name: 'soak_turns_total', help: 'Turns' });
    const sessions = new Gauge({
      name: 'soak_session',
      help: 'Sessions, each with a series of its own',
      labelNames: ['session'],
      ttlSeconds: TTL_SECONDS,
    });
    const openTenant = (number) => {
      const registry = new Registry();
      const calls = new Counter({ name: 'soak_tenant_calls_total', help: 'Calls', registers: [registry] });
      return { calls, close: register.mount(registry, { tenant: `tenant ${number}` }), number };
    };
    const exporter = await startExporter({ host: '127.0.0.1', port: 0 });
    const server = createServer(createMetricsHandler());
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    made = { turns, sessions, openTenant };
    return { native: exporter.port, javascript: server.address().port };
  }

  async function turn() {
    const { turns, sessions, openTenant } = made;
    turns.inc();
    counted.turns++;
    tenants.push(openTenant(counted.turns));
    if (tenants.length > TENANTS) tenants.shift().close();
    for (const { calls } of tenants) calls.inc();
    for (let n = 0; n < SESSIONS_A_TURN; n++) sessions.set({ session: `session ${counted.sessions++}` }, n);
    if (counted.turns % 10 !== 0) return;
    const end = counted.turns % 20 === 0 ? 'terminated' : 'exited';
    const worker = new Worker(WORK, { eval: true, workerData: end });
    const ended = once(worker, 'exit');
    await once(worker, 'message');
    if (end === 'terminated') await worker.terminate();
    await ended;
    counted[end] += WORKER_CALLS;
  }

  return {
    start,
    /** Works until `rest` is called. */
    work() {
      isRunning = true;
      running = (async () => {
        while (isRunning) {
          await turn();
          await sleep(TURN_MS);
        }
      })();
    },
    async rest() {
      isRunning = false;
      await running;
    },
    /** What the expositions must show, and what the process holds. */
    measure() {
      collectGarbage();
      const shown = Object.fromEntries(tenants.map(({ number }) => [`tenant ${number}`, counted.turns - number + 1]));
      return {
        ...counted,
        tenants: shown,
        mb: process.memoryUsage.rss() / 2 ** 20,
        handles: process.getActiveResourcesInfo().length,
        descriptors: count('/proc/self/fd'),
        threads: count('/proc/self/task'),
      };
    },
  };
}

/** The entries of a folder; zero on systems that do not have it. */
function count(folder) {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
