/**
 * Measures the process in the zero-code mode: an exporter with default metrics, the metrics of HTTP servers and clients and of
 * databases' clients, and those of the packages that the program loads. Does not keep the process alive.
 */
import { isMainThread } from 'node:worker_threads';
import { messageOf } from '../errors';
import { api } from '../realm';
import { oneLine } from '../warnings';
import { isPackageManager, readApplication } from './application';
import { listen, onRefusedPort } from './listening';
import { watchPackages } from './packages';

type Say = (text: string) => void;

/** @returns a promise that resolves when the exporter listens and the packages are measured */
export async function measureProcess(print: Say): Promise<void> {
  const say: Say = (text) => print(oneLine(text));
  try {
    await measure(say);
  } catch (error) {
    say(`does not measure this process: ${messageOf(error)}`);
  }
}

async function measure(say: Say): Promise<void> {
  if (isPackageManager(process.argv[1])) return;
  const config = api.configFromEnv();
  if (!config.enabled) return;
  const servers = api.watchServers();
  api.watchClients();
  api.watchDatabases();
  const packages = watchPackages(readApplication(process.argv[1]), servers);
  // The exporter of the main thread shows the worker threads too.
  const address = isMainThread ? listen(config) : undefined;
  const names = await packages;
  if (address === undefined) return;
  const where = await address;
  if ('error' in where) {
    say(`${where.error}; the program runs on without an endpoint`);
    return;
  }
  say(`${where.url} shows ${['process, Node.js, HTTP servers and clients', ...names].join(', ')}`);
  onRefusedPort(where.port, () =>
    say(`port ${where.port} has the metrics of this process: METRICS_ENDPOINT_PORT sets another`),
  );
}
