/**
 * Follows `withRetry()` and `withFallbacks()`: which request repeats a failed one, and which goes to another model instead.
 * Their runs are chains that contain the attempts. Must not know events.
 */
import type { LlmTarget } from '../../collectors/llm/request';
import type { Run } from '../agents/run';

/** What a run of `withRetry()` or `withFallbacks()` contains. */
export interface Wrapper {
  readonly kind: 'retry' | 'fallbacks';
  /** The wrapper around this one. */
  readonly outer: Wrapper | undefined;
  /** The name that the program gave the run. */
  readonly name: string | undefined;
  /** The last request within that failed. */
  failed: { readonly target: LlmTarget; readonly type: string } | undefined;
  /** Whether the attempt that had that request has failed too, and no other has begun since. */
  isNext: boolean;
}

const KINDS: ReadonlyMap<string, Wrapper['kind']> = new Map([
  ['RunnableRetry', 'retry'],
  ['RunnableWithFallbacks', 'fallbacks'],
]);

/** How a new request follows a failed one. */
export interface Following {
  readonly kind: Wrapper['kind'];
  readonly target: LlmTarget;
  /** The error type of the failed request. */
  readonly type: string;
}

/** The wrappers of open runs. */
export class Wrappers {
  /** Of runs that are wrappers. */
  readonly #own = new WeakMap<Run, Wrapper>();
  /** Of runs within a wrapper, the innermost one. */
  readonly #around = new WeakMap<Run, Wrapper>();

  /** The wrapper that a run is. */
  of(run: Run | undefined): Wrapper | undefined {
    return run && this.#own.get(run);
  }

  /**
   * A run has begun.
   *
   * @param className only for a chain
   */
  began(run: Run, parent: Run | undefined, className?: string, name?: string): void {
    const outer = this.#within(parent);
    if (outer !== undefined) this.#around.set(run, outer);
    const kind = className === undefined ? undefined : KINDS.get(className);
    if (kind !== undefined) this.#own.set(run, { kind, outer, name, failed: undefined, isNext: false });
  }

  /** How a request that begins follows a failed one. It is asked once for each request. */
  follow(parent: Run | undefined): Following | undefined {
    const own = this.of(parent);
    for (let wrapper = this.#within(parent); wrapper !== undefined; wrapper = wrapper.outer) {
      const { kind, failed, isNext } = wrapper;
      if (failed === undefined || !isNext) continue;
      wrapper.isNext = false;
      // A chain that is repeated makes new requests. Only a model that is repeated makes the same one again.
      if (kind === 'fallbacks' || wrapper === own) return { kind, ...failed };
    }
    return undefined;
  }

  /** A request has failed. */
  requestFailed(run: Run, target: LlmTarget, type: string): void {
    for (let wrapper = this.#around.get(run); wrapper !== undefined; wrapper = wrapper.outer) {
      wrapper.failed = { target, type };
    }
  }

  /** A run has failed. If it was an attempt of a wrapper, another one may follow. */
  failed(parent: Run | undefined): void {
    const wrapper = this.of(parent);
    if (wrapper?.failed !== undefined) wrapper.isNext = true;
  }

  #within(parent: Run | undefined): Wrapper | undefined {
    return parent && (this.#own.get(parent) ?? this.#around.get(parent));
  }
}

/** Whether the objects of a class only wrap another runnable. */
export function isWrapper(className: string): boolean {
  return KINDS.has(className);
}
