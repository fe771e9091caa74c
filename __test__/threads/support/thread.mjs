// The worker side of a program.

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { programOf, tools } from './tools.mjs';

const own = {
  argument: workerData.argument,
  say: (message) => parentPort.postMessage(message),
  /** The next message of the thread that started this one; waiting for it keeps this one alive. */
  heard: async () => (await once(parentPort, 'message'))[0],
};
const given = Object.defineProperties(
  {},
  { ...Object.getOwnPropertyDescriptors(tools), ...Object.getOwnPropertyDescriptors(own) },
);
await programOf(workerData.source)(given);
