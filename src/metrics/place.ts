/**
 * The label set of one series, in the three forms that the rest of the room needs. Does not depend on cells.
 */

/** A label set as it was given and as it is recorded. All arrays but `order` follow the metric's label names. */
export class Place {
  constructor(
    /** The values as text: `''` for an absent label. */
    readonly texts: readonly string[],
    /** The values as the caller gave them. */
    readonly values: readonly unknown[],
    /** Indices of the given labels, in the order in which the caller gave them. */
    readonly order: readonly number[],
  ) {}

  /** Indices of the labels that are printed: one given as `''` is, an absent one (`null`, `undefined`) is not. */
  get printed(): readonly number[] {
    // Usually all are. A loop, because this is part of the cost of a new series.
    for (const index of this.order) if (this.#isAbsent(index)) return this.order.filter((at) => !this.#isAbsent(at));
    return this.order;
  }

  #isAbsent(index: number): boolean {
    return this.values[index] === undefined || this.values[index] === null;
  }

  /** A copy with one value replaced; an empty text makes the label absent. */
  with(labelIndex: number, text: string): Place {
    const value = text === '' ? undefined : text;
    return new Place(this.texts.with(labelIndex, text), this.values.with(labelIndex, value), this.order);
  }
}
