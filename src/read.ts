/**
 * Reads fields of objects from other libraries: thrown errors, responses of SDKs, spans of frameworks. Trusts no
 * declared type, and calls nothing but getters.
 */

/** A field of any value; `undefined` if the value is not an object or the getter throws. */
export function read(from: unknown, name: string): unknown {
  if ((typeof from !== 'object' && typeof from !== 'function') || from === null) return undefined;
  try {
    return (from as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** A field that holds a string; `undefined` for an empty string and any other type. */
export function readText(from: unknown, name: string): string | undefined {
  const value = read(from, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A field that holds a number; `undefined` for any other type. */
export function readNumber(from: unknown, name: string): number | undefined {
  const value = read(from, name);
  return typeof value === 'number' ? value : undefined;
}
