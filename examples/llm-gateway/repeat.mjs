// Does something again and again, at a pace, whether the one before has ended or not.

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param run is given the number of the turn and a signal; what it throws is of no concern, as it has been counted.
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
