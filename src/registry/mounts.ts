/**
 * Keeps the registries that are shown with another one, and the labels under which each is shown.
 */
import { native, refuseOption } from '../errors';
import { checkReserved, flatLabels, presentLabels } from '../labels/value';
import type { NativeRegistry } from '../native/addon';
import type { LabelValue } from '../types';
import type { Collections } from './collections';

/** The parts of a registry that mounting it needs. */
export interface Mountable {
  readonly native: NativeRegistry;
  readonly collections: Collections;
}

interface Mount {
  readonly labels: Readonly<Record<string, LabelValue>>;
  readonly unmount: () => void;
}

/** The registries that are mounted in one registry. */
export class Mounts {
  readonly #native: NativeRegistry;
  readonly #changed: () => void;
  readonly #mounts = new Map<Mountable, Mount>();
  /** The mounted registries that have values which only JavaScript knows. */
  readonly #collecting = new Set<Mountable>();

  /** @param changed called after a registry was mounted or unmounted, here or in a mounted one */
  constructor(registry: NativeRegistry, changed: () => void) {
    this.#native = registry;
    this.#changed = changed;
  }

  get size(): number {
    return this.#mounts.size;
  }

  /** True if a scrape has to run JavaScript for a mounted registry. */
  get needCollecting(): boolean {
    return this.#collecting.size > 0;
  }

  *collections(): Generator<Collections> {
    for (const { collections } of this.#mounts.keys()) yield collections;
  }

  /** Mounts a registry; returns the function that unmounts it. */
  mount(mounted: Mountable, labels: Readonly<Record<string, LabelValue>>): () => void {
    if (typeof labels !== 'object' || labels === null) refuseOption('labels', 'mount()', labels);
    checkReserved(Object.keys(presentLabels(labels)), ['le', 'quantile']);
    native(() => this.#native.mount(mounted.native, flatLabels(presentLabels(labels))));
    const unwatch = mounted.collections.watch((needed) => {
      if (needed) this.#collecting.add(mounted);
      else this.#collecting.delete(mounted);
      this.#changed();
    });
    const unmount = () => {
      // It may have been unmounted and mounted again since.
      if (this.#mounts.get(mounted)?.unmount !== unmount) return;
      this.#mounts.delete(mounted);
      unwatch();
      this.#collecting.delete(mounted);
      this.#native.unmount(mounted.native);
      this.#changed();
    };
    this.#mounts.set(mounted, { unmount, labels });
    return unmount;
  }

  unmountAll(): void {
    for (const { unmount } of [...this.#mounts.values()]) unmount();
  }

  /** Unmounts all registries; returns a function that mounts them again and unmounts what was mounted meanwhile. */
  putAside(): () => void {
    const mounts = [...this.#mounts];
    this.unmountAll();
    return () => {
      this.unmountAll();
      for (const [mounted, { labels }] of mounts) this.mount(mounted, labels);
    };
  }
}
