/**
 * The series of one metric: found by labels, created on first write, retired on removal. Series objects are what
 * `labels()` returns; there is one for each series that exists, and it writes the cells itself.
 */
import { ConfigurationError, LabelError, native, refuseOption } from '../errors';
import { combinationCount, combinations, listsOf } from '../labels/combinations';
import { LabelTree } from '../labels/tree';
import { textOf } from '../labels/value';
import type { NativeFamily } from '../native/addon';
import { cellsOf, createFamily, type FamilyDescription, indexOf } from '../native/contributor';
import type { Known } from '../registry/values';
import { BEYOND, Overflow, type Refusal, toRefusal } from './overflow';

/** The label set that a series without cells will have when it is written. */
export class Place {
  constructor(
    /** By label name: the text. */
    readonly texts: readonly string[],
    /** By label name: as it was given. */
    readonly values: readonly unknown[],
    /** Indices of the given labels, in the order in which they were given. */
    readonly order: readonly number[],
  ) {}

  /** Indices of the labels that print: one that was given as `''` does, an absent one does not. */
  get printed(): number[] {
    return this.order.filter((index) => this.values[index] !== undefined && this.values[index] !== null);
  }

  /** The same with one value replaced; an empty text makes the label absent. */
  with(label: number, text: string): Place {
    const value = text === '' ? undefined : text;
    return new Place(this.texts.with(label, text), this.values.with(label, value), this.order);
  }
}

/** Label values whose cleaned form is remembered, by label. */
const CLEANED_MAX = 1000;

/** How many numbers the core answers with that has added a series. */
const ADDED = 2;

/** What a series without cells holds in place of them. */
const NO_CELLS: Float64Array = new Float64Array(0);

/** Gives a series its cells: the array, the index of the first, and the series' id. */
const attach = Symbol('attach');
/** Takes the cells away; the series keeps its place, should it be written again. */
const retire = Symbol('retire');
/** Adds to a cell; false where there are no cells. */
export const add = Symbol('add');
/** Adds 1 to one cell and a value to another, with nothing between; false where there are no cells. */
export const addPair = Symbol('addPair');
/** Replaces the value of the first cell; false where there are no cells. */
export const put = Symbol('put');
/** The series object that has cells for this one's label set: itself, or the one that was there before. */
export const revived = Symbol('revived');
/** The id of a series that has cells. */
export const idOf = Symbol('id');
/** The series of the same metric with these labels; it exists afterwards. */
export const siblingOf = Symbol('sibling');
/** The labels of the series, whether it exists or not. */
export const labelsOf = Symbol('labels');
/** The values of the cells. */
export const readCells = Symbol('read');

/** Where a series without cells belongs. One field serves both states, because there may be a million series. */
class Detached {
  constructor(
    readonly home: Home,
    readonly place: Place,
  ) {}
}

/** Where series belong: the set of their metric, as they see it. */
export interface Home {
  /** The series object that has cells for this place: `series` itself, unless another was there before it. */
  revive(series: Series, place: Place): Series;
  /** The series of these labels; it exists afterwards. */
  at(labels: object): Series;
  /** The labels of a series that exists. */
  labelsOf(id: number): Record<string, unknown>;
  /** The labels that a place names. */
  labelsAt(place: Place): Record<string, unknown>;
}

/**
 * One series: cells in native memory, or none as long as it does not exist. What it has beside the recording methods
 * of its subclasses is keyed by symbols of this package.
 */
export abstract class Series {
  #cells = NO_CELLS;
  /** Of the first cell; -1 while there is none, which is all that recording has to check. */
  #index = -1;
  #id = -1;
  #home: Home | Detached;

  /** @internal */
  constructor(home: Home, place: Place) {
    this.#home = new Detached(home, place);
  }

  [add](offset: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    // Not `+=`: an integer-only `+=` on a Float64Array takes twice the time on Node.js 26.
    this.#cells[index + offset] -= -value;
    return true;
  }

  [addPair](counted: number, summed: number, value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    const cells = this.#cells;
    cells[index + counted] -= -1;
    cells[index + summed] -= -value;
    return true;
  }

  [put](value: number): boolean {
    const index = this.#index;
    if (index < 0) return false;
    this.#cells[index] = value;
    return true;
  }

  [revived](): this {
    const home = this.#home;
    return (home instanceof Detached ? home.home.revive(this, home.place) : this) as this;
  }

  [attach](cells: Float64Array, index: number, id: number): void {
    this.#cells = cells;
    this.#index = index;
    this.#id = id;
    if (this.#home instanceof Detached) this.#home = this.#home.home;
  }

  [retire](place: Place): void {
    this.#cells = NO_CELLS;
    this.#index = -1;
    if (!(this.#home instanceof Detached)) this.#home = new Detached(this.#home, place);
  }

  [idOf](): number {
    return this.#id;
  }

  [siblingOf](labels: object): Series {
    const home = this.#home;
    return (home instanceof Detached ? home.home : home).at(labels);
  }

  [labelsOf](): Record<string, unknown> {
    const home = this.#home;
    return home instanceof Detached ? home.home.labelsAt(home.place) : home.labelsOf(this.#id);
  }

  [readCells](width: number): number[] {
    return Array.from(this.#cells.subarray(this.#index, this.#index + width));
  }
}

/** Makes series; histograms need their bounds. */
export type SeriesType<S extends Series> = new (home: Home, place: Place, bounds: Float64Array) => S;

/** The series of one metric. */
export class SeriesSet<S extends Series> implements Home {
  readonly family: NativeFamily;
  /** Whether a registry cleans label values. */
  #cleans = false;
  /** By label: what values became that were cleaned lately, so that one that comes again costs no call of the core. */
  readonly #cleaned: readonly Map<string, string>[];
  readonly #warn: (message: string) => void;
  readonly #description: FamilyDescription;
  readonly #tree: LabelTree<S>;
  readonly #type: SeriesType<S>;
  readonly #bounds: Float64Array;
  /** The series without labels, once it was asked for. */
  #unlabelled: S | undefined;
  /** Label values as they were given, by series id, where one was not a string. */
  readonly #originals = new Map<number, Record<string, unknown>>();
  /**
   * The labels that the call which made a series gave, in their order, by series id, where they were not all the label
   * names in theirs: indices, complemented for a label that was given as absent.
   */
  readonly #given = new Map<number, readonly number[]>();
  /** One array for each such list, however many series were made so. */
  readonly #givenLists = new Map<string, readonly number[]>();
  readonly #overflow: Overflow;
  /** Where label sets beyond the limits are recorded: the series of `other`, or one that nobody reads. */
  #beyond: S | undefined;
  /** The one that nobody reads, once there is one. */
  #sink: S | undefined;

  /** @param warn is told of label sets beyond the limits, and of content that should not be there */
  constructor(description: FamilyDescription, type: SeriesType<S>, warn: (message: string) => void) {
    this.#description = description;
    this.#type = type;
    this.#warn = warn;
    this.#bounds = Float64Array.from(description.buckets);
    this.family = createFamily(description);
    this.#tree = new LabelTree(description.labelNames);
    this.#cleaned = description.labelNames.map(() => new Map());
    this.#overflow = new Overflow(this.family, description.name, description.labelNames, warn);
  }

  /** What the addon does not know about the series. */
  get known(): Known {
    return { originals: (id) => this.#originals.get(id) };
  }

  /** Upper bounds of a histogram. */
  get bounds(): readonly number[] {
    return this.#description.buckets;
  }

  get labelNames(): readonly string[] {
    return this.#description.labelNames;
  }

  /** The series of these labels; it exists afterwards. */
  at(labels: object): S {
    const series = this.#tree.find(labels);
    return series === undefined ? this.#miss(labels) : series;
  }

  /** The series without labels; it exists from its first write on. */
  unlabelled(): S {
    return this.#unlabelled === undefined ? this.#findUnlabelled() : this.#unlabelled;
  }

  #findUnlabelled(): S {
    this.#unlabelled = this.handle(this.#placeOf(NO_LABELS));
    return this.#unlabelled;
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
    // The handle may be older than the sanitizer.
    const cleaned = this.#clean(place);
    if (cleaned === place) return this.peek(place) ?? this.#add(series, place);
    return this.peek(cleaned) ?? this.#add(this.#create(cleaned), cleaned);
  }

  /** The series of these labels if it exists. */
  peek(place: Place): S | undefined {
    return this.#tree.get(place.texts);
  }

  /** Makes a series exist with nothing recorded; one that exists keeps its place. */
  zero(place: Place): void {
    this.handle(place)[revived]();
    // Beyond a limit there is none, and the series that others share is not its to set back.
    const series = this.peek(place);
    if (series !== undefined) this.family.zeroSeries(series[idOf]());
  }

  labelsOf(id: number): Record<string, unknown> {
    return this.labelsAt(this.#placeAgain(this.#textsOf(id), id));
  }

  /** The texts of a series that exists. */
  #textsOf(id: number): string[] {
    // By its own properties alone: a label may have the name of one that all objects inherit.
    const printed = new Map<string, string>(Object.entries(JSON.parse(this.family.seriesLabels(id) ?? '{}')));
    return this.labelNames.map((name) => printed.get(name) ?? '');
  }

  /** The labels that a place names, as they were given. */
  labelsAt(place: Place): Record<string, unknown> {
    return Object.fromEntries(place.order.map((index) => [this.labelNames[index], place.values[index]]));
  }

  /** Removes a series; returns whether it existed. */
  remove(place: Place): boolean {
    return this.#removeTexts(place.texts);
  }

  #removeTexts(texts: readonly string[]): boolean {
    const series = this.#tree.delete(texts);
    if (series === undefined) return false;
    const id = series[idOf]();
    series[retire](this.#placeAgain(texts, id));
    this.#originals.delete(id);
    this.#given.delete(id);
    this.family.removeSeries(id);
    if (series === this.#beyond) this.#beyond = undefined;
    this.#overflow.removed(texts);
    return true;
  }

  /** Removes the series that have these labels; returns how many there were. */
  removeMatching(labels: object): number {
    if (typeof labels !== 'object' || labels === null) refuseOption('labels', 'removeMatching()', labels);
    const { texts, order } = this.#placeOf(labels);
    // Series that are older than the sanitizer have their labels as they were given.
    const cleaned = this.#clean(new Place(texts, texts, order)).texts;
    const has = (own: readonly string[], index: number) => own[index] === texts[index] || own[index] === cleaned[index];
    const matching = [...this.#tree.entries()].filter(([own]) => order.every((index) => has(own, index)));
    for (const [own] of matching) this.#removeTexts(own);
    return matching.length;
  }

  removeExpired(max: number): number {
    const ids = this.family.takeExpired(max);
    for (const id of ids) this.#removeTexts(this.#textsOf(id));
    return ids.length;
  }

  /** Makes series exist for each combination of values. */
  init(values: object): void {
    if (typeof values !== 'object' || values === null) refuseOption('values by label name', 'init()', values);
    // A name that is none is refused, be its list empty.
    this.#tree.read(values);
    const lists = listsOf(values);
    const count = combinationCount(lists);
    const { maxSeries } = this.family.limits();
    if (this.labelNames.length > 0 && count > maxSeries) {
      throw new ConfigurationError(
        'INVALID_CONFIG',
        `Expected at most ${maxSeries} combinations for init() but received ${count}`,
      );
    }
    for (const labels of combinations(lists)) this.handle(this.#clean(this.#placeOf(labels)))[revived]();
  }

  /** Removes all series. */
  clear(): void {
    for (const [texts, series] of this.#tree.entries()) {
      series[retire](this.#placeAgain(texts, series[idOf]()));
    }
    this.#tree.clear();
    this.#originals.clear();
    this.#given.clear();
    this.family.clear();
    this.#beyond = undefined;
    this.#overflow.cleared();
  }

  /**
   * The place that arguments of `labels()` and `remove()` name: values in the order of the label names, or one object.
   *
   * @throws {LabelError} `LABEL_COUNT`, `UNKNOWN_LABEL`
   */
  placeOfArguments(args: readonly unknown[]): Place {
    const names = this.labelNames;
    const [first] = args;
    if (typeof first === 'object' && first !== null) return this.#clean(this.#placeOf(first));
    if (args.length !== names.length && !(first === null && args.length === 1)) {
      throw new LabelError(
        'LABEL_COUNT',
        `Invalid number of arguments (${args.length}): "${args.map((arg) => textOf('', arg)).join(', ')}" for label names (${names.length}): "${names.join(', ')}".`,
      );
    }
    return this.#clean(
      this.#place(
        names.map((_, index) => args[index]),
        names.map((_, index) => index),
      ),
    );
  }

  /** Cleans label values from now on, as the registries say now. */
  clean(): void {
    this.#cleans = true;
    for (const values of this.#cleaned) values.clear();
  }

  /** The place with its values as they are recorded: cleaned, unless there is a series that has them as they are. */
  #clean(place: Place): Place {
    if (!this.#cleans || this.labelNames.length === 0 || this.peek(place) !== undefined) return place;
    if (!place.texts.every((text, index) => this.#cleaned[index].has(text))) {
      const cleaned = this.family.clean([...place.texts]);
      place.texts.forEach((text, index) => {
        const known = this.#cleaned[index];
        if (known.size === CLEANED_MAX) known.clear();
        known.set(text, cleaned?.values[index] ?? text);
      });
      for (const warning of cleaned?.warnings ?? []) this.#warn(warning);
    }
    return place.texts.reduce((clean, text, index) => {
      const value = this.#cleaned[index].get(text) as string;
      return value === text ? clean : clean.with(index, value);
    }, place);
  }

  #placeOf(labels: object): Place {
    const { values, order } = this.#tree.read(labels);
    return this.#place(values, order);
  }

  #place(values: readonly unknown[], order: readonly number[]): Place {
    const texts = values.map((value, index) => textOf(this.labelNames[index], value));
    return new Place(texts, values, order);
  }

  #miss(labels: object): S {
    // What is cleaned may have a series under another name.
    const beyond = this.#overflow.isFull && !this.#cleans ? this.#beyond : undefined;
    if (beyond !== undefined && this.#tree.missesForSure()) {
      if (this.#overflow.count()) this.#overflow.sample(this.#placeOf(labels).texts);
      return beyond;
    }
    const place = this.#clean(this.#placeOf(labels));
    const series = this.peek(place) ?? this.#add(this.#create(place), place);
    this.#tree.alias(place.values, place.texts);
    return series;
  }

  #create(place: Place): S {
    return new this.#type(this, place, this.#bounds);
  }

  /** Gives a series its cells; beyond a limit, returns the series that is written in its place. */
  #add(series: S, place: Place): S {
    const refusal = this.#refuse(series, place);
    return refusal === undefined ? series : this.#addBeyond(place, refusal);
  }

  /** @throws {CardinalityError} if that is what becomes of label sets beyond the limits */
  #addBeyond(place: Place, refusal: Refusal): S {
    if (this.#overflow.count()) this.#overflow.sample(place.texts);
    const { policy } = this.#overflow;
    if (policy === 'throw') {
      // Where an earlier policy recorded, nothing is to be recorded any more.
      this.#beyond = undefined;
      throw this.#overflow.error(refusal);
    }
    if (policy === 'drop' || this.#description.kind === 'gauge') return this.#nowhere();
    let folded = place;
    // Each turn makes one more label `other`.
    for (let next: Refusal | undefined = refusal; next?.of === 'label'; ) {
      folded = folded.with(next.label, BEYOND);
      const known = this.peek(folded);
      if (known !== undefined) return known;
      const series = this.#create(folded);
      next = this.#refuse(series, folded);
      if (next === undefined) return series;
    }
    return this.#other();
  }

  /** The series that all label sets beyond the limits are added to. */
  #other(): S {
    const texts = this.labelNames.map(() => BEYOND);
    const place = this.#place(
      texts,
      texts.map((_, index) => index),
    );
    this.#beyond = this.peek(place) ?? this.#attach(this.#create(place), place, this.family.addSeriesBeyond());
    return this.#beyond;
  }

  /** A series of which nobody reads what is written. */
  #nowhere(): S {
    if (this.#sink === undefined) {
      this.#sink = this.#create(this.#placeOf(NO_LABELS));
      this.#sink[attach](new Float64Array(this.#bounds.length + 2), 0, NO_ID);
    }
    this.#beyond = this.#sink;
    return this.#beyond;
  }

  /** Adds a series; returns why it cannot be. What the core is known to refuse, it is not asked again. */
  #refuse(series: S, place: Place): Refusal | undefined {
    const known = this.#overflow.known(place.texts);
    if (known !== undefined) return known;
    const { printed, texts } = place;
    const answer = native(() =>
      this.family.addSeries(
        printed,
        printed.map((index) => texts[index]),
      ),
    );
    if (answer.length === ADDED) {
      this.#attach(series, place, answer);
      return undefined;
    }
    const refusal = toRefusal(answer);
    this.#overflow.remember(refusal, () => this.#tree.entries());
    return refusal;
  }

  #attach(series: S, place: Place, [id, slot]: readonly number[]): S {
    const { printed, texts, values } = place;
    series[attach](cellsOf(slot), indexOf(slot), id);
    this.#tree.insert(texts, series);
    this.#overflow.added(texts);
    this.#rememberGiven(id, place);
    if (printed.some((index) => typeof values[index] === 'number')) {
      const originals = printed.map((index) => [this.labelNames[index], original(place, index)]);
      this.#originals.set(id, Object.fromEntries(originals));
    }
    return series;
  }

  #rememberGiven(id: number, { order, values }: Place): void {
    const given = order.map((index) => (values[index] === undefined || values[index] === null ? ~index : index));
    if (given.length === this.labelNames.length && given.every((label, index) => label === index)) return;
    const key = given.join();
    const known = this.#givenLists.get(key) ?? given;
    this.#givenLists.set(key, known);
    this.#given.set(id, known);
  }

  /** The place of a series as the call that made it gave it. */
  #placeAgain(texts: readonly string[], id: number): Place {
    const originals = new Map(Object.entries(this.#originals.get(id) ?? {}));
    const values = texts.map((text, index): unknown => originals.get(this.labelNames[index]) ?? text);
    const given = this.#given.get(id) ?? texts.map((_, index) => index);
    const order = given.map((label) => (label < 0 ? ~label : label));
    for (const label of given) if (label < 0) values[~label] = undefined;
    return new Place(texts, values, order);
  }
}

/** A value as JSON forms show it: numbers as they were given, everything else as text. */
function original(place: Place, index: number): unknown {
  const value = place.values[index];
  return typeof value === 'number' ? value : place.texts[index];
}

const NO_LABELS = Object.freeze({});

/** The id of a series that the core does not know. */
const NO_ID = -1;
