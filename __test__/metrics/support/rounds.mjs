// Creates, scrapes and removes, round after round, and prints the resident memory after each tenth of them. Run
// by leaks.test.mjs in a process of its own: `node --expose-gc rounds.mjs series|metrics <rounds>`.

import { Counter, Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import { samplesOf } from '../../support/exposition.mjs';

const [what, count] = process.argv.slice(2);
const rounds = Number(count);
const registry = new Registry();

/** Rounds in which label sets of three metrics are made and removed; a handle writes one of them again. */
function seriesRounds() {
  const registers = [registry];
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers });
  const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames: ['a'], registers });
  const histogram = new Histogram({ name: 'h', help: 'Some help', labelNames: ['a'], registers });
  return async (i) => {
    const text = `value of round ${i}`;
    const kept = counter.labels(i, 'x');
    kept.inc(3);
    counter.remove(i, 'x');
    kept.inc();
    counter.inc({ a: text, b: i });
    gauge.set({ a: i }, i);
    histogram.observe({ a: text }, 0.3);
    await scrape(17);
    counter.remove(text, i);
    counter.remove({ a: i, b: 'x' });
    gauge.remove({ a: i });
    if (i % 2 === 0) histogram.remove({ a: text });
    else histogram.reset();
  };
}

/** A round in which whole metrics are made and removed. */
async function metricsRound(i) {
  const registers = [registry];
  const counter = new Counter({ name: `c${i}`, help: 'Some help', labelNames: ['a'], registers });
  const histogram = new Histogram({ name: `h${i}`, help: 'Some help', registers });
  counter.inc({ a: i });
  histogram.observe(1);
  await scrape(15);
  if (i % 2 === 0) for (const { name } of [counter, histogram]) registry.removeSingleMetric(name);
  else registry.clear();
}

async function scrape(lines) {
  const { body } = await registry.scrape();
  const found = samplesOf(body.toString()).length;
  if (found !== lines) throw new Error(`Expected ${lines} samples but received ${found}`);
}

/** The resident memory after a collection. The finalizers of buffers run in later turns of the loop. */
async function resident() {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  return process.memoryUsage.rss();
}

const round = what === 'series' ? seriesRounds() : metricsRound;
const measured = [];
for (let i = 1; i <= rounds; i++) {
  await round(i);
  if (i % (rounds / 10) === 0) measured.push(await resident());
}
process.stdout.write(JSON.stringify(measured));
