// Prometheus and VictoriaMetrics, each in a folder of its own, scraping every second.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, Process, temporaryFolder } from './processes.mjs';
import { QueryApi } from './query.mjs';

/**
 * @param targets is by job name a metrics URL, or an object with it as `url` and what else the job's configuration has.
 * @returns {Promise<QueryApi>}
 */
export async function startPrometheus(t, targets) {
  const folder = await temporaryFolder(t);
  const address = `127.0.0.1:${await freePort()}`;
  const config = await writeScrapeConfig(folder, targets);
  return startServer(t, 'prometheus', address, '/-/ready', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ]);
}

/** @param targets as Prometheus has them. @returns {Promise<QueryApi>} */
export async function startVictoriaMetrics(t, targets) {
  const folder = await temporaryFolder(t);
  const address = `127.0.0.1:${await freePort()}`;
  const config = await writeScrapeConfig(folder, targets);
  return startServer(t, 'victoria-metrics', address, '/health', [
    `-promscrape.config=${config}`,
    `-storageDataPath=${join(folder, 'storage')}`,
    `-httpListenAddr=${address}`,
    // It hides the last 30 seconds by default, which is all there is here.
    '-search.latencyOffset=0s',
    '-loggerLevel=WARN',
  ]);
}

async function startServer(t, command, address, readyPath, args) {
  const child = new Process(command, args);
  t.teardown(async () => {
    // One that ended by itself, because its port was taken after all, is why the test was answered by another one.
    const { code, stderr } = await child.stop();
    if (code !== 0) t.log(`${command} ended with ${code}:\n${stderr}`);
  });
  const url = `http://${address}`;
  await child.until(async () => ((await fetch(url + readyPath)).ok ? true : undefined), 'it was ready');
  return new QueryApi(url);
}

async function writeScrapeConfig(folder, targets) {
  const jobs = Object.entries(targets).map(([job, target]) => {
    const { url, ...options } = typeof target === 'string' ? { url: target } : target;
    const { protocol, host, pathname } = new URL(url);
    const scheme = protocol.slice(0, -1);
    return { job_name: job, scheme, metrics_path: pathname, static_configs: [{ targets: [host] }], ...options };
  });
  // JSON is YAML.
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: jobs };
  const path = join(folder, 'scrape.yml');
  await writeFile(path, JSON.stringify(config));
  return path;
}
