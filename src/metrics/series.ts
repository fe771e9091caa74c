/**
 * The series of one metric: found by labels, created on first write, retired on removal. Series objects are what
 * `labels()` returns; there is one for each series that exists, and it writes the cells itself.
 */
import { LabelError, native } from '../errors';
import { LabelTree } from '../labels/tree';
import { textOf } from '../labels/value';
import type { NativeFamily } from '../native/addon';
import { cellsOf, createFamily, type FamilyDescription, indexOf } from '../native/contributor';
import type { Known } from '../registry/values';

/** What a series without cells holds in place of them. */
export const NO_CELLS: Float64Array = new Float64Array(0);

/** The label set that a series without cells will have when it is written. */
export class Place {
  constructor(
    /** By label name: the text. */
    readonly texts: readonly string[],
    /** By label name: as it was given. */
    readonly values: readonly unknown[],
    /** Indices of the given labels in the order in which they print. */
    readonly order: readonly number[],
  ) {}
}

/** Gives a series its cells: the array, the index of the first, and the series' id. */
export const attach = Symbol('attach');
/** Takes the cells away; the series keeps its place, should it be written again. */
export const retire = Symbol('retire');
/** The id of a series that has cells. */
export const idOf = Symbol('id');
/** The values of the cells, from the first on. */
export const readCells = Symbol('read');

/** What `SeriesSet` needs of a series object. */
export interface Attachable {
  [attach](cells: Float64Array, index: number, id: number): void;
  [retire](place: Place): void;
  [idOf](): number;
  [readCells](width: number): number[];
}

/** The series of one metric. */
export class SeriesSet<S extends Attachable> {
  readonly family: NativeFamily;
  readonly #description: FamilyDescription;
  readonly #tree: LabelTree<S>;
  readonly #create: (place: Place) => S;
  /** The series without labels, once it was asked for. */
  #unlabelled: S | undefined;
  /** Label values as they were given, by series id, where one was not a string. */
  readonly #originals = new Map<number, Record<string, unknown>>();

  constructor(description: FamilyDescription, create: (place: Place) => S) {
    this.#description = description;
    this.#create = create;
    this.family = createFamily(description);
    this.#tree = new LabelTree(description.labelNames);
  }

  /** What the addon does not know about the series. */
  get known(): Known {
    const { aggregator, buckets } = this.#description;
    return { aggregator, bounds: buckets, originals: (id) => this.#originals.get(id) };
  }

  get labelNames(): readonly string[] {
    return this.#description.labelNames;
  }

  /** The series of these labels; it exists afterwards. */
  at(labels: object): S {
    const series = this.#tree.find(labels);
    return series === undefined ? this.#miss(labels) : series;
  }

  /** The series without labels; it exists on its next write at the latest. */
  unlabelled(): S {
    return this.#unlabelled === undefined ? this.createUnlabelled() : this.#unlabelled;
  }

  /** The series without labels; it exists afterwards, and is the object that it was before it was removed. */
  createUnlabelled(): S {
    const place = this.#placeOf(NO_LABELS);
    this.#unlabelled = this.revive(this.#unlabelled ?? this.#create(place), place);
    return this.#unlabelled;
  }

  /** A series object for these labels that has cells only if the series exists. */
  handle(place: Place): S {
    return this.peek(place) ?? this.#create(place);
  }

  /** The series object that has cells for this place: `series` itself, unless another was there before it. */
  revive(series: S, place: Place): S {
    return this.peek(place) ?? this.#add(series, place);
  }

  /** The series of these labels if it exists. */
  peek(place: Place): S | undefined {
    return this.#tree.get(place.texts);
  }

  /** Removes a series; returns whether it existed. */
  remove(place: Place): boolean {
    const series = this.#tree.delete(place.texts);
    if (series === undefined) return false;
    const id = series[idOf]();
    series[retire](this.#placeAgain(place.texts, id));
    this.#originals.delete(id);
    this.family.removeSeries(id);
    return true;
  }

  /** Removes all series. */
  clear(): void {
    for (const [texts, series] of this.#tree.entries()) {
      series[retire](this.#placeAgain(texts, series[idOf]()));
    }
    this.#tree.clear();
    this.#originals.clear();
    this.family.clear();
  }

  /**
   * The place that arguments of `labels()` and `remove()` name: values in the order of the label names, or one object.
   *
   * @throws {LabelError} `LABEL_COUNT`, `UNKNOWN_LABEL`
   */
  placeOfArguments(args: readonly unknown[]): Place {
    const names = this.labelNames;
    const [first] = args;
    if (typeof first === 'object' && first !== null) return this.#placeOf(first);
    if (args.length !== names.length && !(first === null && args.length === 1)) {
      throw new LabelError(
        'LABEL_COUNT',
        `Invalid number of arguments (${args.length}): "${args.map((arg) => textOf('', arg)).join(', ')}" for label names (${names.length}): "${names.join(', ')}".`,
      );
    }
    return this.#place(
      names.map((_, index) => args[index]),
      names.map((_, index) => index),
    );
  }

  #placeOf(labels: object): Place {
    const { values, order } = this.#tree.read(labels);
    return this.#place(values, order);
  }

  #place(values: readonly unknown[], order: readonly number[]): Place {
    const texts = values.map((value, index) => textOf(this.labelNames[index], value));
    // An absent label is not printed; one that was given as '' is.
    const printed = order.filter((index) => values[index] !== undefined && values[index] !== null);
    return new Place(texts, values, printed);
  }

  /** The place of a series that goes: as it was given, should it be written again. */
  #placeAgain(texts: readonly string[], id: number): Place {
    const originals = this.#originals.get(id);
    const values = texts.map((text, index) => originals?.[this.labelNames[index]] ?? text);
    const order = texts.flatMap((text, index) => (text === '' ? [] : [index]));
    return new Place(texts, values, order);
  }

  #miss(labels: object): S {
    const place = this.#placeOf(labels);
    const series = this.peek(place) ?? this.#add(this.#create(place), place);
    this.#tree.alias(place.values, place.texts);
    return series;
  }

  #add(series: S, place: Place): S {
    const [id, slot] = native(() =>
      this.family.addSeries(
        [...place.order],
        place.order.map((index) => place.texts[index]),
      ),
    );
    series[attach](cellsOf(slot), indexOf(slot), id);
    this.#tree.insert(place.texts, series);
    if (place.order.some((index) => typeof place.values[index] === 'number')) {
      this.#originals.set(
        id,
        Object.fromEntries(place.order.map((index) => [this.labelNames[index], original(place, index)])),
      );
    }
    return series;
  }
}

/** A value as JSON forms show it: numbers as they were given, everything else as text. */
function original(place: Place, index: number): unknown {
  const value = place.values[index];
  return typeof value === 'number' ? value : place.texts[index];
}

const NO_LABELS = Object.freeze({});
