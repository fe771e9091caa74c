/**
 * Measures one call of an SDK's method. An error in the measuring never reaches the caller; the method's own result and
 * error always do.
 */

import { quietly, warnOfFailure } from '../warnings';
import type { Original } from './patches';

/** Receives the outcome of a measured call. */
export interface CallObserver {
  /**
   * The method returned.
   *
   * @returns the value for the caller: the same object, or one that behaves exactly like it
   */
  returned(value: unknown): unknown;
  /** The method threw synchronously. */
  threw(error: unknown): void;
}

/** Calls a method and reports its outcome. If `begin` returns nothing or fails, the call is not measured. */
export function measureCall(original: Original, begin: () => CallObserver | undefined): unknown {
  const observer = quietly(begin);
  if (observer === undefined) return original();
  let value: unknown;
  try {
    value = original();
  } catch (error) {
    quietly(() => observer.threw(error));
    throw error;
  }
  try {
    return observer.returned(value);
  } catch (error) {
    warnOfFailure(error);
    return value;
  }
}
