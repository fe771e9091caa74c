/**
 * Watches answers until their clients have read them. Each has a time limit, and the oldest can be given up to free its
 * memory. Must not know any server or framework.
 */
import { clearTimeout, setTimeout } from 'node:timers';

/** Why an answer was given up. */
export type GivenUp = 'late' | 'displaced';

/** The answers of one door that their clients are reading. */
export class Deliveries {
  readonly #timeoutMs: number;
  readonly #count: (why: GivenUp) => void;
  /** The functions that give up answers whose body is in native memory, the oldest first. */
  readonly #large = new Set<(why: GivenUp) => void>();

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
   * @returns a function that has to be called when the client has read the answer or has left; further calls do nothing
   */
  begin(isLarge: boolean, giveUp: () => void): () => void {
    const stop = (why: GivenUp): void => {
      end();
      this.#count(why);
      giveUp();
    };
    // unref: this timer must not keep the process alive.
    const timer = setTimeout(stop, this.#timeoutMs, 'late').unref();
    const end = (): void => {
      clearTimeout(timer);
      this.#large.delete(stop);
    };
    if (isLarge) this.#large.add(stop);
    return end;
  }

  /** Gives up the oldest large answer. @returns false if there is none */
  giveUpOldest(): boolean {
    const [oldest] = this.#large;
    oldest?.('displaced');
    return oldest !== undefined;
  }
}
