// Tests that the memory of removed series comes back at once: no later call has to release it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

/** Ways to remove all series; each is the body of an async function. */
const ways = {
  'reset()': 'counter.reset();',
  'resetMetrics()': 'registry.resetMetrics();',
  'removeMatching()': 'counter.removeMatching({});',
  'remove()': 'for (let at = 0; at < COUNT; at++) counter.remove(labels(at));',
  'a time to live': `
    await registry.metrics();
    await new Promise((resolve) => setTimeout(resolve, 600));
    await registry.metrics();
    while ((await counter.get()).values.length > 0) await new Promise((resolve) => setTimeout(resolve, 200));`,
  'dropping the metric': `
    registry.clear();
    counter = undefined;`,
};

for (const [way, remove] of Object.entries(ways)) {
  test.serial(`${way} gives back the memory of 30,000 series`, async (t) => {
    const program = `
      import { Counter, Registry } from '@llm-devops/prometheus-metrics';
      const COUNT = 30_000;
      const labels = (at) => ({ a: 'value-' + at, b: 'another value ' + at });
      const registry = new Registry({
        cardinality: { maxSeries: COUNT * 2 },
        ttlSeconds: ${way === 'a time to live' ? 0.5 : 0},
      });
      const used = async () => {
        for (let turn = 0; turn < 5; turn++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
        return process.memoryUsage().heapUsed / 2 ** 20;
      };
      let counter = new Counter({ name: 'c', help: 'h', labelNames: ['a', 'b'], registers: [registry] });
      const base = await used();
      for (let at = 0; at < COUNT; at++) counter.inc(labels(at));
      const full = await used();
      ${remove}
      console.log(JSON.stringify({ base, full, after: await used() }));`;
    const flags = ['--expose-gc', '--input-type=module', '--eval', program];
    const cwd = new URL('.', import.meta.url);
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd, timeout: 90_000 });
    const { base, full, after } = JSON.parse(stdout);
    t.true(full - base > 2, stdout);
    t.true(after - base < (full - base) / 4, stdout);
  });
}
