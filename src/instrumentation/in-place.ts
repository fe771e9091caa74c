/**
 * Tells of an iterator where it is: it stays the object that the SDK made, with all that it can besides.
 */
import { type IterationObserver, observed } from './iteration';

const METHODS = ['next', 'return', 'throw'] as const;

export function observeInPlace<T>(iterator: AsyncIterator<T>, observer: IterationObserver<T>): void {
  const source: Record<string, unknown> = {};
  for (const name of METHODS) {
    const method = iterator[name] as ((value?: unknown) => unknown) | undefined;
    if (method !== undefined) source[name] = method.bind(iterator);
  }
  const watched = observed(source as unknown as AsyncIterator<T>, observer);
  for (const name of METHODS) {
    const method = watched[name] as ((value?: unknown) => unknown) | undefined;
    if (method === undefined) continue;
    const value = method.bind(watched);
    Object.defineProperty(iterator, name, { value, writable: true, configurable: true, enumerable: false });
  }
}
