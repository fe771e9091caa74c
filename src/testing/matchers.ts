/**
 * Matchers for `expect.extend()` of Jest and Vitest.
 */
import { Metric } from '../metrics/metric';
import { type Check, checkCounted, checkMetric, checkObserved, type Wanted, wantedOf } from './checks';
import { read, readEvents } from './reading';
import { checkExposition, type ExpositionOptions } from './validity';

/** What a matcher answers. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
  readonly expected: unknown;
  readonly actual: unknown;
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
    return resultOf(checkExposition(received, options as ExpositionOptions | undefined));
  },
} satisfies Record<string, Matcher>;

/** The arguments of a matcher: a metric has its name itself, of a registry or a text it comes first. */
function wantedFrom<V>(received: unknown, args: unknown[]): Wanted<V> {
  const [name, labels, value] = received instanceof Metric ? [received.name, ...args] : args;
  return wantedOf<V>(name, labels, value as V | undefined);
}

function resultOf(check: Check): MatcherResult {
  const { pass, expected, actual } = check;
  // Runners ask for the message of a matcher that passed where it was negated.
  return { pass, message: () => check.message(pass), expected, actual };
}
