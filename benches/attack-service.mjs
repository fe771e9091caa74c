// The attacked process: one metric over its limit and another metric in the same registry. A twin registry holds the
// same two metrics and is not attacked. Comparing with the twin separates the effect of the attack from other load on
// the machine.

import { createRequire } from 'node:module';
import { openAttack, ROUND, runRounds, settledMemory } from './attack-rounds.mjs';
import { loopsOf, SEEN } from './attack-sets.mjs';
import { interleave } from './harness.mjs';
import { columns, LABEL_NAMES, LAP, totals, wideOrder } from './inputs.mjs';

const require = createRequire(import.meta.url);
const TEXT = { accept: 'text/plain; version=0.0.4', acceptEncoding: 'identity' };
const ATTACKED = 'bench_attacked';
const OTHER = 'bench_other_total';
const OTHER_SETS = 1_000;
/** A quarter, because sums of quarters are exact in binary. */
const LATENCY = 0.25;
const SCRAPES = 21;
const OTHER_LAPS = 25;

/** The cases: which metric is attacked, with which label sets, and under which limit. */
export const cases = [
  { id: 'fold', title: 'counter, one value new', shape: 'oneNew' },
  { id: 'all', title: 'counter, all three values new', shape: 'allNew' },
  { id: 'number-beside', title: 'counter, a number beside the new value', shape: 'numberBeside' },
  { id: 'number', title: 'counter, the new value is a number', shape: 'numberNew' },
  { id: 'label', title: 'counter, limit on one label’s values', shape: 'oneNew', limit: 'label' },
  { id: 'drop', title: 'counter, `drop`', shape: 'oneNew', policy: 'drop' },
  { id: 'histogram', title: 'histogram, one value new', shape: 'oneNew', kind: 'histogram' },
  { id: 'throw', title: 'counter, `throw`, error caught', shape: 'oneNew', policy: 'throw', unjudged: true },
];

/** Opens a registry with the attacked metric, filled with its existing series, and the other metric. */
function openWorld(client, { limit, policy, kind }) {
  const registry = new client.Registry();
  const limits = limit === 'label' ? { maxLabelValues: { route: SEEN }, maxSeries: 2 * SEEN } : { maxSeries: SEEN };
  const cardinality = { ...limits, ...(policy && { policy }) };
  const config = { name: ATTACKED, help: 'Attacked', labelNames: LABEL_NAMES, registers: [registry], cardinality };
  const metric = kind === 'histogram' ? new client.Histogram(config) : new client.Counter(config);
  const other = new client.Counter({ name: OTHER, help: 'Beside it', labelNames: LABEL_NAMES, registers: [registry] });
  return { registry, record: recordOn(metric, kind, policy), other: otherLoop(other) };
}

function recordOn(metric, kind, policy) {
  if (kind === 'histogram') return (labels) => metric.observe(labels, LATENCY);
  if (policy !== 'throw') return (labels) => metric.inc(labels);
  return (labels) => {
    try {
      metric.inc(labels);
    } catch (error) {
      if (error.code !== 'CARDINALITY_LIMIT') throw error;
    }
  };
}

/** Records a lap to the other metric; returns nanoseconds per call. */
function otherLoop(counter) {
  const { method, route, status } = columns(OTHER_SETS);
  const order = wideOrder.map((index) => index % OTHER_SETS);
  const loop = () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < LAP; i++) {
      const at = order[i];
      counter.inc({ method: method[at], route: route[at], status: status[at] });
    }
    loop.calls += LAP;
    return Number(process.hrtime.bigint() - start) / LAP;
  };
  loop.calls = 0;
  return loop;
}

/** Runs one whole case. Each case needs its own process. */
export async function measureCase({ id, rounds, parts }) {
  const entry = cases.find((candidate) => candidate.id === id);
  const client = require('../dist/entry/index.js');
  const world = openWorld(client, entry);
  const twin = openWorld(client, entry);
  loopsOf(entry.shape, twin.record).kept(Int32Array.from({ length: SEEN }, (_, n) => n));
  const attack = openAttack({ shape: entry.shape, record: world.record });
  for (let lap = 0; lap < OTHER_LAPS; lap++) for (const { other } of [world, twin]) other();

  const before = await lookAround(world, twin);
  const steps = [];
  const times = await runRounds(attack, {
    rounds,
    parts,
    pause: async (done) => steps.push({ sets: done * ROUND, ...(await settledMemory()) }),
  });
  const after = await lookAround(world, twin);
  await verify(entry, world, attack.calls);
  return { sets: rounds * ROUND, calls: attack.calls, times, steps, before, after };
}

/** Measures a scrape and a call to the other metric, each in turn with the twin. */
async function lookAround(world, twin) {
  const entries = [
    { id: 'attacked', ...world },
    { id: 'twin', ...twin },
  ];
  for (const { registry } of entries) await registry.scrape(TEXT);
  const scrape = await interleave(entries, SCRAPES, ({ registry }) => timeScrape(registry));
  const other = await interleave(entries, OTHER_LAPS, (entry) => entry.other());
  const { body } = await world.registry.scrape(TEXT);
  const { series } = attackedIn(world.registry);
  return { scrape, other, bytes: body.length, series };
}

async function timeScrape(registry) {
  const start = process.hrtime.bigint();
  await registry.scrape(TEXT);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function attackedIn(registry) {
  return registry.cardinality().metrics.find(({ name }) => name === ATTACKED);
}

/** Checks that the exposition contains exactly what was recorded, and that each refusal was counted. */
async function verify({ kind, policy }, { registry, other }, { seen, beyond }) {
  const found = totals(await registry.metrics());
  const recorded = policy ? seen : seen + beyond;
  compare(
    found.get(kind === 'histogram' ? `${ATTACKED}_count` : ATTACKED).sum,
    recorded,
    'calls of the attacked metric',
  );
  if (kind === 'histogram') compare(found.get(`${ATTACKED}_sum`).sum, recorded * LATENCY, 'sum of the histogram');
  compare(attackedIn(registry).overflow, beyond, 'calls beyond the limit');
  compare(found.get(OTHER).lines, OTHER_SETS, 'series of the other metric');
  compare(found.get(OTHER).sum, other.calls, 'calls of the other metric');
}

export function compare(found, expected, what) {
  if (found !== expected) throw new Error(`Expected ${expected} ${what} but found ${found}`);
}
