/**
 * One call of an SDK that is measured: what measures may fail, what the user called may not.
 */

import { quietly } from '../quietly';
import type { Original } from './patches';

/** What becomes of a call that is measured. */
export interface Measuring {
  /**
   * The method returned.
   *
   * @returns what the user gets: the very value, or one that behaves as it does in every way
   */
  returned(value: unknown): unknown;
  /** The method threw at once. */
  threw(error: unknown): void;
}

/** Calls a method and measures it. What the method returns or throws is the user's, whatever measuring does. */
export function measured(original: Original, begin: () => Measuring | undefined): unknown {
  const measuring = quietly(begin);
  if (measuring === undefined) return original();
  const value = thrownTo(measuring, original);
  const given = quietly(() => ({ value: measuring.returned(value) }));
  return given === undefined ? value : given.value;
}

function thrownTo(measuring: Measuring, original: Original): unknown {
  try {
    return original();
  } catch (error) {
    quietly(() => measuring.threw(error));
    throw error;
  }
}
