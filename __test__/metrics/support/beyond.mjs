// Records distinct label sets over a limit, and prints the memory in use after each tenth of them. Run by
// cardinality.test.mjs in a process of its own: `node --expose-gc beyond.mjs Counter|Gauge|Histogram <policy> <calls>`.

import { Counter, Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import { samplesOf } from '../../support/exposition.mjs';

const [what, policy, count] = process.argv.slice(2);
const calls = Number(count);
const registry = new Registry({ logger: { warn() {} } });
const metric = new { Counter, Gauge, Histogram }[what]({
  name: 'm',
  help: 'Some help',
  labelNames: ['route', 'user'],
  registers: [registry],
  cardinality: { maxSeries: 1000, policy },
  ...(what === 'Histogram' && { buckets: [1] }),
});
const record = what === 'Histogram' ? (labels) => metric.observe(labels, 1) : (labels) => metric.inc(labels);

/** The memory in use after a collection. */
async function measure(heap, resident) {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  heap.push(process.memoryUsage().heapUsed);
  resident.push(process.memoryUsage.rss());
}

const heap = [];
const resident = [];
for (let n = 0; n < 1000; n++) record({ route: '/a', user: `u${n}` });
for (let n = 0; n < calls; n++) {
  // Strings, numbers, and label sets whose first or last label is new.
  if (n % 3 === 0) record({ route: `/r${n}`, user: 'u1' });
  else if (n % 3 === 1) record({ route: '/a', user: 10_000 + n });
  else metric.labels('/a', `beyond ${n}`)[what === 'Histogram' ? 'observe' : 'inc'](1);
  if ((n + 1) % (calls / 10) === 0) await measure(heap, resident);
}
const [{ overflow }] = registry.cardinality().metrics;
const lines = samplesOf(await registry.metrics()).length;
process.stdout.write(JSON.stringify({ heap, resident, overflow, lines }));
