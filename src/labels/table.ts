/**
 * Finds the cells of a label set: one flat table for each metric, by open addressing. The texts of a label set lie side by
 * side, followed by its slot, so that a look-up reads two places in memory. Texts are compared, never only their hashes, so
 * two label sets cannot collide. Knows nothing of what a series is.
 */
import { inspect } from 'node:util';
import { LabelError } from '../errors';
import { ALL, characters, type Depths, everyLabel, hashOf, SIX, SOME, shiftOf } from './hash';
import { NO_TEXT, REPLACEMENT } from './value';

/** The answer if a label set is not in the table. Slots are numbers of 32 bits, and no slab has this number. */
export const NO_SLOT = -1;
/** The answer if there is no such entry. */
export const NO_ENTRY = 0;

/**
 * The index has two numbers for each place: the hash, and the entry. `EMPTY` ends a search. `REMOVED` is an entry whose
 * texts equal no text, so that a search passes it.
 */
const EMPTY = NO_ENTRY;
const REMOVED = 1;
const SMALLEST_INDEX = 16;
/** An index of up to this many numbers is replaced at once, which takes 0.1 ms; a larger one bit by bit. */
const AT_ONCE = 8192;
/** Numbers of the old index that move with each change of the table. */
const STEP = 256;

/** More label sets than this with one hash, or as long a search, and more characters are hashed. */
const TWINS_MAX = 4;
const PROBES_MAX = 32;

/** Entries lie in arrays of this many values, or more if a metric has thousands of labels. */
const CHUNK_BITS = 13;

/** An index, and the depths of the hashes in it. */
interface Index {
  readonly places: Int32Array;
  readonly depths: Depths;
}

/**
 * Label sets with a slot and an owner each. The owner is a value that the user of the table chooses. The public fields
 * are for `finder.ts`.
 */
export class LabelTable {
  readonly names: readonly string[];
  /** The indices of all labels. */
  readonly order: readonly number[];
  places: Int32Array = new Int32Array(SMALLEST_INDEX);
  depths: Depths = SOME;
  /** Entries: for each the texts, the slot and the owner. `first` is `chunks[0]`, which most tables need only. */
  first: unknown[] = [];
  chunks: unknown[][] = [];
  /** Grows with each label set that is added. */
  insertions = 0;
  /** By this an entry is shifted for the number of its chunk. */
  readonly bits: number;
  readonly #stride: number;
  readonly #perChunk: number;
  /** Entries that were used, with those that are free now. */
  #used = 0;
  #free: number[] = [];
  #size = 0;
  #removed = 0;
  /** Entries whose hash another entry has too. */
  #twins = 0;
  /** The index that is being replaced, and how much of it has moved. */
  #old: Index | null = null;
  #moved = 0;
  #missed: string[] | undefined;
  /** True if some text may have been ill-formed once. Checking each text that is missed would take 30 ns. */
  #hasReplacements = false;

  constructor(names: readonly string[]) {
    this.names = names;
    this.order = names.map((_, label) => label);
    this.#stride = names.length + 2;
    this.bits = Math.max(CHUNK_BITS, 34 - Math.clz32(this.#stride));
    this.#perChunk = Math.floor(((1 << this.bits) - 1) / this.#stride) - 1;
    this.#openChunk();
  }

  get size(): number {
    return this.#size;
  }

  /** The entry of these texts, in the order of the label names; `NO_ENTRY` if there is none. */
  search(texts: readonly string[]): number {
    const at = this.#locateIn(this, texts);
    if (at >= 0) return this.places[at + 1];
    const old = this.#old;
    if (old === null) return NO_ENTRY;
    const before = this.#locateIn(old, texts);
    return before < 0 ? NO_ENTRY : old.places[before + 1];
  }

  /** The slot of an entry, from 0 to 2^32. */
  slotOf(entry: number): number {
    return (this.#field(entry, this.names.length) as number) >>> 0;
  }

  ownerOf(entry: number): unknown {
    return this.#field(entry, this.names.length + 1);
  }

  setOwner(entry: number, owner: unknown): void {
    this.#chunkOf(entry)[this.#offsetOf(entry) + this.names.length + 1] = owner;
  }

  textsOf(entry: number): string[] {
    const at = this.#offsetOf(entry);
    return this.#chunkOf(entry).slice(at, at + this.names.length) as string[];
  }

  /**
   * Reads labels: their values in the order of the label names, and the order in which the caller gave them.
   *
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  read(labels: object): { values: unknown[]; order: number[] } {
    // Not `fill()`, which takes longer than the rest.
    const values: unknown[] = this.names.map(() => undefined);
    const order: number[] = [];
    for (const name in labels) {
      if (!Object.hasOwn(labels, name) && isOfEveryObject(labels, name)) continue;
      const index = this.names.indexOf(name);
      if (index < 0) throw unknownLabel(name, this.names);
      values[index] = (labels as Record<string, unknown>)[name];
      order.push(index);
    }
    return { values, order };
  }

  /** True if labels are these texts, well-formed and in the order of the label names. Most are. */
  isUsual(labels: object, texts: readonly string[]): boolean {
    const { names } = this;
    let label = 0;
    for (const name in labels) {
      const text = texts[label];
      if (name !== names[label] || (labels as Record<string, unknown>)[name] !== text) return false;
      if (!text.isWellFormed()) return false;
      label++;
    }
    return label === names.length;
  }

  /**
   * Refuses an unknown label. A property that some program has added to every object is no label. Reads no value: a name
   * like an index would change how the engine reads all others.
   */
  refuse(name: string, labels: object): void {
    if (!isOfEveryObject(labels, name)) throw unknownLabel(name, this.names);
  }

  /**
   * A finder has come to the end of the index. Searches in an index that is being replaced, and otherwise remembers the
   * texts for `takeMissed()`.
   */
  findFurther(texts: string[]): number {
    if (this.#old !== null) {
      const entry = this.search(texts);
      this.#moveSome();
      if (entry !== NO_ENTRY) return entry;
    }
    this.#missed = texts;
    return NO_ENTRY;
  }

  /**
   * The texts that a finder has just not found; they may be ill-formed. `undefined` if the label set may have an entry all
   * the same, because a value is an object, or because an entry has what replaces the ill-formed part of a text.
   */
  takeMissed(): string[] | undefined {
    const missed = this.#missed;
    // Keeps no reference to the caller's values.
    this.#missed = undefined;
    if (missed === undefined) return undefined;
    for (const text of missed) {
      if (text === NO_TEXT || (this.#hasReplacements && !text.isWellFormed())) return undefined;
    }
    return missed;
  }

  /** Tells of texts that will be added. Only those that are not ASCII matter. */
  noteReplacements(texts: readonly string[]): void {
    this.#hasReplacements ||= texts.some((text) => text.includes(REPLACEMENT));
  }

  /** Adds a label set that the table does not have, and returns its entry. */
  insert(texts: readonly string[], slot: number, owner: unknown): number {
    if ((this.#size + this.#removed + 1) * 4 > this.places.length) this.#replaceIndex(this.depths);
    const entry = this.#free.pop() ?? this.#newEntry();
    const chunk = this.#chunkOf(entry);
    const at = this.#offsetOf(entry);
    for (let label = 0; label < texts.length; label++) {
      chunk[at + label] = texts[label];
    }
    chunk[at + texts.length] = slot | 0;
    chunk[at + texts.length + 1] = owner;
    this.#size++;
    this.insertions++;
    const deeper = this.#enter(hashOf(texts, this.depths), entry);
    if (this.#old !== null) this.#moveSome();
    else if (deeper !== this.depths) this.#replaceIndex(deeper);
    return entry;
  }

  /** Removes an entry. */
  delete(entry: number): void {
    const texts = this.textsOf(entry);
    const index = this.#locateIn(this, texts) >= 0 ? this : (this.#old as Index);
    if (this.#size === 1) {
      this.clear();
      return;
    }
    index.places[this.#locateIn(index, texts) + 1] = REMOVED;
    if (index === this) this.#removed++;
    this.#chunkOf(entry).fill(undefined, this.#offsetOf(entry), this.#offsetOf(entry) + this.#stride);
    this.#free.push(entry);
    this.#size--;
    if (this.#old !== null) this.#moveSome();
  }

  /** All entries, in no particular order. */
  *entries(): Generator<number> {
    for (let number = 0; number < this.#used; number++) {
      const entry = this.#entryAt(number);
      if (this.#field(entry, this.names.length) !== undefined) yield entry;
    }
  }

  clear(): void {
    this.places = new Int32Array(SMALLEST_INDEX);
    this.depths = SOME;
    this.chunks = [];
    this.#used = this.#size = this.#removed = this.#twins = 0;
    this.#free = [];
    this.#old = null;
    this.#missed = undefined;
    this.#hasReplacements = false;
    this.#openChunk();
  }

  #openChunk(): void {
    // The first place belongs to the entry `REMOVED`. Arrays that only grow by one have no holes, which reading would check.
    const chunk: unknown[] = [];
    while (chunk.length <= this.#stride) chunk.push(undefined);
    this.chunks.push(chunk);
    if (this.chunks.length === 1) this.first = chunk;
  }

  #newEntry(): number {
    if (this.#used === this.chunks.length * this.#perChunk) this.#openChunk();
    return this.#entryAt(this.#used++);
  }

  #entryAt(number: number): number {
    const chunk = Math.floor(number / this.#perChunk);
    return (chunk << this.bits) + 1 + (1 + number - chunk * this.#perChunk) * this.#stride;
  }

  #chunkOf(entry: number): unknown[] {
    return this.chunks[entry >>> this.bits];
  }

  #offsetOf(entry: number): number {
    return entry & ((1 << this.bits) - 1);
  }

  #field(entry: number, field: number): unknown {
    return this.#chunkOf(entry)[this.#offsetOf(entry) + field];
  }

  /** The place of these texts in an index; -1 if it does not have them. */
  #locateIn({ places, depths }: Index, texts: readonly string[]): number {
    const mask = places.length - 1;
    const hash = hashOf(texts, depths);
    for (let at = (hash << 1) & mask, step = 2; ; at = (at + step) & mask, step += 2) {
      const entry = places[at + 1];
      if (entry === EMPTY) return -1;
      if (places[at] === hash && this.#has(entry, texts)) return at;
    }
  }

  #has(entry: number, texts: readonly string[]): boolean {
    const chunk = this.#chunkOf(entry);
    const at = this.#offsetOf(entry);
    for (let label = 0; label < texts.length; label++) if (chunk[at + label] !== texts[label]) return false;
    // For a table without labels, which has no texts to tell them apart.
    return entry !== REMOVED;
  }

  /** Enters an entry in the index; returns the depths that would keep similar label sets apart. */
  #enter(hash: number, entry: number): Depths {
    const { places } = this;
    const mask = places.length - 1;
    let twins = 0;
    let twin = REMOVED;
    let at = (hash << 1) & mask;
    let step = 2;
    for (; places[at + 1] > REMOVED; at = (at + step) & mask, step += 2) {
      if (places[at] !== hash) continue;
      twins++;
      twin = places[at + 1];
    }
    if (places[at + 1] === REMOVED) this.#removed--;
    places[at] = hash;
    places[at + 1] = entry;
    if (step > 2 * PROBES_MAX) return everyLabel(ALL);
    if (twins === 0) return this.depths;
    this.#twins++;
    return twins >= TWINS_MAX || this.#twins * 8 > this.#size + 32 ? this.#deepened(entry, twin) : this.depths;
  }

  /** Hashes more of the labels whose texts differ though their hashed characters do not. */
  #deepened(entry: number, twin: number): Depths {
    const those = this.textsOf(twin);
    let { depths } = this;
    this.textsOf(entry).forEach((text, label) => {
      const same = characters(text, label, this.depths) === characters(those[label], label, this.depths);
      if (!same || text === those[label]) return;
      const depth = (this.depths >>> shiftOf(label)) & 3;
      depths = (depths & ~(3 << shiftOf(label))) | ((depth === SOME ? SIX : ALL) << shiftOf(label));
    });
    return depths;
  }

  /** Begins a new index with room for twice the entries, without those that were removed. */
  #replaceIndex(depths: Depths): void {
    while (this.#old !== null) this.#moveSome();
    let length = SMALLEST_INDEX;
    while (length < this.#size * 8) length *= 2;
    this.#old = { places: this.places, depths: this.depths };
    this.places = new Int32Array(length);
    this.depths = depths;
    this.#moved = this.#removed = this.#twins = 0;
    if (this.#old.places.length <= AT_ONCE) while (this.#old !== null) this.#moveSome();
  }

  /** Moves a part of the old index to the new one. */
  #moveSome(): void {
    const { places, depths } = this.#old as Index;
    const end = Math.min(this.#moved + STEP, places.length);
    for (let at = this.#moved; at < end; at += 2) {
      const entry = places[at + 1];
      if (entry <= REMOVED) continue;
      this.#enter(depths === this.depths ? places[at] : hashOf(this.textsOf(entry), this.depths), entry);
      places[at + 1] = REMOVED;
    }
    this.#moved = end;
    if (end === places.length) this.#old = null;
  }
}

/** True for an enumerable property of `Object.prototype`, of any realm. Reads no value. */
function isOfEveryObject(labels: object, name: string): boolean {
  let holder: object | null = labels;
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  return holder !== null && holder !== labels && Object.hasOwn(holder, 'isPrototypeOf');
}

/** The error for a label that the metric does not have. */
export function unknownLabel(name: string, names: readonly string[]): LabelError {
  return new LabelError(
    'UNKNOWN_LABEL',
    `Added label "${name}" is not included in initial labelset: ${inspect(names)}`,
  );
}
