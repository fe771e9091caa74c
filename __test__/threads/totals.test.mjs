// Tests totals over threads: exact at the end, and never falling before, in each way a thread can end.

import test from 'ava';
import { count } from '../support/count.mjs';
import { MEMORIES, run } from './support/process.mjs';

/** How many threads end while the totals are read. With fewer, the order of summation would not show in fractions. */
const ENDS = count(16, 100);

const ADDS = count(200_000, 1_000_000);

/** The places where a list of samples falls: the index and both values. */
function descents(values) {
  return values.flatMap((value, at) => (value < values[at - 1] ? [[at, values[at - 1], value]] : []));
}

for (const { memory, engineMemory } of MEMORIES) {
  test.serial(`${memory}: 4 workers add ${ADDS} each while they are scraped`, async (t) => {
    const { totals, labelled, last } = await run(
      async ({ client, thread, scrape, flag, argument: adds }) => {
        const scrapes = flag();
        const workers = Array.from({ length: 4 }, (_, number) =>
          thread(
            ({ client, say, argument: { number, scrapes, adds } }) => {
              const counter = new client.Counter({ name: 'adds_total', help: 'Adds' });
              const labelled = new client.Counter({
                name: 'labelled_total',
                help: 'Adds',
                labelNames: ['number', 'odd'],
              });
              const series = labelled.labels(number, 'kept');
              for (let turn = 0; turn < adds; turn += 2) {
                counter.inc();
                counter.inc(1);
                series.inc();
                labelled.inc({ number, odd: 'object' });
                // Without a pause all adds would end before the second scrape: a hundred times the thread waits for one.
                if (turn % (adds / 100) === 0) Atomics.wait(scrapes, 0, Atomics.load(scrapes, 0));
              }
              say('added');
            },
            { number, scrapes, adds },
          ),
        );
        const totals = [];
        const labelled = [];
        let running = true;
        const scraping = (async () => {
          while (running) {
            const { adds_total = 0, ...series } = await scrape(client);
            totals.push(adds_total);
            labelled.push(Object.values(series).reduce((sum, value) => sum + value, 0));
            Atomics.add(scrapes, 0, 1);
            Atomics.notify(scrapes, 0);
          }
        })();
        for (const worker of workers) await worker.heard();
        for (const worker of workers) await worker.ended;
        running = false;
        await scraping;
        return { totals, labelled, last: await scrape(client) };
      },
      ADDS,
      { engineMemory },
    );
    const expected = [0, 1, 2, 3].flatMap((number) =>
      ['kept', 'object'].map((odd) => [`labelled_total{number="${number}",odd="${odd}"}`, ADDS / 2]),
    );
    t.deepEqual(last, { adds_total: 4 * ADDS, ...Object.fromEntries(expected) });
    t.deepEqual(descents(totals), []);
    t.deepEqual(descents(labelled), []);
    const between = new Set(totals.filter((total) => total > 0 && total < 4 * ADDS)).size;
    t.log(`${between} totals on the way, in ${totals.length} scrapes`);
    t.true(between >= 50);
  });

  test.serial(`${memory}: a worker that is terminated in its loop leaves the counts of its own ledger`, async (t) => {
    const { totals, ledgers, counted, buckets } = await run(
      async ({ client, thread, scrape, sleep, argument: rounds }) => {
        const ledgers = [];
        const counted = [];
        const totals = [];
        let running = true;
        const scraping = (async () => {
          while (running) totals.push((await scrape(client)).adds_total ?? 0);
        })();
        for (let round = 0; round < rounds; round++) {
          const shared = Array.from({ length: 4 }, () => new BigInt64Array(new SharedArrayBuffer(8)));
          const workers = shared.map((ledger, number) =>
            thread(
              ({ client, say, argument: { ledger, number } }) => {
                const counter = new client.Counter({ name: 'adds_total', help: 'Adds' });
                const series = new client.Counter({ name: 'by_thread_total', help: 'Adds', labelNames: ['thread'] });
                const own = series.labels(number);
                const histogram = new client.Histogram({ name: 'adds', help: 'Adds', buckets: [1, 2] });
                say('begins');
                for (let added = 1n; ; added++) {
                  counter.inc();
                  own.inc();
                  histogram.observe(1);
                  Atomics.store(ledger, 0, added);
                }
              },
              { ledger, number: `${round}-${number}` },
            ),
          );
          for (const worker of workers) await worker.heard();
          while (shared.some((ledger) => Atomics.load(ledger, 0) === 0n)) await sleep(1);
          await sleep(10 + round);
          await Promise.all(workers.map((worker) => worker.terminate()));
          ledgers.push(...shared.map((ledger) => Number(ledger[0])));
          const samples = await scrape(client);
          counted.push(...shared.map((_, number) => samples[`by_thread_total{thread="${round}-${number}"}`]));
        }
        running = false;
        await scraping;
        const { adds_total, adds_count, adds_sum } = await scrape(client);
        return { totals: [...totals, adds_total], ledgers, counted, buckets: [adds_count, adds_sum] };
      },
      count(2, 4),
      { engineMemory },
    );
    const sum = ledgers.reduce((total, ledger) => total + ledger, 0);
    t.log(`${ledgers.length} workers, ${sum} adds, ${totals.length} scrapes`);
    t.true(ledgers.every((ledger) => ledger > 0));
    // Each worker may end between its add and its ledger entry: one add may be missing there.
    t.deepEqual(
      counted.map((value, at) => value - ledgers[at]).filter((ahead) => ahead !== 0 && ahead !== 1),
      [],
    );
    for (const total of [totals.at(-1), ...buckets])
      t.true(total >= sum && total <= sum + ledgers.length, `${total} of ${sum}`);
    t.deepEqual(descents(totals), []);
  });

  test.serial(`${memory}: no total goes down when ${ENDS} threads end under a scrape`, async (t) => {
    const { seen, scrapes, last, sums } = await run(
      async ({ client, thread, scrape, argument: ends }) => {
        const fractions = [0.1, 1 / 3, 0.7, 1e-9, 123.456, 1e6 + 0.3, Math.PI, 2 ** -40];
        const counter = new client.Counter({ name: 'fractions_total', help: 'Fractions', labelNames: ['kind'] });
        counter.inc({ kind: 'a' }, 0.1);
        let [started, running] = [0, true];
        const seen = {};
        let scrapes = 0;
        const scraping = (async () => {
          while (running) {
            scrapes++;
            for (const [name, value] of Object.entries(await scrape(client))) {
              seen[name] ??= [];
              if (value !== seen[name].at(-1)) seen[name].push(value);
            }
          }
        })();
        const one = async () => {
          while (started < ends) {
            const fraction = fractions[started % fractions.length] * (1 + started);
            const worker = thread(
              async ({ client, argument: { fraction, waits }, say, heard }) => {
                const counter = new client.Counter({
                  name: 'fractions_total',
                  help: 'Fractions',
                  labelNames: ['kind'],
                });
                counter.inc({ kind: 'a' }, fraction);
                counter.inc({ kind: waits ? 'waits' : 'ends' }, fraction / 7);
                new client.Histogram({ name: 'fractions', help: 'Fractions', buckets: [1, 100] }).observe(fraction);
                say('added');
                if (waits) await heard();
              },
              { fraction, waits: started++ % 2 === 0 },
            );
            await worker.heard();
            await worker.terminate();
          }
        };
        // Several at once, so that folds overlap.
        await Promise.all(Array.from({ length: 4 }, one));
        running = false;
        await scraping;
        const sums = Array.from({ length: ends }, (_, at) => fractions[at % fractions.length] * (1 + at));
        return { seen, scrapes, last: await scrape(client), sums };
      },
      ENDS,
      { engineMemory },
    );
    t.log(`${scrapes} scrapes saw ${seen['fractions_total{kind="a"}'].length} totals`);
    for (const [name, values] of Object.entries(seen)) t.deepEqual(descents(values), [], name);
    t.is(last.fractions_count, ENDS);
    // Threads are summed in twice the precision, and a histogram's sum is a sum of single observations here.
    const exact = (values) => values.toSorted((a, b) => a - b).reduce((sum, value) => sum + value, 0);
    t.true(Math.abs(last.fractions_sum / exact(sums) - 1) < 1e-15);
    t.true(Math.abs(last['fractions_total{kind="a"}'] / exact([0.1, ...sums]) - 1) < 1e-15);
  });
}
