/**
 * How the labels of a metric's series were given: in which order, in which types, which of them as absent. The core keeps
 * texts; this is what only JavaScript can know.
 */
import { Place } from './place';

/** Kept by series id, and only where it differs from all label names in their order, given as strings. */
export class GivenLabels {
  readonly #names: readonly string[];
  /** Label values as they were given, where one was not a string. */
  readonly #originals = new Map<number, Record<string, unknown>>();
  /** Indices of the given labels in their order, complemented for one that was given as absent. */
  readonly #orders = new Map<number, readonly number[]>();
  /** One array for each such order, however many series were made so. */
  readonly #known = new Map<string, readonly number[]>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Label values in the types they were given in, where one was not a string. */
  originals(id: number): Record<string, unknown> | undefined {
    return this.#originals.get(id);
  }

  /** Keeps how the labels of a new series were given. */
  remember(id: number, place: Place): void {
    const { order, printed, texts, values } = place;
    this.#rememberOrder(id, order, values);
    if (!printed.some((index) => typeof values[index] === 'number')) return;
    // Numbers as they were given, everything else as text: so JSON forms show them.
    const originals = printed.map((index) => {
      const value = values[index];
      return [this.#names[index], typeof value === 'number' ? value : texts[index]];
    });
    this.#originals.set(id, Object.fromEntries(originals));
  }

  #rememberOrder(id: number, order: readonly number[], values: readonly unknown[]): void {
    const given = order.map((index) => (values[index] === undefined || values[index] === null ? ~index : index));
    if (given.length === this.#names.length && given.every((label, index) => label === index)) return;
    const key = given.join();
    const known = this.#known.get(key) ?? given;
    this.#known.set(key, known);
    this.#orders.set(id, known);
  }

  /** The place of a series as the call that made it gave it. */
  placeOf(id: number, texts: readonly string[]): Place {
    const originals = this.#originals.get(id);
    const values = texts.map((text, index): unknown => {
      // A label may have the name of a property that all objects inherit.
      const isKnown = originals !== undefined && Object.hasOwn(originals, this.#names[index]);
      return isKnown ? originals[this.#names[index]] : text;
    });
    const given = this.#orders.get(id) ?? texts.map((_, index) => index);
    const order = given.map((label) => (label < 0 ? ~label : label));
    for (const label of given) if (label < 0) values[~label] = undefined;
    return new Place(texts, values, order);
  }

  forget(id: number): void {
    this.#originals.delete(id);
    this.#orders.delete(id);
  }

  clear(): void {
    this.#originals.clear();
    this.#orders.clear();
  }
}
