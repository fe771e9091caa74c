/**
 * Numbers the steps in which a summary's window moves on. The core numbers them too, by its own clock; this one is the
 * realm's, so that fake timers of test runners move the window.
 */
import { now, secondsSince } from '../clock';

/** The steps of one summary. Step 0 begins when the summary is created. */
export class AgeSteps {
  readonly #start = now();
  readonly #seconds: number;

  private constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** The steps of a summary with a window; `undefined` without a window. */
  static of(summary: { maxAgeSeconds?: number; ageBuckets: number } | undefined): AgeSteps | undefined {
    if (summary?.maxAgeSeconds === undefined) return undefined;
    return new AgeSteps(summary.maxAgeSeconds / summary.ageBuckets);
  }

  /** The current step. A step ends with the moment at which the next one begins. */
  now(): number {
    return Math.max(0, Math.ceil(secondsSince(this.#start) / this.#seconds) - 1);
  }
}
