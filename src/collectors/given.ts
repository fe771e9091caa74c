/**
 * Names and words that callers give, as labels take them: a program without types may give anything. Knows no metric.
 */
import { describe, ValueError } from '../errors';
import { type Catalogue, OTHER, wordOf } from './catalogue';

/** Characters of the longest name: what is longer is no name, and would be in every scrape, a hundred times. */
const NAME_MAX = 200;

/** A name as labels show it; `other` for what is none, be it empty, too long or nothing that has a text. */
export function nameOf(given: unknown): string {
  try {
    const name = String(given ?? OTHER);
    return name === '' || name.length > NAME_MAX ? OTHER : name;
  } catch {
    return OTHER;
  }
}

/** @throws {ValueError} `INVALID_VALUE` for what has no names */
export function checkTarget(given: unknown): void {
  if (typeof given === 'object' && given !== null) return;
  throw new ValueError('INVALID_VALUE', `Expected a model and a provider but received ${describe(given)}`);
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
