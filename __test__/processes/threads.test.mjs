// WorkerRegistry with real worker threads, mixed with the successor's.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { count } from '../support/count.mjs';
import { lines, OURS, runThreads, SUCCESSOR } from './support/run.mjs';

const workers = (libraries, more = {}) => libraries.map((library, index) => ({ library, seed: index + 1, ...more }));
const total = ({ text }) => text.match(/requests_total\{path="\/a",code="200"\} (\d+)/)[1];

const expected = await runThreads({
  primary: { library: SUCCESSOR },
  workers: workers([SUCCESSOR, SUCCESSOR, SUCCESSOR]),
  steps: [['scrape']],
});

const MIXTURES = {
  'a main thread and workers of this library': [OURS, [OURS, OURS, OURS]],
  'a main thread of this library, workers of the successor': [OURS, [SUCCESSOR, SUCCESSOR, SUCCESSOR]],
  'a main thread of this library, workers of both': [OURS, [OURS, SUCCESSOR, OURS]],
  'a main thread of the successor, workers of this library': [SUCCESSOR, [OURS, OURS, OURS]],
  'a main thread of the successor, workers of both': [SUCCESSOR, [OURS, SUCCESSOR, OURS]],
};

/** A developer waits for these; each of the others is like one of them. */
const LOCALLY = ['a main thread of this library, workers of both', 'a main thread of the successor, workers of both'];

for (const title of count(LOCALLY, Object.keys(MIXTURES))) {
  const [library, libraries] = MIXTURES[title];
  test(`${title} show what the successor shows`, async (t) => {
    t.is(total(expected[0]), '60');
    for (const isLate of [false, true]) {
      const results = await runThreads({
        primary: { library, isLate },
        workers: workers(libraries),
        steps: [['scrape'], ['scrapeTwice']],
      });
      t.is(results.flat().length, 3);
      for (const { text, error } of results.flat()) {
        t.is(error, undefined);
        t.deepEqual(lines(text), lines(expected[0].text));
      }
    }
  });
}

test('a thread that ends is not waited for', async (t) => {
  const results = await runThreads({
    primary: { library: OURS },
    workers: [...workers([OURS, SUCCESSOR]), { library: OURS, seed: 3, behaviour: 'hanging' }],
    steps: [['scrapeAndEnd', 2], ['scrape'], ['end', 0], ['scrape'], ['count']],
  });
  t.is(results.pop(), 1);
  t.deepEqual(results.map(total), ['30', '30', '20']);
});

test('a thread without an answer is a time-out, once', async (t) => {
  const [first, second] = await runThreads({
    primary: { library: OURS },
    workers: [...workers([OURS]), { library: SUCCESSOR, seed: 2, behaviour: 'hanging' }],
    steps: [['scrape'], ['scrape']],
  });
  t.is(first.error, 'Operation timed out. 1 outstanding responses.');
  t.is(total(second), '10');
});

test('the error of a thread is the error of the scrape', async (t) => {
  const [first] = await runThreads({
    primary: { library: OURS },
    workers: [...workers([SUCCESSOR]), { library: OURS, seed: 2, behaviour: 'failing' }],
    steps: [['scrape']],
  });
  t.is(first.error, 'no metrics today');
});

test('other messages disturb nothing', async (t) => {
  const [{ text }] = await runThreads({
    primary: { library: OURS },
    workers: workers([OURS, OURS, OURS], { behaviour: 'talkative' }),
    steps: [['scrape']],
  });
  t.deepEqual(lines(text), lines(expected[0].text));
});

test('counters of threads that said goodbye are kept, gauges are not', async (t) => {
  const results = await runThreads({
    primary: { library: OURS },
    workers: workers([OURS, OURS]),
    steps: [['goodbye', 0], ['scrape'], ['end', 0], ['scrape'], ['goodbye', 1], ['scrape'], ['count']],
  });
  t.is(results.pop(), 0);
  t.deepEqual(results.map(total), ['30', '30', '30']);
  t.deepEqual(
    results.map(({ text }) => text.match(/^without_labels (\S+)/m)?.[1]),
    ['0.5', '0.5', undefined],
  );
});

test('the successor keeps the counters of a thread of this library that says goodbye', async (t) => {
  const [result] = await runThreads({
    primary: { library: SUCCESSOR },
    workers: workers([OURS, OURS]),
    steps: [['goodbye', 0], ['scrape']],
  });
  t.is(total(result), '30');
});

test('without workers: the empty text, and the process ends by itself', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    `const { WorkerRegistry } = require('${OURS}');
    const registry = new WorkerRegistry();
    console.log(registry.primary, WorkerRegistry.workerCount());
    registry.workerMetrics().then((text) => console.log(JSON.stringify(text)));
    registry.shutdown().then(() => console.log('shut down'));`,
  ]);
  t.is(stdout, 'true 0\n""\nshut down\n');
});
