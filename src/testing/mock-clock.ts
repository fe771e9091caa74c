/**
 * A clock that tests move. It takes over the realm's clock, in JavaScript and in the core at once, and gives it back.
 */
import { advanceClock, freezeClock, resumeClock, unixMs } from '../clock';
import { ConfigurationError, describe } from '../errors';

/** Settings of a mock clock. */
export interface MockClockOptions {
  /** The time of day at which it stands: milliseconds since 1970, or a date. @default the time of `install()` */
  readonly now?: number | Date;
}

/** The clock that has taken over, and where it was installed. */
let installed: { readonly clock: MockClock; readonly place: string } | undefined;

/**
 * Stops the time that metrics go by: timers (`startTimer()`, `time()`, the durations of HTTP requests),
 * `setToCurrentTime()`, timestamps of exemplars, the age of cached expositions, and the time after which unused series
 * expire. Nothing moves until `advanceMs()` or `advanceSeconds()` is called.
 *
 * It moves the clock of this realm: a worker thread has its own. It leaves alone what is not the metrics': `Date`,
 * `setTimeout`, time limits of `collect()` callbacks, rate limits, sockets. Your runner's fake timers serve for those,
 * and the two can be used together.
 *
 * @example
 * const clock = new MockClock({ now: Date.UTC(2026, 0, 1) }).install();
 * const end = histogram.startTimer();
 * clock.advanceSeconds(2);
 * end(); // observes 2
 * clock.restore();
 */
export class MockClock implements Disposable {
  readonly #startMs: number | undefined;

  /** @throws {ConfigurationError} `INVALID_CONFIG` for a time that is none, or before 1970 */
  constructor(options: MockClockOptions = {}) {
    const { now } = options;
    this.#startMs = now === undefined ? undefined : checkedMs('now', now instanceof Date ? now.getTime() : now);
  }

  /**
   * Takes the realm's clock over. With `using`, the end of the block gives it back.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` while a mock clock is installed
   */
  install(): this {
    if (installed !== undefined) {
      throw new ConfigurationError(
        'INVALID_CONFIG',
        `Expected no other MockClock to be installed, but one was and is not restored. It was installed ${installed.place}`,
      );
    }
    freezeClock(this.#startMs ?? unixMs());
    installed = { clock: this, place: callerOf(this.install) };
    return this;
  }

  /** The time of day: milliseconds since 1970. */
  get nowMs(): number {
    this.#checkInstalled('nowMs');
    return unixMs();
  }

  /**
   * Lets milliseconds pass; fractions count down to nanoseconds.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for less than 0, and while it is not installed
   */
  advanceMs(ms: number): void {
    this.#checkInstalled('advanceMs()');
    advanceClock(checkedMs('advanceMs()', ms));
  }

  /**
   * Lets seconds pass; fractions count down to nanoseconds.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for less than 0, and while it is not installed
   */
  advanceSeconds(seconds: number): void {
    this.#checkInstalled('advanceSeconds()');
    advanceClock(checkedMs('advanceSeconds()', typeof seconds === 'number' ? seconds * 1000 : seconds));
  }

  /**
   * Sets the time of day. That passes no time, as setting a computer's clock does not: what runs, or waits to expire,
   * is as old as before.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for a time that is none, or before 1970, and while it is not installed
   */
  set(now: number | Date): void {
    this.#checkInstalled('set()');
    freezeClock(checkedMs('set()', now instanceof Date ? now.getTime() : now));
  }

  /** Gives the realm its clock back. Again, or before it was installed, it does nothing. */
  restore(): void {
    if (installed?.clock !== this) return;
    installed = undefined;
    resumeClock();
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  #checkInstalled(what: string): void {
    if (installed?.clock === this) return;
    throw new ConfigurationError('INVALID_CONFIG', `Expected an installed MockClock for ${what}: call install() first`);
  }
}

/** Nanoseconds since 1970 are kept in 64 bits: enough until the year 2500. */
const LATEST_MS = Date.UTC(2500, 0);

function checkedMs(what: string, ms: unknown): number {
  if (typeof ms === 'number' && ms >= 0 && ms <= LATEST_MS) return ms;
  throw new ConfigurationError('INVALID_CONFIG', `Expected time of 0 or more for ${what} but received ${describe(ms)}`);
}

/** Where a function was called: the line of a stack trace that stands below it. */
function callerOf(callee: (...args: never[]) => unknown): string {
  const trace = { stack: '' };
  Error.captureStackTrace(trace, callee);
  return trace.stack.split('\n')[1]?.trim() ?? 'at an unknown place';
}
