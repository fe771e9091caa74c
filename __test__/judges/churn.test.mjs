// A real Prometheus scrapes one port of a service whose processes come and go, the one that listens included. It must see
// each count, no reset, and no total that goes down.

import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Service } from '../processes/support/service.mjs';
import { freePort } from '../support/ports.mjs';
import { startPrometheus } from './support/scrapers.mjs';

const KINDS = ['a', 'b', 'c'];
const LIVES = 24;

test('Prometheus sees no reset while processes are killed and others begin', async (t) => {
  const service = new Service(t);
  const port = await freePort();
  const start = async () => {
    const process = await service.start();
    await process.ask('exporter', { port });
    return process;
  };
  const processes = [await start(), await start(), await start()];
  const ledger = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  const count = async (process) => {
    for (const kind of KINDS) {
      const times = 1 + Math.floor(Math.random() * 1000);
      await process.ask('count', { kind, times });
      await process.ask('observe', { kind, value: 1.5 });
      ledger[kind] += times;
    }
  };
  const prometheus = await startPrometheus(t, { service: `http://127.0.0.1:${port}/metrics` });
  await Promise.all(processes.map(count));
  await prometheus.nextScrapes('service');
  for (let life = 0; life < LIVES; life += 1) {
    // The oldest one listens.
    const oldest = processes.shift();
    await count(oldest);
    await oldest.kill();
    processes.push(await start());
    await count(processes[life % processes.length]);
    await sleep(400);
  }
  await prometheus.nextScrapes('service');

  for (const kind of KINDS) {
    const series = `jobs_total{kind="${kind}"}`;
    t.is(await prometheus.scalar(series), ledger[kind], series);
    t.is(await prometheus.scalar(`resets(${series}[1h])`), 0, series);
    t.is(await prometheus.scalar(`max_over_time(${series}[1h])`), ledger[kind], series);
  }
  t.is(await prometheus.scalar('sum(resets(job_seconds_bucket[1h])) + sum(resets(job_seconds_count[1h]))'), 0);
  t.is(await prometheus.scalar('sum(job_seconds_count)'), KINDS.length * (3 + 2 * LIVES));
  const { result } = await prometheus.get('/api/v1/query', { query: 'jobs_total{kind="a"}[1h]' });
  const samples = result[0].values.map(([time, value]) => ({ time, value: Number(value) }));
  t.deepEqual(
    samples.filter(({ value }, index) => index > 0 && value < samples[index - 1].value),
    [],
  );
  // Both extrapolate to the ends of the range. They differ if `increase()` takes a lower value for a reset.
  const seconds = Math.floor(samples.at(-1).time - samples[0].time);
  const range = `(jobs_total{kind="a"}[${Math.floor(seconds / 2)}s] @ ${samples.at(-1).time})`;
  const increase = await prometheus.scalar(`increase${range}`);
  t.true(increase > 0);
  t.is(increase, await prometheus.scalar(`delta${range}`));
  const down = await prometheus.scalar('count_over_time(up{job="service"}[1h]) - sum_over_time(up{job="service"}[1h])');
  t.log(`${LIVES} processes killed in ${seconds} s; ${down} scrapes failed while a port changed hands`);
});
