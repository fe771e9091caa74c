/**
 * The realm's clock: what timers measure, what "now" is as a value, how long a warning is silent. The core keeps the
 * same time for what it caches and expires, so whoever moves this moves both. Knows nothing of metrics.
 *
 * The system's time is read through `process` and `Date` at each call, so that test runners that replace
 * those are obeyed, until a mock clock takes over.
 */
import { realmClock } from './native/contributor';

/** A moment of monotonic time, as `process.hrtime()` gives it. */
export type Moment = readonly [seconds: number, nanoseconds: number];

const NANOSECONDS = 1_000_000_000n;
const NANOSECONDS_PER_MS = 1_000_000;

/** Where a stopped clock stands. */
interface Stopped {
  readonly monotonicNs: bigint;
  readonly unixMs: number;
}

/** Nothing while the clock runs. */
let stopped: Stopped | undefined;
/** By how much the monotonic hand of a running clock is ahead of the system's, because it was advanced beyond it. */
let aheadNs = 0n;

/** A moment to measure from. */
export function now(): Moment {
  if (stopped === undefined && aheadNs === 0n) return process.hrtime();
  const at = monotonicNs();
  return [Number(at / NANOSECONDS), Number(at % NANOSECONDS)];
}

/** The seconds that have passed since a moment. */
export function secondsSince(start: Moment): number {
  if (stopped === undefined && aheadNs === 0n) {
    const [seconds, nanoseconds] = process.hrtime(start as [number, number]);
    return seconds + nanoseconds / 1e9;
  }
  const passed = monotonicNs() - nanosecondsOf(start);
  return Number(passed / NANOSECONDS) + Number(passed % NANOSECONDS) / 1e9;
}

/** Milliseconds since 1970. */
export function unixMs(): number {
  return stopped === undefined ? Date.now() : stopped.unixMs;
}

/** Stops the clock, the core's with it, at a time of day; the monotonic hand stops where it is. */
export function freezeClock(atUnixMs: number): void {
  stopped = { monotonicNs: monotonicNs(), unixMs: atUnixMs };
  realmClock.freeze(atUnixMs);
}

/** Lets milliseconds pass. A running clock is stopped first. */
export function advanceClock(ms: number): void {
  const passedNs = BigInt(Math.round(ms * NANOSECONDS_PER_MS));
  stopped = { monotonicNs: monotonicNs() + passedNs, unixMs: unixMs() + ms };
  realmClock.advance(ms);
}

/** Lets the clock run again. Its monotonic hand never goes back: where it was advanced too far, it stays ahead. */
export function resumeClock(): void {
  if (stopped === undefined) return;
  const ahead = stopped.monotonicNs - nanosecondsOf(process.hrtime());
  aheadNs = ahead > 0n ? ahead : 0n;
  stopped = undefined;
  realmClock.resume();
}

function monotonicNs(): bigint {
  return stopped === undefined ? nanosecondsOf(process.hrtime()) + aheadNs : stopped.monotonicNs;
}

function nanosecondsOf([seconds, nanoseconds]: Moment): bigint {
  return BigInt(seconds) * NANOSECONDS + BigInt(nanoseconds);
}
