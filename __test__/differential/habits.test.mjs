// Habits of programs that random programs do not have: subclasses, replaced methods, private fields, objects of other
// libraries. Each must have the same result in this library and in the peer that the program was written for.

import test from 'ava';
import { peers, subject } from './clients.mjs';
import { common, ofPromClient, ofSuccessor } from './habits.mjs';

// Silence the warnings about callbacks that fail on purpose.
process.removeAllListeners('warning');

const [promClient, successor] = peers;

for (const [habits, written] of [
  [common, peers],
  [ofPromClient, [promClient]],
  [ofSuccessor, [successor]],
]) {
  for (const [title, habit] of Object.entries(habits)) {
    for (const { name, client } of written) {
      test.serial(`as in ${name}: ${title}`, async (t) => {
        t.deepEqual(plain(await habit(subject.client)), plain(await habit(client)));
      });
    }
  }
}

/** Without classes, proxies and the order of keys. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return Object.fromEntries(keys.sort().map((key) => [key, plain(value[key])]));
}
