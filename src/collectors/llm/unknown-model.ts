/**
 * Holds back what is recorded about a model while requests to it run and it is not known whether it exists: retries, rate limits
 * and attempts. The end of a request tells: after a success they are the model's, after a failure they count as `other`.
 */
import { quietly } from '../../warnings';
import { OTHER } from '../label-values';
import type { ModelSeries } from './model-series';

/** Records something in the series of a model. */
export type Recording = (series: ModelSeries) => void;

/** Of more, the oldest ones are recorded, as `other`. */
const HELD_MAX = 1000;

/** A model of which no request has succeeded, with its running requests. */
export class UnknownModel {
  readonly #other: ModelSeries;
  readonly #key: string;
  readonly #all: Map<string, UnknownModel>;
  #held: Recording[] = [];
  #running = 0;

  /**
   * @param other the series that it has until it is known
   * @param key its key in `all`, where it is while a request runs
   */
  constructor(other: ModelSeries, key: string, all: Map<string, UnknownModel>) {
    this.#other = other;
    this.#key = key;
    this.#all = all;
  }

  began(): void {
    this.#running++;
    this.#all.set(this.#key, this);
  }

  /** @param series where the request that ended was recorded */
  ended(series: ModelSeries): void {
    this.#running--;
    if (this.#running === 0) this.#all.delete(this.#key);
    if (this.#running > 0 && series.model === OTHER) return;
    this.#record(series);
  }

  /** A request was never ended, and its call has been collected as garbage. */
  forgotten(): void {
    this.#other.forgotten();
    this.ended(this.#other);
  }

  hold(record: Recording): void {
    if (this.#held.length >= HELD_MAX) this.#record(this.#other);
    this.#held.push(record);
  }

  #record(series: ModelSeries): void {
    for (const record of this.#held.splice(0)) quietly(() => record(series));
  }
}
