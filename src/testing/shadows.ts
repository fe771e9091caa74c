/**
 * Methods of single objects, replaced for a while: the object gets a method of its own, which hides that of its class.
 */

type Method = (this: object, ...args: unknown[]) => unknown;

/** Stands in for a method; `call` runs the method as it was called. */
export type Replacement = (call: () => unknown, args: unknown[]) => unknown;

/** Everything that was replaced, and the way back. */
export class Shadows {
  readonly #replaced: { readonly owner: object; readonly name: PropertyKey }[] = [];

  /** Replaces a method, if the object has it. */
  replace(owner: object, name: PropertyKey, replacement: Replacement): void {
    const original = Reflect.get(owner, name) as Method | undefined;
    if (original === undefined) return;
    const method: Method = function (...args) {
      return replacement(() => original.apply(this, args), args);
    };
    Object.defineProperty(owner, name, { value: method, configurable: true, writable: true });
    this.#replaced.push({ owner, name });
  }

  /** Takes all replacements away. */
  remove(): void {
    for (const { owner, name } of this.#replaced.splice(0)) Reflect.deleteProperty(owner, name);
  }
}
