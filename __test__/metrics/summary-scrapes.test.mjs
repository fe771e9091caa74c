// A summary is scraped by other threads while this one records: no observation is lost, counted twice or read wrongly.

import { Registry, Summary } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { seriesValue } from '../support/exposition.mjs';

for (const [what, window] of [
  ['without a window', {}],
  ['with a window', { maxAgeSeconds: 3600, ageBuckets: 4 }],
]) {
  test(`scrapes of other threads during recording, ${what}`, async (t) => {
    const registry = new Registry();
    const config = { name: 's', help: 'h', labelNames: ['a'], percentiles: [0, 0.01, 0.5, 1], registers: [registry] };
    const summary = new Summary({ ...config, ...window });
    // So many series that the library's own threads write the exposition.
    const children = Array.from({ length: 100 }, (_, a) => summary.labels({ a }));
    const VALUES = 100;
    const ROUNDS = 40;
    let last = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const scrape = registry.scrape();
      for (let value = 0; value < VALUES; value += 1) for (const child of children) child.observe(value);
      const text = (await scrape).body.toString();
      const count = seriesValue(text, 's_count{a="0"}') ?? 0;
      t.true(count >= last && count <= (round + 1) * VALUES, `${count} after ${last}`);
      last = count;
      const most = seriesValue(text, 's{quantile="1",a="0"}') ?? 0;
      t.true(most >= 0 && most < VALUES, `${most}`);
    }
    for (const a of [0, 50, 99]) {
      t.deepEqual(summary.value({ a }), {
        count: ROUNDS * VALUES,
        sum: (ROUNDS * VALUES * (VALUES - 1)) / 2,
        quantiles: [
          { quantile: 0, value: 0 },
          { quantile: 0.01, value: 0.5 },
          { quantile: 0.5, value: 49.5 },
          { quantile: 1, value: 99 },
        ],
      });
    }
  });
}
