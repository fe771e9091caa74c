// Runs a program's requests against a local server and prints what they recorded, in an order that is always the same.

import { collectors, recorded } from './support/recorded.mjs';
import { WireServer } from './support/wire-server.mjs';

/** @param without lines that differ between versions for a reason that the page names */
export async function measured(run, { without } = {}) {
  const unfinished = [];
  const wire = await WireServer.start({ teardown: (end) => unfinished.push(end) });
  const made = collectors();
  process.on('unhandledRejection', (reason) => {
    console.log('unhandled rejection', reason);
    process.exitCode = 1;
  });
  await run({ wire, ...made });
  const lines = (await recorded(made.registry)).filter((line) => without?.test(line) !== true);
  for (const line of lines.sort()) console.log(line);
  for (const end of unfinished) await end();
}

/** Waits for a promise that must be rejected. */
export async function fails(promise) {
  try {
    await promise;
  } catch {
    return;
  }
  throw new Error('Expected a failure but the call succeeded');
}

/** Reads an asynchronous iteration to its end. */
export async function drain(iterable) {
  for await (const _ of iterable);
}
