/**
 * Knows which `collect()` callbacks have called the code that runs now, also across awaits. A callback may read its own
 * metric or registry; that reading must not call it again, or it would never end.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const callers = new AsyncLocalStorage<Callback>();

/** Callbacks that run, and readings that are about to run some. Following them slows down every promise. */
let followed = 0;

/** Has to be called once for each `++followed`. */
function unfollow(): void {
  if (--followed === 0) callers.disable();
}

/** One call of a callback. */
export class Callback {
  readonly #owners: readonly object[];
  readonly #caller: Callback | undefined = callers.getStore();
  #ended = false;

  /** @param owners the metric and the registry that the callback belongs to; the creator has to call `end()` */
  constructor(owners: readonly object[]) {
    this.#owners = owners;
    followed++;
  }

  call<R>(callback: () => R): R {
    return callers.run(this, callback);
  }

  /** The callback has settled. Timers and servers that it started no longer count as called by it. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    unfollow();
  }

  static *running(): Generator<Callback> {
    for (let at = callers.getStore(); at !== undefined; at = at.#caller) if (!at.#ended) yield at;
  }

  isOf(owner: object): boolean {
    return this.#owners.includes(owner);
  }
}

/** True if a running callback of this metric or registry has called the running code, directly or not. */
export function isCalledFrom(owner: object): boolean {
  for (const callback of Callback.running()) if (callback.isOf(owner)) return true;
  return false;
}

/** True if any running callback has called the running code. */
export function isCalledFromCallback(): boolean {
  return Callback.running().next().done !== true;
}
