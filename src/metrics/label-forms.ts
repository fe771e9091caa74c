/**
 * Remembers how callers gave label sets: the order of the labels, which of them were numbers, and which were absent. The
 * core only keeps texts. Series whose labels were given alike share a form, so a series costs no memory here.
 */
import { Place } from './place';

/** For each given label, in the order in which it was given: its index, times the number of kinds, and the kind of its value. */
type Form = readonly number[];

const TEXT = 0;
const ABSENT = 1;
/** From here on, the value was a number. The text of -0 is that of 0. */
const NUMBER = 2;
const MINUS_ZERO = 3;
const KINDS = 4;

/** The form of most series: all labels as texts, in the order of the label names. */
const USUAL = 0;
/** Series of more forms than this have the usual one. A program with so many makes its labels in no particular order. */
const FORMS_MAX = 10_000;

/** A key is the ID of a series and the number of its form: `form * IDS + ID`. In the usual form, it is the ID. */
const IDS = 2 ** 32;

/** The ID of a key; a negative key is the ID of a series that the core does not know. */
export function idIn(key: number): number {
  return key < 0 ? key : key >>> 0;
}

/** The forms of one metric's label sets. */
export class LabelForms {
  readonly #names: readonly string[];
  readonly #forms: Form[];
  /** By the form as text. */
  readonly #known = new Map<string, number>();
  /** The form of the series before, which is often that of the next one. */
  #last = USUAL;
  #hasNumbers = false;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#forms = [names.map((_, label) => label * KINDS + TEXT)];
  }

  /** True if some label value was a number. */
  get hasNumbers(): boolean {
    return this.#hasNumbers;
  }

  /** The key of a new series with these labels. */
  keyOf(id: number, place: Place): number {
    if (!isOf(this.#forms[this.#last], place)) this.#last = this.#find(place);
    return this.#last * IDS + id;
  }

  #find(place: Place): number {
    if (isOf(this.#forms[USUAL], place)) return USUAL;
    const form = place.order.map((label) => label * KINDS + kindOf(place.values[label]));
    const known = this.#known.get(form.join());
    if (known !== undefined) return known;
    if (this.#forms.length === FORMS_MAX) return USUAL;
    this.#known.set(form.join(), this.#forms.length);
    this.#hasNumbers ||= form.some((given) => given % KINDS >= NUMBER);
    return this.#forms.push(form) - 1;
  }

  /** The label set of a series as the call that made the series gave it. */
  placeOf(key: number, texts: readonly string[]): Place {
    const form = this.#formIn(key);
    const values: unknown[] = [...texts];
    for (const given of form) values[labelIn(given)] = givenValue(given, texts);
    return new Place(texts, values, form.map(labelIn));
  }

  /**
   * The printed labels of a series with a number among them: JSON forms show numbers as numbers and all other values as
   * text. `undefined` for other series.
   */
  originals(key: number, texts: readonly string[]): Record<string, unknown> | undefined {
    const form = this.#formIn(key);
    if (!form.some((given) => given % KINDS >= NUMBER)) return undefined;
    const printed = form.filter((given) => given % KINDS !== ABSENT);
    return Object.fromEntries(printed.map((given) => [this.#names[labelIn(given)], givenValue(given, texts)]));
  }

  #formIn(key: number): Form {
    return this.#forms[Math.max(Math.floor(key / IDS), USUAL)];
  }
}

function labelIn(given: number): number {
  return Math.floor(given / KINDS);
}

function givenValue(given: number, texts: readonly string[]): unknown {
  const text = texts[labelIn(given)];
  return [text, undefined, Number(text), -0][given % KINDS];
}

function kindOf(value: unknown): number {
  if (typeof value === 'number') return Object.is(value, -0) ? MINUS_ZERO : NUMBER;
  return value === undefined || value === null ? ABSENT : TEXT;
}

function isOf(form: Form, { order, values }: Place): boolean {
  if (order.length !== form.length) return false;
  for (let at = 0; at < order.length; at++) {
    if (form[at] !== order[at] * KINDS + kindOf(values[order[at]])) return false;
  }
  return true;
}
