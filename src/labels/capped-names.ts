/**
 * Limits the number of different values of a label that callers name.
 */
import { OTHER } from './value';

/** Accepts the first `max` different names; a label shows further ones as `other`. */
export class CappedNames {
  readonly #names = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** True if no further name is accepted. */
  get isFull(): boolean {
    return this.#names.size >= this.#max;
  }

  /** The name as a label shows it. A new name is accepted if there is room. */
  admit(name: string): string {
    if (this.#names.has(name)) return name;
    if (this.#names.size >= this.#max) return OTHER;
    this.#names.add(name);
    return name;
  }

  /** The name if it was accepted before, otherwise `other`: a typo in a failed request must not make a series. */
  known(name: string): string {
    return this.#names.has(name) ? name : OTHER;
  }
}
