// Runs a function of a test in a process of its own. `say` sends to the test and `heard` receives. The channel keeps the
// process alive only while the program waits for a message.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { programOf, tools } from '../../../threads/support/tools.mjs';

const [source, argument, gate] = process.argv.slice(2);

const own = {
  argument: JSON.parse(argument),
  say: (message) => new Promise((resolve) => process.send(message, resolve)),
  heard: async () => (await once(process, 'message'))[0],
  /** Stops the event loop until the test calls `free()`, which makes a file: messages need the loop. */
  block() {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(gate)) Atomics.wait(pause, 0, 0, 5);
  },
};
const given = Object.defineProperties(
  {},
  { ...Object.getOwnPropertyDescriptors(tools), ...Object.getOwnPropertyDescriptors(own) },
);
await programOf(source)(given);
