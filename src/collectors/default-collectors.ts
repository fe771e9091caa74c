/**
 * Remembers the default collector of each registry: the first one that was made for it. An instrumentation without a
 * collector of its own records there, so the program's prices apply to its requests.
 */
import type { Registry } from '../registry/registry';
import type { Families } from './families';

interface Entry<C> {
  readonly collector: C;
  readonly families: Families;
}

/** The default collectors of one kind. */
export class DefaultCollectors<C> {
  readonly #entries = new WeakMap<Registry, Entry<C>>();
  readonly #make: (registry: Registry) => C;

  constructor(make: (registry: Registry) => C) {
    this.#make = make;
  }

  /** Makes a new collector the default of its registry, unless the registry has one. */
  offer(registry: Registry, collector: C, families: Families): void {
    if (this.#find(registry) === undefined) this.#entries.set(registry, { collector, families });
  }

  /** The default collector of a registry; a new one if the registry has not got one yet. */
  of(registry: Registry): C {
    return this.#find(registry) ?? this.#make(registry);
  }

  /** Tests call the registry's `clear()`; after that, the metrics of the remembered collector are in no exposition. */
  #find(registry: Registry): C | undefined {
    const entry = this.#entries.get(registry);
    return entry?.families.isIn(registry) === true ? entry.collector : undefined;
  }
}
