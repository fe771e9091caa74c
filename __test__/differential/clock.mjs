// Installs one clock for every way in which a library can read the time, so that timers and timestamps are comparable.
// It must be installed before a library is loaded, because the library may keep the functions that it finds.

/** 1/512 s: a whole number of nanoseconds, and exact in binary as seconds. So all clocks round alike. */
const TICK_NS = 1_953_125n;
const EPOCH_MS = 1_700_000_000_000;

let ticks;

const real = {
  hrtime: process.hrtime.bind(process),
  bigint: process.hrtime.bigint.bind(process.hrtime),
  performanceNow: performance.now.bind(performance),
  dateNow: Date.now,
};

function elapsedNs() {
  return BigInt(ticks) * TICK_NS;
}

function hrtime(since) {
  if (ticks === undefined) {
    return real.hrtime(since);
  }
  const before = since === undefined ? 0n : BigInt(since[0]) * 1_000_000_000n + BigInt(since[1]);
  const ns = elapsedNs() - before;
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}
hrtime.bigint = () => (ticks === undefined ? real.bigint() : elapsedNs());

process.hrtime = hrtime;
performance.now = () => (ticks === undefined ? real.performanceNow() : Number(elapsedNs()) / 1e6);
Date.now = () => (ticks === undefined ? real.dateNow() : EPOCH_MS + Math.floor(Number(elapsedNs()) / 1e6));

/** Resets the clock to its start and stops it. From now on it moves only when told to. */
export function stopClock() {
  ticks = 0;
}

export function advanceClock(by) {
  ticks += by;
}

export function releaseClock() {
  ticks = undefined;
}
