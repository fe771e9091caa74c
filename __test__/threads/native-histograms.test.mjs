// Tests the merge of native histograms over threads: at the lowest resolution of all and with the widest zero bucket, during a
// worker's life and after it.

import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { MEMORIES, run } from './support/process.mjs';

/** The value and the number of observations of each bucket with some, by its key. */
function bucketsOf(spans, deltas) {
  const buckets = {};
  let [key, at, count] = [0, 0, 0];
  for (const [offset, length] of spans) {
    key += offset;
    for (let end = at + length; at < end; at++, key++) {
      count += deltas[at];
      if (count > 0) buckets[key] = count;
    }
  }
  return buckets;
}

for (const { memory, engineMemory } of MEMORIES) {
  test.serial(`${memory}: buckets are those of all threads`, async (t) => {
    const expositions = await run(
      async ({ client, thread }) => {
        const config = { name: 'h', help: 'h', labelNames: ['a'], nativeHistogramBucketFactor: 1.1 };
        const histogram = new client.Histogram(config);
        for (let at = 0; at < 1000; at += 1) histogram.observe({ a: 'x' }, 1.05 ** (at % 100));
        const work = async ({ client, say, heard, argument: number }) => {
          const histogram = client.register.histogram({
            name: 'h',
            help: 'h',
            labelNames: ['a'],
            nativeHistogramBucketFactor: number === 1 ? 2 : 1.02,
            nativeHistogramZeroThreshold: number === 2 ? 1.5 : 0,
          });
          for (let at = 0; at < 1000; at += 1) histogram.observe({ a: 'x' }, (at % 7) - 3);
          histogram.observe({ a: `own${number}` }, 1);
          say('recorded');
          await heard();
        };
        const read = async () => {
          const accept = 'application/openmetrics-text;version=2.0.0';
          return (await client.register.scrape({ accept, names: ['h'] })).body.toString();
        };
        const expositions = [];
        for (const number of [1, 2]) {
          const worker = thread(work, number);
          await worker.heard();
          expositions.push(await read());
          worker.say('end');
          await worker.ended;
          expositions.push(await read());
        }
        histogram.observe({ a: 'x' }, 1e6);
        return [...expositions, await read()];
      },
      null,
      { engineMemory },
    );
    const [during1, after1, during2, after2, last] = expositions.map((text) => {
      const { families } = parseExposition(text, { format: 'openmetrics2', strict: true });
      const { nativeHistogram } = families[0].samples.find(({ labels }) => labels.a === 'x');
      const { schema, count, zeroCount, zeroThreshold, positiveSpans, positiveDeltas } = nativeHistogram;
      const { negativeSpans, negativeDeltas } = nativeHistogram;
      const [positive, negative] = [bucketsOf(positiveSpans, positiveDeltas), bucketsOf(negativeSpans, negativeDeltas)];
      return { schema, count, zeroCount, zeroThreshold, positive, negative };
    });
    // Schema 0: a bucket for each doubling. The values of this thread are 1.05 ** 0 to 1.05 ** 99, ten times each.
    const own = {};
    for (let power = 0; power < 100; power += 1) {
      const key = Math.max(0, Math.ceil(power * Math.log2(1.05)));
      own[key] = (own[key] ?? 0) + 10;
    }
    // Each worker observes -3 to 3: 143 times each, and -3 to 2 once less or as often.
    const times = Array.from({ length: 7 }, (_, value) => Math.ceil((1000 - value) / 7));
    const one = {
      schema: 0,
      count: 2000,
      zeroCount: times[3],
      zeroThreshold: 2 ** -128,
      positive: { ...own, 0: own[0] + times[4], 1: own[1] + times[5], 2: own[2] + times[6] },
      negative: { 0: times[2], 1: times[1], 2: times[0] },
    };
    t.deepEqual(during1, one);
    t.deepEqual(after1, one);
    // The zero bucket of the second worker ends within the bucket from 1 to 2, which is taken whole.
    const two = {
      schema: 0,
      count: 3000,
      zeroCount: 2 * (times[1] + times[2] + times[3] + times[4] + times[5]) + own[0] + own[1],
      zeroThreshold: 2,
      positive: { ...own, 2: own[2] + 2 * times[6] },
      negative: { 2: 2 * times[0] },
    };
    delete two.positive[0];
    delete two.positive[1];
    t.deepEqual(during2, two);
    t.deepEqual(after2, two);
    t.deepEqual(last, { ...two, count: 3001, positive: { ...two.positive, 20: 1 } });
  });
}

test.serial('a scrape sees a series that a thread writes all the time as it was at one moment', async (t) => {
  const { read, apart } = await run(async ({ client, thread, flag, scrape }) => {
    const isOver = flag();
    const work = ({ client, say, argument: isOver }) => {
      const child = new client.Histogram({ name: 'h', help: 'h', nativeHistogramBucketFactor: 1.1 }).labels();
      child.observe(1);
      say('recorded');
      while (Atomics.load(isOver, 0) === 0) {
        for (let at = 0; at < 10_000; at += 1) child.observe(1);
      }
    };
    const worker = thread(work, isOver);
    await worker.heard();
    const apart = [];
    let read = 0;
    for (const end = Date.now() + 1000; Date.now() < end; read += 1) {
      const { h_count: count, h_sum: sum } = await scrape(client);
      // The worker may be between the two.
      if (Math.abs(count - sum) > 1) apart.push({ count, sum });
    }
    Atomics.store(isOver, 0, 1);
    await worker.ended;
    return { read, apart };
  });
  t.true(read > 0);
  t.deepEqual(apart, []);
});

for (const options of [{}, { buckets: [0, 1, 100] }]) {
  test.serial(`no total falls and none is lost while a thread records: ${JSON.stringify(options)}`, async (t) => {
    const result = await run(async ({ client, thread, flag, sleep, argument: options }) => {
      const config = {
        name: 'h',
        help: 'h',
        labelNames: ['a'],
        nativeHistogramBucketFactor: 1.01,
        nativeHistogramMaxBuckets: 40,
        nativeHistogramMaxZeroThreshold: 0.01,
        ...options,
      };
      // The same in this thread, so that values are merged.
      new client.Histogram(config).observe({ a: 'x' }, 1);
      const isOver = flag();
      const work = ({ client, say, argument: { config, isOver } }) => {
        const histogram = new client.Histogram(config);
        const child = histogram.labels('x');
        let recorded = 0;
        say('begins');
        // Grows, lowers its resolution and widens its zero bucket in the first rounds, and again in other series.
        while (Atomics.load(isOver, 0) === 0) {
          for (let at = 0; at < 5000; at += 1, recorded += 1) {
            const mixed = (at * 7919) % 4001;
            child.observe((mixed % 3 ? 1 : -1) * 1.02 ** ((mixed % 900) - 450));
            if (at % 50 === 0) histogram.observe({ a: 'y' }, 1.1 ** (at / 50));
          }
          histogram.remove('y');
        }
        say(recorded);
      };
      const worker = thread(work, { config, isOver });
      await worker.heard();
      const accept = 'application/openmetrics-text;version=2.0.0';
      const read = async () => (await client.register.scrape({ accept, names: ['h'] })).body.toString();
      const lines = [];
      for (const end = Date.now() + 1500; Date.now() < end; ) {
        lines.push((await read()).split('\n').find((line) => line.startsWith('h{a="x"}')));
        // A small scrape ends at once, and the lines of all are a long answer.
        await sleep(2);
      }
      Atomics.store(isOver, 0, 1);
      const recorded = await worker.heard();
      await worker.ended;
      lines.push((await read()).split('\n').find((line) => line.startsWith('h{a="x"}')));
      return { lines, recorded };
    }, options);
    let [last, lastBuckets] = [0, {}];
    for (const line of result.lines) {
      const { families } = parseExposition(`# TYPE h histogram\n${line}\n# EOF\n`, { format: 'openmetrics2' });
      const native = families[0].samples.find((sample) => sample.nativeHistogram !== undefined).nativeHistogram;
      const sides = [
        [native.positiveSpans, native.positiveDeltas],
        [native.negativeSpans, native.negativeDeltas],
      ].flatMap((side) => Object.values(bucketsOf(...side)));
      t.is(
        sides.reduce((sum, count) => sum + count, native.zeroCount),
        native.count,
      );
      t.true(native.count >= last, `${native.count} after ${last}`);
      const buckets = Object.fromEntries(
        (/bucket:\[(.*?)\]/.exec(line)?.[1] ?? '').split(',').map((it) => it.split(':')),
      );
      for (const [bound, count] of Object.entries(buckets)) {
        t.true(Number(count ?? 0) >= (lastBuckets[bound] ?? 0), `${bound}: ${count} after ${lastBuckets[bound]}`);
        lastBuckets[bound] = Number(count ?? 0);
      }
      last = native.count;
    }
    t.is(last, result.recorded + 1);
    t.true(result.lines.length > 2);
  });
}

test.serial('threads together keep the limit of buckets, live and ended', async (t) => {
  const texts = await run(async ({ client, thread }) => {
    const work = async ({ client, say, heard, argument: number }) => {
      const limits = { nativeHistogramMaxBuckets: 10 };
      const histogram = new client.Histogram({ name: 'h', help: 'h', nativeHistogramBucketFactor: 1.1, ...limits });
      for (let at = 0; at < 10; at += 1) histogram.observe(1000 ** number * 1.1 ** at);
      say('recorded');
      await heard();
    };
    const workers = [];
    const texts = [];
    const read = async () => {
      const accept = 'application/openmetrics-text;version=2.0.0';
      texts.push((await client.register.scrape({ accept, names: ['h'] })).body.toString());
    };
    for (const number of [0, 1, 2, 3, 4, 5]) {
      workers.push(thread(work, number));
      await workers.at(-1).heard();
    }
    await read();
    for (const worker of workers) {
      worker.say('end');
      await worker.ended;
      await read();
    }
    return texts;
  });
  const seen = texts.map((text) => {
    const { families } = parseExposition(text, { format: 'openmetrics2', strict: true });
    const { schema, count, positiveSpans, positiveDeltas } = families[0].samples[0].nativeHistogram;
    return { schema, count, buckets: Object.values(bucketsOf(positiveSpans, positiveDeltas)) };
  });
  for (const { schema, count, buckets } of seen) {
    t.is(count, 60);
    t.is(schema, seen[0].schema);
    t.true(buckets.length <= 10, `${buckets}`);
    t.is(
      buckets.reduce((sum, count) => sum + count, 0),
      60,
    );
  }
});

test.serial('no thread begins anew beside others, because the total would fall', async (t) => {
  const counts = await run(async ({ client, thread, scrape, sleep }) => {
    const work = async ({ client, say, heard, sleep }) => {
      const limits = { nativeHistogramMaxBuckets: 4, nativeHistogramMinResetSeconds: 0.05 };
      const histogram = new client.Histogram({ name: 'h', help: 'h', nativeHistogramBucketFactor: 1.1, ...limits });
      for (let at = 0; at < 4000; at += 1) histogram.observe(2 ** (at % 4));
      say('full');
      await heard();
      await sleep(60);
      // The fifth bucket.
      histogram.observe(16);
      say('beyond');
      await heard();
    };
    const limits = { nativeHistogramMaxBuckets: 4, nativeHistogramMinResetSeconds: 0.05 };
    const histogram = new client.Histogram({ name: 'h', help: 'h', nativeHistogramBucketFactor: 1.1, ...limits });
    const counts = [];
    const read = async () => counts.push((await scrape(client)).h_count);
    // Alone, it begins anew.
    for (const power of [0, 1, 2, 3]) histogram.observe(2 ** power);
    await sleep(60);
    histogram.observe(16);
    await read();
    for (let at = 0; at < 999; at += 1) histogram.observe(1);
    const worker = thread(work);
    await worker.heard();
    await read();
    worker.say('go on');
    await worker.heard();
    await read();
    worker.say('end');
    await worker.ended;
    await read();
    for (const power of [1, 2, 3, 5]) histogram.observe(2 ** power);
    await sleep(60);
    await read();
    histogram.observe(64);
    await read();
    return counts;
  });
  t.deepEqual(counts, [1, 5000, 5001, 5001, 5005, 5006]);
});

test.serial('zero thresholds of 0 and -0 are merged', async (t) => {
  const text = await run(async ({ client, thread }) => {
    const work = async ({ client, say, heard, argument: threshold }) => {
      const config = { name: 'h', help: 'h', nativeHistogramBucketFactor: 1.1 };
      // JSON and messages may lose the sign.
      const nativeHistogramZeroThreshold = threshold === 'negative' ? -0 : 0;
      new client.Histogram({ ...config, nativeHistogramZeroThreshold }).observe(1);
      say('recorded');
      await heard();
    };
    const workers = ['positive', 'negative'].map((sign) => thread(work, sign));
    for (const worker of workers) await worker.heard();
    const accept = 'application/openmetrics-text;version=2.0.0';
    const { body } = await client.register.scrape({ accept, names: ['h'] });
    for (const worker of workers) worker.say('end');
    return body.toString();
  });
  t.regex(text, /^h \{count:2,sum:2,schema:3,zero_threshold:0,zero_count:0,/m);
});
