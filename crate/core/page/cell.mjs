/** Keeps the last values of one sample. Most samples of a program do not change: such a one is kept as a single number. */

/** The most scrapes that are remembered: ten minutes of one a second. */
export const MOST_SCRAPES = 600;

/** How many scrapes are remembered. Shared by all cells of a store, so that they can be shortened together. */
export class Span {
  capacity = MOST_SCRAPES;
  /** The number of cells whose values take memory. */
  rings = 0;
}

/** The fewest values that a ring has room for. */
const LEAST_ROOM = 16;

/** The values of one sample, by the number of the scrape. */
export class Cell {
  /** The newest value. */
  value = Number.NaN;
  /** The scrape that first had the sample; -1 before. */
  first = -1;
  /** The last scrape that had it. */
  seen = -1;
  /** @type {Float64Array | undefined} values since `#changed`, one a scrape; undefined while all are equal */
  #ring;
  /** The first scrape whose value is in the ring. All before had the value `#still`. */
  #changed = 0;
  #still = Number.NaN;
  /** @type {Span} */
  #span;

  /** @param {Span} span */
  constructor(span) {
    this.#span = span;
  }

  /**
   * @param {number} scrape
   * @param {number} value
   */
  put(scrape, value) {
    if (this.first < 0) this.first = scrape;
    else if (this.#ring === undefined && (this.seen < scrape - 1 || !Object.is(value, this.value))) this.#unfold();
    this.#write(scrape, value);
    this.value = value;
    this.seen = scrape;
  }

  /** @param {number} scrape a scrape that did not have the sample */
  miss(scrape) {
    this.#write(scrape, Number.NaN);
  }

  /**
   * The value at a scrape that is still remembered; NaN if it did not have the sample.
   *
   * @param {number} scrape
   * @returns {number}
   */
  at(scrape) {
    if (scrape < this.first || scrape > this.seen || this.first < 0) return Number.NaN;
    if (this.#ring === undefined) return this.value;
    return scrape < this.#changed ? this.#still : this.#ring[scrape % this.#ring.length];
  }

  /**
   * True if it had one value at all of these scrapes, so that nothing needs to be compared.
   *
   * @param {number} from
   * @param {number} to
   */
  isConstant(from, to) {
    return this.#ring === undefined && this.first >= 0 && this.first <= from && to <= this.seen;
  }

  #unfold() {
    this.#still = this.value;
    this.#changed = this.seen + 1;
    // Of different sizes, so that not all cells grow at the same scrape.
    this.#ring = new Float64Array(LEAST_ROOM + (this.#span.rings++ % LEAST_ROOM)).fill(Number.NaN);
  }

  /**
   * @param {number} scrape
   * @param {number} value
   */
  #write(scrape, value) {
    if (this.#ring === undefined) return;
    const { capacity } = this.#span;
    // Twice is enough unless the ring begins after a long absence.
    let { length } = this.#ring;
    while (scrape - this.#changed >= length && length < capacity) length = Math.min(length * 2, capacity);
    if (length !== this.#ring.length) this.#resize(length, scrape);
    this.#ring[scrape % this.#ring.length] = value;
  }

  /**
   * @param {number} length
   * @param {number} scrape one that is newer than all in the ring, or the newest
   */
  #resize(length, scrape) {
    const old = /** @type {Float64Array} */ (this.#ring);
    const ring = new Float64Array(length).fill(Number.NaN);
    const kept = Math.min(length, old.length);
    for (let at = Math.max(this.#changed, scrape - kept); at <= Math.min(this.seen, scrape); at++)
      ring[at % length] = old[at % old.length];
    this.#ring = ring;
  }

  /**
   * Forgets the oldest values, when the span has a smaller capacity.
   *
   * @param {number} scrape the newest one
   */
  shorten(scrape) {
    const { capacity } = this.#span;
    if (this.#ring !== undefined && this.#ring.length > capacity) this.#resize(capacity, scrape);
  }

  /** Gives its memory back. */
  drop() {
    if (this.#ring !== undefined) this.#span.rings--;
    this.#ring = undefined;
  }
}
