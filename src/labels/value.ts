/**
 * Converts label values to text, and tells which other values have the same text. Does not depend on series.
 */
import { describe, LabelError, RegistrationError } from '../errors';
import { addon } from '../native/addon';

/** The label value `other`. It stands for values over a limit, unknown words and invalid names. */
export const OTHER = addon.OVERFLOW_VALUE;

/** Replaces a lone surrogate, which has no UTF-8 form. */
export const REPLACEMENT = '\ufffd';

/** Replaces lone surrogates, so that equal bytes are one series. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/**
 * The text of a label value; `''` for an absent label. Objects are converted by `String()`.
 *
 * @throws {LabelError} `INVALID_LABEL_VALUE`
 */
export function toText(name: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return wellFormed(value);
    case 'undefined':
      return '';
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return '';
  }
  try {
    return wellFormed(String(value));
  } catch {
    throw new LabelError(
      'INVALID_LABEL_VALUE',
      `Expected something that can be printed for the label "${name}" but received ${typeof value === 'symbol' ? value.toString() : describe(value)}`,
    );
  }
}

/** Converts labels to the form that the core takes: names and texts in turn. */
export function flatLabels(labels: object): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [name, toText(name, value)]);
}

/**
 * Refuses label names that the format gives itself: `le` for the buckets of histograms, `quantile` for summaries. The core
 * refuses `__name__` everywhere.
 *
 * @throws {RegistrationError} `INVALID_LABEL_NAME`
 */
export function checkReserved(names: readonly string[], owned: readonly string[]): void {
  const reserved = names.find((name) => owned.includes(name));
  if (reserved === undefined) return;
  throw new RegistrationError('INVALID_LABEL_NAME', `${reserved} is a reserved label keyword`);
}

/** The labels without those given as absent. */
export function presentLabels<V>(labels: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined && value !== null));
}

/** The texts of small integers, such as status codes: converting a number takes as long as the rest of a look-up. */
const SMALL_INTEGERS: readonly string[] = Array.from({ length: 1024 }, (_, integer) => String(integer));

/** Equal to the text of no label set, because those are well-formed. */
export const NO_TEXT = '\ud800';

/**
 * The text of a value that can be converted without running code of the caller; `NO_TEXT` for objects, functions and
 * symbols. Strings stay as they are.
 */
export function plainText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return SMALL_INTEGERS[value] ?? String(value);
    case 'undefined':
      return '';
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return value === null ? '' : NO_TEXT;
  }
}
