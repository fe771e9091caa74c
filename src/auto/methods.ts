/**
 * Replaces methods of classes that other packages own.
 */
import { isWrapped } from '../instrumentation/patches';
import { quietly } from '../warnings';

/** A method of another package. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** The methods that this module has made. */
const made = new WeakSet<Method>();

/**
 * Replaces a method that an object has as its own, once.
 *
 * @returns a function that puts the method back, and returns false if other code has replaced it since; undefined if there is
 * no such method, if it has been replaced before, or if the program has instrumented it
 */
function replace(holder: unknown, name: string, make: (method: Method) => Method): (() => boolean) | undefined {
  if ((typeof holder !== 'object' && typeof holder !== 'function') || holder === null) return undefined;
  const own = Object.getOwnPropertyDescriptor(holder, name);
  const method: unknown = own?.value;
  if (own === undefined || typeof method !== 'function') return undefined;
  if (made.has(method as Method) || isWrapped(method)) return undefined;
  const wrapper = make(method as Method);
  made.add(wrapper);
  Object.defineProperty(wrapper, 'name', { value: method.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: method.length, configurable: true });
  if (!Reflect.defineProperty(holder, name, { ...own, value: wrapper })) return undefined;
  return () =>
    Object.getOwnPropertyDescriptor(holder, name)?.value === wrapper && Reflect.defineProperty(holder, name, own);
}

/**
 * Calls a function before the first call of one of several methods. Instrumenting an SDK needs a collector: when the program
 * makes its first call, it has made its own collector, with its prices, and has instrumented by hand what it wants to.
 *
 * @param instrument gets the object whose method is called. Not called if a method has been instrumented by hand
 */
export function beforeFirstCall(holder: unknown, names: readonly string[], instrument: (self: unknown) => void): void {
  const restores: (() => boolean)[] = [];
  let isFirst = true;
  for (const name of names) {
    const restore = replace(
      holder,
      name,
      (method) =>
        function (...args) {
          if (!isFirst) return method.apply(this, args);
          isFirst = false;
          const isOurs = restores.map((each) => each()).every(Boolean);
          if (!isOurs) return method.apply(this, args);
          quietly(() => instrument(this));
          return (holder as Record<string, Method>)[name]?.apply(this, args);
        },
    );
    if (restore !== undefined) restores.push(restore);
  }
}

/**
 * Calls a function before the first call of methods on each object, for packages whose objects are instrumented one by one.
 * Not called for an object whose method the program has instrumented.
 */
export function beforeFirstCallOfEach(
  holder: unknown,
  names: readonly string[],
  instrument: (self: object) => void,
): void {
  const known = new WeakSet<object>();
  for (const name of names) {
    replace(
      holder,
      name,
      (method) =>
        function (...args) {
          if (typeof this !== 'object' || this === null || known.has(this)) return method.apply(this, args);
          const self = this as Record<string, Method>;
          known.add(self);
          if (isWrapped(self[name])) return method.apply(this, args);
          quietly(() => instrument(self));
          // The object may have a method of its own now. It calls this function again, which then calls the class's method.
          return isWrapped(self[name]) ? self[name]?.(...args) : method.apply(this, args);
        },
    );
  }
}

/** Calls a function before each call of a method, with the object and the arguments, which it may change. */
export function beforeEachCall(holder: unknown, name: string, before: (self: unknown, args: unknown[]) => void): void {
  replace(
    holder,
    name,
    (method) =>
      function (...args) {
        quietly(() => before(this, args));
        return method.apply(this, args);
      },
  );
}

/** Calls a function after each call of a method, with what the method returned. */
export function afterEachCall(holder: unknown, name: string, after: (result: unknown) => void): void {
  replace(
    holder,
    name,
    (method) =>
      function (...args) {
        const result = method.apply(this, args);
        quietly(() => after(result));
        return result;
      },
  );
}

/** The object of a prototype chain that has a method as its own. */
export function definerOf(prototype: unknown, name: string): object | undefined {
  for (let at = prototype; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) return at;
  }
  return undefined;
}
