/**
 * Makes keys for label sets. The order of labels does not matter, and an empty label counts as absent.
 */

/** A text that is the same for equal label sets only. */
export function labelSetKey(labels: Readonly<Record<string, string>>): string {
  const given = Object.entries(labels).filter(([, value]) => value !== '');
  return JSON.stringify(given.sort(([one], [two]) => (one < two ? -1 : 1)));
}
