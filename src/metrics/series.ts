/**
 * Implements one series, which `labels()` returns. Each series with cells has one object, which writes the cells
 * itself. Does not depend on the other series of its metric.
 */
import { SUMMARY_CELLS } from '../native/contributor';
import type { AgeSteps } from './age-steps';
import type { Buckets } from './buckets';
import { idIn } from './label-forms';
import type { Place } from './place';

/** The `#cells` of a series without cells. */
const NO_CELLS: Float64Array = new Float64Array(0);

/** The key of a metric's set of series. No name in a subclass of the metric can clash with it. @internal */
export const seriesSet = Symbol('series set');

/** The key of a series without cells, or with cells that the core does not know. */
export const NO_KEY = -1;

/** Gives a series its cells: the array, the index of the first cell, and the key of the series (`label-forms.ts`). @internal */
export const attach = Symbol('attach');
/** Takes the cells away. The series keeps its label set, for the next write. @internal */
export const retire = Symbol('retire');
/** Adds to a cell; false if there are no cells. @internal */
export const add = Symbol('add');
/** Adds 1 to one cell and a value to another, with no other call between; false if there are no cells. @internal */
export const addPair = Symbol('addPair');
/** Makes the `observe` of a child of a histogram. @internal */
export const observer = Symbol('observer');
/** Records a finite number in a series that writes its cells itself; false if there are no cells. @internal */
export const record = Symbol('record');
/** Writes a value to the buffer of a summary, counts it and adds it to the sum; false if there are no cells. @internal */
export const buffer = Symbol('buffer');
/** Passes the buffer to the core. What is written next belongs to this step of the summary's window. @internal */
export const flush = Symbol('flush');
/** Has the core count a finite value in a native histogram's series. @internal */
export const observeFirst = Symbol('observeFirst');
/** Sets the first cell; false if there are no cells. @internal */
export const put = Symbol('put');
/** Sets all cells of a series that has cells. Only the testing kit needs it. @internal */
export const restore = Symbol('restore');
/** The object that has cells for this label set: this object, or another one; adds the series if it is missing. @internal */
export const revived = Symbol('revived');
/** The ID of a series that has cells. @internal */
export const idOf = Symbol('id');
/** The key of a series that has cells. @internal */
export const keyOf = Symbol('key');
/** The series of the same metric with these labels; created if it does not exist. @internal */
export const siblingOf = Symbol('sibling');
/** The labels of the series, with or without cells. @internal */
export const labelsOf = Symbol('labels');
/** The values of the cells. @internal */
export const readCells = Symbol('read');

/**
 * The value of `#home` while a series has no cells: its home, and the label set for its next write. A series with cells
 * needs only its home. One field holds either: there may be a million series, and a second field would make each larger.
 */
class Detached {
  constructor(
    readonly home: Home,
    readonly place: Place,
  ) {}
}

/** The set of series that a series belongs to, as the series sees it. */
export interface Home {
  /**
   * Returns the object that has cells for this label set. If the series does not exist, adds it and gives the cells to
   * `series`. Over a limit, returns the series that takes the label set.
   */
  revive(series: Series, place: Place): Series;
  /** The series of these labels; created if it does not exist. */
  at(labels: object): Series;
  /** The labels of the series with this key. */
  labelsOf(key: number): Record<string, unknown>;
  /** The window of a summary. @internal */
  readonly ageSteps: AgeSteps | undefined;
  /** Has the core count a finite value in a native histogram's series. */
  observeFirst(id: number, value: number): void;
  /** Passes the buffer of a summary's series to the core. */
  flush(id: number, step: number): void;
  /** The labels of a place. */
  labelsAt(place: Place): Record<string, unknown>;
}

/**
 * One series. It has cells in native memory from its first write on. All members except the recording methods of its
 * subclasses are keyed by symbols of this package, so that users do not see them.
 */
export abstract class Series {
  #cells = NO_CELLS;
  /** The index of the first cell; -1 while there are no cells. Recording checks nothing else. */
  #index = -1;
  #key = NO_KEY;
  #home: Home | Detached;

  /** @internal */
  constructor(home: Home, place: Place) {
    this.#home = new Detached(home, place);
  }

  /** @internal */
  [add](offset: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    // Not `+=`: an integer-only `+=` on a Float64Array takes twice the time on Node.js 26.
    this.#cells[index + offset] -= -value;
    return true;
  }

  /** @internal */
  [addPair](counted: number, summed: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    const cells = this.#cells;
    cells[index + counted] -= -1;
    cells[index + summed] -= -value;
    return true;
  }

  /** @internal */
  [buffer](at: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    const cells = this.#cells;
    cells[index + SUMMARY_CELLS + at] = value;
    cells[index] -= -1;
    cells[index + 1] -= -value;
    return true;
  }

  /** @internal */
  [flush](step: number): void {
    const home = this.#home;
    if (!(home instanceof Detached)) home.flush(this[idOf](), step);
  }

  /** @internal */
  [observeFirst](value: number): void {
    const home = this.#home;
    if (!(home instanceof Detached)) home.observeFirst(this[idOf](), value);
  }

  /** @internal */
  [put](value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    this.#cells[index] = value;
    return true;
  }

  /** @internal */
  [restore](values: readonly number[]): void {
    // One element after the other, like every write into a slab.
    values.forEach((value, offset) => {
      this.#cells[this.#index + offset] = value;
    });
  }

  /** @internal */
  [revived](): this {
    const home = this.#home;
    return (home instanceof Detached ? home.home.revive(this, home.place) : this) as this;
  }

  /** @internal */
  [attach](cells: Float64Array, index: number, key: number): void {
    this.#cells = cells;
    this.#index = index;
    this.#key = key;
    if (this.#home instanceof Detached) this.#home = this.#home.home;
  }

  /** @internal */
  [retire](place: Place): void {
    this.#cells = NO_CELLS;
    this.#index = -1;
    if (!(this.#home instanceof Detached)) this.#home = new Detached(this.#home, place);
  }

  /** @internal */
  [idOf](): number {
    return idIn(this.#key);
  }

  /** @internal */
  [keyOf](): number {
    return this.#key;
  }

  /** @internal */
  [siblingOf](labels: object): Series {
    const home = this.#home;
    return (home instanceof Detached ? home.home : home).at(labels);
  }

  /** @internal */
  [labelsOf](): Record<string, unknown> {
    const home = this.#home;
    return home instanceof Detached ? home.home.labelsAt(home.place) : home.labelsOf(this.#key);
  }

  /** @internal */
  [readCells](width: number): number[] {
    return Array.from(this.#cells.subarray(this.#index, this.#index + width));
  }
}

/** The class of a series. Histograms need the buckets. */
export type SeriesType<S extends Series> = new (home: Home, place: Place, buckets: Buckets) => S;
