/**
 * Reads fields of objects from other libraries: thrown errors, responses of SDKs, spans of frameworks. Trusts no
 * declared type, and calls nothing but getters.
 */

/** True for any object with `then()`, as `await` sees it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return hasMethod(value, 'then');
}

/**
 * True for a promise of any kind: the engine's, one of another realm, or one of a library that has replaced the global
 * `Promise`. An object that only has `then()` may begin its work when that is called, so it is left alone.
 */
export function isPromise(value: unknown): value is Promise<unknown> {
  return isThenable(value) && hasMethod(value, 'catch') && hasMethod(value, 'finally');
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof read(value, name) === 'function';
}

/** The engine's own `Promise`, of async functions. */
const EnginePromise = (async () => {})().constructor as PromiseConstructor;

/**
 * The value or promise as a promise of the engine, whose handlers run at once when it settles. A library that has replaced the
 * global `Promise` may run them later, after the program has gone on.
 */
export function asPromise<T>(value: T | PromiseLike<T>): Promise<T> {
  return EnginePromise.resolve(value);
}

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
