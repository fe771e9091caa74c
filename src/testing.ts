/**
 * What tests take, and nothing else. One line an export.
 */
import { api } from './realm';
import type * as Testing from './testing/index';

const kit: typeof Testing = api.testing();

export const parseExposition: typeof Testing.parseExposition = kit.parseExposition;
export const MockClock: typeof Testing.MockClock = kit.MockClock;
export type MockClock = Testing.MockClock;
export const MockRegistry: typeof Testing.MockRegistry = kit.MockRegistry;
export type MockRegistry = Testing.MockRegistry;
export const assertMetric: typeof Testing.assertMetric = kit.assertMetric;
export const assertCounted: typeof Testing.assertCounted = kit.assertCounted;
export const assertObserved: typeof Testing.assertObserved = kit.assertObserved;
export const assertValidExposition: typeof Testing.assertValidExposition = kit.assertValidExposition;
export const metricMatchers: typeof Testing.metricMatchers = kit.metricMatchers;

export type {
  AsymmetricMatcher,
  DistributionExpectation,
  ExpositionOptions,
  ExpositionSource,
  LabelExpectation,
  Matcher,
  MatcherResult,
  MetricMatchers,
  MockClockOptions,
  NumberExpectation,
  Operation,
  OperationFilter,
  OperationType,
  Selector,
  Subject,
} from './testing/index';
