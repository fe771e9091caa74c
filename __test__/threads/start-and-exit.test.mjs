// Starts and ends threads and the process in every order and at every moment: no crash, and no count is lost.

import test from 'ava';
import { count } from '../support/count.mjs';
import { withoutSelfMetrics } from '../support/exposition.mjs';
import { attempt, MEMORIES, MEMORIES_OF_SLOW, run } from './support/process.mjs';

const WORKERS = count(8, 200);
const LOOPS = count(3, 12);
const EXITS = count(2, 10);

for (const { memory, engineMemory } of MEMORIES) {
  test.serial(`${memory}: the addon outlives the workers that loaded it`, async (t) => {
    // Unloading the addon would free its statics and end its threads.
    const seen = await run(
      async (tools) => {
        const first = await tools.thread(({ client }) => {
          new client.Counter({ name: 'loads_total', help: 'Loads' }).inc();
        }).ended;
        const second = tools.thread(async ({ client, say, heard }) => {
          new client.Counter({ name: 'loads_total', help: 'Loads' }).inc();
          say((await client.register.scrape({ scope: 'process' })).body.toString());
          await heard();
        });
        const others = await second.heard();
        second.say('end');
        await second.ended;
        // The main thread loads it last.
        const { client } = tools;
        new client.Counter({ name: 'loads_total', help: 'Loads' }).inc();
        return { first, others, main: await client.register.metrics() };
      },
      null,
      { engineMemory },
    );
    const text = (value) => `# HELP loads_total Loads\n# TYPE loads_total counter\nloads_total ${value}\n`;
    const others = withoutSelfMetrics(seen.others);
    t.deepEqual({ ...seen, others }, { first: 0, others: text(2), main: text(3) });
  });

  test.serial(`${memory}: ${WORKERS} workers start and end during scrapes`, async (t) => {
    const began = performance.now();
    const { scrapes, descents, last, codes } = await run(
      async ({ client, thread, scrape, argument: workers }) => {
        new client.Counter({ name: 'begun_total', help: 'Threads' });
        const codes = {};
        let [begun, running, scrapes, previous, descents] = [0, true, 0, 0, 0];
        const one = async () => {
          while (begun < workers) {
            const number = begun++;
            const worker = thread(({ client, say, argument: way }) => {
              new client.Counter({ name: 'begun_total', help: 'Threads' }).inc();
              const ways = new client.Histogram({ name: 'ways', help: 'Ways to end', labelNames: ['way'] });
              ways.observe({ way }, way);
              say('begun');
              if (way === 1) for (;;) ways.observe({ way: 'loop' }, 1);
              if (way === 2) setInterval(() => client.register.scrape({ scope: 'process' }), 0);
              if (way === 3) process.exit(7);
            }, number % 4);
            await worker.heard();
            if (number % 4 === 1 || number % 4 === 2) await worker.terminate();
            const code = await worker.ended;
            codes[code] = (codes[code] ?? 0) + 1;
          }
        };
        const scraping = (async () => {
          while (running) {
            const { begun_total } = await scrape(client);
            if (begun_total < previous) descents++;
            previous = begun_total;
            scrapes++;
          }
        })();
        await Promise.all(Array.from({ length: 8 }, one));
        running = false;
        await scraping;
        return { scrapes, descents, last: await scrape(client), codes };
      },
      WORKERS,
      { engineMemory },
    );
    t.log(`${Math.round(performance.now() - began)} ms, ${scrapes} scrapes`);
    t.is(last.begun_total, WORKERS);
    t.is(descents, 0);
    for (const way of [0, 1, 2, 3]) t.is(last[`ways_count{way="${way}"}`], WORKERS / 4);
    t.deepEqual(codes, { 0: WORKERS / 4, 1: WORKERS / 2, 7: WORKERS / 4 });
  });

  test.serial(`${memory}: a worker is terminated while it makes metrics and series`, async (t) => {
    const { made, descents } = await run(
      async ({ client, thread, sleep, scrape, argument: rounds }) => {
        let [made, descents] = [0, 0];
        for (let round = 0; round < rounds; round++) {
          const worker = thread(({ client, say, argument: round }) => {
            for (let number = 0; ; number++) {
              const buckets = client.linearBuckets(0, 1, 1 + (number % 600));
              const name = `h_${round % 3}_${number}`;
              const histogram = new client.Histogram({ name, help: 'Help', labelNames: ['x'], buckets });
              histogram.observe({ x: number }, 1);
              new client.Counter({ name: `${name}_made_total`, help: 'Help' }).inc();
              // Frees the names for the next round, and bounds memory.
              if (number % 50 === 49) client.register.clear();
              if (number === 0) say('made');
            }
          }, round);
          // In half of the rounds at any moment of its life, in the others while it makes metrics.
          if (round % 2 === 0) await sleep(10 + ((round * 7) % 60));
          else await worker.heard();
          await sleep(round % 5);
          const scraping = scrape(client);
          await worker.terminate();
          await scraping;
          const samples = await scrape(client);
          const now = Object.keys(samples).length;
          if (now < made) descents++;
          made = now;
        }
        return { made, descents };
      },
      count(4, 24),
      { engineMemory },
    );
    t.log(`${made} samples are left`);
    t.true(made > 0);
    t.is(descents, 0);
  });

  test.serial(`${memory}: a worker throws, rejects or exits in a collector: what it counted stays`, async (t) => {
    const outcomes = await run(
      async ({ client, thread, scrape }) => {
        const ways = {
          throws: ({ client }) => {
            new client.Counter({ name: 'c_total', help: 'Help' }).inc();
            client.register.metrics();
            setImmediate(() => {
              throw new Error('thrown by the worker');
            });
          },
          rejects: async ({ client }) => {
            new client.Counter({ name: 'c_total', help: 'Help' }).inc();
            await client.register.metrics();
            throw new Error('rejected by the worker');
          },
          collects: async ({ client }) => {
            const collect = () => process.exit(9);
            new client.Counter({ name: 'c_total', help: 'Help' }).inc();
            new client.Gauge({ name: 'g', help: 'Help', collect });
            await client.register.metrics();
          },
        };
        const outcomes = {};
        for (const [way, program] of Object.entries(ways)) {
          const worker = thread(program);
          const code = await worker.ended;
          outcomes[way] = [code, worker.failure()?.message ?? null, (await scrape(client)).c_total];
        }
        return outcomes;
      },
      null,
      { engineMemory },
    );
    t.deepEqual(outcomes, {
      throws: [1, 'thrown by the worker', 1],
      rejects: [1, 'rejected by the worker', 2],
      // An exit is not an error.
      collects: [9, null, 3],
    });
  });
}

for (const { memory, engineMemory } of MEMORIES_OF_SLOW) {
  test.serial(`${memory}: the process exits during a scrape, ${EXITS} times`, async (t) => {
    for (let exit = 0; exit < EXITS; exit++) {
      const outcome = await attempt(
        async ({ client, thread, sleep, argument: { ms, most } }) => {
          const cardinality = { maxSeries: most };
          const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'], cardinality });
          for (let series = 0; series < most; series++) counter.inc({ x: series });
          const worker = thread(async ({ client, say, argument: most }) => {
            const cardinality = { maxSeries: most };
            const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'], cardinality });
            for (let series = 0; series < most; series++) counter.inc({ x: series });
            say('filled');
            for (;;) await client.register.scrape({ scope: 'process' });
          }, most);
          await worker.heard();
          // More scrapes than the pool has threads: some wait, some are being made, and some may just be answered.
          for (let scrape = 0; scrape < 4; scrape++) {
            client.register.metrics();
            client.register.scrape({ acceptEncoding: 'gzip' });
          }
          await sleep(ms);
          process.exit(3);
        },
        { ms: exit * 3, most: count(5000, 20_000) },
        { engineMemory },
      );
      t.deepEqual(outcome, { code: 3, signal: null, stdout: '', stderr: '', result: undefined });
    }
  });

  test.serial(`${memory}: workers end during their own scrapes, by exit and by terminate`, async (t) => {
    const rounds = count(4, 24);
    const { total, codes } = await run(
      async ({ client, thread, sleep, scrape, argument: rounds }) => {
        const codes = [];
        for (let round = 0; round < rounds; round++) {
          const worker = thread(
            async ({ client, say, sleep, argument: ms }) => {
              const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
              for (let series = 0; series < 5000; series++) counter.inc({ x: series });
              // Over 64 KB the text is lent to the engine, and it is still alive when the engine ends.
              globalThis.text = await client.register.metrics();
              for (let scrape = 0; scrape < 4; scrape++) {
                client.register.metrics();
                client.register.scrape({ scope: 'process', acceptEncoding: 'gzip' });
              }
              say('scraping');
              if (ms === undefined) return;
              await sleep(ms);
              process.exit(5);
            },
            round % 2 === 0 ? round : undefined,
          );
          client.register.metrics();
          await worker.heard();
          if (round % 2 === 1) {
            await sleep(round % 3);
            await worker.terminate();
          }
          codes.push(await worker.ended);
        }
        const samples = await scrape(client);
        return { total: Object.values(samples).reduce((sum, value) => sum + value, 0), codes };
      },
      rounds,
      { engineMemory },
    );
    t.is(total, rounds * 5000);
    // A worker may have ended before it is terminated.
    t.deepEqual(
      codes.filter((code, round) => (round % 2 === 0 ? code !== 5 : code > 1)),
      [],
    );
  });

  test.serial(`${memory}: a worker ends while the main thread scrapes it in a loop`, async (t) => {
    const { last, scrapes, descents } = await run(
      async ({ client, thread, scrape, argument: rounds }) => {
        let [running, scrapes, previous, descents] = [true, 0, 0, 0];
        const scraping = (async () => {
          while (running) {
            const samples = await scrape(client);
            const total = Object.values(samples).reduce((sum, value) => sum + value, 0);
            if (total < previous) descents++;
            previous = total;
            scrapes++;
          }
        })();
        for (let round = 0; round < rounds; round++) {
          // Three slabs make a scrape long compared with the fold.
          await thread(({ client }) => {
            const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
            for (let series = 0; series < 10_000; series++) counter.inc({ x: series });
          }).ended;
        }
        running = false;
        await scraping;
        return { last: Object.values(await scrape(client)), scrapes, descents };
      },
      LOOPS,
      { engineMemory },
    );
    t.log(`${scrapes} scrapes`);
    t.is(descents, 0);
    t.deepEqual(last, new Array(10_000).fill(LOOPS));
  });
}
