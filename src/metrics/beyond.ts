/**
 * Finds or makes the series that takes label sets over the limits of one metric: the series of `other`, or one that is
 * never read. Carries out what the core has decided; `overflow.ts` remembers its decisions.
 */
import { OTHER } from '../labels/value';
import { type FamilyDefinition, widthOf } from '../native/contributor';
import { type Overflow, Refusal } from './overflow';
import { Place } from './place';
import { attach, NO_KEY, type Series } from './series';

/** Finds and creates series of one metric. `SeriesSet` provides it. */
export interface SeriesMaker<S extends Series> {
  /** The series of these texts, if it exists. */
  get(texts: readonly string[]): S | undefined;
  /** A series object without cells. */
  create(place: Place): S;
  /** A new series, or the reason why the limits forbid it. */
  tryAdd(place: Place): S | Refusal;
  /** A new series that no limit forbids: the one of `other`. */
  addBeyond(place: Place): S;
}

/** The series of one metric that take label sets over its limits. */
export class BeyondLimits<S extends Series> {
  readonly #overflow: Overflow;
  readonly #maker: SeriesMaker<S>;
  readonly #labels: number;
  readonly #width: number;
  /** The series of `other` or the sink, once it has taken a label set over the limits; `find()` returns it again. */
  #target: S | undefined;
  /** A series with cells that are never read. */
  #sink: S | undefined;

  constructor(overflow: Overflow, maker: SeriesMaker<S>, family: FamilyDefinition) {
    this.#overflow = overflow;
    this.#maker = maker;
    this.#labels = family.labelNames.length;
    this.#width = widthOf(family);
  }

  /**
   * Fast path for label sets over a limit. If it is already known that the core allows no new series for these texts, which
   * have none, returns the series that takes them, without reading the labels again. An attacker's calls take this path.
   */
  find(texts: string[]): S | undefined {
    const overflow = this.#overflow;
    if (overflow.isFull) return this.#target;
    if (!overflow.hasLimitedLabel || overflow.fallback !== 'fold') return undefined;
    const refusal = overflow.known(texts);
    if (refusal === undefined || refusal.folded.length === 0) return undefined;
    return this.#getFolded(texts, refusal.folded, 0);
  }

  /**
   * The series of these texts with some of them replaced by `other`, if it exists. Replaces them in place and puts them
   * back, which takes half the time of a copy.
   */
  #getFolded(texts: string[], labels: readonly number[], next: number): S | undefined {
    if (next === labels.length) return this.#maker.get(texts);
    const label = labels[next];
    const text = texts[label];
    texts[label] = OTHER;
    const series = this.#getFolded(texts, labels, next + 1);
    texts[label] = text;
    return series;
  }

  /**
   * The series that takes this label set, which was refused. Counts the call.
   *
   * @throws {CardinalityError} if that is the policy
   */
  take(place: Place, refusal: Refusal): S {
    if (this.#overflow.count()) this.#overflow.sample(place.texts);
    switch (refusal.fallback) {
      case 'throw':
        // An earlier policy may have recorded; from now on nothing is recorded.
        this.#target = undefined;
        throw this.#overflow.error(refusal);
      case 'drop':
        return this.#nowhere();
      case 'fold':
        return this.#fold(place, refusal.folded);
    }
  }

  #fold(place: Place, labels: readonly number[]): S {
    if (labels.length === 0) return this.#other();
    const folded = labels.reduce((folded, label) => folded.with(label, OTHER), place);
    const added = this.#maker.get(folded.texts) ?? this.#maker.tryAdd(folded);
    // The folded label set may be over a limit too.
    return added instanceof Refusal ? this.#other() : added;
  }

  /** The series whose label values are all `other`. */
  #other(): S {
    const texts = new Array<string>(this.#labels).fill(OTHER);
    const place = new Place(texts, texts, [...texts.keys()]);
    this.#target = this.#maker.get(texts) ?? this.#maker.addBeyond(place);
    return this.#target;
  }

  /** A series whose cells are never read. */
  #nowhere(): S {
    if (this.#sink === undefined) {
      const absent = new Array<undefined>(this.#labels).fill(undefined);
      this.#sink = this.#maker.create(
        new Place(
          absent.map(() => ''),
          absent,
          [],
        ),
      );
      this.#sink[attach](new Float64Array(this.#width), 0, NO_KEY);
    }
    this.#target = this.#sink;
    return this.#target;
  }

  /** A series was removed. */
  removed(series: S): void {
    if (series === this.#target) this.#target = undefined;
  }

  /** All series were removed. */
  cleared(): void {
    this.#target = undefined;
  }
}
