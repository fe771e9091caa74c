// Tests realms: code that loads the library in a new global has its own metrics; code that loads it again in the same
// global shares them.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { count } from '../support/count.mjs';
import { withoutSelfMetrics } from '../support/exposition.mjs';
import { MEMORIES, run } from './support/process.mjs';

const require = createRequire(import.meta.url);

for (const { memory, engineMemory } of MEMORIES) {
  for (const addon of ['shared', 'loaded']) {
    test.serial(`${memory}, addon ${addon}: realms of one thread never see each other's metrics`, async (t) => {
      const texts = await run(
        async ({ realm, argument: addon }) => {
          const first = realm(addon);
          const second = realm(addon);
          const texts = [];
          const record = (client, value) => {
            const { register } = client;
            const counter = register.counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
            const histogram = register.histogram({ name: 'h', help: 'Help', buckets: [value] });
            counter.inc({ x: 'own' }, value);
            histogram.observe(value);
            if (register.getSingleMetric('foreign') === undefined) {
              const samples = { name: 'foreign', help: 'Help', type: 'gauge', values: [{ value, labels: {} }] };
              register.registerMetric({ name: 'foreign', get: async () => samples, reset() {} });
            }
          };
          // In turns: a realm's calls of the addon must not depend on which realm loaded it last.
          for (const [client, value] of [
            [first, 1],
            [second, 2],
            [first, 1],
            [second, 2],
          ]) {
            record(client, value);
            const scrape = await client.register.scrape({ scope: 'process' });
            texts.push([await client.register.metrics(), scrape.body.toString()]);
          }
          return texts;
        },
        addon,
        { engineMemory },
      );
      const expected = (value, times) => `# HELP c_total Help
# TYPE c_total counter
c_total{x="own"} ${value * times}

# HELP h Help
# TYPE h histogram
h_bucket{le="${value}"} ${times}
h_bucket{le="+Inf"} ${times}
h_sum ${value * times}
h_count ${times}

# HELP foreign Help
# TYPE foreign gauge
foreign ${value}
`;
      const twice = (text) => [text, text];
      const shown = texts.map(([metrics, scrape]) => [metrics, withoutSelfMetrics(scrape)]);
      t.deepEqual(shown, [twice(expected(1, 1)), twice(expected(2, 1)), twice(expected(1, 2)), twice(expected(2, 2))]);
    });
  }

  test.serial(`${memory}: workers belong to the realm that was the newest when they began, ended or not`, async (t) => {
    const values = await run(
      async ({ realm, thread }) => {
        const work = async ({ client, say, heard, argument: value }) => {
          new client.Counter({ name: 'c_total', help: 'Help' }).inc(value);
          say('counted');
          await heard();
        };
        const begin = async (value) => {
          const worker = thread(work, value);
          await worker.heard();
          return worker;
        };
        const end = async (worker) => {
          worker.say('end');
          await worker.ended;
        };
        const first = realm('shared');
        await end(await begin(1));
        const live = await begin(10);
        const second = realm('shared');
        await end(await begin(100));
        const text = (client) => client.register.metrics();
        const values = [[await text(first), await text(second)]];
        await end(live);
        values.push([await text(first), await text(second)]);
        return values;
      },
      null,
      { engineMemory },
    );
    const text = (value) => `# HELP c_total Help\n# TYPE c_total counter\nc_total ${value}\n`;
    t.deepEqual(values, [
      [text(11), text(100)],
      [text(11), text(100)],
    ]);
  });

  test.serial(`${memory}: realms of a worker each show their own, and the main thread both`, async (t) => {
    const { own, main, after } = await run(
      async ({ client, thread }) => {
        const worker = thread(async ({ realm, say, heard }) => {
          const realms = [realm('shared'), realm('loaded')];
          for (const [at, client] of realms.entries()) {
            new client.Counter({ name: 'c_total', help: 'Help' }).inc(1 + at);
          }
          say(await Promise.all(realms.map((client) => client.register.metrics())));
          await heard();
        });
        const own = await worker.heard();
        const main = await client.register.metrics();
        worker.say('end');
        await worker.ended;
        return { own, main, after: await client.register.metrics() };
      },
      null,
      { engineMemory },
    );
    const text = (value) => `# HELP c_total Help\n# TYPE c_total counter\nc_total ${value}\n`;
    t.deepEqual({ own, main, after }, { own: [text(1), text(2)], main: text(3), after: text(3) });
  });

  test.serial(`${memory}: a realm that is dropped is collected`, async (t) => {
    const { realms, collected, resident } = await run(
      async ({ realm, sleep, argument: { realms, looks, most } }) => {
        let collected = 0;
        const resident = [];
        const registry = new FinalizationRegistry(() => {
          collected++;
        });
        for (let number = 1; number <= realms; number++) {
          const client = realm('shared');
          registry.register(client);
          const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
          for (let series = 0; series < most; series++) counter.inc({ x: series });
          await client.register.metrics();
          if (number % (realms / looks) !== 0) continue;
          // An object finalized in one collection may hold the realm, so a realm needs several collections.
          for (let round = 0; round < 10; round++) {
            globalThis.gc();
            await sleep(10);
          }
          resident.push(process.memoryUsage().rss);
        }
        return { realms, collected, resident };
      },
      count({ realms: 10, looks: 1, most: 500 }, { realms: 200, looks: 5, most: 2000 }),
      { engineMemory, flags: ['--expose-gc'] },
    );
    t.log(`resident MB: ${resident.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')}`);
    // The last realm may still be on the stack.
    t.true(collected >= realms - 1, `${collected} of ${realms}`);
  });
}

test.serial('copies of the package in one realm share one registry, however they are loaded', async (t) => {
  const dist = join(dirname(require.resolve('@llm-devops/prometheus-metrics')), '..');
  const folder = await mkdtemp(join(tmpdir(), 'copies-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const copies = ['first', 'second'].map((copy) => join(folder, copy));
  for (const copy of copies) await cp(dist, copy, { recursive: true });
  const result = await run(async ({ client, require, argument: copies }) => {
    const { pathToFileURL } = require('node:url');
    const before = Object.keys(require.cache).length;
    const others = copies.map((copy) => require(`${copy}/entry/index.js`));
    for (const path of Object.keys(require.cache)) delete require.cache[path];
    others.push(require('@llm-devops/prometheus-metrics'));
    others.push(
      await import('@llm-devops/prometheus-metrics'),
      (await import('@llm-devops/prometheus-metrics')).default,
    );
    others.push(await import(pathToFileURL(`${copies[0]}/entry/index.mjs`).href));
    const counter = new client.Counter({ name: 'c_total', help: 'Help' });
    const same = others.map((other) => {
      const found = other.register.getSingleMetric('c_total');
      found.inc();
      return found === counter && found instanceof other.Counter && other.Registry === client.Registry;
    });
    return { same, text: await client.register.metrics(), anew: before > 0 };
  }, copies);
  t.deepEqual(result, {
    same: [true, true, true, true, true, true],
    text: '# HELP c_total Help\n# TYPE c_total counter\nc_total 6\n',
    anew: true,
  });
});
