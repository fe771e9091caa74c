/**
 * Names and words that callers give, as labels take them: a program without types may give anything. Knows no metric.
 */
import { describe, ValueError } from '../../errors';
import { type Catalogue, OTHER, wordOf } from '../catalogue';

/** A name as labels show it; `other` for what is none, be it empty or nothing that has a text. */
export function nameOf(given: unknown): string {
  try {
    return String(given ?? OTHER) || OTHER;
  } catch {
    return OTHER;
  }
}

/** @throws {ValueError} `INVALID_VALUE` for what is none of the label's words, where `other` is none either */
export function checkedWord(catalogue: Catalogue, name: string, label: string, given: string): string {
  const words = catalogue.words(name, label);
  const word = wordOf(words, given);
  if (word !== undefined) return word;
  throw new ValueError(
    'INVALID_VALUE',
    `Expected one of ${words.join(', ')} for ${label} but received ${describe(given)}`,
  );
}
