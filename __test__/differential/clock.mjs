// One clock for every way in which a library may ask for the time, so that timers and timestamps are comparable. It
// must be installed before a library is loaded, which may keep the functions it finds.

/** 1/512 s: whole nanoseconds, and exact in binary as seconds, so no clock rounds differently from another. */
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

/** Stops the clock at its start; from now on it only moves when told to. */
export function stopClock() {
  ticks = 0;
}

export function advanceClock(by) {
  ticks += by;
}

export function releaseClock() {
  ticks = undefined;
}
