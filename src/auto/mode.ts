/**
 * The zero-code mode of a process: an exporter with default metrics, the metrics of HTTP servers and clients, and those of the
 * packages that the program loads. Does not keep the process alive.
 */
import { isMainThread } from 'node:worker_threads';
import { api } from '../realm';
import { forLog, oneLine } from '../warnings';
import { isPackageManager, readApplication } from './application';
import { listen } from './listening';
import { watchPackages } from './packages';

/** @returns what to print when the exporter listens and the packages are measured; undefined if there is nothing to say */
export async function measureProcess(): Promise<string | undefined> {
  try {
    const outcome = await measure();
    return outcome === undefined ? undefined : oneLine(outcome);
  } catch (error) {
    return `does not measure this process: ${forLog(error)}`;
  }
}

async function measure(): Promise<string | undefined> {
  if (isPackageManager(process.argv[1])) return undefined;
  if (!api.configFromEnv().enabled) return undefined;
  const servers = api.watchServers();
  api.watchClients();
  const packages = watchPackages(readApplication(process.argv[1]), servers);
  // The exporter of the main thread shows the worker threads too.
  const address = isMainThread ? listen() : undefined;
  const names = await packages;
  if (address === undefined) return undefined;
  const where = await address;
  if ('error' in where) return `${where.error}; the program runs on without an endpoint`;
  return `${where.url} shows ${['process, Node.js, HTTP servers and clients', ...names].join(', ')}`;
}
