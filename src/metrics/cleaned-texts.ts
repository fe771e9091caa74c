/**
 * Cleans the label values of one metric. The core does the cleaning; this remembers its answers, so that a value that
 * is used again needs no native call.
 */
import type { NativeFamily } from '../native/addon';

/** Limit of remembered values for each label, and of remembered label sets. */
export const REMEMBERED_MAX = 1000;
/** Longer values are cleaned each time: an attacker could fill memory with a thousand long values. */
export const REMEMBERED_LENGTH_MAX = 256;

/** The label values of one metric. */
export class CleanedTexts {
  readonly #family: NativeFamily;
  readonly #warn: (message: string) => void;
  /** By label: the cleaned text of each remembered text. */
  readonly #cleaned: readonly Map<string, string>[];

  /** @param warn logs a warning about content that does not belong in a label */
  constructor(family: NativeFamily, labels: number, warn: (message: string) => void) {
    this.#family = family;
    this.#warn = warn;
    this.#cleaned = Array.from({ length: labels }, () => new Map());
  }

  /** The cleaned texts, in the order of the label names. */
  clean(texts: readonly string[]): readonly string[] {
    const known = texts.map((text, label) => this.#cleaned[label].get(text));
    return known.every((text) => text !== undefined) ? known : this.#ask(texts);
  }

  #ask(texts: readonly string[]): readonly string[] {
    const answer = this.#family.clean([...texts]);
    const cleaned = answer?.values ?? texts;
    texts.forEach((text, label) => {
      const known = this.#cleaned[label];
      if (text.length > REMEMBERED_LENGTH_MAX) return;
      if (known.size === REMEMBERED_MAX) known.clear();
      known.set(text, cleaned[label]);
    });
    // Last, because the logger may record and so change the remembered values.
    for (const warning of answer?.warnings ?? []) this.#warn(warning);
    return cleaned;
  }
}
