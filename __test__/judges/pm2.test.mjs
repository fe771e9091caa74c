// PM2 runs a service in its cluster mode, reloads it and restarts killed processes. The exporter of one port must show each
// request that was answered, exactly once, and no scrape a smaller total than the one before.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { seriesValue } from '../support/exposition.mjs';
import { freePort } from '../support/ports.mjs';
import { poll, run, temporaryFolder } from './support/processes.mjs';

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const PM2 = pathOf('pm2/node_modules/pm2/bin/pm2');
const INSTANCES = 3;
/** A connection that the primary has given to a process which ends is never answered. */
const signal = () => AbortSignal.timeout(5_000);

async function startService(t) {
  const folder = await temporaryFolder(t);
  const env = { PM2_HOME: join(folder, 'home'), PM2_DISABLE_VERSION_CHECK: 'true' };
  const [servicePort, exporterPort] = [await freePort(), await freePort()];
  const pm2 = async (...args) => {
    const { code, stdout, stderr } = await run(process.execPath, [PM2, ...args], { env });
    if (code !== 0) throw new Error(`pm2 ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const app = {
    name: 'service',
    script: pathOf('support/pm2-service.cjs'),
    instances: INSTANCES,
    exec_mode: 'cluster',
    wait_ready: true,
    env: { METRICS_PROCESSES_DIR: join(folder, 'runs'), SERVICE_PORT: servicePort, EXPORTER_PORT: exporterPort },
  };
  const file = join(folder, 'ecosystem.config.json');
  await writeFile(file, JSON.stringify({ apps: [app] }));
  t.teardown(() => pm2('kill'));
  await pm2('start', file);
  return { pm2, url: `http://127.0.0.1:${servicePort}`, exporter: `http://127.0.0.1:${exporterPort}` };
}

test('PM2 reloads and restarts processes of a cluster, and no request is lost', async (t) => {
  const { pm2, url, exporter } = await startService(t);
  const pids = new Set();
  let answered = 0;
  /** Sends requests, each over a connection of its own, so that all processes get some. */
  const send = async (count) => {
    for (let sent = 0; sent < count; sent += 1) {
      await poll(async () => {
        const response = await fetch(url, { headers: { connection: 'close' }, signal: signal() });
        pids.add(Number(await response.text()));
        answered += 1;
        return true;
      }, 'an answer');
    }
  };
  let seen = 0;
  const scrape = () =>
    poll(async () => {
      const text = await (await fetch(`${exporter}/metrics`, { signal: signal() })).text();
      const total = seriesValue(text, 'requests_total');
      t.true(total >= seen, `${total} after ${seen}`);
      seen = total;
      return { total, processes: seriesValue(text, 'llmdevops_metrics_processes') };
    }, 'a scrape');

  await send(60);
  t.deepEqual(await scrape(), { total: 60, processes: INSTANCES });
  t.is(pids.size, INSTANCES, 'all processes have answered');

  // Requests go on while PM2 starts new processes and ends the old ones.
  let isReloaded = false;
  const reload = pm2('reload', 'service').then(() => {
    isReloaded = true;
  });
  while (!isReloaded) {
    await send(5);
    await scrape();
  }
  await reload;
  await send(60);
  t.deepEqual(await scrape(), { total: answered, processes: INSTANCES });
  t.true(pids.size >= 2 * INSTANCES, 'new processes have answered');

  const victim = [...pids].at(-1);
  process.kill(victim, 'SIGKILL');
  const { processes } = await poll(async () => {
    const shown = await scrape();
    const list = JSON.parse(await pm2('jlist'));
    return list.every(({ pid }) => pid !== victim) && shown.processes === INSTANCES ? shown : undefined;
  }, 'PM2 has started a process in the place of the killed one');
  t.is(processes, INSTANCES);
  await send(60);
  t.deepEqual(await scrape(), { total: answered, processes: INSTANCES });
  t.log(`${answered} requests, answered by ${pids.size} processes`);
});
