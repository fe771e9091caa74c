/**
 * A clock that tests control. It replaces the realm's clock, in JavaScript and in the core together, and restores it.
 */
import { types } from 'node:util';
import { advanceClock, freezeClock, resumeClock, unixMs } from '../clock';
import { ConfigurationError, describe } from '../errors';
import { checkOptionNames, optionNames } from '../options';

/** Settings of a mock clock. */
export interface MockClockOptions {
  /** The time that the clock shows after `install()`: milliseconds since 1970, or a date. @default the current time */
  readonly now?: number | Date;
}

const OPTIONS = optionNames<MockClockOptions>('MockClock', { now: true });

/** The installed clock, and the source line that installed it. */
let installed: { readonly clock: MockClock; readonly place: string } | undefined;

/**
 * Stops the clock of the metrics: timers (`startTimer()`, `time()`, durations of HTTP requests), `setToCurrentTime()`,
 * timestamps of exemplars, the age of cached expositions, and the expiry of unused series. Time passes only when
 * `advanceMs()` or `advanceSeconds()` is called.
 *
 * It controls the clock of this realm only: a worker thread has its own. It does not change `Date`, `setTimeout`, time
 * limits of `collect()` callbacks, rate limits or sockets. Use your runner's fake timers for these; both can be used
 * together.
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

  /** @throws {ConfigurationError} `INVALID_CONFIG` for an invalid time, or one before 1970 */
  constructor(options: MockClockOptions = {}) {
    checkOptionNames(options, OPTIONS);
    const { now } = options;
    this.#startMs = now === undefined ? undefined : checkedMs('now', types.isDate(now) ? now.getTime() : now);
  }

  /**
   * Replaces the realm's clock. With `using`, the end of the block restores it.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` if a mock clock is already installed
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
   * Advances the clock by milliseconds. Fractions are exact to the nanosecond.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for a negative number, or if the clock is not installed
   */
  advanceMs(ms: number): void {
    this.#checkInstalled('advanceMs()');
    advanceClock(checkedMs('advanceMs()', ms));
  }

  /**
   * Advances the clock by seconds. Fractions are exact to the nanosecond.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for a negative number, or if the clock is not installed
   */
  advanceSeconds(seconds: number): void {
    this.#checkInstalled('advanceSeconds()');
    advanceClock(checkedMs('advanceSeconds()', typeof seconds === 'number' ? seconds * 1000 : seconds));
  }

  /**
   * Sets the time of day, as when a computer's clock is set. No time passes: running timers and unused series keep their
   * age.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid time or one before 1970, or if the clock is not installed
   */
  set(now: number | Date): void {
    this.#checkInstalled('set()');
    freezeClock(checkedMs('set()', types.isDate(now) ? now.getTime() : now));
  }

  /** Restores the realm's clock. Does nothing if this clock is not installed. */
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

/** The core keeps nanoseconds since 1970 in 64 bits, which is enough until the year 2500. */
const LATEST_MS = Date.UTC(2500, 0);

function checkedMs(what: string, ms: unknown): number {
  if (typeof ms === 'number' && ms >= 0 && ms <= LATEST_MS) return ms;
  throw new ConfigurationError('INVALID_CONFIG', `Expected time of 0 or more for ${what} but received ${describe(ms)}`);
}

/** The source line that called a function, from the stack trace. */
function callerOf(callee: (...args: never[]) => unknown): string {
  const trace = { stack: '' };
  Error.captureStackTrace(trace, callee);
  return trace.stack.split('\n')[1]?.trim() ?? 'at an unknown place';
}
