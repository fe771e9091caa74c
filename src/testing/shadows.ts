/**
 * Replaces methods of single objects temporarily, by own methods that hide the methods of the class.
 */

type Method = (this: object, ...args: unknown[]) => unknown;

/** The new behaviour of a method. @param call runs the original method with the caller's arguments */
export type Replacement = (call: () => unknown, args: unknown[]) => unknown;

/** The replaced methods. */
export class Shadows {
  readonly #replaced: { readonly owner: object; readonly name: PropertyKey }[] = [];

  /** Replaces a method. Does nothing if the object has no such method. */
  replace(owner: object, name: PropertyKey, replacement: Replacement): void {
    const original = Reflect.get(owner, name) as Method | undefined;
    if (original === undefined) return;
    const method: Method = function (...args) {
      return replacement(() => original.apply(this, args), args);
    };
    Object.defineProperty(owner, name, { value: method, configurable: true, writable: true });
    this.#replaced.push({ owner, name });
  }

  /** Removes all replacements. */
  remove(): void {
    for (const { owner, name } of this.#replaced.splice(0)) Reflect.deleteProperty(owner, name);
  }
}
