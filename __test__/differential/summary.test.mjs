// Runs random programs with summaries on this library and both peers. Up to 100 distinct values in each series, all
// libraries keep the values themselves, so every text, JSON form and error must be equal. With more values the peers'
// digests depend on chance, so the quantiles only have to be near. Windows are not moved here: the peers' move wrongly,
// which peer-bugs.test.mjs shows.

import './clock.mjs';
import client from '@llm-devops/prometheus-metrics';
import successor from '@prometheus-io/client';
import test from 'ava';
import fc from 'fast-check';
import promClient from 'prom-client';
import { count } from '../support/count.mjs';
import { advanceClock, releaseClock, stopClock } from './clock.mjs';

/** How many random programs run. */
const RUNS = count(60, 150);
const LIBRARIES = [client, promClient, successor];

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 9 }) },
  { weight: 4, arbitrary: fc.constantFrom(0.1, 0.25, 1.5, 2.75, 1e6, 1e-7, 123.456) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, '5', 'five', null, true) },
);
/** The peers take a string in the first place for labels; docs/compatibility.md says so of histograms too. */
const valueAlone = value.filter((value) => typeof value !== 'string');
const labels = fc.record(
  { a: fc.constantFrom('x', 'y', 1, 2.5), b: fc.constantFrom('z', 'quo"te', 7) },
  { requiredKeys: ['a', 'b'] },
);
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('observe'), labels, value }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('alone'), value: valueAlone }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('child'), labels, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('timer'), labels, ticks: fc.nat(900) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), labels }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('get') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('metrics') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('json') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unknown label'), value }) },
);
const percentiles = fc.oneof(
  fc.constant(undefined),
  fc.uniqueArray(fc.constantFrom(0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.99, 1), { maxLength: 4 }).map((list) => list.sort()),
);

/** An error as text. The peers name `{}` in place of NaN and null, because they take these for missing labels. */
async function attempt(call) {
  try {
    return await call();
  } catch (error) {
    return `throws ${error.message.replace(/(?<=Value is not a valid number: )({}|NaN|null|undefined)$/, 'none')}`;
  }
}

/**
 * JSON whose keys are sorted, so that the order of keys does not matter. The successor leaves the labels of a sum and a
 * count without labels out.
 */
function json(value) {
  const sorted = (_key, value) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  const withLabels = ({ values, ...metric }) => ({
    ...metric,
    values: values.map((it) => ({ ...it, labels: it.labels ?? {} })),
  });
  return JSON.stringify([value].flat().map(withLabels), sorted, 1);
}

async function run({ Registry, Summary }, { percentiles, defaults, steps }) {
  const registry = new Registry();
  registry.setDefaultLabels(defaults);
  const config = { help: 'Some help', registers: [registry], ...(percentiles && { percentiles }) };
  const alone = new Summary({ ...config, name: 'alone' });
  const summary = new Summary({ ...config, name: 's', labelNames: ['a', 'b'] });
  const done = [];
  stopClock();
  for (const { do: action, labels, value, ticks } of steps) {
    const actions = {
      observe: () => summary.observe(labels, value),
      alone: () => alone.observe(value),
      child: () => summary.labels(labels.a, labels.b).observe(value),
      timer: () => {
        const own = {};
        const end = summary.startTimer(own);
        own.a = labels.a;
        advanceClock(ticks);
        return end({ b: labels.b });
      },
      remove: () => summary.remove(labels.a, labels.b),
      reset: () => summary.reset(),
      get: async () => json(await summary.get()),
      metrics: () => registry.metrics(),
      json: async () => json(await registry.getMetricsAsJSON()),
      'unknown label': () => summary.observe({ c: 'x' }, value),
    };
    done.push([action, await attempt(actions[action])]);
  }
  releaseClock();
  done.push(await registry.metrics(), json(await registry.getMetricsAsJSON()), json(await alone.get()));
  return done;
}

test.serial('random programs with summaries give the same results', async (t) => {
  const program = fc.record({
    percentiles,
    defaults: fc.constantFrom({}, { app: 'x' }, { a: 'default', app: 7 }),
    steps: fc.array(step, { maxLength: 100, size: 'max' }),
  });
  let steps = 0;
  await fc.assert(
    fc.asyncProperty(program, async (program) => {
      const results = [];
      for (const library of LIBRARIES) results.push(await run(library, program));
      steps += results[0].length;
      t.deepEqual(results[0], results[1]);
      t.deepEqual(results[0], results[2]);
    }),
    { numRuns: RUNS },
  );
  t.true(steps > 10 * RUNS, `${steps} steps`);
});

test('quantiles of many values are near those of the peers', async (t) => {
  const numbers = (make) => Float64Array.from({ length: 20_000 }, (_, i) => make(((i * 7919) % 20_000) / 20_000));
  const distributions = {
    uniform: numbers((x) => x * 1000),
    skewed: numbers((x) => Math.exp(x * 7) / 100),
    'two humps': numbers((x) => (x < 0.6 ? 1 + x : 50 + x)),
    rising: Float64Array.from({ length: 20_000 }, (_, i) => i),
  };
  for (const [name, values] of Object.entries(distributions)) {
    const results = LIBRARIES.map(({ Summary }) => {
      const summary = new Summary({ name: 's', help: 'h', registers: [] });
      for (const value of values) summary.observe(value);
      return summary.get();
    });
    const [ours, ...theirs] = await Promise.all(results);
    const sorted = Float64Array.from(values).sort();
    // The peers' digests differ from run to run, so their ranges are wide.
    const range = (quantile, width) =>
      [0, 1].map((side) => {
        const reach = width * (4 * quantile * (1 - quantile) + 0.02);
        const at = Math.round((quantile + (side === 0 ? -reach : reach)) * (sorted.length - 1));
        return sorted[Math.min(sorted.length - 1, Math.max(0, at))];
      });
    for (const metric of [ours, ...theirs]) {
      metric.values.slice(0, 7).forEach(({ labels: { quantile }, value }) => {
        const [least, most] = range(quantile, metric === ours ? 0.01 : 0.15);
        t.true(value >= least && value <= most, `${name}: ${quantile} is at ${value}, not from ${least} to ${most}`);
      });
    }
    t.deepEqual(ours.values.slice(7), theirs[0].values.slice(7));
  }
});
