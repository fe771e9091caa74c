/**
 * Random numbers from a seed, the same on every machine. Uses integer arithmetic and the floating-point operations that
 * IEEE 754 defines exactly. `Math.log` and similar functions are not defined exactly and differ between engines.
 */

/** 2^32, the number of states. */
const STATES = 4_294_967_296;
/** The sum of twelve uniform numbers is nearly normal, with a variance of 1. */
const SUMMANDS = 12;

/** A generator (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Seeds may have more than 32 bits; both halves are used.
    this.#state = (seed ^ Math.floor(seed / STATES)) >>> 0;
  }

  /** A number from 0 to 1, excluding 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / STATES;
  }

  /** A whole number below a bound. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** A whole number, both bounds included. */
  whole(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /**
   * A number around a median with a long tail above it, like durations and sizes: nearly log-normal. Rounded to six
   * decimals, like a measurement.
   */
  skewed(median: number, spread: number): number {
    let normal = -SUMMANDS / 2;
    for (let left = SUMMANDS; left > 0; left--) normal += this.next();
    return Math.round(median * exponential(normal * spread) * 1e6) / 1e6;
  }

  /** `count` distinct whole numbers below a bound, in random order. */
  shuffled(count: number, bound: number): number[] {
    // Fisher-Yates shuffle over a list of which only the moved entries are stored.
    const moved = new Map<number, number>();
    return Array.from({ length: count }, (_, at) => {
      const other = this.whole(at, bound - 1);
      const taken = moved.get(other) ?? other;
      moved.set(other, moved.get(at) ?? at);
      return taken;
    });
  }
}

/** e^x by additions and multiplications only: the power series for a small fraction of x, then repeated squaring. */
function exponential(x: number): number {
  const SQUARINGS = 6;
  const small = x / 2 ** SQUARINGS;
  let [term, sum] = [1, 1];
  for (let power = 1; power <= 12; power++) {
    term *= small / power;
    sum += term;
  }
  for (let left = SQUARINGS; left > 0; left--) sum *= sum;
  return sum;
}
