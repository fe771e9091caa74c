/**
 * Label values as they are recorded where a registry cleans them. The core does that; what is kept here spares it the
 * question for values that come again.
 */
import type { NativeFamily } from '../native/addon';

/** Values of a label whose cleaned form is remembered, and label sets that are. */
export const REMEMBERED_MAX = 1000;
/** Longer ones are cleaned each time: a thousand of any length would be memory that an attacker fills. */
export const REMEMBERED_LENGTH_MAX = 256;

/** The label values of one metric. */
export class CleanedTexts {
  readonly #family: NativeFamily;
  readonly #warn: (message: string) => void;
  /** By label. */
  readonly #cleaned: readonly Map<string, string>[];

  /** @param warn is told of content that should not be there */
  constructor(family: NativeFamily, labels: number, warn: (message: string) => void) {
    this.#family = family;
    this.#warn = warn;
    this.#cleaned = Array.from({ length: labels }, () => new Map());
  }

  /** The texts as they are recorded, in the order of the label names. */
  of(texts: readonly string[]): readonly string[] {
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
    // Last, because a logger may record itself, and so change what is remembered.
    for (const warning of answer?.warnings ?? []) this.#warn(warning);
    return cleaned;
  }
}
