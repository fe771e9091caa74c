/**
 * What tells label sets apart: two are the same whatever the order of their labels, and an empty label is none.
 */

/** A text for each label set. */
export function labelSetKey(labels: Readonly<Record<string, string>>): string {
  const given = Object.entries(labels).filter(([, value]) => value !== '');
  return JSON.stringify(given.sort(([one], [two]) => (one < two ? -1 : 1)));
}
