/**
 * The series of one metric: found by labels, created on first write, retired on removal. What becomes of a label set
 * beyond the limits is decided here, by what the core says.
 */
import { ConfigurationError, LabelError, native, refuseOption } from '../errors';
import { combinationCount, combinations, listsOf } from '../labels/combinations';
import { LabelTree } from '../labels/tree';
import { textOf } from '../labels/value';
import type { NativeFamily } from '../native/addon';
import { cellIndexOf, cellsOf, createFamily, type FamilyDefinition } from '../native/contributor';
import { BeyondLimits } from './beyond';
import { CleanedTexts } from './cleaned-texts';
import { DirtyForms } from './dirty-forms';
import { GivenLabels } from './given-labels';
import { Overflow, Refusal, toRefusal } from './overflow';
import { Place } from './place';
import { attach, type Home, idOf, retire, revived, type Series, type SeriesType } from './series';
import type { Known } from './values';

/** How many numbers the core answers with that has added a series. */
const ADDED = 2;

/** The series of one metric. */
export class SeriesSet<S extends Series> implements Home {
  readonly family: NativeFamily;
  readonly #warn: (message: string) => void;
  /** Where a registry cleans label values. */
  #cleaned: CleanedTexts | undefined;
  #dirty: DirtyForms<S> | undefined;
  readonly #description: FamilyDefinition;
  readonly #tree: LabelTree<S>;
  readonly #type: SeriesType<S>;
  readonly #bounds: Float64Array;
  /** The series without labels, once it was asked for. */
  #unlabelled: S | undefined;
  readonly #given: GivenLabels;
  readonly #overflow: Overflow;
  readonly #beyond: BeyondLimits<S>;

  /** @param warn is told of label sets beyond the limits, and of content that should not be there */
  constructor(description: FamilyDefinition, type: SeriesType<S>, warn: (message: string) => void) {
    this.#description = description;
    this.#type = type;
    this.#warn = warn;
    this.#bounds = Float64Array.from(description.buckets);
    this.family = createFamily(description);
    this.#tree = new LabelTree(description.labelNames);
    this.#given = new GivenLabels(description.labelNames);
    this.#overflow = new Overflow(this.family, description.name, description.labelNames, warn);
    const maker = {
      create: (place: Place) => this.#create(place),
      tryAdd: (place: Place) => this.#tryAdd(place),
      addBeyond: (place: Place) => this.#attach(this.#create(place), place, this.family.addSeriesBeyond()),
    };
    this.#beyond = new BeyondLimits(this.#tree, this.#overflow, maker, description);
  }

  /** What the addon does not know about the series. */
  get known(): Known {
    return this.#given;
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
    if (cleaned === place) return this.peek(place) ?? this.#add(place, series);
    return this.peek(cleaned) ?? this.#add(cleaned);
  }

  /** The series of these labels if it exists. */
  peek(place: Place): S | undefined {
    return this.#tree.get(place.texts);
  }

  /** The series that exist, in no particular order. */
  *existing(): Generator<S> {
    for (const [, series] of this.#tree.entries()) yield series;
  }

  /** Makes a series exist with nothing recorded; one that exists keeps its place. */
  zero(place: Place): void {
    this.handle(place)[revived]();
    // Beyond a limit there is none, and the series that others share is not its to set back.
    const series = this.peek(place);
    if (series !== undefined) this.family.zeroSeries(series[idOf]());
  }

  labelsOf(id: number): Record<string, unknown> {
    return this.labelsAt(this.#given.placeOf(id, this.#textsOf(id)));
  }

  /** The texts of a series that exists. */
  #textsOf(id: number): string[] {
    const printed: Record<string, string> = JSON.parse(this.family.seriesLabels(id) ?? '{}');
    return this.labelNames.map((name) => (Object.hasOwn(printed, name) ? printed[name] : ''));
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
    series[retire](this.#given.placeOf(id, texts));
    this.#given.forget(id);
    this.family.removeSeries(id);
    this.#beyond.removed(series);
    this.#overflow.removed(texts);
    this.#dirty?.forget();
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
      this.#placeFrom(
        names.map((_, index) => args[index]),
        names.map((_, index) => index),
      ),
    );
  }

  /** Cleans label values from now on, as the registries say now. */
  clean(): void {
    this.#dirty = new DirtyForms(this.labelNames);
    this.#cleaned = new CleanedTexts(this.family, this.labelNames.length, this.#warn);
  }

  /** The place with its values as they are recorded: cleaned, unless there is a series that has them as they are. */
  #clean(place: Place): Place {
    if (this.#cleaned === undefined || this.labelNames.length === 0 || this.peek(place) !== undefined) return place;
    const texts = this.#cleaned.of(place.texts);
    return texts.reduce((clean, text, index) => (text === place.texts[index] ? clean : clean.with(index, text)), place);
  }

  #placeOf(labels: object): Place {
    const { values, order } = this.#tree.read(labels);
    return this.#placeFrom(values, order);
  }

  #placeFrom(values: readonly unknown[], order: readonly number[]): Place {
    const texts = values.map((value, index) => textOf(this.labelNames[index], value));
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
