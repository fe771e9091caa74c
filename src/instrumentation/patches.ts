/**
 * Methods of other people's objects that are wrapped while something is instrumented. Knows no SDK. What was wrapped is put
 * back as it was; where somebody has wrapped it again since, the wrapper stays in their chain and only passes on.
 */
import { quietly } from '../quietly';

/**
 * A method as it was, called on the object and with the arguments that the user gave.
 *
 * @param instead arguments in place of the user's, for what the user asked to have changed
 */
export type Original = (instead?: readonly unknown[]) => unknown;

/**
 * What a method does while it is wrapped.
 *
 * @param original is called once, and what it returns or throws is the user's
 * @param args may be read and must not be changed
 */
export type Around = (original: Original, args: readonly unknown[], self: unknown) => unknown;

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Marks wrappers, across copies of this package, so that nothing is counted twice. */
const WRAPPED = Symbol.for('@llm-devops/prometheus-metrics.wrapped');

/** The methods that one instrumentation has wrapped. */
export class Patches {
  readonly #undo: (() => void)[] = [];
  readonly #parent: Patches | undefined;
  #active = true;

  /** @param parent ends these too, without holding them: what is wrapped here may be dropped at any time */
  constructor(parent?: Patches) {
    this.#parent = parent;
  }

  /** Whether wrappers do anything but pass on. */
  get active(): boolean {
    return this.#active && (this.#parent?.active ?? true);
  }

  /** How many methods are wrapped. */
  get size(): number {
    return this.#undo.length;
  }

  /**
   * Wraps a method, the object's own or an inherited one.
   *
   * @returns whether it is wrapped now; not where there is no such method, or where it is wrapped already
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

  /** Puts a function of one's own in a method's place. */
  replace(target: unknown, name: string, make: (original: Method) => Method): boolean {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null) return false;
    const holder = target as Record<string, unknown>;
    const original = holder[name];
    if (typeof original !== 'function' || isWrapped(original)) return false;
    const own = Object.getOwnPropertyDescriptor(holder, name);
    const wrapper = Object.defineProperty(make(original as Method), WRAPPED, { value: true });
    // Descriptions of a function are part of how it looks in a stack or to a test's spy.
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

  /** Puts everything back. Later calls do nothing. */
  readonly uninstall = (): void => {
    this.#active = false;
    for (const undo of this.#undo.splice(0).reverse()) quietly(undo);
  };
}

/** Whether a function is a wrapper of this package. */
export function isWrapped(method: unknown): boolean {
  return typeof method === 'function' && Object.hasOwn(method, WRAPPED);
}
