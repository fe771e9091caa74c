// Processes that begin and are killed, for as long as a service runs: what the others hold does not grow.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { count } from '../support/count.mjs';
import { seriesValue } from '../support/exposition.mjs';
import { Service } from './support/service.mjs';

const onLinux = process.platform === 'linux' ? test : test.skip;

/** As many as an hour has if one is replaced every ten seconds. */
const GENERATIONS = count(8, 120);
const AT_ONCE = 3;
/** The heap of the engine and of the system's allocator is not the same each time. */
const NOISE_BYTES = 6 * 1024 * 1024;

onLinux('memory, file descriptors and files stay as they are while processes come and go', async (t) => {
  t.timeout(300_000);
  const service = new Service(t);
  const reader = await service.start();
  let expected = 0;
  const resources = async () => {
    const { bytes, ...held } = await reader.ask('resources');
    const files = readdirSync(reader.dir);
    const sizes = files.map((name) => statSync(join(reader.dir, name)).size);
    return { bytes, held: { ...held, files }, disk: sizes.reduce((sum, size) => sum + size, 0) };
  };
  let early;
  for (let generation = 0; generation < GENERATIONS; generation += 1) {
    const processes = await Promise.all(Array.from({ length: AT_ONCE }, () => service.start()));
    for (const process of processes) {
      await process.ask('count', { times: 5 });
      await process.ask('wait', { values: [1, 2, 1e9] });
      // Its blocks are used again.
      await process.ask('spin', { series: 50 });
      expected += 5;
    }
    await reader.ask('metrics');
    await Promise.all(processes.map((process) => process.kill()));
    // Until a thread has added them to the totals.
    for (let read = 0; ; read += 1) {
      const text = await reader.ask('metrics');
      t.is(seriesValue(text, 'jobs_total{kind="a"}'), expected);
      t.is(seriesValue(text, 'wait_seconds_count'), (expected / 5) * 3);
      if (readdirSync(reader.dir).filter((name) => name.startsWith('process-')).length === 1) break;
      if (read === 1000) return t.fail('they are not added to the totals');
    }
    if (generation === Math.floor(GENERATIONS / 3)) early = await resources();
  }
  const late = await resources();
  t.deepEqual(late.held, early.held);
  t.true(late.bytes < early.bytes + NOISE_BYTES, `${early.bytes} ${late.bytes}`);
  t.true(late.disk <= early.disk + 65_536, `${early.disk} ${late.disk}`);
});
