// Go's library and this one observe the same values at the same times in native histograms, and are scraped at the same times:
// the scrapes in protobuf must be equal, byte by byte.

import { Histogram, Registry } from '@llm-devops/prometheus-metrics';
import { MockClock, parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fc from 'fast-check';
import { startNative } from './support/native.mjs';

const ACCEPT = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
/** The time at which the clock of a Go test begins. */
const START = Date.UTC(2000, 0, 1);

const spread = (exponents) =>
  fc
    .tuple(fc.double({ min: 0.5, max: 1, noNaN: true }), fc.integer(exponents), fc.constantFrom(1, 1, 1, -1))
    .map(([fraction, exponent, sign]) => sign * fraction * 2 ** exponent);
const value = fc.oneof(
  { weight: 3, arbitrary: spread({ min: -12, max: 6 }) },
  { weight: 1, arbitrary: spread({ min: -140, max: 140 }) },
  { weight: 1, arbitrary: fc.integer({ min: -64, max: 64 }).map((exponent) => 2 ** exponent) },
  // JSON has no -0.
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0) },
  { weight: 1, arbitrary: fc.constantFrom(0, 5e-324, 2 ** -1022, 2 ** -128, -(2 ** -128), 1e308, 0.75) },
);
const step = fc.record({
  advanceMs: fc.oneof(fc.constant(0), fc.nat(3000)),
  value,
  times: fc.integer({ min: 1, max: 3 }),
  trace: fc.option(fc.stringMatching(/^[a-f0-9]{4}$/), { freq: 6, nil: '' }),
  scrape: fc.boolean(),
});
const run = fc.record({
  buckets: fc.constantFrom([], [], [0.1, 1, 10]),
  factor: fc.constantFrom(1.001, 1.003, 1.02, 1.1, 1.1, 1.5, 2, 4, 300, 70_000),
  maxBuckets: fc.constantFrom(0, 1, 3, 10, 20, 160),
  minResetMs: fc.constantFrom(0, 0, 5000, 20_000),
  zeroThreshold: fc.constantFrom(2 ** -128, 2 ** -128, 0, 0.001, 0.3),
  maxZeroThreshold: fc.constantFrom(0, 0, 0.01, 100),
  steps: fc.array(step, { minLength: 1, maxLength: 80 }).map((steps) =>
    steps.flatMap(({ times, scrape, ...step }) =>
      Array.from({ length: times }, (_, time) => ({
        ...step,
        // Go's library has no distance between exemplars of negative values, and its logarithms have other last digits: powers
        // of 2 may be equally far apart here and not there.
        trace: step.value > 0 && !Number.isInteger(Math.log2(step.value)) ? step.trace : '',
        advanceMs: time === 0 ? step.advanceMs : 0,
        scrape: scrape && time === times - 1,
      })),
    ),
  ),
});

async function scrapes({ buckets, factor, maxBuckets, minResetMs, zeroThreshold, maxZeroThreshold, steps }) {
  const clock = new MockClock({ now: START }).install();
  try {
    const registry = new Registry();
    const histogram = new Histogram({
      name: 'h',
      help: 'Some help',
      ...(buckets.length > 0 ? { buckets } : {}),
      nativeHistogramBucketFactor: factor,
      nativeHistogramMaxBuckets: maxBuckets,
      nativeHistogramMinResetSeconds: minResetMs / 1000,
      nativeHistogramZeroThreshold: zeroThreshold,
      nativeHistogramMaxZeroThreshold: maxZeroThreshold,
      enableExemplars: true,
      registers: [registry],
    });
    const bodies = [];
    const take = async () => (await registry.scrape({ accept: ACCEPT, acceptEncoding: 'identity', names: ['h'] })).body;
    for (const { advanceMs, value, trace, scrape } of steps) {
      clock.advanceMs(advanceMs);
      // A scrape finds that a reset is due; the next observation makes it. Go's library has a timer.
      if (minResetMs > 0 && advanceMs > 0) await take();
      histogram.observe({ value, ...(trace === '' ? {} : { exemplarLabels: { trace_id: trace } }) });
      if (scrape) bodies.push(await take());
    }
    return bodies;
  } finally {
    clock.restore();
  }
}

/** The histogram in a scrape. The time of a reset may differ. */
function readable(body, withStart) {
  const [{ samples }] = parseExposition(body, { format: 'protobuf' }).families;
  return samples.map(({ start, ...sample }) => (withStart ? { start, ...sample } : sample));
}

test('Go’s library shows the same buckets for the same values', async (t) => {
  const ask = startNative(t);
  const seen = { scrapes: 0, lower: 0, wider: 0, resets: 0 };
  await fc.assert(
    fc.asyncProperty(run, async (wanted) => {
      const [theirs, ours] = [await ask(wanted), await scrapes(wanted)];
      const withStart = wanted.minResetMs === 0;
      let last = 0;
      for (const [at, body] of theirs.entries()) {
        const expected = readable(body, withStart);
        t.deepEqual(readable(ours[at], withStart), expected);
        if (withStart) t.deepEqual(Buffer.from(ours[at]), body);
        const { schema, zeroThreshold, count } = expected[0].nativeHistogram;
        seen.scrapes += 1;
        seen.lower += Number(schema < 3);
        seen.wider += Number(zeroThreshold > wanted.zeroThreshold);
        seen.resets += Number(count < last);
        last = count;
      }
    }),
    { numRuns: 1000, endOnFailure: true },
  );
  t.log(JSON.stringify(seen));
  for (const [what, times] of Object.entries(seen)) t.true(times > 0, what);
});
