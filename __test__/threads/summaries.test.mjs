// Tests the merge of summaries, infos and state sets over threads: counts and sums are added, digests are merged.

import test from 'ava';
import { samplesOf } from '../support/exposition.mjs';
import { MEMORIES, run } from './support/process.mjs';

for (const { memory, engineMemory } of MEMORIES) {
  test.serial(`${memory}: quantiles are those of all threads, during a worker's life and after it`, async (t) => {
    const { during, after, last } = await run(
      async ({ client, thread }) => {
        const config = { help: 'h', labelNames: ['model'], percentiles: [0, 0.5, 1] };
        const summary = new client.Summary({ name: 's', ...config });
        for (let i = 0; i < 100; i += 1) summary.observe({ model: 'a' }, i);
        const work = async ({ client, say, heard, argument: number }) => {
          const config = { help: 'h', labelNames: ['model'], percentiles: [0, 0.5, 1] };
          const summary = client.register.summary({ name: 's', ...config });
          // More and less than a buffer, so that some values are digested and some are not.
          for (let i = 0; i < 100; i += 1) summary.observe({ model: 'a' }, 100 * number + i);
          for (let i = 0; i < 300; i += 1) summary.observe({ model: `b${number}` }, i % 10);
          say('recorded');
          await heard();
        };
        const workers = [];
        for (const number of [1, 2]) {
          workers.push(thread(work, number));
          await workers.at(-1).heard();
        }
        const during = await client.register.metrics();
        for (const worker of workers) {
          worker.say('end');
          await worker.ended;
        }
        const after = await client.register.metrics();
        summary.observe({ model: 'a' }, 1000);
        return { during, after, last: await client.register.metrics() };
      },
      null,
      { engineMemory },
    );
    const lines = (model, [least, median, most], sum, count) => [
      `s{quantile="0",model="${model}"} ${least}`,
      `s{quantile="0.5",model="${model}"} ${median}`,
      `s{quantile="1",model="${model}"} ${most}`,
      `s_sum{model="${model}"} ${sum}`,
      `s_count{model="${model}"} ${count}`,
    ];
    const small = [...lines('b1', [0, 4.5, 9], 1350, 300), ...lines('b2', [0, 4.5, 9], 1350, 300)];
    const expected = [...lines('a', [0, 149.5, 299], 44850, 300), ...small];
    t.deepEqual(samplesOf(during), expected);
    t.deepEqual(samplesOf(after), expected);
    t.deepEqual(samplesOf(last), [...lines('a', [0, 150, 1000], 45850, 301), ...small]);
  });
}

test.serial('infos and state sets are shown once, and end with their worker', async (t) => {
  const { during, after } = await run(
    async ({ client, thread }) => {
      const make = (client) => ({
        info: client.register.info({ name: 'build', help: 'h', labelNames: ['v'] }),
        set: client.register.stateSet({ name: 'state', help: 'h', states: ['on', 'off'] }),
      });
      const { info, set } = make(client);
      info.set({ v: '1' });
      set.set('off');
      const worker = thread(async ({ client, say, heard }) => {
        client.register.info({ name: 'build', help: 'h', labelNames: ['v'] }).set({ v: '1' });
        client.register.info({ name: 'other', help: 'h', labelNames: ['v'] }).set({ v: '1' });
        client.register.stateSet({ name: 'state', help: 'h', states: ['on', 'off'] }).set('on');
        say('recorded');
        await heard();
      });
      await worker.heard();
      const during = await client.register.metrics();
      worker.say('end');
      await worker.ended;
      return { during, after: await client.register.metrics() };
    },
    null,
    {},
  );
  t.deepEqual(samplesOf(during), [
    ...['build_info{v="1"} 1', 'state{state="on"} 1', 'state{state="off"} 1', 'other_info{v="1"} 1'],
  ]);
  t.deepEqual(samplesOf(after), ['build_info{v="1"} 1', 'state{state="on"} 0', 'state{state="off"} 1']);
});
