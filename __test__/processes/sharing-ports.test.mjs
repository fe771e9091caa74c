// Processes that share their metrics with node:cluster, its registries, and exporters on one port.

import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { seriesValue } from '../support/exposition.mjs';
import { freePort } from '../support/ports.mjs';
import { Service } from './support/service.mjs';

const onLinux = process.platform === 'linux' ? test : test.skip;

const clusterProgram = fileURLToPath(new URL('support/sharing-cluster.cjs', import.meta.url));

async function runCluster(service, how, workers) {
  const scenario = JSON.stringify({ how, dir: service.dir, workers });
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [clusterProgram, scenario], {
    timeout: 30_000,
  });
  return { shown: JSON.parse(stdout), stderr };
}

const OURS = '@llm-devops/prometheus-metrics';

for (const how of ['shareProcesses', 'exporter']) {
  onLinux(`workers of node:cluster join by themselves: ${how}`, async (t) => {
    const { shown, stderr } = await runCluster(new Service(t), how, [OURS, OURS]);
    t.is(stderr, '');
    for (const texts of shown) {
      // Worker 1 counts 1, worker 2 counts 2, the primary 1000. The first worker is killed between the two.
      const totals = Object.entries(texts).map(([name, text]) => [name, seriesValue(text, 'jobs_total')]);
      t.deepEqual(Object.fromEntries(totals), {
        default: 1003,
        AggregatorRegistry: 3,
        ClusterRegistry: 1003,
        ...(how === 'exporter' ? { exporter: 1003 } : {}),
      });
    }
  });
}

onLinux('workers with another working directory join the run of a relative folder', async (t) => {
  const { shown, stderr } = await runCluster(new Service(t), 'cwd', [OURS, OURS]);
  t.is(stderr, '');
  for (const { default: text } of shown) t.is(seriesValue(text, 'jobs_total'), 1003);
});

onLinux('a worker that cannot join at first joins later, with its counts', async (t) => {
  const { shown, stderr } = await runCluster(new Service(t), 'locked', [OURS]);
  t.deepEqual(
    shown.map(({ default: text }) => seriesValue(text, 'jobs_total')),
    [1000, 1001],
  );
  t.regex(stderr, /Expected to share metrics in .* but failed/);
});

onLinux('in a mixed cluster, only workers that do not share are asked by message', async (t) => {
  const { shown } = await runCluster(new Service(t), 'shareProcesses', [OURS, 'prom-client', OURS]);
  for (const { AggregatorRegistry, ClusterRegistry } of shown) {
    t.is(seriesValue(AggregatorRegistry, 'jobs_total'), 6);
    t.is(seriesValue(ClusterRegistry, 'jobs_total'), 1006);
  }
});

onLinux('a label tells workers apart', async (t) => {
  const { shown } = await runCluster(new Service(t), 'label', [OURS, OURS]);
  for (const { default: text } of shown) {
    for (const [worker, value] of Object.entries({ primary: 1000, 1: 1, 2: 2 })) {
      t.is(seriesValue(text, `jobs_total{worker="${worker}"}`), value);
    }
  }
});

/** The exposition of an exporter, which another process may be about to take over. */
async function answerOf(url) {
  let failure;
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
    try {
      return await (await fetch(`${url}/metrics`)).text();
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

onLinux('one process listens on the port of all, and another takes its place', async (t) => {
  const service = new Service(t);
  const port = await freePort();
  const processes = [await service.start(), await service.start(), await service.start()];
  const urls = [];
  for (const [index, process] of processes.entries()) {
    await process.ask('count', { times: index + 1 });
    urls.push(await process.ask('exporter', { port }));
  }
  t.deepEqual(new Set(urls), new Set([`http://127.0.0.1:${port}`]));
  const answer = () => answerOf(urls[0]);
  for (const left of [3, 2, 1]) {
    const text = await answer();
    t.is(seriesValue(text, 'jobs_total{kind="a"}'), 6);
    t.is(seriesValue(text, 'llmdevops_metrics_processes'), left);
    // It is counted every half second: the process that answers may have counted before another one ended.
    await sleep(500);
    t.is((await (await fetch(`${urls[0]}/health`)).json()).processes, left);
    const stranger = await service.start(null);
    await t.throwsAsync(stranger.ask('exporter', { port }), { message: /^BIND_FAILED/ });
    await stranger.kill();
    await processes[3 - left].kill();
  }
});

onLinux('an exporter alone shares nothing', async (t) => {
  const service = new Service(t);
  const port = await freePort();
  const [one, two] = [await service.start(null), await service.start(null)];
  await one.ask('exporter', { port });
  await t.throwsAsync(two.ask('exporter', { port }), { message: /^BIND_FAILED/ });
  t.is(seriesValue(await one.ask('scrape'), 'llmdevops_metrics_processes'), undefined);
  t.is(await one.ask('run'), undefined);
});

onLinux('processes that share do not wait for a port of another program', async (t) => {
  const service = new Service(t);
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  t.timeout(120_000);
  // Each mostly sees another one that tries too.
  const processes = await Promise.all(Array.from({ length: process.env.CI_FULL ? 64 : 3 }, () => service.start()));
  await Promise.all(
    processes.map((process) => t.throwsAsync(process.ask('exporter', { port }), { message: /^BIND_FAILED/ })),
  );
});

onLinux('a process that was stopped while it tried a port does not make others wait for ever', async (t) => {
  const service = new Service(t);
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  const stopped = await service.start();
  const [name] = readdirSync(stopped.dir).filter((file) => file.startsWith('process-'));
  // Where a file has the ports that its process listens on; those that it is trying to have 65536 added.
  const file = openSync(join(stopped.dir, name), 'r+');
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(BigInt(65536 + port));
  writeSync(file, word, 0, 8, 560);
  closeSync(file);
  const two = await service.start();
  await t.throwsAsync(two.ask('exporter', { port }), { message: /^BIND_FAILED/ });
});

onLinux('a process has exporters on several ports, and gives each back when it is closed', async (t) => {
  const service = new Service(t);
  const ports = [await freePort(), await freePort()];
  const [one, two] = [await service.start(), await service.start()];
  await one.ask('count', { times: 3 });
  for (const process of [one, two]) for (const port of ports) await process.ask('exporter', { port });
  await t.throwsAsync(two.ask('ready', { port: ports[0], ready: 'yes' }), { message: /^INVALID_CONFIG/ });
  await one.ask('close', { port: ports[0] });
  for (const port of ports) {
    t.is(seriesValue(await answerOf(`http://127.0.0.1:${port}`), 'jobs_total{kind="a"}'), 3);
  }
  // The other one still stands by for the second port.
  await one.kill();
  t.is(seriesValue(await answerOf(`http://127.0.0.1:${ports[1]}`), 'jobs_total{kind="a"}'), 3);
});

onLinux('an exporter that does not show the other processes does not wait for their port', async (t) => {
  const service = new Service(t);
  const port = await freePort();
  const [one, two] = [await service.start(), await service.start()];
  await one.ask('exporter', { port });
  await t.throwsAsync(two.ask('exporter', { port, scope: 'own' }), { message: /^BIND_FAILED/ });
});

onLinux('workers whose registries the program has chosen are asked by message, as without sharing', async (t) => {
  const { shown } = await runCluster(new Service(t), 'chosen', [OURS, OURS]);
  const [{ AggregatorRegistry, ClusterRegistry }] = shown;
  t.is(seriesValue(AggregatorRegistry, 'chosen_total'), 30);
  t.is(seriesValue(AggregatorRegistry, 'jobs_total'), undefined);
  t.is(seriesValue(ClusterRegistry, 'chosen_total'), 30);
  t.is(seriesValue(ClusterRegistry, 'jobs_total'), 1000);
});

onLinux('workers that share without their primary each answer with their own values', async (t) => {
  const { shown } = await runCluster(new Service(t), 'workers', [OURS, OURS]);
  const [{ AggregatorRegistry, ClusterRegistry }] = shown;
  t.is(seriesValue(AggregatorRegistry, 'jobs_total'), 3);
  t.is(seriesValue(ClusterRegistry, 'jobs_total'), 1003);
});
