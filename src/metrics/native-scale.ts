/**
 * Finds the buckets of values in native histograms, without a logarithm and nearly without branches. The core has the bounds.
 */
import { addon } from '../native/addon';

const LOWEST_SCHEMA = -4;
const MANTISSA_BITS = 20;
const MANTISSA = 2 ** MANTISSA_BITS - 1;
const EXPONENT_BIAS = 1023;
const EVEN = ~1;

/** A number as two integers: the upper one has its exponent and the first bits of its mantissa. */
const number = new Float64Array([1]);
const words = new Int32Array(number.buffer);
const UPPER = words[1] === 0 ? 0 : 1;
const LOWER = 1 - UPPER;

/** The buckets of one resolution. */
export class Scale {
  /**
   * For each part of a doubling two integers: the first bound that a number in it may not be above, and the mantissa of that
   * bound. There are twice as many parts as bounds, so no part has two bounds in it.
   */
  readonly #parts: Int32Array;
  /** The rest of the mantissa of each bound. */
  readonly #lowers: Uint32Array;
  /** A mantissa is shifted by as much for the index of its part, of which the last bit is 0. */
  readonly #shift: number;
  /** There are two to this power of bounds. */
  readonly #fine: number;
  /** Two to this power of doublings are one bucket, and what is added to round up. */
  readonly #coarse: number;
  readonly #rounding: number;

  constructor(schema: number) {
    const all = addon.nativeBounds();
    const count = 2 ** Math.max(schema, 0);
    this.#fine = Math.max(schema, 0);
    this.#coarse = Math.max(-schema, 0);
    this.#rounding = 2 ** this.#coarse - 1;
    // No number is above the last one.
    const uppers = new Int32Array(count + 1).fill(2 ** 31 - 1);
    this.#lowers = new Uint32Array(count + 1);
    for (let at = 0; at < count; at++) {
      number[0] = all[(at * all.length) / count];
      uppers[at] = words[UPPER] & MANTISSA;
      this.#lowers[at] = words[LOWER];
    }
    this.#shift = MANTISSA_BITS - this.#fine - 2;
    this.#parts = new Int32Array(4 * count);
    for (let at = 0; at < 4 * count; at += 2) {
      const first = uppers.findIndex((upper) => upper >= at << this.#shift);
      this.#parts.set([first, uppers[first]], at);
    }
  }

  /** The key of the bucket of a number above 0, unless it is so small that its exponent is not in its bits. */
  keyOf(distance: number): number {
    number[0] = distance;
    const upper = words[UPPER];
    const mantissa = upper & MANTISSA;
    const part = (mantissa >>> this.#shift) & EVEN;
    const bound = this.#parts[part + 1];
    // Adds 1 if the bound is smaller. The processor cannot predict a branch here.
    let at = this.#parts[part] + ((bound - mantissa) >>> 31);
    if (bound === mantissa && this.#lowers[at] < words[LOWER] >>> 0) at++;
    return (at + (((upper >>> MANTISSA_BITS) - EXPONENT_BIAS) << this.#fine) + this.#rounding) >> this.#coarse;
  }
}

const scales: Scale[] = [];

/** The buckets of one resolution, made when they are first needed. */
export function scaleOf(schema: number): Scale {
  scales[schema - LOWEST_SCHEMA] ??= new Scale(schema);
  return scales[schema - LOWEST_SCHEMA];
}
