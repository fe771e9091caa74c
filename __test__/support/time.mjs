// The time of a test: the clocks of the library and of its doors, stopped and moved, and Node.js' timers, held until the test
// lets them go.

import { stat } from 'node:fs/promises';
import timers from 'node:timers';
import { MockClock } from '@llm-devops/prometheus-metrics/testing';

/** Stops the library's clock until the test ends; returns what lets seconds pass. */
export function stoppedClock(t) {
  const clock = new MockClock({ now: 1_700_000_000_000 }).install();
  t.teardown(() => clock.restore());
  return (seconds) => clock.advanceSeconds(seconds);
}

/** Stops the clock by which doors tell who reads, until the test ends; returns what lets milliseconds pass. */
export function stoppedReading(t) {
  let now = performance.now();
  performance.now = () => now;
  t.teardown(() => Reflect.deleteProperty(performance, 'now'));
  return (ms) => {
    now += ms;
  };
}

/** Holds timers that the library starts until the test ends; returns what lets milliseconds pass for them. */
export function heldTimers(t) {
  const { setTimeout, clearTimeout } = timers;
  const held = new Set();
  let now = 0;
  timers.setTimeout = (callback, ms) => {
    const timer = { callback, at: now + ms, unref: () => timer };
    held.add(timer);
    return timer;
  };
  timers.clearTimeout = (timer) => held.delete(timer);
  t.teardown(() => Object.assign(timers, { setTimeout, clearTimeout }));
  return async (ms) => {
    now += ms;
    for (const timer of [...held]) {
      if (timer.at > now || !held.delete(timer)) continue;
      timer.callback();
    }
    await settled();
  };
}

/** Lets the threads of the pool finish what they were asked to do before. */
export async function settled() {
  // Each is asked of the same threads, and more of them than there are.
  for (let turn = 0; turn < 8; turn++) {
    await stat('.');
    await new Promise(setImmediate);
  }
}
