/**
 * Assertions for runners without matchers: they throw what `node:assert` throws.
 */
import {
  checkCounted,
  checkMetric,
  checkObserved,
  type DistributionExpectation,
  type NumberExpectation,
  wantedOf,
} from './checks';
import { demand } from './mock-registry';
import type { ParseOptions } from './parse';
import { read, readEvents, type Subject } from './reading';
import type { Selector } from './selector';
import { checkExposition, type ExpositionSource } from './validity';

/**
 * Asserts that a registry, or the text of an exposition, has a series of this name, with these labels among others; and
 * with a value, that one of those has it. `name` may be that of a sample: `request_seconds_count`.
 *
 * Reads the values that are there, at once. What `collect()` or another library has to say first, is to be asked for
 * before: `assertMetric(await registry.metrics(), 'queue_length', {}, 3)`.
 *
 * @throws {AssertionError} with the series that come close
 * @throws {ConfigurationError} `INVALID_CONFIG` for a subject that is none
 * @example
 * assertMetric(registry, 'queue_length', { queue: 'mail' }, 3);
 */
export function assertMetric(
  subject: Subject,
  name: string,
  labels?: Selector | number,
  value?: NumberExpectation | DistributionExpectation,
): void {
  demand(checkMetric(read(subject), wantedOf(name, labels, value)), false, assertMetric);
}

/**
 * Asserts that a counter was counted: at all, or by so much in all the series that have these labels among others. A
 * `MockRegistry` says what was counted since `clearOperations()`, everything else what counters hold.
 *
 * @throws {AssertionError} with the series that come close
 * @throws {ConfigurationError} `INVALID_CONFIG` for a subject that is none, and for what is no counter
 * @example
 * assertCounted(registry, 'http_requests_total', { status: /^5/ }, 2);
 */
export function assertCounted(
  subject: Subject,
  name: string,
  labels?: Selector | number,
  by?: NumberExpectation,
): void {
  demand(checkCounted(readEvents(subject), wantedOf(name, labels, by)), false, assertCounted);
}

/**
 * Asserts that a histogram or summary has observed something: at all, or so many values with such a sum in all the
 * series that have these labels among others. A `MockRegistry` says what was observed since `clearOperations()`.
 *
 * @throws {AssertionError} with the series that come close
 * @throws {ConfigurationError} `INVALID_CONFIG` for a subject that is none, and for what is no histogram or summary
 * @example
 * assertObserved(registry, 'request_seconds', { route: '/chat' }, { count: 1, sum: 0.25 });
 */
export function assertObserved(
  subject: Subject,
  name: string,
  labels?: Selector,
  expected?: DistributionExpectation,
): void {
  demand(checkObserved(readEvents(subject), wantedOf(name, labels, expected)), false, assertObserved);
}

/**
 * Asserts that a text is an exposition that Prometheus takes.
 *
 * @throws {AssertionError} with the line and the column of the first fault
 * @example
 * assertValidExposition(await registry.metrics());
 * assertValidExposition(await registry.scrape({ accept: 'application/openmetrics-text' }));
 */
export function assertValidExposition(exposition: ExpositionSource, options?: ParseOptions): void {
  demand(checkExposition(exposition, options), false, assertValidExposition);
}
