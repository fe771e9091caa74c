/**
 * One series: what `labels()` returns. There is one object for each series that exists, and it writes the cells itself.
 * Knows nothing of the other series of its metric.
 */
import type { Place } from './place';

/** What a series without cells holds in place of them. */
const NO_CELLS: Float64Array = new Float64Array(0);

/** Gives a series its cells: the array, the index of the first, and the series' id. */
export const attach = Symbol('attach');
/** Takes the cells away; the series keeps its place, should it be written again. */
export const retire = Symbol('retire');
/** Adds to a cell; false where there are no cells. */
export const add = Symbol('add');
/** Adds 1 to one cell and a value to another, with nothing between; false where there are no cells. */
export const addPair = Symbol('addPair');
/** Replaces the value of the first cell; false where there are no cells. */
export const put = Symbol('put');
/** Replaces the values of all cells; only where there are cells. A seam for the testing kit. */
export const restore = Symbol('restore');
/** The series object that has cells for this one's label set: itself, or the one that was there before. */
export const revived = Symbol('revived');
/** The id of a series that has cells. */
export const idOf = Symbol('id');
/** The series of the same metric with these labels; it exists afterwards. */
export const siblingOf = Symbol('sibling');
/** The labels of the series, whether it exists or not. */
export const labelsOf = Symbol('labels');
/** The values of the cells. */
export const readCells = Symbol('read');

/** Where a series without cells belongs. One field serves both states, because there may be a million series. */
class Detached {
  constructor(
    readonly home: Home,
    readonly place: Place,
  ) {}
}

/** Where series belong: the set of their metric, as they see it. */
export interface Home {
  /** The series object that has cells for this place: `series` itself, unless another was there before it. */
  revive(series: Series, place: Place): Series;
  /** The series of these labels; it exists afterwards. */
  at(labels: object): Series;
  /** The labels of a series that exists. */
  labelsOf(id: number): Record<string, unknown>;
  /** The labels that a place names. */
  labelsAt(place: Place): Record<string, unknown>;
}

/**
 * One series: cells in native memory, or none as long as it does not exist. What it has beside the recording methods
 * of its subclasses is keyed by symbols of this package.
 */
export abstract class Series {
  #cells = NO_CELLS;
  /** Of the first cell; -1 while there is none, which is all that recording has to check. */
  #index = -1;
  #id = -1;
  #home: Home | Detached;

  /** @internal */
  constructor(home: Home, place: Place) {
    this.#home = new Detached(home, place);
  }

  [add](offset: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    // Not `+=`: an integer-only `+=` on a Float64Array takes twice the time on Node.js 26.
    this.#cells[index + offset] -= -value;
    return true;
  }

  [addPair](counted: number, summed: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    const cells = this.#cells;
    cells[index + counted] -= -1;
    cells[index + summed] -= -value;
    return true;
  }

  [put](value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    this.#cells[index] = value;
    return true;
  }

  [restore](values: readonly number[]): void {
    // One element after the other, as every store into a slab.
    values.forEach((value, offset) => {
      this.#cells[this.#index + offset] = value;
    });
  }

  [revived](): this {
    const home = this.#home;
    return (home instanceof Detached ? home.home.revive(this, home.place) : this) as this;
  }

  [attach](cells: Float64Array, index: number, id: number): void {
    this.#cells = cells;
    this.#index = index;
    this.#id = id;
    if (this.#home instanceof Detached) this.#home = this.#home.home;
  }

  [retire](place: Place): void {
    this.#cells = NO_CELLS;
    this.#index = -1;
    if (!(this.#home instanceof Detached)) this.#home = new Detached(this.#home, place);
  }

  [idOf](): number {
    return this.#id;
  }

  [siblingOf](labels: object): Series {
    const home = this.#home;
    return (home instanceof Detached ? home.home : home).at(labels);
  }

  [labelsOf](): Record<string, unknown> {
    const home = this.#home;
    return home instanceof Detached ? home.home.labelsAt(home.place) : home.labelsOf(this.#id);
  }

  [readCells](width: number): number[] {
    return Array.from(this.#cells.subarray(this.#index, this.#index + width));
  }
}

/** Makes series; histograms need their bounds. */
export type SeriesType<S extends Series> = new (home: Home, place: Place, bounds: Float64Array) => S;
