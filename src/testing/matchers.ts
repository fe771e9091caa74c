/**
 * Matchers for `expect.extend()` of Jest and Vitest.
 */
import { Metric } from '../metrics/metric';
import {
  type Check,
  checkCounted,
  checkMetric,
  checkObserved,
  type DistributionExpectation,
  type NumberExpectation,
  type Wanted,
  wantedOf,
} from './checks';
import type { ParseOptions } from './parse';
import { read, readEvents } from './reading';
import type { Selector } from './selector';
import { checkExposition } from './validity';

/** The result of a matcher. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * The matchers of `expect(…)`. The subject is a registry, a metric, or the text of an exposition. Omit the name if the
 * subject is a metric. `labels` selects series that have at least these labels; each label is a value, a regular
 * expression, or a matcher such as `expect.any(String)`.
 *
 * The matchers read the current values synchronously and run no `collect()`. For metrics with `collect()` or metrics of
 * another library, pass an exposition: `expect(await registry.metrics()).toHaveMetric('queue_length', {}, 3)`.
 */
export interface MetricMatchers<R = void> {
  /** A selected series exists; with `value`, one of them has it. `name` may be a sample's: `request_seconds_count`. */
  toHaveMetric(name: string, labels?: Selector | number, value?: NumberExpectation | DistributionExpectation): R;
  toHaveMetric(labels?: Selector | number, value?: NumberExpectation | DistributionExpectation): R;
  /**
   * The selected counters were incremented; with `by`, their increments add up to it. For a `MockRegistry`, increments
   * since `clearOperations()` count.
   */
  toHaveCounted(name: string, labels?: Selector | number, by?: NumberExpectation): R;
  toHaveCounted(labels?: Selector | number, by?: NumberExpectation): R;
  /** The selected series observed values; with `expected`, their total count and sum match it. */
  toHaveObserved(name: string, labels?: Selector, expected?: DistributionExpectation): R;
  toHaveObserved(labels?: Selector, expected?: DistributionExpectation): R;
  /** Prometheus would accept the text, or the answer of `scrape()`. */
  toBeValidExposition(options?: ParseOptions): R;
}

/** A matcher for `expect.extend()`. It validates its arguments when it runs. */
export type Matcher = (received: unknown, ...args: unknown[]) => MatcherResult;

/**
 * `toHaveMetric`, `toHaveCounted`, `toHaveObserved` and `toBeValidExposition`. Instead of passing them to `expect.extend()`
 * yourself, you can import the subpath `testing/jest` or `testing/vitest`, which also adds their TypeScript types.
 *
 * @example
 * expect.extend(metricMatchers);
 * expect(registry).toHaveCounted('http_requests_total', { status: '200' }, 1);
 */
export const metricMatchers = {
  toHaveMetric(received, ...args) {
    return resultOf(checkMetric(read(received), wantedFrom(received, args)));
  },
  toHaveCounted(received, ...args) {
    return resultOf(checkCounted(readEvents(received), wantedFrom(received, args)));
  },
  toHaveObserved(received, ...args) {
    return resultOf(checkObserved(readEvents(received), wantedFrom(received, args)));
  },
  toBeValidExposition(received, options) {
    return resultOf(checkExposition(received, options as ParseOptions | undefined));
  },
} satisfies Record<string, Matcher>;

/** Validates the arguments of a matcher. A metric as subject provides the name; else the name is the first argument. */
function wantedFrom<V>(received: unknown, args: unknown[]): Wanted<V> {
  const [name, labels, value] = received instanceof Metric ? [received.name, ...args] : args;
  return wantedOf<V>(name, labels, value as V | undefined);
}

function resultOf(check: Check): MatcherResult {
  // A runner asks for the message of a passed matcher only after `.not`.
  return { pass: check.pass, message: () => check.message(check.pass) };
}
