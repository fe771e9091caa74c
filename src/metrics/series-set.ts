/**
 * Holds the series of one metric: finds them by labels, creates them on their first write, retires them on removal. The
 * core decides whether a new series is allowed; `beyond.ts` handles the label sets that are not.
 */
import { ConfigurationError, LabelError, refuseOption } from '../errors';
import { combinationCount, combinations, readLists } from '../labels/combinations';
import { type Finder, openFinder } from '../labels/finder';
import { LabelTable, NO_ENTRY, NO_SLOT } from '../labels/table';
import { plainText, toText } from '../labels/value';
import { addon, type NativeFamily } from '../native/addon';
import { cellIndexOf, cellsOf, createFamily, type FamilyDefinition, SUMMARY_CELLS } from '../native/contributor';
import { addSeries, NOT_PACKED, packLabels } from '../native/new-series';
import { AgeSteps } from './age-steps';
import { BeyondLimits } from './beyond';
import { Buckets } from './buckets';
import { CleanedTexts } from './cleaned-texts';
import { DirtyForms } from './dirty-forms';
import { idIn, LabelForms } from './label-forms';
import { Overflow, Refusal, toRefusal } from './overflow';
import { Place } from './place';
import { attach, type Home, idOf, keyOf, retire, revived, type Series, type SeriesType } from './series';
import type { Known } from './values';

/** The core answers `[id, slot]` if it added a series. A refusal has four numbers or more, so the length tells which. */
const ADDED = 2;

/** The series of one metric. */
export class SeriesSet<S extends Series> implements Home {
  readonly family: NativeFamily;
  /** The number of the family in the addon. */
  readonly number: number;
  readonly ageSteps: AgeSteps | undefined;
  /** The buckets of a histogram. */
  readonly buckets: Buckets;
  readonly #warn: (message: string) => void;
  /** Set if a registry cleans label values. */
  #cleaned: CleanedTexts | undefined;
  #dirty: DirtyForms<S> | undefined;
  readonly #definition: FamilyDefinition;
  /** The owner of an entry is the series' object if a handle or a summary needs one, and otherwise its key. */
  readonly #table: LabelTable;
  /**
   * The slot of these labels, for a metric that writes the cells itself; `NO_SLOT` if only `reached()` can tell. A new
   * function replaces it after some calls.
   */
  find: Finder;
  /** The slot of the series without labels; `NO_SLOT` while it has no cells, or is watched. */
  plainSlot = NO_SLOT;
  #findSlot: Finder;
  #findEntry: Finder;
  #watched = false;
  /** Writes to series that have no object. Used within one call and never given away. */
  readonly #pen: S;
  readonly #type: SeriesType<S>;
  /** The series without labels, once it was used. */
  #unlabelled: S | undefined;
  readonly #forms: LabelForms;
  readonly #overflow: Overflow;
  readonly #beyond: BeyondLimits<S>;

  /** @param warn logs warnings about label sets over a limit, and about content that does not belong in a label */
  constructor(definition: FamilyDefinition, type: SeriesType<S>, warn: (message: string) => void) {
    this.#definition = definition;
    this.#type = type;
    this.#warn = warn;
    this.family = createFamily(definition);
    this.number = this.family.number();
    this.buckets = new Buckets(definition.buckets);
    this.ageSteps = AgeSteps.of(definition.summary);
    this.#table = new LabelTable(definition.labelNames);
    this.#findSlot = openFinder(this.#table, 'slot', (finder) => {
      this.#findSlot = finder;
      this.watch(this.#watched);
    });
    this.find = this.#findSlot;
    this.watch(false);
    this.#findEntry = openFinder(this.#table, 'entry', (finder) => {
      this.#findEntry = finder;
    });
    this.#forms = new LabelForms(definition.labelNames);
    this.#overflow = new Overflow(this.family, definition.name, definition.labelNames, warn);
    const maker = {
      get: (texts: readonly string[]) => this.#get(texts),
      create: (place: Place) => this.#create(place),
      tryAdd: (place: Place) => {
        const added = this.#tryAdd(place);
        return added instanceof Refusal ? added : this.#objectOf(added);
      },
      addBeyond: (place: Place) => this.#objectOf(this.#enter(place, this.family.addSeriesBeyond())),
    };
    this.#beyond = new BeyondLimits(this.#overflow, maker, definition);
    this.#pen = this.#create(NO_PLACE);
  }

  /** While on, each write goes through the object of its series, where the testing kit sees it. */
  watch(on: boolean): void {
    // The series of a native histogram write their cells themselves.
    this.#watched = on || this.#definition.native !== undefined;
    this.find = this.#watched ? () => NO_SLOT : this.#findSlot;
    this.#followPlain();
  }

  /** Facts about the series that the addon does not know. */
  get known(): Known {
    return { originals: (id, labels) => this.#originals(id, labels) };
  }

  #originals(id: number, labels: object): Record<string, unknown> | undefined {
    if (!this.#forms.hasNumbers) return undefined;
    let texts = this.#textsIn(labels);
    let entry = this.#table.search(texts);
    if (entry === NO_ENTRY || idIn(this.#keyOf(entry)) !== id) {
      // A default label of the registry stands where the series has none.
      texts = this.#textsOf(id);
      entry = this.#table.search(texts);
    }
    return entry === NO_ENTRY ? undefined : this.#forms.originals(this.#keyOf(entry), texts);
  }

  /** The value cells of the series that the arguments of `labels()` name; `undefined` if there is no such series. */
  cells(labels: object = NO_LABELS): number[] | undefined {
    const entry = this.#table.search(this.placeOfArguments([labels]).texts);
    if (entry === NO_ENTRY) return undefined;
    const slot = this.#table.slotOf(entry);
    const first = cellIndexOf(slot);
    return Array.from(cellsOf(slot).subarray(first, first + this.width));
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
    const entry = this.#findEntry(labels);
    const reached = entry === NO_ENTRY ? this.#miss(labels) : entry;
    return typeof reached === 'number' ? this.#objectOf(reached) : reached;
  }

  /** The series of labels for which `find()` has just returned `NO_SLOT`, for one write at once; created if missing. */
  reached(labels: object): S {
    if (this.#watched) return this.at(labels);
    const reached = this.#miss(labels);
    if (typeof reached !== 'number') return reached;
    const slot = this.#table.slotOf(reached);
    this.#pen[attach](cellsOf(slot), cellIndexOf(slot), this.#keyOf(reached));
    return this.#pen;
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

  /** The series that the arguments of `labels()` name, if it exists and they can be converted without running code. */
  existingOf(args: readonly unknown[]): S | undefined {
    const [first] = args;
    let entry = NO_ENTRY;
    if (typeof first === 'object' && first !== null) {
      entry = this.#findEntry(first);
      this.#table.takeMissed();
    } else if (args.length === this.labelNames.length) {
      entry = this.#table.search(args.map(plainText));
    }
    return entry === NO_ENTRY ? undefined : this.#objectOf(entry);
  }

  /** A series object for these labels, without cells if the series does not exist. */
  handle(place: Place): S {
    return this.peek(place) ?? this.#create(place);
  }

  revive(series: S, place: Place): S {
    // The sanitizer may have been set after this handle was created.
    const cleaned = this.#clean(place);
    return this.#objectOrAdded(cleaned, cleaned === place ? series : undefined);
  }

  /** The series of these labels if it exists. */
  peek(place: Place): S | undefined {
    return this.#get(place.texts);
  }

  /** All series, in no particular order. */
  *existing(): Generator<S> {
    for (const entry of [...this.#table.entries()]) yield this.#objectOf(entry);
  }

  /** Creates a series with nothing recorded, or sets the existing one to zero. */
  zero(place: Place): void {
    this.handle(place)[revived]();
    // Over a limit there is no series of its own, and the shared one must not be set to zero.
    const series = this.peek(place);
    if (series !== undefined) this.family.zeroSeries(series[idOf]());
  }

  observeFirst(id: number, value: number): void {
    // As in `flush()`.
    if (id >= 0) addon.observeNative(this.number, id, value);
  }

  flush(id: number, step: number): void {
    // Series that take label sets over a limit may have no ID. Nothing reads their buffers.
    if (id >= 0) addon.flushSeries(this.number, id, step);
  }

  /** Removes the series of a summary that is to remove those whose observations are all forgotten. */
  removeForgotten(): void {
    for (const id of this.family.forgotten()) this.#removeTexts(this.#textsOf(id));
  }

  labelsOf(key: number): Record<string, unknown> {
    return this.labelsAt(this.#forms.placeOf(key, this.#textsOf(idIn(key))));
  }

  /** The texts of the series with this ID. */
  #textsOf(id: number): string[] {
    return this.#textsIn(JSON.parse(this.family.seriesLabels(id) ?? '{}'));
  }

  /** The texts of labels as the core prints them. */
  #textsIn(printed: object): string[] {
    return this.labelNames.map((name) => (Object.hasOwn(printed, name) ? Reflect.get(printed, name) : ''));
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
    const entry = this.#table.search(texts);
    if (entry === NO_ENTRY) return false;
    const owner = this.#table.ownerOf(entry) as S | number;
    const key = this.#keyOf(entry);
    this.#table.delete(entry);
    if (typeof owner !== 'number') {
      owner[retire](this.#forms.placeOf(key, texts));
      this.#beyond.removed(owner);
    }
    this.family.removeSeries(idIn(key));
    this.#followPlain();
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
    const matching = [...this.#texts()].filter((own) => order.every((index) => has(own, index)));
    for (const own of matching) this.#removeTexts(own);
    return matching.length;
  }

  /** Removes all series that have these labels, except one. */
  removeOthers(labels: object, kept: Place): void {
    const { texts, order } = this.#placeOf(labels);
    const others = [...this.#texts()].filter(
      (own) => order.every((index) => own[index] === texts[index]) && own.some((text, at) => text !== kept.texts[at]),
    );
    for (const own of others) this.#removeTexts(own);
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
    this.#table.read(values);
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
    for (const entry of this.#table.entries()) {
      const owner = this.#table.ownerOf(entry) as S | number;
      if (typeof owner !== 'number') owner[retire](this.#forms.placeOf(owner[keyOf](), this.#table.textsOf(entry)));
    }
    this.#table.clear();
    this.#followPlain();
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
    const { values, order } = this.#table.read(labels);
    return this.#placeFrom(values, order);
  }

  /** The place of labels that a finder has just read as these texts. */
  #placeOfMissed(labels: object, texts: readonly string[]): Place {
    return this.#table.isUsual(labels, texts) ? new Place(texts, texts, this.#table.order) : this.#placeOf(labels);
  }

  #placeFrom(values: readonly unknown[], order: readonly number[]): Place {
    const texts = values.map((value, index) => toText(this.labelNames[index], value));
    return new Place(texts, values, order);
  }

  /** The texts of all series, in no particular order. */
  *#texts(): Generator<string[]> {
    for (const entry of this.#table.entries()) yield this.#table.textsOf(entry);
  }

  /**
   * The entry of labels that a finder has just not found; created if it is missing. Over a limit, the series that takes
   * the label set.
   */
  #miss(labels: object): number | S {
    const missed = this.#table.takeMissed();
    // A sanitizer may change the labels into ones that have a series.
    const beyond = missed === undefined || this.#cleaned !== undefined ? undefined : this.#beyond.find(missed);
    if (beyond !== undefined) {
      if (this.#overflow.count()) this.#overflow.sample(missed as readonly string[]);
      return beyond;
    }
    const dirty = this.#dirty?.find(labels);
    if (dirty !== undefined) return dirty;
    const { insertions } = this.#table;
    const given = missed === undefined ? this.#placeOf(labels) : this.#placeOfMissed(labels, missed);
    const place = this.#clean(given);
    // A getter may give another value when it is read again, and may record.
    const isMissing = ({ texts }: Place) =>
      insertions === this.#table.insertions && missed?.every((text, label) => text === texts[label]);
    // Cleaning, or the text of an object, may lead to an existing series.
    const known = isMissing(place) ? NO_ENTRY : this.#table.search(place.texts);
    const reached = known === NO_ENTRY ? this.#add(place) : known;
    if (place !== given && typeof reached === 'number') this.#dirty?.remember(given.texts, this.#objectOf(reached));
    return reached;
  }

  #create(place: Place): S {
    return new this.#type(this, place, this.buckets);
  }

  #get(texts: readonly string[]): S | undefined {
    const entry = this.#table.search(texts);
    return entry === NO_ENTRY ? undefined : this.#objectOf(entry);
  }

  /** The object of an entry: the one it has, `handle`, or a new one. */
  #objectOf(entry: number, handle?: S): S {
    const owner = this.#table.ownerOf(entry) as S | number;
    if (typeof owner !== 'number') return owner;
    const series = handle ?? this.#create(NO_PLACE);
    const slot = this.#table.slotOf(entry);
    series[attach](cellsOf(slot), cellIndexOf(slot), owner);
    this.#table.setOwner(entry, series);
    return series;
  }

  #keyOf(entry: number): number {
    const owner = this.#table.ownerOf(entry) as S | number;
    return typeof owner === 'number' ? owner : owner[keyOf]();
  }

  #objectOrAdded(place: Place, handle: S | undefined): S {
    const known = this.#table.search(place.texts);
    const reached = known === NO_ENTRY ? this.#add(place) : known;
    return typeof reached === 'number' ? this.#objectOf(reached, handle) : reached;
  }

  /**
   * Adds the series of a label set that has none. Over a limit, returns the series that takes the label set instead.
   *
   * @throws {CardinalityError} over a limit, if that is the policy
   */
  #add(place: Place): number | S {
    const added = this.#tryAdd(place);
    return added instanceof Refusal ? this.#beyond.take(place, added) : added;
  }

  /** Asks the core for a new series, unless the core is known to refuse it. */
  #tryAdd(place: Place): number | Refusal {
    const known = this.#overflow.known(place.texts);
    if (known !== undefined) return known;
    const { printed, texts } = place;
    const packed = packLabels(printed, texts);
    // ASCII has no replacement for what was ill-formed.
    if (packed === NOT_PACKED) this.#table.noteReplacements(texts);
    const answer = addSeries(this, packed, printed, texts);
    if (answer.length === ADDED) return this.#enter(place, answer);
    const refusal = toRefusal(answer);
    this.#overflow.remember(refusal, () => this.#texts());
    return refusal;
  }

  /** Enters a series that the core has added. */
  #enter(place: Place, [id, slot]: readonly number[]): number {
    const { texts } = place;
    // From now on recording may write there.
    cellsOf(slot);
    const entry = this.#table.insert(texts, slot, this.#forms.keyOf(id, place));
    this.#overflow.added(texts);
    this.#followPlain();
    return entry;
  }

  /** Keeps `plainSlot` current. */
  #followPlain(): void {
    if (this.labelNames.length > 0) return;
    const entry = this.#watched ? NO_ENTRY : this.#table.search([]);
    this.plainSlot = entry === NO_ENTRY ? NO_SLOT : this.#table.slotOf(entry) | 0;
  }
}

const NO_LABELS = Object.freeze({});
/** The place of a series object whose cells follow at once. */
const NO_PLACE = new Place([], [], []);
