// Runs a function of a test in a process of its own. `say` sends to the test and `heard` receives. The channel keeps the
// process alive only while the program waits for a message.

import { once } from 'node:events';
import { programOf, tools } from '../../../threads/support/tools.mjs';

const [source, argument] = process.argv.slice(2);

const own = {
  argument: JSON.parse(argument),
  say: (message) => new Promise((resolve) => process.send(message, resolve)),
  heard: async () => (await once(process, 'message'))[0],
  /** Stops the event loop. */
  block(ms) {
    for (const end = performance.now() + ms; performance.now() < end; );
  },
};
const given = Object.defineProperties(
  {},
  { ...Object.getOwnPropertyDescriptors(tools), ...Object.getOwnPropertyDescriptors(own) },
);
await programOf(source)(given);
