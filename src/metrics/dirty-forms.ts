/**
 * Remembers the series of label sets in their form before cleaning, so that a label set that is used again is not
 * cleaned again. All are forgotten when a series is removed, and when there are too many.
 */
import { LabelTree } from '../labels/tree';
import { REMEMBERED_LENGTH_MAX, REMEMBERED_MAX } from './cleaned-texts';

/** The uncleaned label sets of one metric. */
export class DirtyForms<S extends object> {
  readonly #names: readonly string[];
  #tree: LabelTree<S>;
  #size = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#tree = new LabelTree(names);
  }

  /** The series of labels that were used in this form before. */
  find(labels: object): S | undefined {
    return this.#size === 0 ? undefined : this.#tree.find(labels);
  }

  /** Remembers the uncleaned texts of a series. */
  remember(texts: readonly string[], series: S): void {
    if (texts.some((text) => text.length > REMEMBERED_LENGTH_MAX)) return;
    if (this.#size === REMEMBERED_MAX) this.forget();
    if (this.#tree.get(texts) !== undefined) return;
    this.#tree.insert(texts, series);
    this.#size++;
  }

  forget(): void {
    if (this.#size === 0) return;
    this.#tree = new LabelTree(this.#names);
    this.#size = 0;
  }
}
