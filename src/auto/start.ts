/**
 * Starts the zero-code mode: an exporter with default metrics, the metrics of HTTP servers and clients, and those of the
 * packages that the program loads. Prints one line on stderr. Never throws, and does not keep the process alive.
 */
import { isMainThread } from 'node:worker_threads';
import { messageOf } from '../errors';
import { api } from '../realm';
import { oneLine } from '../warnings';
import { isPackageManager, readApplication } from './application';
import { listen } from './listening';
import { watchPackages } from './packages';

/** Marks a realm in which the mode has started: a program may both `--require` and `--import` it. */
const STARTED = Symbol.for('@llm-devops/prometheus-metrics.auto');

const realm = globalThis as { [STARTED]?: Promise<void> };

/** @returns a promise that resolves when the exporter listens and the application's packages are measured */
export function start(): Promise<void> {
  realm[STARTED] ??= begin().catch((error: unknown) => say(`does not measure this process: ${messageOf(error)}`));
  return realm[STARTED];
}

async function begin(): Promise<void> {
  if (isPackageManager(process.argv[1])) return;
  if (!api.configFromEnv().enabled) return;
  const servers = api.watchServers();
  api.watchClients();
  const { ready, names } = watchPackages(readApplication(process.argv[1]), servers);
  // The exporter of the main thread shows the worker threads too.
  const address = isMainThread ? listen() : undefined;
  await ready;
  if (address === undefined) return;
  const measured = ['process, Node.js, HTTP servers and clients', ...names].join(', ');
  const where = await address;
  say('error' in where ? `${where.error}; the program runs on without an endpoint` : `${where.url} shows ${measured}`);
}

function say(text: string): void {
  try {
    process.stderr.write(`prometheus-metrics: ${oneLine(text)}\n`);
  } catch {
    // A closed stderr must not end the program.
  }
}
