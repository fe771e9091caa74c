/**
 * Holds back what is recorded about a model while requests to it run and it is not known whether it exists: retries, rate limits
 * and attempts. The end of a request tells: after a success they are the model's, after a failure they count as `other`.
 */
import { quietly } from '../../warnings';
import { OTHER } from '../label-values';
import type { ModelSeries } from './model-series';

/** Records something in the series of a model. */
export type Recording = (series: ModelSeries) => void;

/** More are recorded at once, as `other`. */
const HELD_MAX = 1000;

/** A model of which no request has succeeded, with its running requests. */
export class UnknownModel {
  readonly #other: ModelSeries;
  readonly #over: () => void;
  #held: Recording[] = [];
  #running = 0;

  /**
   * @param other the series that it has until it is known
   * @param over called when no request runs any more
   */
  constructor(other: ModelSeries, over: () => void) {
    this.#other = other;
    this.#over = over;
  }

  began(): void {
    this.#running++;
  }

  /** @param series where the request that ended was recorded */
  ended(series: ModelSeries): void {
    this.#running--;
    if (this.#running === 0) this.#over();
    if (this.#running > 0 && series.model === OTHER) return;
    for (const record of this.#held.splice(0)) quietly(() => record(series));
  }

  /** A request was never ended, and its call has been collected as garbage. */
  forgotten(): void {
    this.#other.forgotten();
    this.ended(this.#other);
  }

  hold(record: Recording): void {
    if (this.#held.length < HELD_MAX) this.#held.push(record);
    else record(this.#other);
  }
}
