/**
 * Reads what other people's objects hold, whatever they are: errors that were thrown, answers of SDKs, spans of
 * frameworks. Believes no type, calls nothing but getters.
 */

/** A field of something that may be no object. A getter that throws says nothing. */
export function read(from: unknown, name: string): unknown {
  if ((typeof from !== 'object' && typeof from !== 'function') || from === null) return undefined;
  try {
    return (from as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** A field that is a text which is not empty. */
export function readText(from: unknown, name: string): string | undefined {
  const value = read(from, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A field that is a number. */
export function readNumber(from: unknown, name: string): number | undefined {
  const value = read(from, name);
  return typeof value === 'number' ? value : undefined;
}
