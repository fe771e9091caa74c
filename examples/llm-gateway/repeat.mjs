// Runs a function at a fixed pace, without waiting for the previous run.

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param run gets the number of the turn and a signal. Its errors are ignored, because they have been counted.
 * @returns a function that stops and resolves when the last turn has ended.
 */
export function repeat(pauseMs, run) {
  const stop = new AbortController();
  const running = new Set();

  const loop = async () => {
    for (let n = 0; !stop.signal.aborted; n++) {
      const turn = run(n, stop.signal).catch(() => {});
      running.add(turn);
      turn.finally(() => running.delete(turn));
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const ended = loop();

  return async () => {
    stop.abort();
    await ended;
    await Promise.all(running);
  };
}
