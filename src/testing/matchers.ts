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

/** What a matcher answers. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * The matchers as `expect(…)` has them. Their subject is a registry, a metric, or the text of an exposition; a metric
 * has its name itself, for the others it comes first. Labels are those that a series has among others; a label may be
 * a value, a regular expression, or a matcher such as `expect.any(String)`.
 *
 * They read the values that are there, at once. What `collect()` or another library has to say first, is to be asked
 * for before: `expect(await registry.metrics()).toHaveMetric('queue_length', {}, 3)`.
 */
export interface MetricMatchers<R = void> {
  /** There is a series; with a value, one of those meant has it. `name` may be a sample's: `request_seconds_count`. */
  toHaveMetric(name: string, labels?: Selector | number, value?: NumberExpectation | DistributionExpectation): R;
  toHaveMetric(labels?: Selector | number, value?: NumberExpectation | DistributionExpectation): R;
  /** Counters were counted: at all, or by so much in all series that are meant. Of a `MockRegistry`, as recorded. */
  toHaveCounted(name: string, labels?: Selector | number, by?: NumberExpectation): R;
  toHaveCounted(labels?: Selector | number, by?: NumberExpectation): R;
  /** Values were observed: at all, or so many with such a sum in all series that are meant. */
  toHaveObserved(name: string, labels?: Selector, expected?: DistributionExpectation): R;
  toHaveObserved(labels?: Selector, expected?: DistributionExpectation): R;
  /** The text, or the answer of `scrape()`, is an exposition that Prometheus takes. */
  toBeValidExposition(options?: ParseOptions): R;
}

/** A matcher as `expect.extend()` takes it; what it is called with is checked as it runs. */
export type Matcher = (received: unknown, ...args: unknown[]) => MatcherResult;

/**
 * `toHaveMetric`, `toHaveCounted`, `toHaveObserved` and `toBeValidExposition`. Instead of passing them to `expect.extend()`
 * yourself, import the subpath `testing/jest` or `testing/vitest`, which tells TypeScript of them too.
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

/** The arguments of a matcher: a metric has its name itself, of a registry or a text it comes first. */
function wantedFrom<V>(received: unknown, args: unknown[]): Wanted<V> {
  const [name, labels, value] = received instanceof Metric ? [received.name, ...args] : args;
  return wantedOf<V>(name, labels, value as V | undefined);
}

function resultOf(check: Check): MatcherResult {
  // Runners ask for the message of a matcher that passed where it was negated.
  return { pass: check.pass, message: () => check.message(check.pass) };
}
