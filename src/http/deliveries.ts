/**
 * Watches answers until their clients have read them. Each has a time limit, and those that are not being read can be given
 * up to free their memory. Must not know any server or framework.
 */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

/** Why an answer was given up. */
export type GivenUp = 'late' | 'displaced';

/** An answer that its client is reading. */
export interface Delivery {
  /** Has to be called when the client has taken a piece of the answer. */
  moved(): void;
  /** Has to be called when the client has read the answer or has left. Further calls do nothing. */
  end(): void;
}

/** An answer of which the client has taken nothing for this time may be displaced. */
const STALLED_MS = 500;
/** So may one that has taken this time, though its client reads it bit by bit: a scraper needs less than a second. */
const SLOW_MS = 5000;

/** The answers of one door that their clients are reading. */
export class Deliveries {
  readonly #timeoutMs: number;
  readonly #count: (why: GivenUp) => void;
  /** The answers whose body is in native memory; first the one that has not moved for the longest time. */
  readonly #large = new Set<Watched>();

  /** @param count called for each answer that was given up */
  constructor(timeoutMs: number, count: (why: GivenUp) => void) {
    this.#timeoutMs = timeoutMs;
    this.#count = count;
  }

  /**
   * Starts the clock of an answer.
   *
   * @param isLarge true if its body is in native memory
   * @param giveUp frees the memory and ends the connection
   */
  begin(isLarge: boolean, giveUp: () => void): Delivery {
    const stop = (why: GivenUp): void => {
      end();
      this.#count(why);
      giveUp();
    };
    // unref: this timer must not keep the process alive.
    const timer = setTimeout(stop, this.#timeoutMs, 'late').unref();
    const began = performance.now();
    const watched = { began, moved: began, stop };
    const end = (): void => {
      clearTimeout(timer);
      this.#large.delete(watched);
    };
    const moved = (): void => {
      watched.moved = performance.now();
      if (this.#large.delete(watched)) this.#large.add(watched);
    };
    if (isLarge) this.#large.add(watched);
    return { moved, end };
  }

  /** Gives up the large answer that has not moved for the longest time. @returns false if all are being read */
  giveUpOne(): boolean {
    const now = performance.now();
    const [still] = this.#large;
    if (still === undefined) return false;
    const found =
      now - still.moved >= STALLED_MS ? still : [...this.#large].find(({ began }) => now - began >= SLOW_MS);
    found?.stop('displaced');
    return found !== undefined;
  }
}

interface Watched {
  readonly began: number;
  moved: number;
  readonly stop: (why: GivenUp) => void;
}
