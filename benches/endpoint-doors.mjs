// Defines the doors that endpoint.mjs compares, and starts their processes: one service per door, and clients.

import { JAVASCRIPT, NATIVE, PREPARED } from './endpoint-server.mjs';
import { startRole } from './harness.mjs';
import { libraryById, OURS, peersOf, selectLibraries } from './libraries.mjs';

const bench = new URL('endpoint.mjs', import.meta.url);

export const nativeDoor = ours(NATIVE, 'native door');
export const javascriptDoor = ours(JAVASCRIPT, 'JavaScript door');

/** Without a library: node:http sends a prepared body. */
export const preparedDoor = { id: PREPARED, title: '*prepared body*', door: PREPARED };

/** prom-client and its forks: the libraries that a program would migrate from. */
export const peerDoors = ['prom-client', 'prometheus-io', 'platformatic'].map((id) => ({
  id,
  title: libraryById(id).title,
  library: id,
  door: JAVASCRIPT,
}));

/** Our doors first; empty if this run leaves our library out. */
export function ourDoors() {
  const ids = selectLibraries().map(({ id }) => id);
  return peersOf(ids).length < ids.length ? [nativeDoor, javascriptDoor] : [];
}

export function startClient() {
  return startRole(bench, { client: true });
}

/** Starts a service behind `door`: `{ask, stop, port, metricsPort}`. */
export async function startService({ library, door }, population, bodies) {
  const child = startRole(bench, { serve: true, library, door, ...population });
  try {
    return { ...child, ...(await child.ask('start', bodies)) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Starts a service behind each door, runs `use` with them by id, then stops them all. */
export async function withServices(doors, population, use) {
  const services = {};
  try {
    for (const door of doors) services[door.id] = await startService(door, population);
    return await use(services);
  } finally {
    await Promise.all(Object.values(services).map((service) => service.stop()));
  }
}

function ours(door, short) {
  return { id: door, title: `${libraryById(OURS).title}, ${short}`, short, library: OURS, door };
}
