/**
 * Which collector is a registry's: the first that was made for it. So that an instrumentation that is told nothing records
 * where the program's own collector does, with its prices.
 */
import type { Registry } from '../registry/registry';

export class FirstMade<C> {
  readonly #collectors = new WeakMap<Registry, C>();
  readonly #make: (registry: Registry) => C;

  constructor(make: (registry: Registry) => C) {
    this.#make = make;
  }

  /** Says that a collector was made; it is the registry's if it is the first. */
  offer(registry: Registry, collector: C): void {
    if (!this.#collectors.has(registry)) this.#collectors.set(registry, collector);
  }

  /** The registry's collector; one is made where there is none. */
  of(registry: Registry): C {
    return this.#collectors.get(registry) ?? this.#make(registry);
  }
}
