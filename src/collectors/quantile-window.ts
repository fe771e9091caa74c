/**
 * Quantiles of numbers from 0 to 1 over a moving window, to a thousandth: a histogram of 1,001 counts for each age.
 */

const STEPS = 1000;

/** What was added in the last `maxAgeMs`; the oldest is forgotten in `ages` steps. */
export class QuantileWindow {
  readonly #stepMs: number;
  /** The newest first. */
  readonly #ages: Uint32Array[];
  #turnedMs: number | undefined;

  constructor(maxAgeMs: number, ages: number) {
    this.#stepMs = maxAgeMs / ages;
    this.#ages = Array.from({ length: ages }, () => new Uint32Array(STEPS + 1));
  }

  /** Adds a value, as if `times` times; beyond 0 and 1 it counts as these. */
  add(nowMs: number, value: number, times: number): void {
    this.#turn(nowMs);
    this.#ages[0][Math.round(Math.min(Math.max(value, 0), 1) * STEPS)] += times;
  }

  /** The smallest value that this part of all values does not exceed; NaN where there is none. */
  quantiles(nowMs: number, parts: readonly number[]): number[] {
    this.#turn(nowMs);
    const counts = new Float64Array(STEPS + 1);
    let total = 0;
    for (const age of this.#ages) {
      for (let step = 0; step <= STEPS; step++) {
        counts[step] += age[step];
        total += age[step];
      }
    }
    return parts.map((part) =>
      total === 0 ? Number.NaN : stepOf(counts, Math.max(1, Math.ceil(part * total))) / STEPS,
    );
  }

  #turn(nowMs: number): void {
    this.#turnedMs ??= nowMs;
    const steps = Math.floor((nowMs - this.#turnedMs) / this.#stepMs);
    this.#turnedMs += steps * this.#stepMs;
    for (let step = 0; step < Math.min(steps, this.#ages.length); step++) {
      const oldest = this.#ages.pop() as Uint32Array;
      this.#ages.unshift(oldest.fill(0));
    }
  }
}

/** Where the value of this rank lies. */
function stepOf(counts: Float64Array, rank: number): number {
  let seen = 0;
  for (let step = 0; step < counts.length; step++) {
    seen += counts[step];
    if (seen >= rank) return step;
  }
  return counts.length - 1;
}
