/**
 * Label values as they are recorded where a registry cleans them. The core does that; what is kept here spares it the
 * question for values that come again.
 */
import type { NativeFamily } from '../native/addon';

/** Values whose cleaned form is remembered. */
const REMEMBERED_MAX = 1000;

/** The label values of one metric. */
export class CleanedTexts {
  readonly #family: NativeFamily;
  readonly #warn: (message: string) => void;
  readonly #cleaned = new Map<string, string>();

  /** @param warn is told of content that should not be there */
  constructor(family: NativeFamily, warn: (message: string) => void) {
    this.#family = family;
    this.#warn = warn;
  }

  /** The texts as they are recorded, in the order of the label names. */
  of(texts: readonly string[]): readonly string[] {
    if (!texts.every((text) => this.#cleaned.has(text))) this.#ask(texts);
    return texts.map((text) => this.#cleaned.get(text) as string);
  }

  #ask(texts: readonly string[]): void {
    const answer = this.#family.clean([...texts]);
    if (this.#cleaned.size + texts.length > REMEMBERED_MAX) this.#cleaned.clear();
    texts.forEach((text, index) => {
      this.#cleaned.set(text, answer?.values[index] ?? text);
    });
    for (const warning of answer?.warnings ?? []) this.#warn(warning);
  }
}
