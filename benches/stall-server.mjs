// The scraped service of stall.mjs: it records values in every turn of its event loop, serves /metrics over node:http or
// by the exporter, and notes how long each turn took. It does not know the libraries.

import { closeSync, openSync, readSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLibrary } from './libraries.mjs';
import { populate } from './populations.mjs';

/** Entries that serve a prepared body, at once or in pieces: the cost of node:http and the kernel without a library. */
export const PREPARED = { whole: 'prepared', pieces: 'prepared-pieces' };

/** One piece per turn of the loop, as a considerate service sends it. */
const PIECE_BYTES = 65_536;

const VALUES_A_TURN = 8;
/** Shorter gaps are not kept: most turns take about ten microseconds. */
const GAP_MS_MIN = 0.1;
/** A scrape's window lasts longer than its response: closing the socket and collecting garbage come later. */
const AFTERMATH_MS = 20;
const NOISE_WINDOW_MS = 100;
/** Reading the resident size takes some microseconds, so not every turn does it. */
const RESIDENT_EVERY_MS = 1;

/** The calls that stall.mjs makes to a server. */
export function service({ library: id, kind, size, bytes, isExporter }) {
  const gaps = [];
  const loop = watchLoop(gaps);
  let door;
  return {
    async start() {
      // Filled before the loop is watched: a service's start is not part of a scrape.
      const { library, handler, record } = bytes ? prepared(id, bytes) : filled(id, kind, size);
      door = isExporter ? await library.startExporter() : await listen(handler);
      loop.start(record);
      return door.port;
    },

    /** The longest gap in each window, during a time without scrapes. */
    async noise(windows) {
      await sleep(500);
      const start = now();
      await sleep(windows * NOISE_WINDOW_MS);
      loop.resetResident();
      return Array.from({ length: windows }, (_, index) => {
        const from = start + index * NOISE_WINDOW_MS;
        return longest(gaps, from, from + NOISE_WINDOW_MS).ms;
      });
    },

    /** By how many bytes the resident size has been above that at the end of the last `noise`, at most. */
    resident: () => loop.resident(),

    /** The longest gap during each of these scrapes. */
    async stalls(scrapes) {
      await sleep(AFTERMATH_MS * 2);
      return scrapes.map(({ start, end }) => ({ ...longest(gaps, start, end + AFTERMATH_MS), servedMs: end - start }));
    },

    async stop() {
      loop.stop();
      await door.close({ timeoutMs: 0 });
    },
  };
}

async function listen(handler) {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') handler(request, response);
    else response.end('what the service is for\n');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function filled(id, kind, size) {
  const library = openLibrary(id, size);
  const population = populate(library, kind, size);
  return { library, handler: library.handler, record: () => population.touchSome(VALUES_A_TURN) };
}

function prepared(id, bytes) {
  const body = Buffer.alloc(bytes, 'bench_requests_total{method="GET"} 1\n');
  const whole = (_request, response) => response.end(body);
  const pieces = (_request, response) => {
    response.setHeader('content-length', bytes);
    sendFrom(response, body, 0);
  };
  return { handler: id === PREPARED.whole ? whole : pieces, record: () => {} };
}

function sendFrom(response, body, from) {
  if (from >= body.length) return response.end();
  const next = () => setImmediate(sendFrom, response, body, from + PIECE_BYTES);
  if (response.write(body.subarray(from, from + PIECE_BYTES))) next();
  else response.once('drain', next);
}

/** Notes `{start, end, ms, queuedMs}` of every turn longer than the minimum, and the largest resident size. */
function watchLoop(gaps) {
  const queued = queueClock();
  let running = true;
  let turnStart;
  let queuedBefore;
  let residentBase = 0;
  let residentMax = 0;
  let residentRead = 0;
  function turn(record) {
    if (!running) return queued.close();
    record();
    if (turnStart - residentRead >= RESIDENT_EVERY_MS) {
      residentRead = turnStart;
      residentMax = Math.max(residentMax, process.memoryUsage.rss());
    }
    const end = now();
    const queuedMs = queued.read();
    if (end - turnStart >= GAP_MS_MIN) {
      gaps.push({ start: turnStart, end, ms: end - turnStart, queuedMs: queuedMs - queuedBefore });
    }
    turnStart = end;
    queuedBefore = queuedMs;
    setImmediate(turn, record);
  }
  return {
    start(record) {
      turnStart = now();
      queuedBefore = queued.read();
      setImmediate(turn, record);
    },
    resetResident() {
      residentBase = residentMax = process.memoryUsage.rss();
    },
    resident: () => residentMax - residentBase,
    stop() {
      running = false;
    },
  };
}

/**
 * How long the loop's thread was ready to run but had no core. On a busy machine, a long gap can come from the
 * scheduler and not from the library. Only Linux reports this.
 */
function queueClock() {
  let file;
  try {
    file = openSync('/proc/self/schedstat');
  } catch {
    return { read: () => Number.NaN, close: () => {} };
  }
  const buffer = Buffer.alloc(128);
  return {
    read: () => Number(buffer.latin1Slice(0, readSync(file, buffer, 0, 128, 0)).split(' ')[1]) / 1e6,
    close: () => closeSync(file),
  };
}

/** The longest of the gaps that overlap the window. */
function longest(gaps, from, to) {
  let found = { ms: 0, queuedMs: 0 };
  for (const gap of gaps) {
    if (gap.end >= from && gap.start <= to && gap.ms > found.ms) found = gap;
  }
  return { ms: found.ms, queuedMs: found.queuedMs };
}

/** Milliseconds of a clock that all processes of a machine share. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
