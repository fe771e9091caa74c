// Starts Prometheus and VictoriaMetrics, each in its own folder, with a scrape every second.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/ports.mjs';
import { Process, run, temporaryFolder } from './processes.mjs';
import { QueryApi } from './query.mjs';

/** A program that `.ci/judges.sh` unpacks or builds. */
const target = (path) => fileURLToPath(new URL(`../../../target/${path}`, import.meta.url));

/** Prometheus 3, as Debian's newest release has it, and built from its Go module. Debian's stable release has version 2. */
export const PROMETHEUS_3 = target('judges-debian/usr/bin/prometheus');
export const PROMETHEUS_NEWEST = target('judges-servers/prometheus');

/** VictoriaMetrics of Debian's stable and of its newest release. */
export const VICTORIA_METRICS = 'victoria-metrics';
export const VICTORIA_METRICS_NEWEST = target('judges-debian/usr/bin/victoria-metrics');

/**
 * @param targets by job name: a metrics URL, or an object with `url` and other settings of the job.
 * @param more `ruleFiles` to evaluate every second, `history`, an OpenMetrics text with timestamps to load, more `flags`,
 * `features` and the `program` of Prometheus 3, which is started if one of them is given, and more settings for its `config`.
 * @returns {Promise<QueryApi>}
 */
export async function startPrometheus(t, targets, more = {}) {
  const { ruleFiles = [], history, flags = [], features, config: ofConfig = {} } = more;
  const { program = features === undefined ? 'prometheus' : PROMETHEUS_3 } = more;
  const folder = await temporaryFolder(t);
  const address = `127.0.0.1:${await freePort()}`;
  const isNew = program !== 'prometheus';
  const { global, flags: ofFeatures } = isNew ? await settingsOf(t, program, features ?? []) : { flags: [] };
  const config = await writeScrapeConfig(folder, targets, ruleFiles, global, ofConfig);
  const storage = join(folder, 'tsdb');
  if (history !== undefined) await writeHistory(folder, storage, history);
  return startServer(t, program, address, '/-/ready', [
    ...ofFeatures,
    `--config.file=${config}`,
    `--storage.tsdb.path=${storage}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
    ...flags,
  ]);
}

/** @param targets as for Prometheus. @returns {Promise<QueryApi>} */
export async function startVictoriaMetrics(t, targets, program = VICTORIA_METRICS) {
  const folder = await temporaryFolder(t);
  const address = `127.0.0.1:${await freePort()}`;
  const config = await writeScrapeConfig(folder, targets, []);
  return startServer(t, program, address, '/health', [
    `-promscrape.config=${config}`,
    `-storageDataPath=${join(folder, 'storage')}`,
    `-httpListenAddr=${address}`,
    // It hides the last 30 seconds by default, which would hide everything in this test.
    '-search.latencyOffset=0s',
    '-loggerLevel=WARN',
    // Older versions do not know it.
    ...(program === VICTORIA_METRICS ? [] : ['-inmemoryDataFlushInterval=1s']),
  ]);
}

/** The settings and flags for these features. From 3.8 on, native histograms are a setting. */
async function settingsOf(t, program, features) {
  const { stdout, stderr } = await run(program, ['--version']);
  const [version, minor] = /version 3\.(\d+)\S*/.exec(stdout + stderr) ?? [];
  if (version === undefined) throw new Error(`Expected Prometheus 3 but received\n${stdout}${stderr}`);
  t.log(`Prometheus ${version}`);
  const isSetting = features.includes('native-histograms') && Number(minor) >= 8;
  const named = isSetting ? features.filter((feature) => feature !== 'native-histograms') : features;
  return {
    global: isSetting ? { scrape_native_histograms: true } : {},
    flags: named.length > 0 ? [`--enable-feature=${named.join(',')}`] : [],
  };
}

async function startServer(t, command, address, readyPath, args) {
  const child = new Process(command, args);
  t.teardown(async () => {
    // If the server ended because its port was taken, another server has answered: that explains the failure.
    const { code, stderr } = await child.stop();
    if (code !== 0) t.log(`${command} ended with ${code}:\n${stderr}`);
  });
  const url = `http://${address}`;
  await child.until(async () => ((await fetch(url + readyPath)).ok ? true : undefined), 'it was ready');
  return new QueryApi(url);
}

async function writeHistory(folder, storage, history) {
  const path = join(folder, 'history.txt');
  await writeFile(path, history);
  const { code, stdout, stderr } = await run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', path, storage]);
  if (code !== 0) throw new Error(`promtool did not take the history:\n${stdout}${stderr}`);
}

async function writeScrapeConfig(folder, targets, ruleFiles, ofGlobal = {}, more = {}) {
  const jobs = Object.entries(targets).map(([job, target]) => {
    const { url, ...options } = typeof target === 'string' ? { url: target } : target;
    const { protocol, host, pathname } = new URL(url);
    const scheme = protocol.slice(0, -1);
    return { job_name: job, scheme, metrics_path: pathname, static_configs: [{ targets: [host] }], ...options };
  });
  // JSON is YAML.
  const global = { scrape_interval: '1s', scrape_timeout: '1s', ...ofGlobal };
  const config = { global, scrape_configs: jobs, ...more };
  // VictoriaMetrics rejects unknown settings.
  if (ruleFiles.length > 0) Object.assign(config, { rule_files: ruleFiles }).global.evaluation_interval = '1s';
  const path = join(folder, 'scrape.yml');
  await writeFile(path, JSON.stringify(config));
  return path;
}
