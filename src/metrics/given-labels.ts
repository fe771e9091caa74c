/**
 * Remembers how the caller gave the labels of each series: their order, their types, and which of them were absent. The
 * core only keeps texts.
 */
import { Place } from './place';

/** The given labels of one metric, by series ID. A series whose labels are all strings, in order, needs no entry. */
export class GivenLabels {
  readonly #names: readonly string[];
  /** The given values of each series of which one was a number. */
  readonly #originals = new Map<number, Record<string, unknown>>();
  /** Indices of the given labels in their order; `~index` for a label given as `null` or `undefined`. */
  readonly #orders = new Map<number, readonly number[]>();
  /** Shares one array between all series with the same order. */
  readonly #known = new Map<string, readonly number[]>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The given values of a series of which one was a number. */
  originals(id: number): Record<string, unknown> | undefined {
    return this.#originals.get(id);
  }

  /** Remembers how the labels of a new series were given. */
  remember(id: number, place: Place): void {
    const { order, printed, texts, values } = place;
    this.#rememberOrder(id, order, values);
    if (!printed.some((index) => typeof values[index] === 'number')) return;
    // JSON forms show numbers as numbers and all other values as text.
    const originals = printed.map((index) => {
      const value = values[index];
      return [this.#names[index], typeof value === 'number' ? value : texts[index]];
    });
    this.#originals.set(id, Object.fromEntries(originals));
  }

  #rememberOrder(id: number, order: readonly number[], values: readonly unknown[]): void {
    if (this.#isUsual(order, values)) return;
    const given = order.map((index) => (values[index] === undefined || values[index] === null ? ~index : index));
    const key = given.join();
    const known = this.#known.get(key) ?? given;
    this.#known.set(key, known);
    this.#orders.set(id, known);
  }

  /** True if all labels are given, in the declared order. */
  #isUsual(order: readonly number[], values: readonly unknown[]): boolean {
    if (order.length !== this.#names.length) return false;
    for (let index = 0; index < order.length; index++) {
      if (order[index] !== index || values[index] === undefined || values[index] === null) return false;
    }
    return true;
  }

  /** The label set of a series as the call that made the series gave it. */
  placeOf(id: number, texts: readonly string[]): Place {
    const originals = this.#originals.get(id);
    const values = texts.map((text, index): unknown => {
      // A label may have the name of an inherited property, such as `constructor`.
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
