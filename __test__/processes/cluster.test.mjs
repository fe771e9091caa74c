// The cluster registries with real processes: this library as primary and as worker, mixed with both peers.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { count, IS_FULL } from '../support/count.mjs';
import { lines, OURS, PROM_CLIENT, runCluster, SUCCESSOR } from './support/run.mjs';

/** The order of the answers decides about `first` in the peers. */
const withoutFirst = (text) => lines(text).filter((line) => !line.startsWith('gauge_first'));

const SEEDS = [1, 2, 3];
const workers = (libraries, more = {}) => libraries.map((library, index) => ({ library, seed: SEEDS[index], ...more }));

/** prom-client alone. */
const expected = await runCluster({
  primary: { library: PROM_CLIENT },
  workers: workers([PROM_CLIENT, PROM_CLIENT, PROM_CLIENT]),
  steps: [['scrape']],
});

test('the expected exposition has every metric', (t) => {
  const [{ text }] = expected;
  t.true(text.includes('requests_total{path="/a",code="200"} 60\n'));
  t.true(text.includes('gauge_average{zone="eu"} 6.333333333333333\n'));
  t.false(text.includes('gauge_omit'));
});

const MIXTURES = {
  'a primary of this library, workers of this library': [OURS, [OURS, OURS, OURS]],
  'a primary of this library, workers of prom-client': [OURS, [PROM_CLIENT, PROM_CLIENT, PROM_CLIENT]],
  'a primary of this library, workers of the successor': [OURS, [SUCCESSOR, SUCCESSOR, SUCCESSOR]],
  'a primary of this library, a worker of each library': [OURS, [OURS, PROM_CLIENT, SUCCESSOR]],
  'a primary of prom-client, workers of this library': [PROM_CLIENT, [OURS, OURS, OURS]],
  'a primary of prom-client, workers of both': [PROM_CLIENT, [OURS, PROM_CLIENT, OURS]],
  'a primary of the successor, workers of this library': [SUCCESSOR, [OURS, OURS, OURS]],
  'a primary of the successor, workers of both': [SUCCESSOR, [SUCCESSOR, OURS, SUCCESSOR]],
};

/** A developer waits for these; each of the others is between two of them. */
const LOCALLY = [
  'a primary of this library, a worker of each library',
  'a primary of prom-client, workers of both',
  'a primary of the successor, workers of both',
];

for (const title of count(LOCALLY, Object.keys(MIXTURES))) {
  const [primary, libraries] = MIXTURES[title];
  const registries = primary === PROM_CLIENT ? ['AggregatorRegistry'] : ['AggregatorRegistry', 'ClusterRegistry'];
  for (const [at, registry] of registries.entries()) {
    // Locally each of two registries meets one of the two orders.
    const orders = primary === SUCCESSOR ? [false] : IS_FULL || registries.length === 1 ? [false, true] : [at === 1];
    test(`${title}: ${registry} shows what prom-client shows`, async (t) => {
      for (const isLate of orders) {
        const results = await runCluster({
          primary: { library: primary, registry, isLate },
          workers: workers(libraries),
          steps: [['scrape'], ['scrape'], ['scrapeTwice']],
        });
        t.is(results.flat().length, 4);
        for (const { text, error } of results.flat()) {
          t.is(error, undefined);
          t.deepEqual(withoutFirst(text), withoutFirst(expected[0].text));
        }
      }
    });
  }
}

for (const isLate of process.platform === 'linux' ? [false, true] : []) {
  for (const registry of ['AggregatorRegistry', 'ClusterRegistry']) {
    test(`${registry}, ${isLate ? 'made after' : 'made before'} the workers, reads what they share`, async (t) => {
      const results = await runCluster({
        shares: true,
        primary: { library: OURS, registry, isLate },
        workers: workers([OURS, OURS, OURS]),
        steps: [['scrape'], ['sleep', 300], ['scrapeTwice']],
      });
      // The quantiles of other processes are not shared.
      const shown = (text) => withoutFirst(text).filter((line) => !line.startsWith('bytes{quantile'));
      for (const { text, error } of results.flat()) {
        t.is(error, undefined);
        t.deepEqual(shown(text), shown(expected[0].text));
        if (!isLate) t.true(text.includes('bytes{quantile="0.5",path="/a"} NaN\n'));
      }
    });
  }
}

test('the order of the workers decides, not that of the answers', async (t) => {
  const [{ text }] = await runCluster({
    lateMs: 300,
    primary: { library: OURS },
    workers: [{ library: OURS, seed: 5, behaviour: 'late' }, ...workers([OURS, OURS])],
    steps: [['scrape']],
  });
  t.true(text.includes('gauge_first{zone="eu"} 15\n'));
});

test('ClusterRegistry shows the primary too, AggregatorRegistry does not, as in the peers', async (t) => {
  const scenario = { workers: workers([OURS]), steps: [['scrape']] };
  const total = async (library, registry) => {
    const [{ text }] = await runCluster({ ...scenario, primary: { library, registry, seed: 4 } });
    return text.match(/requests_total\{path="\/a",code="200"\} (\d+)/)[1];
  };
  t.is(await total(OURS, 'AggregatorRegistry'), '10');
  t.is(await total(PROM_CLIENT, 'AggregatorRegistry'), '10');
  t.is(await total(OURS, 'ClusterRegistry'), '50');
  t.is(await total(SUCCESSOR, 'ClusterRegistry'), '50');
});

test('without workers: the empty text, and the primary alone', async (t) => {
  const alone = (library, registry, more) =>
    runCluster({ primary: { library, registry }, workers: [], steps: [['scrape']], ...more });
  for (const library of [OURS, PROM_CLIENT]) {
    t.deepEqual(await alone(library, 'AggregatorRegistry'), [{ text: '' }]);
  }
  for (const library of [OURS, SUCCESSOR]) t.deepEqual(await alone(library, 'ClusterRegistry'), [{ text: '\n' }]);
});

test('AggregatorRegistry shows the process itself if it never had a worker, and no longer after the first', async (t) => {
  const primary = { library: OURS, seed: 4 };
  const [{ text }] = await runCluster({ primary, workers: [], steps: [['scrape']] });
  t.true(text.includes('requests_total{path="/a",code="200"} 40\n'));
  t.deepEqual(await runCluster({ primary, workers: workers([OURS]), steps: [['kill', 0], ['scrape']] }), [
    { text: '' },
  ]);
  const openMetrics = ['application/openmetrics-text; version=1.0.0; charset=utf-8'];
  const options = { arguments: openMetrics, workers: [], steps: [['scrape']] };
  t.deepEqual(await runCluster({ primary: { library: OURS }, ...options }), [{ text: '# EOF\n' }]);
});

test('the content type of the registry is that of the exposition', async (t) => {
  const [{ text }] = await runCluster({
    primary: { library: OURS },
    arguments: ['application/openmetrics-text; version=1.0.0; charset=utf-8'],
    workers: workers([OURS, PROM_CLIENT]),
    steps: [['scrape']],
  });
  t.true(text.endsWith('# EOF\n'));
  t.true(text.includes('# TYPE requests counter\nrequests_total{path="/a",code="200"} 30\n'));
});

for (const registry of ['AggregatorRegistry', 'ClusterRegistry']) {
  test(`${registry}: a worker that dies is not waited for`, async (t) => {
    const results = await runCluster({
      primary: { library: OURS, registry },
      workers: [...workers([OURS, PROM_CLIENT]), { library: OURS, seed: 3, behaviour: 'hanging' }],
      steps: [['scrapeAndKill', 2], ['scrape'], ['kill', 0], ['scrape']],
    });
    t.deepEqual(
      results.map(({ text }) => text.match(/requests_total\{path="\/a",code="200"\} (\d+)/)[1]),
      ['30', '30', '20'],
    );
  });

  test(`${registry}: a worker without an answer is a time-out, and its late answer disturbs nothing`, async (t) => {
    const results = await runCluster({
      lateMs: 5500,
      primary: { library: OURS, registry },
      workers: [
        ...workers([OURS]),
        { library: PROM_CLIENT, seed: 2, behaviour: 'late' },
        { library: OURS, seed: 3, behaviour: 'hanging' },
      ],
      steps: [['scrape'], ['kill', 2], ['sleep', 1000], ['kill', 1], ['scrape']],
    });
    const [{ error }, { text }] = results;
    t.regex(error, /^Operation timed out\. \d outstanding responses\.$/);
    t.true(text.includes('requests_total{path="/a",code="200"} 10\n'));
  });

  test(`${registry}: the error of a worker is the error of the scrape`, async (t) => {
    const results = await runCluster({
      primary: { library: OURS, registry },
      workers: [...workers([OURS]), { library: PROM_CLIENT, seed: 2, behaviour: 'failing' }],
      steps: [['scrape'], ['kill', 1], ['scrape']],
    });
    t.deepEqual(results[0], { error: 'no metrics today' });
    t.is(results[1].error, undefined);
  });

  test(`${registry}: other messages disturb nothing`, async (t) => {
    const [{ text }] = await runCluster({
      primary: { library: OURS, registry },
      workers: workers([OURS, OURS, OURS], { behaviour: 'talkative' }),
      steps: [['scrape']],
    });
    t.deepEqual(withoutFirst(text), withoutFirst(expected[0].text));
  });
}

test('a worker without a registry: a time-out as in prom-client, and done without in ClusterRegistry', async (t) => {
  const scenario = { workers: [...workers([OURS]), { library: OURS, registry: null, seed: 2 }] };
  const [{ error }] = await runCluster({ ...scenario, primary: { library: OURS }, steps: [['scrape']] });
  t.is(error, 'Operation timed out. 1 outstanding responses.');
  const primary = { library: OURS, registry: 'ClusterRegistry' };
  const results = await runCluster({ ...scenario, primary, steps: [['scrape'], ['scrape']] });
  for (const { text } of results) t.true(text.includes('requests_total{path="/a",code="200"} 10\n'));
});

test('counters of workers that said goodbye are kept, gauges are not', async (t) => {
  for (const registry of ['AggregatorRegistry', 'ClusterRegistry']) {
    const results = await runCluster({
      primary: { library: OURS, registry },
      workers: workers([OURS, OURS]),
      steps: [
        ['goodbye', 0],
        ['scrape'],
        ['kill', 0],
        ['scrape'],
        ['fork', { library: OURS, seed: 3 }],
        ['scrape'],
        ['kill', 1],
        ['kill', 2],
        ['scrape'],
      ],
    });
    const read = (pattern) => results.map(({ text }) => text.match(pattern)?.[1]);
    t.deepEqual(read(/requests_total\{path="\/a",code="200"\} (\d+)/), ['30', '30', '60', '10']);
    t.deepEqual(read(/seconds_count\{path="\/a"\} (\d+)/), ['6', '6', '9', '3']);
    t.deepEqual(read(/^without_labels (\S+)/m), ['0.5', '0.5', '1.25', undefined]);
  }
});

test('last values that cannot be read are a warning', async (t) => {
  const results = await runCluster(
    {
      primary: { library: OURS },
      workers: [...workers([OURS]), { library: OURS, seed: 2, behaviour: 'strange' }],
      steps: [['scrape']],
    },
    { mayWarn: true },
  );
  t.true(results[0].text.includes('requests_total{path="/a",code="200"} 10\n'));
});

test('a worker of this library says goodbye to a primary that does not answer', async (t) => {
  const results = await runCluster({
    primary: { library: PROM_CLIENT },
    workers: workers([OURS]),
    steps: [['impatientGoodbye', 0], ['scrape']],
  });
  t.true(results[0].text.includes('requests_total{path="/a",code="200"} 10\n'));
});

test('numbers that JSON does not have arrive from a worker of this library', async (t) => {
  const [{ text }] = await runCluster({
    primary: { library: OURS },
    workers: workers([OURS], { behaviour: 'unusual' }),
    steps: [['scrape']],
  });
  const samples = text.split('\n').filter((line) => line.startsWith('g{'));
  t.deepEqual(samples, ['g{a="NaN"} NaN', 'g{a="Infinity"} +Inf', 'g{a="-Infinity"} -Inf', 'g{a="0"} 0']);
});

test('loading the package opens nothing, and loads no cluster module', async (t) => {
  for (const [flags, load] of [
    [[], `const library = require('${OURS}');`],
    [['--input-type=module'], `import * as library from '${OURS}';`],
  ]) {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...flags,
      '-e',
      `import('node:cluster').then(async ({ default: cluster }) => {
        const { createRequire } = await import('node:module');
        const { AggregatorRegistry, ClusterRegistry, WorkerRegistry } = library;
        const loaded = Object.keys(createRequire(process.execPath).cache).filter((file) => /processes.(cluster|threads|gath)/.test(file));
        console.log(cluster.listenerCount('message'), process.listenerCount('message'), process.listenerCount('worker'), loaded.length);
        new AggregatorRegistry(), new ClusterRegistry(), new AggregatorRegistry();
        console.log(cluster.listenerCount('message'));
      });
      ${load}`,
    ]);
    t.is(stdout, '0 0 0 0\n1\n');
  }
});
