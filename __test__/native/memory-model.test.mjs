// Tests two properties of engines that no specification promises and recording needs: an element store into a
// `Float64Array` is never torn, and it is made in its turn of a loop, in each tier of the engine. One thread writes as fast
// as it can and another scrapes, until the reader has seen enough: on a busy machine either thread may sleep.

import test from 'ava';
import { count } from '../support/count.mjs';
import { run } from '../threads/support/process.mjs';

/** Optimises every function when it is first called; Node.js 26 has no such flag, so there it is when it is called again. */
const OPTIMISED =
  Number.parseInt(process.versions.node, 10) < 26
    ? ['--always-turbofan']
    : ['--no-lazy-feedback-allocation', '--invocation-count-for-turbofan=1'];

/** Without flags a loop is interpreted first and optimised while it runs, so the change of tiers is covered too. */
const ALL_TIERS = { tier: 'all tiers', flags: [] };
const SINGLE_TIERS = [
  { tier: 'all tiers, memory of the engine', flags: [], engineMemory: true },
  { tier: 'the interpreter', flags: ['--jitless'] },
  { tier: 'the baseline compiler', flags: ['--no-opt', '--no-maglev', '--always-sparkplug'] },
];
const TIERS = [
  ALL_TIERS,
  // Locally only the two tests of stores run.
  ...SINGLE_TIERS.map((tier) => ({ ...tier, storesOnly: count(true, false) })),
  // The flag also compiles Node.js itself, which takes seconds a process.
  ...count([], [{ tier: 'optimised from the first call', flags: OPTIMISED }]),
];

/** The least time that a reader reads. */
const MS = count(100, 250);

/** The numbers differ in both 32-bit halves, so a mixture of their halves is neither of them. */
const HALVES = [1.0000000000000002, -0.9999999999999998];

/** No read is smaller than the one before. */
function rises(t, values) {
  t.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  );
}

for (const { tier, storesOnly = false, ...options } of TIERS) {
  test.serial(`${tier}: no store is torn`, async (t) => {
    const { seen, reads } = await run(
      async ({ client, thread, scrape, flag, argument: { halves, ms } }) => {
        const stop = flag();
        const writer = thread(
          ({ client, argument: { halves, stop }, say }) => {
            const gauge = new client.Gauge({ name: 'flipping', help: 'One of two values', labelNames: ['at'] });
            const places = Array.from({ length: 16 }, (_, at) => gauge.labels(at));
            const flip = () => {
              for (const half of halves) {
                for (const place of places) place.set(half);
              }
            };
            flip();
            say('written');
            while (Atomics.load(stop, 0) === 0) for (let round = 0; round < 1000; round++) flip();
          },
          { halves, stop },
        );
        await writer.heard();
        const seen = new Set();
        let reads = 0;
        for (const end = performance.now() + ms; performance.now() < end || reads < 10_000 || seen.size < 2; ) {
          const values = Object.values(await scrape(client));
          for (const value of values) seen.add(value);
          reads += values.length;
        }
        Atomics.store(stop, 0, 1);
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

  test.serial(`${tier}: no store is delayed, and a counter never falls`, async (t) => {
    const { seen, within, count, after } = await run(
      async ({ client, thread, scrape, flag, argument: ms }) => {
        // Odd while the writer is in its loop. In shared memory, because the writer's event loop does not turn.
        const phase = flag();
        const stop = flag();
        const writer = thread(
          ({ client, argument: { phase, stop, ms }, say }) => {
            const counter = new client.Counter({ name: 'loop_total', help: 'Turns of a loop' });
            const loop = (turns) => {
              for (let turn = 0; turn < turns; turn++) counter.inc();
            };
            // The number of turns is known before a loop begins: a call inside the loop could force the store. A loop is
            // twice as long as the one before it, up to seconds, because the threads may have to share a processor.
            let [turns, took, count] = [1000, 0, 0];
            for (; Atomics.load(stop, 0) === 0; count += turns) {
              if (took < 10 * ms) turns *= 2;
              const begin = performance.now();
              Atomics.add(phase, 0, 1);
              loop(turns);
              Atomics.add(phase, 0, 1);
              took = performance.now() - begin;
            }
            say(count);
          },
          { phase, stop, ms },
        );
        const seen = [];
        const within = new Map();
        const most = () => Math.max(0, ...[...within.values()].map((values) => values.size));
        for (const end = performance.now() + 60_000; performance.now() < end && most() < 10; ) {
          const number = Atomics.load(phase, 0);
          const value = (await scrape(client)).loop_total ?? 0;
          seen.push(value);
          // Read from its first to its last moment during one and the same loop.
          if (number % 2 === 0 || Atomics.load(phase, 0) !== number) continue;
          within.set(number, (within.get(number) ?? new Set()).add(value));
        }
        Atomics.store(stop, 0, 1);
        const count = await writer.heard();
        await writer.ended;
        return { seen, within: most(), count, after: (await scrape(client)).loop_total };
      },
      MS,
      options,
    );
    t.is(after, count);
    rises(t, seen);
    // If stores waited for the end of the loop, each loop would show one value.
    t.true(within >= 10, `${within} values in one loop, ${seen.length} reads`);
  });

  if (storesOnly) continue;

  test.serial(`${tier}: a worker sees what the blocked main thread writes`, async (t) => {
    const { seen, count } = await run(
      async ({ client, thread, flag, argument: ms }) => {
        const stop = flag();
        const counter = new client.Counter({ name: 'blocked_total', help: 'Turns of a loop' });
        const reader = thread(
          async ({ client, say, samplesOf, argument: { stop, ms } }) => {
            const seen = [];
            const distinct = () => new Set(seen).size;
            const begin = performance.now();
            const since = () => performance.now() - begin;
            while (since() < ms || (distinct() < 10 && since() < 20_000)) {
              const { body } = await client.register.scrape({ scope: 'process' });
              seen.push(samplesOf(body.toString()).blocked_total);
            }
            Atomics.store(stop, 0, 1);
            say(seen);
          },
          { stop, ms },
        );
        let count = 0;
        while (Atomics.load(stop, 0) === 0) for (let turn = 0; turn < 1000; turn++, count++) counter.inc();
        return { seen: await reader.heard(), count };
      },
      MS,
      options,
    );
    rises(t, seen);
    t.true(seen.at(-1) <= count);
    t.true(new Set(seen).size >= 10, `${new Set(seen).size} values in ${seen.length} reads`);
  });

  test.serial(`${tier}: a histogram is read at one moment`, async (t) => {
    const { reads, wrong, behind, observations } = await run(
      async ({ client, thread, scrape, flag, argument: { ms, buckets } }) => {
        const stop = flag();
        const writer = thread(
          ({ client, argument: { stop, buckets }, say }) => {
            const bounds = client.linearBuckets(0, 1, buckets);
            const histogram = new client.Histogram({ name: 'cycle', help: '0, 1, 2 and so on', buckets: bounds });
            say('made');
            let [count, random] = [0, 1];
            while (Atomics.load(stop, 0) === 0) {
              for (let turn = 0; turn < 100; turn++, count++) {
                histogram.observe(count % buckets);
                // More than a microsecond between observations: a reader that is disturbed each time gives up and takes what it has.
                for (let pause = 0; pause < 400; pause++) random = (random * 1103515245 + 12345) | 0;
              }
            }
            say(random === 0 ? Number.NaN : count);
          },
          { stop, buckets },
        );
        await writer.heard();
        // Of the first `count` observations: the sum, and how many are at most `bound`.
        const sumOf = (count) => {
          const rest = count % buckets;
          return (Math.floor(count / buckets) * buckets * (buckets - 1) + rest * (rest - 1)) / 2;
        };
        const atMost = (bound, count) =>
          Math.floor(count / buckets) * (bound + 1) + Math.min(count % buckets, bound + 1);
        const wrong = [];
        let [reads, behind, count] = [0, 0, 0];
        const bounds = Array.from({ length: buckets }, (_, bound) => bound);
        for (const end = performance.now() + ms; performance.now() < end || reads < 500 || count < 10_000; reads++) {
          const samples = await scrape(client);
          count = samples.cycle_count;
          const whole = bounds.every((bound) => samples[`cycle_bucket{le="${bound}"}`] === atMost(bound, count));
          // The bucket is stored before the sum, so the sum may lack the last observation.
          const late = count > 0 && samples.cycle_sum === sumOf(count - 1) && sumOf(count - 1) !== sumOf(count);
          if (!whole || samples['cycle_bucket{le="+Inf"}'] !== count || !(late || samples.cycle_sum === sumOf(count))) {
            wrong.push(samples);
          }
          if (late) behind++;
        }
        Atomics.store(stop, 0, 1);
        return { reads, wrong: wrong.slice(0, 3), behind, observations: await writer.heard() };
      },
      { ms: MS, buckets: 40 },
      options,
    );
    t.log(`${reads} reads of ${observations} observations, ${behind} between bucket and sum`);
    t.deepEqual(wrong, []);
  });

  test.serial(`${tier}: the count of a histogram under fire is its +Inf bucket, and only rises`, async (t) => {
    const { counts, unequal, observations } = await run(
      async ({ client, thread, scrape, flag, argument: ms }) => {
        const stop = flag();
        const writer = thread(({ client, argument: stop, say }) => {
          const histogram = new client.Histogram({ name: 'fire', help: 'No pause', buckets: [1, 2, 3, 4] });
          say('made');
          let count = 0;
          while (Atomics.load(stop, 0) === 0) for (let turn = 0; turn < 1000; turn++) histogram.observe(count++ % 6);
          say(count);
        }, stop);
        await writer.heard();
        const counts = [];
        let unequal = 0;
        const read = async () => {
          const samples = await scrape(client);
          counts.push(samples.fire_count);
          if (samples['fire_bucket{le="+Inf"}'] !== samples.fire_count) unequal++;
        };
        for (const end = performance.now() + ms; performance.now() < end || new Set(counts).size < 10; ) await read();
        Atomics.store(stop, 0, 1);
        const observations = await writer.heard();
        await writer.ended;
        await read();
        return { counts, unequal, observations };
      },
      MS,
      options,
    );
    t.is(unequal, 0);
    t.is(counts.at(-1), observations);
    rises(t, counts);
  });
}
