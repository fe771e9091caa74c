/**
 * Counts observations of native histograms in the cells of their series. The core decides where a bucket's cell is and makes
 * the first observation of each bucket; all further ones are counted here.
 */
import { addon } from '../native/addon';
import { addOneTo, cellsOf } from '../native/contributor';
import { type Buckets, findBucket } from './buckets';

// The cells behind the sum, as in the core's `native_series.rs`. The first counts what is in the zero bucket.
/** The threshold of the zero bucket; NaN while the core wants every observation. */
const THRESHOLD = 1;
const SCHEMA = 2;
/** The series' id and 1; 0 in cells that no scrape shows. */
const ID = 3;
/** Each window has a slot, the key of its first bucket, and the number of its keys. */
const POSITIVE = 4;
const NEGATIVE = 7;
const START = 1;
const KEYS = 2;

const LOWEST_SCHEMA = -4;
/** Below it, the exponent of a number is not in its bits. */
const LEAST_NORMAL = 2 ** -1022;

const MANTISSA_BITS = 20;
const MANTISSA = 2 ** MANTISSA_BITS - 1;
const EXPONENT_BIAS = 1023;

/** A number as two integers: the upper one has its exponent and the first bits of its mantissa. */
const number = new Float64Array([1]);
const words = new Uint32Array(number.buffer);
const UPPER = words[1] === 0 ? 0 : 1;
const LOWER = 1 - UPPER;

/** The bounds of one resolution, within a doubling. */
class Scale {
  /** For the first bits of a mantissa, the first bound that a number with these bits may not be above. */
  readonly firsts: Int32Array;
  /** The mantissas of the bounds. No number is above the last one. */
  readonly uppers: Int32Array;
  readonly lowers: Uint32Array;
  /** A mantissa is shifted by as much for `firsts`. */
  readonly shift: number;
  /** There are two to this power of bounds. */
  readonly fine: number;
  /** Two to this power of doublings are one bucket, and what is added to round up. */
  readonly coarse: number;
  readonly rounding: number;

  constructor(schema: number, all: readonly number[]) {
    this.fine = Math.max(schema, 0);
    this.coarse = Math.max(-schema, 0);
    this.rounding = 2 ** this.coarse - 1;
    const count = 2 ** this.fine;
    this.uppers = new Int32Array(count + 1).fill(2 ** 31 - 1);
    this.lowers = new Uint32Array(count + 1);
    for (let at = 0; at < count; at++) {
      number[0] = all[(at * all.length) / count];
      this.uppers[at] = words[UPPER] & MANTISSA;
      this.lowers[at] = words[LOWER];
    }
    // With twice as many parts as bounds, no part has two bounds in it.
    this.shift = MANTISSA_BITS - this.fine - 1;
    this.firsts = new Int32Array(2 * count);
    for (let part = 1; part < 2 * count; part++) {
      const start = part << this.shift;
      this.firsts[part] = this.uppers.findIndex((upper) => upper >= start);
    }
  }
}

const scales: Scale[] = [];

function addScale(schema: number): Scale {
  const scale = new Scale(schema, addon.nativeBounds());
  scales[schema - LOWEST_SCHEMA] = scale;
  return scale;
}

/** The key of the bucket of a normal number above 0. */
function keyOf(distance: number, { firsts, uppers, lowers, shift, fine, coarse, rounding }: Scale): number {
  number[0] = distance;
  const upper = words[UPPER];
  const mantissa = upper & MANTISSA;
  let at = firsts[mantissa >>> shift];
  const bound = uppers[at];
  // 1 if the bound is smaller. The processor cannot predict a branch here.
  at += (bound - mantissa) >>> 31;
  if (bound === mantissa && lowers[at] < words[LOWER]) at++;
  return (at + (((upper >>> MANTISSA_BITS) - EXPONENT_BIAS) << fine) + rounding) >> coarse;
}

/** Counts an observation in a bucket that has some; false if the core has to count it. */
function countAgain(cells: Float64Array, head: number, value: number): boolean {
  const threshold = cells[head + THRESHOLD];
  const distance = Math.abs(value);
  if (!(distance > threshold)) {
    if (Number.isNaN(threshold)) return false;
    cells[head] -= -1;
    return true;
  }
  const window = head + (value > 0 ? POSITIVE : NEGATIVE);
  const schema = cells[head + SCHEMA];
  const key = keyOf(distance, scales[schema - LOWEST_SCHEMA] ?? addScale(schema));
  const at = key - cells[window + START];
  if (!(at >= 0 && at < cells[window + KEYS] && distance >= LEAST_NORMAL)) return false;
  return addOneTo(cells[window] + at);
}

/** Has the core count an observation. It may move windows, and begin the series anew. */
function countFirst(cells: Float64Array, head: number, value: number, family: number): void {
  const id = cells[head + ID] - 1;
  if (id < 0) return;
  addon.observeNative(family, id, value);
  for (const window of [head + POSITIVE, head + NEGATIVE]) {
    // From now on recording may write there.
    if (cells[window + KEYS] > 0) cellsOf(cells[window]);
  }
}

/** Observes a finite value in the series whose cells begin at an index: in its bucket, in its classic bucket, in the sum. */
export function observeNative(cells: Float64Array, first: number, buckets: Buckets, value: number): void {
  const { bounds, sum, family } = buckets;
  const head = first + sum + 1;
  if (!countAgain(cells, head, value)) countFirst(cells, head, value, family);
  if (bounds.length > 0) cells[first + findBucket(bounds, value)] -= -1;
  cells[first + sum] -= -value;
}
