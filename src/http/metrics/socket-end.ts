/**
 * Tells when the socket of a request closes. All requests of a socket share one listener, because Node.js warns of many
 * listeners, and a client may send any number of requests at once.
 */
import type { EventEmitter } from 'node:events';

const waiting = new WeakMap<EventEmitter, Set<() => void>>();

/** Calls `ended` when the socket closes. @returns a function that ends the wait */
export function onSocketEnd(socket: EventEmitter, ended: () => void): () => void {
  let all = waiting.get(socket);
  if (all === undefined) {
    const listeners = new Set<() => void>();
    all = listeners;
    waiting.set(socket, all);
    socket.once('close', () => {
      for (const listener of listeners) listener();
    });
  }
  const listeners = all.add(ended);
  return () => listeners.delete(ended);
}
