/**
 * Tells the realm's time: for timers, for "now" as a value, for the silence between two warnings. The core uses the
 * same time for caches and expiry; a test that moves the clock here moves both. Does not depend on metrics.
 *
 * Until a mock clock is installed, each call reads `process.hrtime` or `Date.now` anew, so that the fake timers of test
 * runners take effect.
 */
import { realmClock } from './native/contributor';

/** A moment of monotonic time, as `process.hrtime()` gives it. */
export type Moment = readonly [seconds: number, nanoseconds: number];

const NANOSECONDS = 1_000_000_000n;
const NANOSECONDS_PER_MS = 1_000_000;

/** The time at which the clock was stopped. */
interface Stopped {
  readonly monotonicNs: bigint;
  readonly unixMs: number;
}

/** `undefined` while the clock runs. */
let stopped: Stopped | undefined;
/** Nanoseconds added to the system's monotonic clock, because a test advanced it past real time. */
let aheadNs = 0n;

/** The current moment, for `secondsSince()`. */
export function now(): Moment {
  if (stopped === undefined && aheadNs === 0n) return process.hrtime();
  const at = monotonicNs();
  return [Number(at / NANOSECONDS), Number(at % NANOSECONDS)];
}

/** The seconds since a moment. */
export function secondsSince(start: Moment): number {
  // Not `process.hrtime(start)`, which takes 10 ns more: a summary with a window asks for each observation.
  if (stopped === undefined && aheadNs === 0n) return secondsBetween(start, process.hrtime());
  const passed = monotonicNs() - toNanoseconds(start);
  return Number(passed / NANOSECONDS) + Number(passed % NANOSECONDS) / 1e9;
}

/** The seconds from one moment to a later one. */
export function secondsBetween([seconds, nanoseconds]: Moment, [later, laterNanoseconds]: Moment): number {
  const rest = laterNanoseconds - nanoseconds;
  return rest < 0 ? later - seconds - 1 + (rest + 1e9) / 1e9 : later - seconds + rest / 1e9;
}

let performance: typeof import('node:perf_hooks').performance | undefined;

/** Milliseconds of real time, which a mock clock does not change. Loading its module takes a millisecond, so it is not loaded at once. */
export function realMs(): number {
  performance ??= (require('node:perf_hooks') as typeof import('node:perf_hooks')).performance;
  return performance.now();
}

/** Milliseconds since 1970. */
export function unixMs(): number {
  return stopped === undefined ? Date.now() : stopped.unixMs;
}

/** Stops this clock and the core's. Sets the time of day; monotonic time stops at its current value. */
export function freezeClock(atUnixMs: number): void {
  stopped = { monotonicNs: monotonicNs(), unixMs: atUnixMs };
  realmClock.freeze(atUnixMs);
}

/** Moves the clock forward. A running clock is stopped first. */
export function advanceClock(ms: number): void {
  const passedNs = BigInt(Math.round(ms * NANOSECONDS_PER_MS));
  stopped = { monotonicNs: monotonicNs() + passedNs, unixMs: unixMs() + ms };
  realmClock.advance(ms);
}

/** Starts the clock again. Monotonic time never goes back: if a test moved it past real time, it stays ahead. */
export function resumeClock(): void {
  if (stopped === undefined) return;
  const ahead = stopped.monotonicNs - toNanoseconds(process.hrtime());
  aheadNs = ahead > 0n ? ahead : 0n;
  stopped = undefined;
  realmClock.resume();
}

function monotonicNs(): bigint {
  return stopped === undefined ? toNanoseconds(process.hrtime()) + aheadNs : stopped.monotonicNs;
}

function toNanoseconds([seconds, nanoseconds]: Moment): bigint {
  return BigInt(seconds) * NANOSECONDS + BigInt(nanoseconds);
}
