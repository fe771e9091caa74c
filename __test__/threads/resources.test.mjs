// Tests the cost of threads during and after their life: memory, and the thread pool that scrapes share with the rest of
// Node.js.

import test from 'ava';
import { count } from '../support/count.mjs';
import { withoutSelfMetrics } from '../support/exposition.mjs';
import { MEMORIES_OF_SLOW, run } from './support/process.mjs';

/** Locally fewer and larger threads, so that a leak has as many bytes. */
const THREADS = count({ workers: 20, series: 4000 }, { workers: 200, series: 1000 });

for (const { memory, engineMemory } of MEMORIES_OF_SLOW) {
  test.serial(`${memory}: threads that end leave their counts and no memory`, async (t) => {
    const { resident, samples, sums } = await run(
      async ({ client, thread, scrape, sleep, argument: { workers, series } }) => {
        const resident = [];
        for (let number = 1; number <= workers; number++) {
          const worker = thread(({ client, argument: series }) => {
            const labelNames = ['at', 'model'];
            const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames });
            for (let at = 0; at < series; at++) counter.inc({ at, model: 'some-model' });
            // Gauges end with their thread.
            new client.Gauge({ name: 'g', help: 'Help', labelNames: ['at'] }).set({ at: series }, 1);
          }, series);
          await worker.ended;
          if (number % (workers / 10) !== 0) continue;
          // Finalizers run in a turn after the collection.
          for (let round = 0; round < 3; round++) {
            globalThis.gc();
            await sleep(10);
          }
          resident.push(process.memoryUsage().rss);
        }
        const values = Object.values(await scrape(client));
        return { resident, samples: values.length, sums: [Math.min(...values), Math.max(...values)] };
      },
      THREADS,
      { engineMemory, flags: ['--expose-gc'] },
    );
    t.log(`resident MB: ${resident.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')}`);
    t.is(samples, THREADS.series);
    t.deepEqual(sums, [THREADS.workers, THREADS.workers]);
    // Cells, table entry and labels of a series take 100 bytes and more.
    const leak = THREADS.workers * THREADS.series * 100;
    const grown = Math.min(...resident.slice(-3)) - Math.min(...resident.slice(1, 4));
    t.true(grown < leak / 2, `${grown} bytes more`);
  });
}

test.serial('a scrape waits while other work fills the thread pool, and is whole', async (t) => {
  const { answers, expected, waited, jobs } = await run(async ({ client, require }) => {
    const { pbkdf2 } = require('node:crypto');
    const { promisify } = require('node:util');
    const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
    for (let series = 0; series < 1000; series++) counter.inc({ x: series });
    const { register } = client;
    const expected = await register.metrics();
    const since = performance.now();
    // One job for each thread that the pool has by default.
    const busy = Array.from({ length: 4 }, () => promisify(pbkdf2)('password', 'salt', 100_000, 64, 'sha512'));
    const scrapes = [register.metrics(), register.scrape(), register.scrape({ acceptEncoding: 'gzip' })];
    const [text, plain, packed] = await Promise.all(scrapes);
    const waited = performance.now() - since;
    await Promise.all(busy);
    const jobs = performance.now() - since;
    const answers = [text, plain.body.toString(), require('node:zlib').gunzipSync(packed.body).toString()];
    return { answers, expected, waited, jobs };
  });
  t.log(`${Math.round(waited)} ms for a scrape behind 4 jobs of ${Math.round(jobs)} ms`);
  t.deepEqual(answers.map(withoutSelfMetrics), [expected, expected, expected]);
});
