/**
 * Series by label sets as they were given before they were cleaned: some of the last ones, so that one that comes again is
 * not cleaned again. Forgotten as a whole whenever a series goes.
 */
import { LabelTree } from '../labels/tree';
import { REMEMBERED_LENGTH_MAX, REMEMBERED_MAX } from './cleaned-texts';

/** The dirty label sets of one metric. */
export class DirtyForms<S extends object> {
  readonly #names: readonly string[];
  #tree: LabelTree<S>;
  #size = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#tree = new LabelTree(names);
  }

  /** The series of labels that were given so before. */
  find(labels: object): S | undefined {
    return this.#size === 0 ? undefined : this.#tree.find(labels);
  }

  /** Remembers how a series was asked for. */
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
