// The clients of endpoint.mjs: one requests the service's own route at a fixed rate, one scrapes. Each runs in its own
// process, so neither waits for the other's event loop.

import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { quantile } from './harness.mjs';

export const PLAIN = 'identity';
export const GZIP = 'gzip';

/** The prefix of every sample of the populations. The endpoint's own metrics have another prefix. */
const PREFIX = '\nbench_';

const agent = new Agent({ keepAlive: true });

/** The headers of a scrape. */
export function scrapeHeaders(encoding) {
  return { accept: 'text/plain; version=0.0.4', 'accept-encoding': encoding };
}

/** The calls that endpoint.mjs makes to a client. */
export function client() {
  return { check, drive, scrapeEvery, scrapeThrough };
}

/** Scrapes `times` times and throws if an answer is incomplete; returns the last body in base64. */
async function check({ port, encoding, samples, times }) {
  let body;
  for (let turn = 0; turn < times; turn++) {
    const answer = await scrape(port, encoding);
    body = answer.body;
    if (answer.coding !== encoding)
      throw new Error(`Expected ${encoding} for the coding but received ${answer.coding}`);
    const found = samplesIn(encoding === GZIP ? gunzipSync(body) : body);
    if (found !== samples) throw new Error(`Expected ${samples} samples of a scrape but received ${found}`);
  }
  return body.toString('base64');
}

/**
 * Requests `/` at `rate` requests per second for a time, without waiting for earlier answers. Latencies in milliseconds
 * count from the time at which a request was due, so a blocked service cannot hide its delays.
 */
async function drive({ port, rate, ms }) {
  const latencies = [];
  const asked = [];
  await ticks(rate, ms, (due) => asked.push(ask(port, '/').then(() => latencies.push(clock() - due))));
  await Promise.all(asked);
  return summary(latencies);
}

/** Scrapes at a fixed interval for a time. */
async function scrapeEvery({ port, encoding, intervalMs, ms }) {
  const latencies = [];
  const start = clock();
  for (let due = start; due < start + ms; due += intervalMs) {
    await sleep(Math.max(0, due - clock()));
    const begun = clock();
    await scrape(port, encoding);
    latencies.push(clock() - begun);
  }
  return summary(latencies);
}

/** Scrapes back to back over one connection for a time. A scrape without an answer at the end does not count. */
async function scrapeThrough({ port, encoding, ms }) {
  const latencies = [];
  const end = AbortSignal.timeout(ms);
  while (!end.aborted) {
    const begun = clock();
    try {
      await scrape(port, encoding, end);
    } catch (error) {
      if (end.aborted) break;
      throw error;
    }
    latencies.push(clock() - begun);
  }
  return summary(latencies);
}

function summary(latencies) {
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(latencies, q));
  return { count: latencies.length, p50, p99, max };
}

/**
 * Calls `tick` at each due time. A separate thread waits for these times: a Node.js timer can be a millisecond late,
 * more than the measured latency, and polling the clock would take a core from the service.
 */
function ticks(rate, ms, tick) {
  const source = `const { parentPort, workerData: { start, count, intervalMs } } = require('node:worker_threads');
    const { performance } = require('node:perf_hooks');
    const never = new Int32Array(new SharedArrayBuffer(4));
    for (let index = 0; index < count; index++) {
      const due = start + index * intervalMs;
      const wait = due - performance.timeOrigin - performance.now();
      if (wait > 0) Atomics.wait(never, 0, 0, wait);
      parentPort.postMessage(due);
    }`;
  // Wait for the thread's start, which would delay the first requests.
  const schedule = { start: clock() + 200, count: Math.floor((ms * rate) / 1000), intervalMs: 1000 / rate };
  const worker = new Worker(source, { eval: true, workerData: schedule });
  return new Promise((resolve, reject) => worker.on('message', tick).on('error', reject).on('exit', resolve));
}

/** Milliseconds on a clock that the threads of a process share. */
function clock() {
  return performance.timeOrigin + performance.now();
}

async function scrape(port, encoding, signal) {
  const answer = await ask(port, '/metrics', scrapeHeaders(encoding), signal);
  if (answer.status !== 200) throw new Error(`Expected status 200 for a scrape but received ${answer.status}`);
  return answer;
}

function ask(port, path, headers = {}, signal = undefined) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent, signal }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        resolve({ status, coding: headers['content-encoding'] ?? PLAIN, body: Buffer.concat(chunks) });
      });
    }).on('error', reject);
  });
}

function samplesIn(text) {
  let found = 0;
  for (let at = text.indexOf(PREFIX); at >= 0; at = text.indexOf(PREFIX, at + PREFIX.length)) found++;
  return found;
}
