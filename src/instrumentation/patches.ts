/**
 * Wraps methods of objects that belong to an SDK, and restores them later. If other code has wrapped a method again in the
 * meantime, our wrapper stays in that chain and only passes calls on. Must not know any SDK.
 */
import { quietly } from '../warnings';

/**
 * Calls the original method on the caller's object with the caller's arguments.
 *
 * @param instead arguments to pass in place of the caller's; only for a change that an option asks for
 */
export type Original = (instead?: readonly unknown[]) => unknown;

/**
 * The behaviour of a wrapped method. It must call `original` exactly once, and return or throw what `original` does.
 *
 * @param args the caller's arguments; must not be changed
 */
export type Around = (original: Original, args: readonly unknown[], self: unknown) => unknown;

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Marks our wrappers, also those of another copy of this package, so that no call is counted twice. */
const WRAPPED = Symbol.for('@llm-devops/prometheus-metrics.wrapped');

/** The methods that one instrumentation has wrapped. */
export class Patches {
  readonly #undo: (() => void)[] = [];
  readonly #parent: Patches | undefined;
  #active = true;

  /**
   * @param parent uninstalling it disables these wrappers too. It keeps no reference to them, so a wrapped clone of a client
   * can be garbage-collected
   */
  constructor(parent?: Patches) {
    this.#parent = parent;
  }

  /** False after `uninstall()`: wrappers that are still reachable then only pass calls on. */
  get active(): boolean {
    return this.#active && (this.#parent?.active ?? true);
  }

  /** The number of wrapped methods. */
  get size(): number {
    return this.#undo.length;
  }

  /**
   * Wraps an own or inherited method of an object.
   *
   * @returns false if the method is missing, cannot be replaced, or has been wrapped by this package before
   */
  wrap(target: unknown, name: string, around: Around): boolean {
    return this.replace(target, name, (original) => {
      const patches = this;
      return function (this: unknown, ...args: unknown[]): unknown {
        if (!patches.active) return original.apply(this, args);
        return around((instead = args) => original.apply(this, instead as unknown[]), args, this);
      };
    });
  }

  /** Replaces a method by the function that `make` returns. @returns as `wrap()` */
  replace(target: unknown, name: string, make: (original: Method) => Method): boolean {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null) return false;
    const holder = target as Record<string, unknown>;
    const original = holder[name];
    if (typeof original !== 'function' || isWrapped(original)) return false;
    const own = Object.getOwnPropertyDescriptor(holder, name);
    const wrapper = Object.defineProperty(make(original as Method), WRAPPED, { value: true });
    // Stack traces show a function's name, and spies of test runners read its name and length.
    Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true });
    Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
    const made = Reflect.defineProperty(holder, name, {
      value: wrapper,
      writable: true,
      configurable: true,
      enumerable: own?.enumerable ?? false,
    });
    if (!made) return false;
    this.#undo.push(() => {
      if (Object.getOwnPropertyDescriptor(holder, name)?.value !== wrapper) return;
      if (own === undefined) delete holder[name];
      else Object.defineProperty(holder, name, own);
    });
    return true;
  }

  /** Restores all methods. Later calls do nothing. */
  readonly uninstall = (): void => {
    this.#active = false;
    for (const undo of this.#undo.splice(0).reverse()) quietly(undo);
  };
}

/** True for a wrapper that this package made. */
export function isWrapped(method: unknown): boolean {
  return typeof method === 'function' && Object.hasOwn(method, WRAPPED);
}
