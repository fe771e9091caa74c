/**
 * Computes quantiles of numbers from 0 to 1 over a moving window, exact to a thousandth: a histogram of 1,001 counts for each
 * age.
 */

const STEPS = 1000;

/** The values of the last `maxAgeMs`. Old values are dropped in `ages` steps. */
export class QuantileWindow {
  readonly #stepMs: number;
  /** The newest first. */
  readonly #ages: Uint32Array[];
  /** The sum of all ages, so that a read needs one array. */
  readonly #all = new Uint32Array(STEPS + 1);
  #turnedMs: number | undefined;

  constructor(maxAgeMs: number, ages: number) {
    this.#stepMs = maxAgeMs / ages;
    this.#ages = Array.from({ length: ages }, () => new Uint32Array(STEPS + 1));
  }

  /** Adds a value `times` times. A value below 0 counts as 0, one above 1 as 1. */
  add(nowMs: number, value: number, times: number): void {
    this.#turn(nowMs);
    const step = Math.round(Math.min(Math.max(value, 0), 1) * STEPS);
    this.#ages[0][step] += times;
    this.#all[step] += times;
  }

  /** For each part from 0 to 1: the smallest value that this part of all values does not exceed; NaN for an empty window. */
  quantiles(nowMs: number, parts: readonly number[]): number[] {
    this.#turn(nowMs);
    const upTo = new Float64Array(STEPS + 1);
    let total = 0;
    for (let step = 0; step <= STEPS; step++) {
      total += this.#all[step];
      upTo[step] = total;
    }
    if (total === 0) return parts.map(() => Number.NaN);
    return parts.map((part) => firstReaching(upTo, Math.max(1, Math.ceil(part * total))) / STEPS);
  }

  #turn(nowMs: number): void {
    this.#turnedMs ??= nowMs;
    const steps = Math.floor((nowMs - this.#turnedMs) / this.#stepMs);
    this.#turnedMs += steps * this.#stepMs;
    for (let step = 0; step < Math.min(steps, this.#ages.length); step++) {
      const oldest = this.#ages.pop() as Uint32Array;
      for (let at = 0; at <= STEPS; at++) this.#all[at] -= oldest[at];
      this.#ages.unshift(oldest.fill(0));
    }
  }
}

/** The first index at which ascending counts reach a rank. */
function firstReaching(counts: Float64Array, rank: number): number {
  let low = 0;
  let high = counts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (counts[middle] < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}
