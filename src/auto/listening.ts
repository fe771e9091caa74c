/**
 * Starts the exporter of a process. A worker of `node:cluster`, and a process below one that has the port, takes the first free
 * port above the one that is set.
 */
import { subscribe } from 'node:diagnostics_channel';
import { isPortInUse, messageOf } from '../errors';
import type { Exporter, ExporterOptions } from '../http/exporter';
import { read } from '../read';
import { api } from '../realm';

/** Most ports above the one that is set that a process tries. */
const PORTS_ABOVE = 100;

/** Tells the processes that this one starts that the port which they are set to may be taken by the mode. */
const TAKEN_PORT = 'METRICS_AUTO_TAKEN_PORT';

/** The address of the metrics, or why there is none. */
export type Listening = { readonly url: string; readonly port: number } | { readonly error: string };

/** @param config the settings of the environment */
export async function listen(config: { readonly path: string; readonly port: number }): Promise<Listening> {
  try {
    const { path } = config;
    const { url, port } = await startOwn(config.port);
    return { port, url: url.startsWith('unix:') ? url : `${url}${path}` };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/**
 * Calls a function if the program cannot listen on the port because the exporter has it. Node.js reports that the program
 * begins to listen too late for the exporter to leave the port.
 */
export function onRefusedPort(port: number, tell: () => void): void {
  subscribe('tracing:net.server.listen:error', (message) => {
    const error = read(message, 'error');
    if (read(error, 'code') === 'EADDRINUSE' && read(error, 'port') === port) tell();
  });
}

async function startOwn(port: number): Promise<Exporter> {
  // Few programs need the module. Node.js itself has loaded it in a worker, before any code of the program.
  const { isWorker } = require('node:cluster') as typeof import('node:cluster').default;
  const isBelow = process.env[TAKEN_PORT] === String(port);
  const mayMove = port !== 0 && (isWorker || isBelow);
  const exporter = await startFrom(port, isWorker && mayMove ? 1 : 0, mayMove ? PORTS_ABOVE : 0);
  // A Unix socket has no port.
  if (port !== 0 && exporter.port !== 0) process.env[TAKEN_PORT] = String(port);
  return exporter;
}

/** Starts the exporter on the first free port of a range. */
async function startFrom(port: number, first: number, last: number): Promise<Exporter> {
  const options = wantedCollectors();
  for (let above = first; above < last; above++) {
    try {
      return await api.startYieldingExporter({ ...options, port: port + above });
    } catch (error) {
      if (!isPortInUse(error)) throw error;
    }
  }
  return api.startYieldingExporter(last === 0 ? options : { ...options, port: port + last });
}

/** Default metrics, unless the environment says otherwise. */
function wantedCollectors(): ExporterOptions {
  const { METRICS_COLLECTORS_PROCESS, METRICS_COLLECTORS_RUNTIME } = process.env;
  return {
    ...(METRICS_COLLECTORS_PROCESS ? {} : { collectorsProcess: true }),
    ...(METRICS_COLLECTORS_RUNTIME ? {} : { collectorsRuntime: true }),
  };
}
