/**
 * A registry for tests. It records every operation on its metrics, and can take the place of the default registry.
 */
import { AssertionError } from 'node:assert';
import { Metric } from '../metrics/metric';
import { checkOptionNames, optionNames } from '../options';
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

/** Selects operations. A missing field is not compared. */
export interface OperationFilter {
  readonly type?: OperationType;
  readonly name?: string;
  /** Labels that the operation must have. It may have others too. */
  readonly labels?: Selector;
}

const FILTER = optionNames<OperationFilter>('operations', { type: true, name: true, labels: true });

/**
 * A registry for tests. It records every operation on its metrics: through the metric, through a handle of `labels()`, or
 * by a timer. Metrics in other registries do not become slower.
 *
 * `isolate()` lends the default registry to the test, so that code which records in the default registry can be tested.
 *
 * `assertCounted` and `assertObserved` check the operations since construction or the last `clearOperations()`;
 * `assertGauge` checks the current value. Labels select series as in PromQL: a series must have the given labels and may
 * have others.
 *
 * @example
 * const registry = new MockRegistry().isolate();
 * handleRequest(); // counts in the default registry
 * registry.assertCounted('http_requests_total', { status: '200' }, 1);
 * registry.restore();
 */
export class MockRegistry extends Registry implements Disposable {
  #operations: Operation[] = [];
  /** Types of all metrics that were ever registered, because operations remain after a metric is removed. */
  readonly #types = new Map<string, MetricType>();
  readonly #spies = new Map<string, () => void>();
  #isolation: Isolation | undefined;

  /** Registers a metric, and records its operations from now on. */
  override registerMetric(metric: AnyMetric | ForeignMetric): void {
    super.registerMetric(metric);
    if (!(metric instanceof Metric) || this.#spies.has(metric.name)) return;
    this.#types.set(metric.name, metric.type);
    this.#spies.set(
      metric.name,
      spyOn(metric, (operation) => this.#operations.push(operation)),
    );
  }

  /** Removes a metric, and stops recording its operations. */
  override removeSingleMetric(name: string): void {
    super.removeSingleMetric(name);
    this.#spies.get(name)?.();
    this.#spies.delete(name);
  }

  /** Removes all metrics and the default labels. Recorded operations stay. */
  override clear(): void {
    super.clear();
    for (const end of this.#spies.values()) end();
    this.#spies.clear();
  }

  /**
   * Lends the default registry to the test until `restore()`. Its metrics start at their initial values, and operations on
   * them and on metrics that are registered later are recorded here. `restore()` brings the old metrics back with their
   * values, names and order.
   *
   * Metric objects and handles that modules already hold are recorded too. Not isolated are other threads, other
   * registries, values that other libraries' metrics keep themselves, and tests that run concurrently in the same realm.
   * Earlier exemplars are not restored.
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` if a mock registry already isolates the default registry
   * @throws {RegistrationError} `DUPLICATE_METRIC` if both registries have a metric of the same name
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

  /** Restores the default registry. Recorded operations stay. Does nothing without `isolate()`. */
  restore(): void {
    this.#isolation?.end();
    this.#isolation = undefined;
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  /** The recorded operations, in order. */
  operations(filter: OperationFilter = {}): Operation[] {
    checkOptionNames(filter, FILTER);
    const { type, name, labels } = filter;
    return this.#operations.filter(
      (operation) =>
        (type === undefined || operation.type === type) &&
        (name === undefined || operation.name === name) &&
        (labels === undefined || selects(labels, operation.labels)),
    );
  }

  /** Clears the recorded operations. Values stay. */
  clearOperations(): void {
    this.#operations = [];
  }

  /** The recorded increments and observations, as values. @internal */
  recorded(): Reading {
    return readOperations(this.#operations, this.#types);
  }

  /**
   * Asserts that a counter was incremented; with `by`, that the increments of all selected series add up to it.
   *
   * @throws {AssertionError} with the most similar series
   * @throws {ConfigurationError} `INVALID_CONFIG` if the metric is not a counter
   */
  assertCounted(name: string, labels?: Selector, by?: NumberExpectation): void;
  assertCounted(name: string, by: number): void;
  assertCounted(name: string, labels?: Selector | number, by?: NumberExpectation): void {
    demand(checkCounted(this.recorded(), wantedOf(name, labels, by)), false, this.assertCounted);
  }

  /**
   * Asserts that a counter was not incremented in any selected series.
   *
   * @throws {AssertionError}
   */
  assertNotCounted(name: string, labels?: Selector): void {
    demand(checkCounted(this.recorded(), wantedOf<number>(name, labels, undefined)), true, this.assertNotCounted);
  }

  /**
   * Asserts that a histogram or summary has observed values; with `expected`, that the total count and sum of all selected series
   * match it.
   *
   * @throws {AssertionError} with the most similar series
   * @throws {ConfigurationError} `INVALID_CONFIG` if the metric is neither
   */
  assertObserved(name: string, labels?: Selector, expected?: DistributionExpectation): void {
    demand(checkObserved(this.recorded(), wantedOf(name, labels, expected)), false, this.assertObserved);
  }

  /**
   * Asserts that one of the selected series of a gauge has this value.
   *
   * @throws {AssertionError} with the most similar series
   */
  assertGauge(name: string, labels: Selector, value: NumberExpectation): void;
  assertGauge(name: string, value: number): void;
  assertGauge(name: string, labels: Selector | number, value?: NumberExpectation): void {
    const wanted = wantedOf<NumberExpectation>(name, labels, value);
    demand(checkMetric(read(this), wanted), false, this.assertGauge);
  }
}

/** Throws an `AssertionError` unless a check has the expected outcome. @internal */
export function demand(check: Check, negated: boolean, caller: (...args: never[]) => void): void {
  if (check.pass !== negated) return;
  const { expected, actual } = check;
  const message = check.message(negated);
  throw new AssertionError({ message, expected, actual, operator: caller.name, stackStartFn: caller });
}
