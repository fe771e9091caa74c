/**
 * Which collector is a registry's: the first that was made for it, and was not cleared away since. So that an instrumentation
 * that is told nothing records where the program's own collector does, with its prices.
 */
import type { Registry } from '../registry/registry';
import type { Catalogue } from './catalogue';

interface Made<C> {
  readonly collector: C;
  readonly catalogue: Catalogue;
}

export class FirstMade<C> {
  readonly #collectors = new WeakMap<Registry, Made<C>>();
  readonly #make: (registry: Registry) => C;

  constructor(make: (registry: Registry) => C) {
    this.#make = make;
  }

  /** Says that a collector was made; it is the registry's if it is the first. */
  offer(registry: Registry, collector: C, catalogue: Catalogue): void {
    if (this.#first(registry) === undefined) this.#collectors.set(registry, { collector, catalogue });
  }

  /** The registry's collector; one is made where there is none. */
  of(registry: Registry): C {
    return this.#first(registry) ?? this.#make(registry);
  }

  /** After the registry's `clear()`, as tests do it, nothing shows what the first one records. */
  #first(registry: Registry): C | undefined {
    const made = this.#collectors.get(registry);
    return made?.catalogue.isIn(registry) === true ? made.collector : undefined;
  }
}
