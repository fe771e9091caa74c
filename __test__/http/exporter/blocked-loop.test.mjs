// Scrapes a process whose event loop is blocked: the exporter still answers.

import test from 'ava';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { start } from './support/children.mjs';
import { ask, eventually } from './support/doors.mjs';

const SERIES = 10_000;
const STALL_AFTER_MS = 800;

/** A process that blocks its loop on request, right after it recorded something. */
async function blocked(t, options = {}) {
  const child = start(
    t,
    async ({ client, thread, flag, block, say, heard, argument }) => {
      const { series, collects, stallAfterMs } = argument;
      const counter = new client.Counter({ name: 'c_total', help: 'h', labelNames: ['n'] });
      for (let n = 0; n < series; n++) counter.inc({ n });
      const written = new client.Gauge({ name: 'written', help: 'h' });
      let collected = 0;
      if (collects) {
        new client.Gauge({
          name: 'collected',
          help: 'h',
          collect() {
            this.set(++collected);
          },
        });
      }
      const checks = collects ? { fine: () => true } : {};
      const { port } = await client.startExporter({ host: '127.0.0.1', port: 0, stallAfterMs, checks });
      const go = flag();
      const worker = thread(({ client, say, argument: go }) => {
        const ticks = new client.Counter({ name: 'ticks_total', help: 'h' });
        say('made');
        Atomics.wait(go, 0, 0);
        while (Atomics.load(go, 0) === 1) {
          ticks.inc();
          Atomics.wait(go, 0, 1, 5);
        }
      }, go);
      await worker.heard();
      await say(port);
      await heard();
      await say('blocking');
      written.set(42);
      Atomics.store(go, 0, 1);
      Atomics.notify(go, 0);
      block();
      Atomics.store(go, 0, 2);
      await say('done');
      await heard();
    },
    { series: SERIES, stallAfterMs: STALL_AFTER_MS, ...options },
  );
  const to = { port: await child.heard() };
  return {
    child,
    ask: async (path, options) => {
      const { status, headers, body } = await ask(to, path, options);
      return { status, headers, text: body.toString() };
    },
    /** Blocks the loop; returns what tells for how many seconds at the most it has been blocked. */
    async block() {
      const began = performance.now();
      child.say('block');
      await child.heard();
      return () => (performance.now() - began) / 1000;
    },
    /** Lets the loop turn again. */
    async free() {
      child.free();
      await child.heard();
    },
  };
}

for (const collects of [false, true]) {
  test.serial(`/metrics answers ${collects ? 'with' : 'without'} collect() callbacks`, async (t) => {
    const { ask, block, free } = await blocked(t, { collects });
    const before = (await ask('/metrics')).text;
    t.is(seriesValue(before, 'written'), 0);
    t.is(seriesValue(before, 'ticks_total'), 0);
    if (collects) t.is(seriesValue(before, 'collected'), 1);
    const seconds = await block();
    const stalledFor = ({ text }) => seriesValue(text, 'llmdevops_eventloop_stalled_seconds');
    // Each is answered while the loop stands still, because it turns only when it is told to.
    const [scrapes, times] = [[], []];
    while (scrapes.length < 10 || stalledFor(scrapes.at(-1)) <= 1) {
      const asked = performance.now();
      scrapes.push(await ask('/metrics'));
      times.push(performance.now() - asked);
      // Leaves the processors to the tests beside this one.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const longest = seconds();
    await free();
    times.sort((a, b) => a - b);
    const at = (share) => Math.round(times[Math.floor((times.length - 1) * share)]);
    t.log(`${times.length} scrapes of ${SERIES} series: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
    const last = scrapes.at(-1).text;
    // Written right before.
    t.true(scrapes.every(({ text }) => seriesValue(text, 'written') === 42));
    t.is(samplesOf(last).filter((line) => line.startsWith('c_total{')).length, SERIES);
    // A worker thread writes it meanwhile, so it grows.
    const ticks = scrapes.map(({ text }) => seriesValue(text, 'ticks_total'));
    t.true(ticks.at(-1) > ticks[0], `${ticks[0]} to ${ticks.at(-1)} ticks`);
    t.true(ticks.every((value, i) => i === 0 || value >= ticks[i - 1]));
    const stalled = scrapes.map(stalledFor);
    // The last beat of the loop came before it was blocked.
    t.true(stalled.at(-1) <= longest + 1, `${stalled.at(-1)} s of ${longest} s`);
    t.true(stalled.every((value, i) => i === 0 || value >= stalled[i - 1]));
    // No collect() can run: the value is the old one, and the collector is not counted as failed.
    if (collects) t.is(seriesValue(last, 'collected'), 1);
    t.false(last.includes('collector_errors_total{'));
    t.true(
      await eventually(
        async () => seriesValue((await ask('/metrics')).text, 'llmdevops_eventloop_stalled_seconds') === 0,
      ),
    );
    if (collects) t.true(seriesValue((await ask('/metrics')).text, 'collected') > 1);
  });
}

for (const collects of [false, true]) {
  test.serial(
    `/health and /ready ${collects ? 'with' : 'without'} checks say that the loop stands still, until it turns`,
    async (t) => {
      const { child, ask, block, free } = await blocked(t, { series: 10, collects });
      t.is((await ask('/health')).status, 200);
      t.is((await ask('/ready')).status, 200);
      const seconds = await block();
      // Below the threshold the loop is late, but healthy.
      const early = await ask('/health');
      if (seconds() < STALL_AFTER_MS / 1000) t.is(early.status, 200);
      t.true(await eventually(async () => (await ask('/health')).status === 503));
      const [health, ready] = [await ask('/health'), await ask('/ready')];
      const head = await ask('/health', { method: 'HEAD' });
      t.is(health.status, 503);
      const { reason, event_loop: loop, status, process: seen } = JSON.parse(health.text);
      t.is(status, 'unhealthy');
      t.regex(reason, /^event loop stalled for \d+ s$/);
      t.true(loop.stalled_seconds >= STALL_AFTER_MS / 1000 && loop.stalled_seconds <= seconds() + 1, health.text);
      t.is(seen.pid, child.pid);
      t.is(head.status, 503);
      t.is(ready.status, 503);
      const expected = { status: 'not ready', reason: JSON.parse(ready.text).reason };
      // Checks run in JavaScript, which is blocked.
      t.deepEqual(JSON.parse(ready.text), collects ? { ...expected, checks: { checks: 'timed out' } } : expected);
      t.regex(expected.reason, /^event loop stalled for \d+ s$/);
      await free();
      t.true(await eventually(async () => (await ask('/health')).status === 200));
      t.true(await eventually(async () => (await ask('/ready')).status === 200));
      t.deepEqual(JSON.parse((await ask('/health')).text).event_loop, { stalled_seconds: 0 });
    },
  );
}

test.serial('a loop that is late by less than the threshold is healthy', async (t) => {
  const { ask, block, free } = await blocked(t, { series: 10, stallAfterMs: 86_400_000 });
  await block();
  const loop = async () => JSON.parse((await ask('/health')).text).event_loop;
  t.true(await eventually(async () => (await loop()).stalled_seconds > 0.5));
  t.is((await ask('/health')).status, 200);
  t.is((await ask('/ready')).status, 200);
  await free();
});
