/**
 * Turns names and words of callers into label values. A program without types may pass anything, so every value is checked
 * here. It must not know metrics.
 */
import { OTHER } from '../labels/value';
import { addon } from '../native/addon';

export { OTHER };

/** The name as labels show it; `other` if it is empty, too long or cannot be printed. */
export function readName(given: unknown): string {
  try {
    const name = String(given ?? OTHER);
    return name === '' || name.length > addon.MAX_NAME_LENGTH ? OTHER : name;
  } catch {
    return OTHER;
  }
}

/** The word if the label has it, otherwise `other`; nothing if the label does not have `other`. */
export function findWord(words: readonly string[], given: string | undefined): string | undefined {
  if (given !== undefined && words.includes(given)) return given;
  return words.includes(OTHER) ? OTHER : undefined;
}

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
