// Makes the tools of the tests' programs, in the main thread and in workers. The library is loaded when a program reads
// `client`, because some programs test which thread loads it first.

import { createRequire } from 'node:module';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { realm } from './realm.mjs';

const require = createRequire(import.meta.url);
const THREAD = new URL('thread.mjs', import.meta.url);

/** A program from its source text. */
export function programOf(source) {
  // biome-ignore lint/security/noGlobalEval: the text is a function of a test file, and closes over nothing
  return globalThis.eval(`(${source})`);
}

/** Tools of either side; each side adds its own. */
export const tools = {
  programOf,
  get client() {
    return require('@llm-devops/prometheus-metrics');
  },
  realm,
  require,
  sleep,
  thread,
  flag,
  samplesOf,
  scrape,
};

/** Starts a worker thread that runs a program. It ends when the program has ended and nothing keeps its loop alive. */
function thread(program, argument) {
  const worker = new Worker(THREAD, { workerData: { source: String(program), argument } });
  const received = [];
  const waiting = [];
  let failure;
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  worker.on('message', (message) => {
    if (waiting.length > 0) waiting.shift().resolve(message);
    else received.push(message);
  });
  worker.once('error', (error) => {
    failure = error;
  });
  ended.then((code) => {
    const error = failure ?? new Error(`the thread ended with ${code} and said nothing`);
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  return {
    worker,
    /** The exit code. */
    ended,
    /** The error that ended it. */
    failure: () => failure,
    say: (message) => worker.postMessage(message),
    /** The next message; rejects when the thread ends without one. */
    heard() {
      if (received.length > 0) return Promise.resolve(received.shift());
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    terminate: () => worker.terminate(),
  };
}

/** A number that threads share: the only way to a thread that is in a loop. */
function flag() {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** The samples of an exposition in text 0.0.4: what stands before the value, and the value. */
function samplesOf(text) {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    samples.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1).replace('Inf', 'Infinity'))];
    }),
  );
}

/** The samples that the default registry shows. */
async function scrape(client) {
  // A small scrape ends at once: a program that scrapes in a loop would block the event loop.
  await turn();
  return samplesOf(await client.register.metrics());
}
