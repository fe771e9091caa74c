/**
 * Remembers the series of label sets in their form before cleaning, so that a label set that is used again is not
 * cleaned again. All are forgotten when a series is removed, and when there are too many.
 */
import { type Finder, openFinder } from '../labels/finder';
import { LabelTable, NO_ENTRY, NO_SLOT } from '../labels/table';
import { REMEMBERED_LENGTH_MAX, REMEMBERED_MAX } from './cleaned-texts';

/** The uncleaned label sets of one metric. */
export class DirtyForms<S extends object> {
  /** The owner of each entry is its series. */
  readonly #table: LabelTable;
  #finder: Finder;

  constructor(names: readonly string[]) {
    this.#table = new LabelTable(names);
    this.#finder = openFinder(this.#table, 'entry', (finder) => {
      this.#finder = finder;
    });
  }

  /** The series of labels that were used in this form before. */
  find(labels: object): S | undefined {
    if (this.#table.size === 0) return undefined;
    const entry = this.#finder(labels);
    return entry === NO_ENTRY ? undefined : (this.#table.ownerOf(entry) as S);
  }

  /** Remembers the uncleaned texts of a series. */
  remember(texts: readonly string[], series: S): void {
    if (texts.some((text) => text.length > REMEMBERED_LENGTH_MAX)) return;
    if (this.#table.size === REMEMBERED_MAX) this.forget();
    if (this.#table.search(texts) === NO_ENTRY) this.#table.insert(texts, NO_SLOT, series);
  }

  forget(): void {
    if (this.#table.size > 0) this.#table.clear();
  }
}
