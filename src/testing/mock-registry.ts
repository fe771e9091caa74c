/**
 * A registry that records what is done with its metrics, and that can stand in for the default registry in a test.
 */
import { AssertionError } from 'node:assert';
import { Metric } from '../metrics/metric';
import type { AnyMetric } from '../registry/entries';
import { Registry } from '../registry/registry';
import type { ForeignMetric, MetricType } from '../types';
import {
  type Check,
  checkCounted,
  checkMetric,
  checkObserved,
  type DistributionExpectation,
  type NumberExpectation,
  wantedOf,
} from './checks';
import { Isolation } from './isolation';
import type { Operation, OperationType } from './operations';
import { type Reading, read, readOperations } from './reading';
import { type Selector, selects } from './selector';
import { spyOn } from './spy';

/** Which operations are wanted. */
export interface OperationFilter {
  readonly type?: OperationType;
  readonly name?: string;
  /** Labels that the operation has, among others. */
  readonly labels?: Selector;
}

/**
 * A registry for tests. It records every operation on the metrics in it, whoever does it: through the metric, through
 * a handle of `labels()`, by a timer. Metrics in other registries are no slower for it.
 *
 * `isolate()` makes the default registry the test's own, so that code which knows nothing of this one can be tested.
 *
 * Assertions of what was counted and observed go by the operations since it was made or `clearOperations()`; those of
 * values go by the values. They name series as PromQL does: labels that are named have to be so, others may be there.
 *
 * @example
 * const registry = new MockRegistry().isolate();
 * handleRequest(); // counts in the default registry
 * registry.assertCounted('http_requests_total', { status: '200' }, 1);
 * registry.restore();
 */
export class MockRegistry extends Registry implements Disposable {
  #operations: Operation[] = [];
  /** Of all metrics that were ever in it: operations outlive them. */
  readonly #types = new Map<string, MetricType>();
  readonly #spies = new Map<string, () => void>();
  #isolation: Isolation | undefined;

  /** Enters a metric and records what is done with it from now on. */
  override registerMetric(metric: AnyMetric | ForeignMetric): void {
    super.registerMetric(metric);
    if (!(metric instanceof Metric) || this.#spies.has(metric.name)) return;
    this.#types.set(metric.name, metric.type);
    this.#spies.set(
      metric.name,
      spyOn(metric, (operation) => this.#operations.push(operation)),
    );
  }

  /** Takes a metric out; what is done with it is no longer recorded. */
  override removeSingleMetric(name: string): void {
    super.removeSingleMetric(name);
    this.#spies.get(name)?.();
    this.#spies.delete(name);
  }

  /** Takes all metrics out, and the default labels away. Recorded operations stay. */
  override clear(): void {
    super.clear();
    for (const end of this.#spies.values()) end();
    this.#spies.clear();
  }

  /**
   * Makes the default registry the test's until `restore()`: its metrics begin at their initial values, what is
   * registered in it is recorded here, and what was in it comes back afterwards, with its values, names and order.
   *
   * Metric objects and handles that modules hold already are recorded as well. Not isolated are other threads, other
   * registries, values that metrics of other libraries keep themselves, and tests that run at the same time in the same
   * realm. Exemplars of before are not given back.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` while a mock registry isolates the default registry
   * @throws {RegistrationError} `DUPLICATE_METRIC` for a metric of the default registry that this one has a namesake of
   */
  isolate(): this {
    const mirrored = new Set<string>();
    this.#isolation = new Isolation({
      registered: (metric) => {
        this.registerMetric(metric);
        mirrored.add(metric.name);
      },
      removed: (name) => {
        if (mirrored.delete(name)) this.removeSingleMetric(name);
      },
    });
    return this;
  }

  /** Gives the default registry back. What was recorded stays. Without `isolate()` it does nothing. */
  restore(): void {
    this.#isolation?.end();
    this.#isolation = undefined;
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  /** What was recorded, in the order in which it was done. */
  operations(filter: OperationFilter = {}): Operation[] {
    const { type, name, labels } = filter;
    return this.#operations.filter(
      (operation) =>
        (type === undefined || operation.type === type) &&
        (name === undefined || operation.name === name) &&
        (labels === undefined || selects(labels, operation.labels)),
    );
  }

  /** Forgets what was recorded. Values stay. */
  clearOperations(): void {
    this.#operations = [];
  }

  /** What was counted and observed. @internal */
  recorded(): Reading {
    return readOperations(this.#operations, this.#types);
  }

  /**
   * Asserts that a counter was counted: at all, or by so much in all the series that are meant.
   *
   * @throws {AssertionError} with the series that come close
   * @throws {ConfigurationError} `INVALID_CONFIG` for what is no counter
   */
  assertCounted(name: string, labels?: Selector, by?: NumberExpectation): void;
  assertCounted(name: string, by: number): void;
  assertCounted(name: string, labels?: Selector | number, by?: NumberExpectation): void {
    demand(checkCounted(this.recorded(), wantedOf(name, labels, by)), false, this.assertCounted);
  }

  /**
   * Asserts that a counter was not counted, in any series that is meant.
   *
   * @throws {AssertionError}
   */
  assertNotCounted(name: string, labels?: Selector): void {
    demand(checkCounted(this.recorded(), wantedOf<number>(name, labels, undefined)), true, this.assertNotCounted);
  }

  /**
   * Asserts that a histogram has observed something: at all, or so many values with such a sum in all the series that
   * are meant.
   *
   * @throws {AssertionError} with the series that come close
   * @throws {ConfigurationError} `INVALID_CONFIG` for what is no histogram
   */
  assertObserved(name: string, labels?: Selector, expected?: DistributionExpectation): void {
    demand(checkObserved(this.recorded(), wantedOf(name, labels, expected)), false, this.assertObserved);
  }

  /**
   * Asserts the value of a gauge: that one of the series that are meant has it.
   *
   * @throws {AssertionError} with the series that come close
   */
  assertGauge(name: string, labels: Selector, value: NumberExpectation): void;
  assertGauge(name: string, value: number): void;
  assertGauge(name: string, labels: Selector | number, value?: NumberExpectation): void {
    const wanted = wantedOf<NumberExpectation>(name, labels, value);
    demand(checkMetric(read(this), wanted), false, this.assertGauge);
  }
}

/** Throws what a check found. @internal */
export function demand(check: Check, negated: boolean, caller: (...args: never[]) => void): void {
  if (check.pass !== negated) return;
  const { expected, actual } = check;
  const message = check.message(negated);
  throw new AssertionError({ message, expected, actual, operator: caller.name, stackStartFn: caller });
}
