// What the memory model relies on and no specification promises: an element store into a `Float64Array` is whole, and
// is made when the loop turns, whichever tier of the engine runs the loop. One thread writes as fast as it can, another
// scrapes.

import test from 'ava';
import { count, run } from './threads/support/process.mjs';

/** A loop is interpreted first and optimised while it runs, so the default covers the change from tier to tier. */
const TIERS = [
  { tier: 'all tiers', flags: [] },
  { tier: 'all tiers, memory of the engine', flags: [], engineMemory: true },
  { tier: 'the interpreter', flags: ['--jitless'] },
  { tier: 'the baseline compiler', flags: ['--no-opt', '--always-sparkplug'] },
  // Node.js itself is compiled so too, which takes seconds a process: the two tests of stores are enough locally.
  { tier: 'optimised from the first call', flags: ['--always-turbofan'], storesOnly: count(true, false) },
];

/** How long a writer writes. */
const MS = 300;

/** Both words differ, and either mixture of the words is another number than these. */
const HALVES = [1.0000000000000002, -0.9999999999999998];

for (const { tier, storesOnly = false, ...options } of TIERS) {
  test.serial(`${tier}: no store is torn`, async (t) => {
    const { seen, reads } = await run(
      async ({ client, thread, scrape, argument }) => {
        const writer = thread(({ client, argument: { halves, ms }, say }) => {
          const gauge = new client.Gauge({ name: 'flipping', help: 'One of two values', labelNames: ['at'] });
          const places = Array.from({ length: 16 }, (_, at) => gauge.labels(at));
          const flip = () => {
            for (const half of halves) {
              for (const place of places) place.set(half);
            }
          };
          flip();
          say('written');
          const end = performance.now() + ms;
          while (performance.now() < end) for (let round = 0; round < 1000; round++) flip();
        }, argument);
        await writer.heard();
        let running = true;
        writer.ended.then(() => {
          running = false;
        });
        const seen = new Set();
        let reads = 0;
        while (running) {
          const values = Object.values(await scrape(client));
          for (const value of values) seen.add(value);
          reads += values.length;
        }
        return { seen: [...seen], reads };
      },
      { halves: HALVES, ms: MS },
      options,
    );
    t.log(`${reads} reads`);
    t.deepEqual(
      seen.sort((a, b) => b - a),
      HALVES,
    );
  });

  test.serial(`${tier}: no store is delayed, and a counter is only seen to rise`, async (t) => {
    const { during, count, after } = await run(
      async ({ client, thread, scrape, argument: ms }) => {
        // 0 before, 1 within, 2 after the loop: shared memory, because the writer's event loop does not turn.
        const phase = new Int32Array(new SharedArrayBuffer(4));
        const writer = thread(
          ({ client, argument: { phase, ms }, say }) => {
            const counter = new client.Counter({ name: 'loop_total', help: 'Turns of a loop' });
            const loop = (turns) => {
              for (let turn = 0; turn < turns; turn++) counter.inc();
            };
            // As many turns as take the time: the loop itself must not call anything that could make it store.
            let [turns, took, count] = [1000, 0, 0];
            while (took < ms / 10) {
              turns *= 2;
              const begin = performance.now();
              loop(turns);
              took = performance.now() - begin;
              count += turns;
            }
            turns = Math.round((turns * ms) / took);
            Atomics.store(phase, 0, 1);
            loop(turns);
            Atomics.store(phase, 0, 2);
            say(count + turns);
          },
          { phase, ms },
        );
        const during = [];
        while (Atomics.load(phase, 0) < 2) {
          const began = Atomics.load(phase, 0) === 1;
          const value = (await scrape(client)).loop_total;
          if (began && Atomics.load(phase, 0) === 1) during.push(value);
        }
        const count = await writer.heard();
        await writer.ended;
        return { during, count, after: (await scrape(client)).loop_total };
      },
      MS,
      options,
    );
    t.is(after, count);
    t.deepEqual(
      during,
      during.toSorted((a, b) => a - b),
    );
    const distinct = new Set(during).size;
    t.log(`${distinct} values in ${during.length} reads`);
    // Stores that wait for the end of the loop show one value. A busy machine may let the reader run seldom, not never.
    t.true(distinct > 3, `${distinct} values in ${during.length} reads`);
  });

  if (storesOnly) continue;

  test.serial(`${tier}: a worker sees what the blocked main thread writes`, async (t) => {
    const { seen, count } = await run(
      async ({ client, thread, argument: ms }) => {
        const counter = new client.Counter({ name: 'blocked_total', help: 'Turns of a loop' });
        const reader = thread(async ({ client, say, heard, samplesOf }) => {
          let running = true;
          heard().then(() => {
            running = false;
          });
          const seen = [];
          say('reading');
          while (running) {
            const { body } = await client.register.scrape({ scope: 'process' });
            seen.push(samplesOf(body.toString()).blocked_total);
          }
          say(seen);
        });
        await reader.heard();
        const end = performance.now() + ms;
        let count = 0;
        while (performance.now() < end) for (let turn = 0; turn < 1000; turn++, count++) counter.inc();
        reader.say('done');
        return { seen: await reader.heard(), count };
      },
      MS,
      options,
    );
    t.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    t.true(seen.at(-1) <= count);
    t.true(new Set(seen).size > 3, `${new Set(seen).size} values in ${seen.length} reads`);
  });

  test.serial(`${tier}: a histogram is read at one moment`, async (t) => {
    const { reads, wrong, behind, observations } = await run(
      async ({ client, thread, scrape, argument: { ms, buckets } }) => {
        const writer = thread(
          ({ client, argument: { ms, buckets }, say }) => {
            const bounds = client.linearBuckets(0, 1, buckets);
            const histogram = new client.Histogram({ name: 'cycle', help: '0, 1, 2 and so on', buckets: bounds });
            say('made');
            const end = performance.now() + ms;
            let [count, random] = [0, 1];
            while (performance.now() < end) {
              for (let turn = 0; turn < 100; turn++, count++) {
                histogram.observe(count % buckets);
                // A microsecond and more between observations: a reader that is never left alone takes what it has.
                for (let pause = 0; pause < 150; pause++) random = (random * 1103515245 + 12345) | 0;
              }
            }
            say(random === 0 ? Number.NaN : count);
          },
          { ms, buckets },
        );
        await writer.heard();
        let observations;
        writer.heard().then((count) => {
          observations = count;
        });
        // Of the first `count` observations: the sum, and how many are at most `bound`.
        const sumOf = (count) => {
          const rest = count % buckets;
          return (Math.floor(count / buckets) * buckets * (buckets - 1) + rest * (rest - 1)) / 2;
        };
        const atMost = (bound, count) =>
          Math.floor(count / buckets) * (bound + 1) + Math.min(count % buckets, bound + 1);
        const wrong = [];
        let [reads, behind] = [0, 0];
        while (observations === undefined) {
          const samples = await scrape(client);
          const count = samples.cycle_count;
          const whole = Array.from({ length: buckets }, (_, bound) => samples[`cycle_bucket{le="${bound}"}`]).every(
            (value, bound) => value === atMost(bound, count),
          );
          // The bucket is stored before the sum, so the sum may lack the last observation.
          const late = count > 0 && samples.cycle_sum === sumOf(count - 1) && sumOf(count - 1) !== sumOf(count);
          if (!whole || samples['cycle_bucket{le="+Inf"}'] !== count || !(late || samples.cycle_sum === sumOf(count))) {
            wrong.push(samples);
          }
          reads++;
          if (late) behind++;
        }
        return { reads, wrong: wrong.slice(0, 3), behind, observations };
      },
      { ms: MS, buckets: 40 },
      options,
    );
    t.log(`${reads} reads of ${observations} observations, ${behind} between bucket and sum`);
    t.deepEqual(wrong, []);
    t.true(reads > 5 && observations > 100);
  });

  test.serial(`${tier}: the count of a histogram under fire is its +Inf bucket, and only rises`, async (t) => {
    const { counts, unequal, observations } = await run(
      async ({ client, thread, scrape, argument: ms }) => {
        const writer = thread(({ client, argument: ms, say }) => {
          const histogram = new client.Histogram({ name: 'fire', help: 'No pause', buckets: [1, 2, 3, 4] });
          say('made');
          const end = performance.now() + ms;
          let count = 0;
          while (performance.now() < end) for (let turn = 0; turn < 1000; turn++, count++) histogram.observe(count % 6);
          say(count);
        }, ms);
        await writer.heard();
        let observations;
        writer.heard().then((count) => {
          observations = count;
        });
        const counts = [];
        let unequal = 0;
        while (observations === undefined) {
          const samples = await scrape(client);
          counts.push(samples.fire_count);
          if (samples['fire_bucket{le="+Inf"}'] !== samples.fire_count) unequal++;
        }
        await writer.ended;
        counts.push((await scrape(client)).fire_count);
        return { counts, unequal, observations };
      },
      MS,
      options,
    );
    t.is(unequal, 0);
    t.is(counts.at(-1), observations);
    t.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
  });
}
