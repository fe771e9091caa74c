/**
 * Counts the series of each value of one label. A `LabelTable` holds the values: a `Map` would have the engine hash every
 * character of a string that comes once, which takes as long as the rest of a call over a limit.
 */
import { LabelTable, NO_ENTRY } from '../labels/table';

/** The values of one label, with the number of series of each. */
export class ValueCounts {
  /** The owner of an entry is the number. */
  readonly #table = new LabelTable(['value']);

  /** The number of values that have a series. */
  get size(): number {
    return this.#table.size;
  }

  has(text: string): boolean {
    return this.#table.search([text]) !== NO_ENTRY;
  }

  /** Counts a value up or down; a value without series is removed. */
  count(text: string, by: 1 | -1): void {
    const entry = this.#table.search([text]);
    const series = entry === NO_ENTRY ? by : (this.#table.ownerOf(entry) as number) + by;
    if (entry === NO_ENTRY) {
      if (series > 0) this.#table.insert([text], 0, series);
    } else if (series > 0) this.#table.setOwner(entry, series);
    else this.#table.delete(entry);
  }

  clear(): void {
    this.#table.clear();
  }
}
