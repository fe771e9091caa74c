/**
 * Implements the series of a native histogram. The core decides where the cells of its buckets are, and makes the first
 * observation in each; all further ones are counted here. Does not depend on the metric.
 */
import { cellIndexOf, cellsOf } from '../native/contributor';
import { findBucket } from './buckets';
import { checkedObservation, HistogramCells } from './histogram-cells';
import { type Scale, scaleOf } from './native-scale';
import type { Place } from './place';
import { add, attach, observeFirst, observer, record, retire, revived } from './series';

// The cells behind the sum, as in the core's `native_series.rs`. The first counts the zero bucket.
/** Values above it may be counted here. NaN if the windows may have moved, and while the core wants every observation. */
const THRESHOLD = 1;
const SCHEMA = 2;
/** Each window has a slot, the key of its first bucket, and the number of its keys. */
const POSITIVE = 3;
const NEGATIVE = 6;
const START = 1;
const KEYS = 2;

const observeAgain = Symbol('observeAgain');
const recordAlone = Symbol('recordAlone');

/** Smaller numbers have no exponent in their bits. */
const LEAST_NORMAL = 2 ** -1022;

/** A run of cells, one for each key of a range. */
class Window {
  readonly #cells: Float64Array;
  readonly #start: number;
  readonly #keys: number;
  /** The index of the cell of key 0. */
  readonly #origin: number;
  readonly #scale: Scale;

  /** @param at the index of the cells that say where it is */
  constructor(cells: Float64Array, at: number, scale: Scale) {
    const slot = cells[at];
    this.#scale = scale;
    this.#start = cells[at + START];
    this.#keys = cells[at + KEYS];
    this.#cells = cellsOf(slot);
    this.#origin = cellIndexOf(slot) - this.#start;
  }

  /** Counts a distance from 0 in its bucket; false if that is outside of the window, or empty. */
  count(distance: number): boolean {
    const key = this.#scale.keyOf(distance);
    if ((key - this.#start) >>> 0 >= this.#keys) return false;
    const cells = this.#cells;
    const index = this.#origin + key;
    if (cells[index] === 0) return false;
    cells[index] -= -1;
    return true;
  }
}

/** The window that these cells tell of, if it has keys. Most series have no negative values, and cells of no series no window. */
function windowAt(cells: Float64Array, at: number, scale: Scale): Window | undefined {
  return cells[at + KEYS] === 0 ? undefined : new Window(cells, at, scale);
}

/** The series of a native histogram without classic buckets. */
export class NativeHistogramCells extends HistogramCells {
  #own: Float64Array | undefined;
  /** The index of the first cell behind the sum. */
  #head = 0;
  /** The windows; made when the core has first counted here. */
  #positive: Window | undefined;
  #negative: Window | undefined;

  override observe(value: number): void {
    // True for finite numbers only.
    if (typeof value === 'number' && value - value === 0 && this[record](value)) return;
    this[observeAgain](value);
  }

  /** Observes a value that has no cells yet, or none that is valid. */
  [observeAgain](value: number): void {
    const observation = checkedObservation(value);
    (this[revived]() as NativeHistogramCells)[record](observation);
  }

  /** A function for this class alone: engines make slower code for one that calls methods of two classes. */
  override [observer](): (value: number) => void {
    return (value) => this.observe(value);
  }

  [record](value: number): boolean {
    return this[recordAlone](value);
  }

  /** Counts a value in its bucket and adds it to the sum; false if there are no cells. */
  [recordAlone](value: number): boolean {
    const cells = this.#own;
    if (cells === undefined) return false;
    const head = this.#head;
    const window = this.#positive;
    if (!(value > cells[head + THRESHOLD] && window !== undefined && window.count(value))) this.#countOther(value);
    cells[head - 1] -= -value;
    return true;
  }

  /** Counts a value in the zero bucket or below it, or has the core count it. */
  #countOther(value: number): void {
    const cells = this.#own as Float64Array;
    const head = this.#head;
    const threshold = cells[head + THRESHOLD];
    const distance = Math.abs(value);
    if (distance <= threshold && !(distance > 0 && distance < LEAST_NORMAL)) {
      cells[head] -= -1;
      return;
    }
    if (-value > threshold && this.#negative?.count(distance)) return;
    // Over a limit, the cells may be of no series. Then nothing reads them.
    this[observeFirst](value);
    const scale = scaleOf(cells[head + SCHEMA]);
    this.#positive = windowAt(cells, head + POSITIVE, scale);
    this.#negative = windowAt(cells, head + NEGATIVE, scale);
  }

  override [attach](cells: Float64Array, index: number, key: number): void {
    super[attach](cells, index, key);
    this.#own = cells;
    this.#head = index + this.buckets.sum + 1;
    this.#positive = undefined;
    this.#negative = undefined;
  }

  override [retire](place: Place): void {
    super[retire](place);
    this.#own = undefined;
  }
}

/** The series of a native histogram with classic buckets. A class of its own keeps the code of the other one small. */
export class BesideHistogramCells extends NativeHistogramCells {
  override observe(value: number): void {
    if (typeof value === 'number' && value - value === 0 && this[record](value)) return;
    this[observeAgain](value);
  }

  override [observer](): (value: number) => void {
    return (value) => this.observe(value);
  }

  override [record](value: number): boolean {
    return this[recordAlone](value) && this[add](findBucket(this.buckets.bounds, value), 1);
  }
}
