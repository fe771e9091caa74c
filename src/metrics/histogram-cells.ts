/**
 * Implements the series of a histogram. Does not depend on the metric.
 */
import { shown, ValueError } from '../errors';
import { type Buckets, findBucket } from './buckets';
import type { Place } from './place';
import { addPair, type Home, labelsOf, observer, revived, Series, siblingOf } from './series';
import { startTimer, type Timer } from './timer';

/** The series of a histogram. */
export class HistogramCells extends Series {
  /** @internal */
  protected readonly buckets: Buckets;

  /** @internal */
  constructor(home: Home, place: Place, buckets: Buckets) {
    super(home, place);
    this.buckets = buckets;
  }

  observe(value: number): void {
    const { bounds, sum } = this.buckets;
    // True for finite numbers only: Infinity - Infinity and NaN - NaN are NaN.
    const finite = typeof value === 'number' && value - value === 0;
    if (finite && this[addPair](findBucket(bounds, value), sum, value)) return;
    const observation = checkedObservation(value);
    this[revived]()[addPair](findBucket(bounds, observation), sum, observation);
  }

  /** @internal */
  [observer](): (value: number) => void {
    return (value) => this.observe(value);
  }

  startTimer(): Timer {
    return startTimer((more, seconds) => {
      if (more === undefined) this.observe(seconds);
      else (this[siblingOf]({ ...this[labelsOf](), ...more }) as HistogramCells).observe(seconds);
    });
  }
}

/** @throws {ValueError} `INVALID_VALUE` for a value that is not a finite number */
export function checkedObservation(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ValueError('INVALID_VALUE', `Value is not a valid number: ${shown(value)}`);
}
