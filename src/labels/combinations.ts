/**
 * All label sets that take one value of each list. Knows nothing of metrics.
 */
import { ConfigurationError, describe } from '../errors';
import { textOf } from './value';

/** Lists of values by label name. */
type Lists = readonly (readonly [name: string, values: readonly unknown[]])[];

/** The lists in `values`, each without repetitions. @throws {ConfigurationError} `INVALID_CONFIG` for what is no list */
export function listsOf(values: object): Lists {
  return Object.entries(values).map(([name, list]) => {
    if (Array.isArray(list)) return [name, distinct(name, list)] as const;
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected an array of values for the label "${name}" but received ${describe(list)}`,
    );
  });
}

/** How many combinations there are: one where there is no list. */
export function combinationCount(lists: Lists): number {
  return lists.reduce((count, [, values]) => count * values.length, 1);
}

/** The combinations, the last list varying fastest. */
export function* combinations(lists: Lists): Generator<Record<string, unknown>> {
  const [first, ...rest] = lists;
  if (first === undefined) {
    yield {};
    return;
  }
  const [name, values] = first;
  for (const value of values) for (const more of combinations(rest)) yield { [name]: value, ...more };
}

/** The first of the values that print alike, since they name the same series. */
function distinct(name: string, values: readonly unknown[]): unknown[] {
  const byText = new Map<string, unknown>();
  for (const value of values) {
    const text = textOf(name, value);
    if (!byText.has(text)) byText.set(text, value);
  }
  return [...byText.values()];
}
