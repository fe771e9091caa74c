/**
 * Starts the exporter of a process. A worker of `node:cluster` takes the first free port above the one that is set.
 */
import { messageOf } from '../errors';
import type { Exporter, ExporterOptions } from '../http/exporter';
import { read } from '../read';
import { api } from '../realm';

/** Most ports that a worker tries. */
const WORKER_PORTS = 100;

/** The address of the metrics, or why there is none. */
export type Listening = { readonly url: string } | { readonly error: string };

export async function listen(): Promise<Listening> {
  try {
    const { path } = api.configFromEnv();
    const { url } = await startOwn();
    return { url: url.startsWith('unix:') ? url : `${url}${path}` };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

async function startOwn(): Promise<Exporter> {
  const { port } = api.configFromEnv();
  const options = wantedCollectors();
  // The module is loaded in every process that has a cluster, and small.
  const cluster = require('node:cluster') as typeof import('node:cluster').default;
  if (!cluster.isWorker || port === 0) return api.startYieldingExporter(options);
  for (let above = 1; above < WORKER_PORTS; above++) {
    try {
      return await api.startYieldingExporter({ ...options, port: port + above });
    } catch (error) {
      if (read(error, 'code') !== 'BIND_FAILED' || !/in use/i.test(messageOf(error))) throw error;
    }
  }
  return api.startYieldingExporter({ ...options, port: port + WORKER_PORTS });
}

/** Default metrics, unless the environment says otherwise. */
function wantedCollectors(): ExporterOptions {
  const { METRICS_COLLECTORS_PROCESS, METRICS_COLLECTORS_RUNTIME } = process.env;
  return {
    ...(METRICS_COLLECTORS_PROCESS ? {} : { collectorsProcess: true }),
    ...(METRICS_COLLECTORS_RUNTIME ? {} : { collectorsRuntime: true }),
  };
}
