/**
 * Generates all label sets that take one value from each list. Does not depend on metrics.
 */
import { ConfigurationError, describe } from '../errors';
import { toText } from './value';

/** Lists of values by label name. */
type Lists = readonly (readonly [name: string, values: readonly unknown[]])[];

/**
 * The lists in `values`, each without duplicates.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` if one is not an array
 */
export function readLists(values: object): Lists {
  return Object.entries(values).map(([name, list]) => {
    if (Array.isArray(list)) return [name, distinct(name, list)] as const;
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected an array of values for the label "${name}" but received ${describe(list)}`,
    );
  });
}

/** The number of combinations: one if there are no lists. */
export function combinationCount(lists: Lists): number {
  return lists.reduce((count, [, values]) => count * values.length, 1);
}

/** Generates the combinations; the value of the last list changes first. */
export function* combinations(lists: Lists): Generator<Record<string, unknown>> {
  const [first, ...rest] = lists;
  if (first === undefined) {
    yield {};
    return;
  }
  const [name, values] = first;
  for (const value of values) for (const more of combinations(rest)) yield { [name]: value, ...more };
}

/** The values without those that have the same text as an earlier one, because they name the same series. */
function distinct(name: string, values: readonly unknown[]): unknown[] {
  const byText = new Map<string, unknown>();
  for (const value of values) {
    const text = toText(name, value);
    if (!byText.has(text)) byText.set(text, value);
  }
  return [...byText.values()];
}
