/**
 * Holds the series of one metric: finds them by labels, creates them on their first write, retires them on removal. The
 * core decides whether a new series is allowed; `beyond.ts` handles the label sets that are not.
 */
import { ConfigurationError, LabelError, native, refuseOption } from '../errors';
import { combinationCount, combinations, readLists } from '../labels/combinations';
import { LabelTree } from '../labels/tree';
import { toText } from '../labels/value';
import type { NativeFamily } from '../native/addon';
import { cellIndexOf, cellsOf, createFamily, type FamilyDefinition, SUMMARY_CELLS } from '../native/contributor';
import { AgeSteps } from './age-steps';
import { BeyondLimits } from './beyond';
import { CleanedTexts } from './cleaned-texts';
import { DirtyForms } from './dirty-forms';
import { GivenLabels } from './given-labels';
import { Overflow, Refusal, toRefusal } from './overflow';
import { Place } from './place';
import { attach, type Home, idOf, readCells, retire, revived, type Series, type SeriesType } from './series';
import type { Known } from './values';

/** The core answers `[id, slot]` if it added a series. A refusal has four numbers or more, so the length tells which. */
const ADDED = 2;

/** The series of one metric. */
export class SeriesSet<S extends Series> implements Home {
  readonly family: NativeFamily;
  readonly ageSteps: AgeSteps | undefined;
  readonly #warn: (message: string) => void;
  /** Set if a registry cleans label values. */
  #cleaned: CleanedTexts | undefined;
  #dirty: DirtyForms<S> | undefined;
  readonly #definition: FamilyDefinition;
  readonly #tree: LabelTree<S>;
  readonly #type: SeriesType<S>;
  readonly #bounds: Float64Array;
  /** The series without labels, once it was used. */
  #unlabelled: S | undefined;
  readonly #given: GivenLabels;
  readonly #overflow: Overflow;
  readonly #beyond: BeyondLimits<S>;

  /** @param warn logs warnings about label sets over a limit, and about content that does not belong in a label */
  constructor(definition: FamilyDefinition, type: SeriesType<S>, warn: (message: string) => void) {
    this.#definition = definition;
    this.#type = type;
    this.#warn = warn;
    this.#bounds = Float64Array.from(definition.buckets);
    this.family = createFamily(definition);
    this.ageSteps = AgeSteps.of(definition.summary);
    this.#tree = new LabelTree(definition.labelNames);
    this.#given = new GivenLabels(definition.labelNames);
    this.#overflow = new Overflow(this.family, definition.name, definition.labelNames, warn);
    const maker = {
      create: (place: Place) => this.#create(place),
      tryAdd: (place: Place) => this.#tryAdd(place),
      addBeyond: (place: Place) => this.#attach(this.#create(place), place, this.family.addSeriesBeyond()),
    };
    this.#beyond = new BeyondLimits(this.#tree, this.#overflow, maker, definition);
  }

  /** Facts about the series that the addon does not know. */
  get known(): Known {
    return this.#given;
  }

  /** The value cells of the series that the arguments of `labels()` name; `undefined` if there is no such series. */
  cells(labels: object = NO_LABELS): number[] | undefined {
    return this.peek(this.placeOfArguments([labels]))?.[readCells](this.width);
  }

  /** The number of cells of a series that hold values: the buffer of a summary follows them. */
  get width(): number {
    const { kind, buckets } = this.#definition;
    if (kind === 'histogram') return buckets.length + 2;
    return kind === 'summary' ? SUMMARY_CELLS : 1;
  }

  /** Upper bounds of a histogram, or quantiles of a summary. */
  get bounds(): readonly number[] {
    return this.#definition.summary?.quantiles ?? this.#definition.buckets;
  }

  get labelNames(): readonly string[] {
    return this.#definition.labelNames;
  }

  /** The series of these labels; created if it does not exist. */
  at(labels: object): S {
    const series = this.#tree.find(labels);
    return series === undefined ? this.#miss(labels) : series;
  }

  /** The series without labels; it has cells from its first write on. */
  unlabelled(): S {
    return this.#unlabelled === undefined ? this.#findUnlabelled() : this.#unlabelled;
  }

  #findUnlabelled(): S {
    this.#unlabelled = this.handle(this.#placeOf(NO_LABELS));
    return this.#unlabelled;
  }

  /** The series without labels, with cells; the same object as before it was removed. */
  createUnlabelled(): S {
    const place = this.#placeOf(NO_LABELS);
    this.#unlabelled = this.revive(this.#unlabelled ?? this.#create(place), place);
    return this.#unlabelled;
  }

  /** A series object for these labels, without cells if the series does not exist. */
  handle(place: Place): S {
    return this.peek(place) ?? this.#create(place);
  }

  revive(series: S, place: Place): S {
    // The sanitizer may have been set after this handle was created.
    const cleaned = this.#clean(place);
    if (cleaned === place) return this.peek(place) ?? this.#add(place, series);
    return this.peek(cleaned) ?? this.#add(cleaned);
  }

  /** The series of these labels if it exists. */
  peek(place: Place): S | undefined {
    return this.#tree.get(place.texts);
  }

  /** All series, in no particular order. */
  *existing(): Generator<S> {
    for (const [, series] of this.#tree.entries()) yield series;
  }

  /** Creates a series with nothing recorded, or sets the existing one to zero. */
  zero(place: Place): void {
    this.handle(place)[revived]();
    // Over a limit there is no series of its own, and the shared one must not be set to zero.
    const series = this.peek(place);
    if (series !== undefined) this.family.zeroSeries(series[idOf]());
  }

  flush(id: number, step: number): void {
    // Series that take label sets over a limit may have no ID. Nothing reads their buffers.
    if (id >= 0) this.family.flush(id, step);
  }

  /** Removes the series of a summary that is to remove those whose observations are all forgotten. */
  removeForgotten(): void {
    for (const id of this.family.forgotten()) this.#removeTexts(this.#textsOf(id));
  }

  labelsOf(id: number): Record<string, unknown> {
    return this.labelsAt(this.#given.placeOf(id, this.#textsOf(id)));
  }

  /** The texts of the series with this ID. */
  #textsOf(id: number): string[] {
    const printed: Record<string, string> = JSON.parse(this.family.seriesLabels(id) ?? '{}');
    return this.labelNames.map((name) => (Object.hasOwn(printed, name) ? printed[name] : ''));
  }

  /** The labels of a place, as the caller gave them. */
  labelsAt(place: Place): Record<string, unknown> {
    return Object.fromEntries(place.order.map((index) => [this.labelNames[index], place.values[index]]));
  }

  /** Removes a series; returns true if it existed. */
  remove(place: Place): boolean {
    return this.#removeTexts(place.texts);
  }

  #removeTexts(texts: readonly string[]): boolean {
    const series = this.#tree.delete(texts);
    if (series === undefined) return false;
    const id = series[idOf]();
    series[retire](this.#given.placeOf(id, texts));
    this.#given.forget(id);
    this.family.removeSeries(id);
    this.#beyond.removed(series);
    this.#overflow.removed(texts);
    this.#dirty?.forget();
    return true;
  }

  /** Removes all series that have these labels; returns how many it removed. */
  removeMatching(labels: object): number {
    if (typeof labels !== 'object' || labels === null) refuseOption('labels', 'removeMatching()', labels);
    const { texts, order } = this.#placeOf(labels);
    // Series that are older than the sanitizer have uncleaned labels.
    const cleaned = this.#clean(new Place(texts, texts, order)).texts;
    const has = (own: readonly string[], index: number) => own[index] === texts[index] || own[index] === cleaned[index];
    const matching = [...this.#tree.entries()].filter(([own]) => order.every((index) => has(own, index)));
    for (const [own] of matching) this.#removeTexts(own);
    return matching.length;
  }

  /** Removes all series that have these labels, except one. */
  removeOthers(labels: object, kept: Place): void {
    const { texts, order } = this.#placeOf(labels);
    const others = [...this.#tree.entries()].filter(
      ([own]) => order.every((index) => own[index] === texts[index]) && own.some((text, at) => text !== kept.texts[at]),
    );
    for (const [own] of others) this.#removeTexts(own);
  }

  removeExpired(max: number): number {
    const ids = this.family.takeExpired(max);
    for (const id of ids) this.#removeTexts(this.#textsOf(id));
    return ids.length;
  }

  /** Creates a series for each combination of values. */
  init(values: object): void {
    if (typeof values !== 'object' || values === null) refuseOption('values by label name', 'init()', values);
    // Throws for an unknown label, even if its list is empty.
    this.#tree.read(values);
    const lists = readLists(values);
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
      series[retire](this.#given.placeOf(series[idOf](), texts));
    }
    this.#tree.clear();
    this.#given.clear();
    this.family.clear();
    this.#beyond.cleared();
    this.#overflow.cleared();
    this.#dirty?.forget();
  }

  /**
   * The place for the arguments of `labels()` and `remove()`: values in the order of the label names, or one object.
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
        `Invalid number of arguments (${args.length}): "${args.map((arg) => toText('', arg)).join(', ')}" for label names (${names.length}): "${names.join(', ')}".`,
      );
    }
    return this.#clean(
      this.#placeFrom(
        names.map((_, index) => args[index]),
        names.map((_, index) => index),
      ),
    );
  }

  /** Cleans label values from now on, with the current settings of the registries. */
  clean(): void {
    this.#dirty = new DirtyForms(this.labelNames);
    this.#cleaned = new CleanedTexts(this.family, this.labelNames.length, this.#warn);
  }

  /** The place with cleaned values, or the place itself if it has a series already. */
  #clean(place: Place): Place {
    if (this.#cleaned === undefined || this.labelNames.length === 0 || this.peek(place) !== undefined) return place;
    const texts = this.#cleaned.clean(place.texts);
    return texts.reduce((clean, text, index) => (text === place.texts[index] ? clean : clean.with(index, text)), place);
  }

  #placeOf(labels: object): Place {
    const { values, order } = this.#tree.read(labels);
    return this.#placeFrom(values, order);
  }

  #placeFrom(values: readonly unknown[], order: readonly number[]): Place {
    const texts = values.map((value, index) => toText(this.labelNames[index], value));
    return new Place(texts, values, order);
  }

  /** The series of labels that the tree has just not found. */
  #miss(labels: object): S {
    // A sanitizer may change the labels into ones that have a series.
    const beyond = this.#cleaned === undefined ? this.#beyond.find() : undefined;
    if (beyond !== undefined) {
      if (this.#overflow.count()) this.#overflow.sample(this.#placeOf(labels).texts);
      return beyond;
    }
    const dirty = this.#dirty?.find(labels);
    if (dirty !== undefined) return dirty;
    const given = this.#placeOf(labels);
    const place = this.#clean(given);
    // Cleaning, or a number in place of its text, may lead to an existing series.
    const series = this.peek(place) ?? this.#add(place);
    if (place !== given && this.peek(place) === series) this.#dirty?.remember(given.texts, series);
    this.#tree.alias(place.values, place.texts);
    return series;
  }

  #create(place: Place): S {
    return new this.#type(this, place, this.#bounds);
  }

  /**
   * Adds the series of a label set that has none. Over a limit, returns the series that takes the label set instead.
   *
   * @param handle the object to give the cells to; a new one if missing
   * @throws {CardinalityError} over a limit, if that is the policy
   */
  #add(place: Place, handle?: S): S {
    const added = this.#tryAdd(place, handle);
    return added instanceof Refusal ? this.#beyond.take(place, added) : added;
  }

  /** Asks the core for a new series, unless the core is known to refuse it. */
  #tryAdd(place: Place, handle?: S): S | Refusal {
    const known = this.#overflow.known(place.texts);
    if (known !== undefined) return known;
    const { printed, texts } = place;
    const printedTexts = printed.map((index) => texts[index]);
    const answer = native(() => this.family.addSeries(printed, printedTexts));
    if (answer.length === ADDED) return this.#attach(handle ?? this.#create(place), place, answer);
    const refusal = toRefusal(answer);
    this.#overflow.remember(refusal, () => this.#tree.entries());
    return refusal;
  }

  #attach(series: S, place: Place, [id, slot]: readonly number[]): S {
    const { texts } = place;
    series[attach](cellsOf(slot), cellIndexOf(slot), id);
    this.#tree.insert(texts, series);
    this.#overflow.added(texts);
    this.#given.remember(id, place);
    return series;
  }
}

const NO_LABELS = Object.freeze({});
