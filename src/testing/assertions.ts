/**
 * Assertions for test runners without `expect` matchers. They throw the `AssertionError` of `node:assert`.
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
 * Asserts that a registry, a metric, or the text of an exposition has a series with this name and at least these labels.
 * With `value`, one of these series must have the value. `name` may be the name of a sample: `request_seconds_count`.
 *
 * Reads the current values synchronously and runs no `collect()`. For metrics with `collect()` or metrics of another
 * library, pass an exposition: `assertMetric(await registry.metrics(), 'queue_length', {}, 3)`.
 *
 * @throws {AssertionError} with the most similar series
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid subject, name or labels
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
 * Asserts that a counter was incremented. With `by`, the increments of all series with at least these labels must add up
 * to `by`. For a `MockRegistry`, increments since `clearOperations()` count; for other subjects, the counters' values.
 *
 * @throws {AssertionError} with the most similar series
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid subject, name or labels, or a metric that is not a counter
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
 * Asserts that a histogram or summary has observed values. With `expected`, `count` and `sum` are compared with the totals
 * of all series with at least these labels. For a `MockRegistry`, observations since `clearOperations()` count.
 *
 * @throws {AssertionError} with the most similar series
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid subject, name or labels, or a metric of another type
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
 * Asserts that Prometheus would accept an exposition.
 *
 * @throws {AssertionError} with the line and column of the first error
 * @throws {ConfigurationError} `INVALID_CONFIG` if `exposition` is neither text, bytes nor an answer of `scrape()`
 * @example
 * assertValidExposition(await registry.metrics());
 * assertValidExposition(await registry.scrape({ accept: 'application/openmetrics-text' }));
 */
export function assertValidExposition(exposition: ExpositionSource, options?: ParseOptions): void {
  demand(checkExposition(exposition, options), false, assertValidExposition);
}
