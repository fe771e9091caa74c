// Random programs run on this library and on both peers, and every value, error and scrape must be equal.
// exemptions.mjs lists all exceptions.

import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { adapted, compared, peers, subject } from './clients.mjs';
import { exemptions } from './exemptions.mjs';
import { manySeries, program } from './generator.mjs';
import { runProgram, shortened } from './program.mjs';

// Test-only: a failure prints the seed. Set it here to run the same programs again. DIFFERENTIAL_SUBJECT names another
// module to test in place of this library.
const seed = Number(process.env.DIFFERENTIAL_SEED ?? 20_260_101);
const numRuns = Number(process.env.DIFFERENTIAL_RUNS ?? count(100, 2_000));

/** How many programs are tried until one needs an exemption: one exemption is needed by one program of thousands. */
const PATIENCE = 12_000;

// Silence the warnings about callbacks that fail on purpose.
process.removeAllListeners('warning');

/** How often each kind of step must occur. */
const LEAST = numRuns / 30;
const EXERCISED = [
  ...['new', 'inc', 'labels', 'remove', 'reset', 'get'].map((method) => `Counter.${method}`),
  'Counter child.inc',
  ...['new', 'inc', 'dec', 'set', 'setToCurrentTime', 'startTimer', 'labels', 'remove', 'reset', 'get'].map(
    (method) => `Gauge.${method}`,
  ),
  ...['inc', 'dec', 'set', 'setToCurrentTime', 'startTimer'].map((method) => `Gauge child.${method}`),
  'Gauge timer',
  ...['new', 'observe', 'zero', 'startTimer', 'labels', 'remove', 'reset', 'get'].map(
    (method) => `Histogram.${method}`,
  ),
  ...['observe', 'startTimer'].map((method) => `Histogram child.${method}`),
  'Histogram timer',
  ...['new', 'metrics', 'getMetricsAsJSON', 'getMetricsAsArray', 'getSingleMetric', 'getSingleMetricAsString'].map(
    (method) => `Registry.${method}`,
  ),
  ...['registerMetric', 'removeSingleMetric', 'resetMetrics', 'setDefaultLabels', 'setContentType'].map(
    (method) => `Registry.${method}`,
  ),
  ...['contentType', 'clear', 'merge'].map((method) => `Registry.${method}`),
  ...['remove', 'reset', 'clear', 'removeSingleMetric', 'registerMetric'].map((event) => `child used after ${event}`),
  'foreign metric',
  'label object mutated',
];

function property(steps, clients, exercise) {
  return fc.asyncProperty(steps, async (drawn) => (await runProgram(drawn, clients, exercise)) === undefined);
}

async function assertSame(t, run, clients) {
  t.log(`DIFFERENTIAL_SEED=${seed}, ${run.numRuns} programs`);
  if (run.failed) {
    t.log(await runProgram(await shortened(run.counterexample[0], clients), clients));
    t.fail('the libraries differ');
  }
}

test.serial('random programs give the same results in all three libraries', async (t) => {
  const exercised = new Map();
  const exercise = (what) => exercised.set(what, (exercised.get(what) ?? 0) + 1);
  const clients = compared();
  const run = await fc.check(property(program, clients, exercise), { seed, numRuns });
  await assertSame(t, run, clients);
  const times = (what) => exercised.get(what) ?? 0;
  t.log(EXERCISED.map((what) => `${what} ${times(what)}`).join(', '));
  t.is(run.numRuns, numRuns);
  t.deepEqual(
    EXERCISED.filter((what) => times(what) < LEAST),
    [],
    `each is exercised at least ${LEAST} times`,
  );
});

test.serial('a metric with hundreds of series gives the same results in all three libraries', async (t) => {
  const clients = compared();
  const many = Math.max(10, Math.ceil(numRuns / 50));
  const run = await fc.check(property(manySeries, clients), { seed, numRuns: many });
  await assertSame(t, run, clients);
  t.is(run.numRuns, many);
});

test.serial('an exposition that is written in several pieces is the same in all three libraries', async (t) => {
  const texts = await Promise.all(
    compared().map(async ({ client }) => {
      const registers = [new client.Registry()];
      const names = ['alpha', 'beta', 'gamma'];
      const metrics = names.map(
        (name) => new client.Histogram({ name, help: 'Some help', labelNames: ['a', 'b'], registers }),
      );
      for (let i = 0; i < 3_000; i += 1) {
        metrics[i % 3].observe({ a: `quo"te ${i % 1_000}`, b: i % 7 }, i / 300);
      }
      return registers[0].metrics();
    }),
  );
  t.true(texts[0].length > 1_000_000);
  t.true(texts.every((text) => text === texts[0]));
});

// `exemptions.test.mjs` always runs a program for each of them.
for (const { name, peers: names } of count([], exemptions)) {
  for (const peer of peers.filter((candidate) => names.includes(candidate.name))) {
    test.serial(`random programs need ${name} with ${peer.name}`, async (t) => {
      const clients = [subject, adapted(peer, name)];
      const run = await fc.check(property(program, clients), { seed, numRuns: PATIENCE, endOnFailure: true });
      t.true(run.failed, 'without the exemption some program must differ');
      t.log(`program ${run.numRuns}`);
    });
  }
}
