/**
 * The exports of the testing kit. `api.ts` does not import them, so a program in production never loads the kit.
 */
export { ExpositionError } from '../errors';
export { assertCounted, assertMetric, assertObserved, assertValidExposition } from './assertions';
export type { DistributionExpectation, NumberExpectation } from './checks';
export { diffSnapshots, SnapshotDiff } from './diff';
export { type Matcher, type MatcherResult, type MetricMatchers, metricMatchers } from './matchers';
export { MockClock, type MockClockOptions } from './mock-clock';
export { MockRegistry, type OperationFilter } from './mock-registry';
export type { Operation, OperationType } from './operations';
export { Exposition, parseExposition } from './parse';
export type { Subject } from './reading';
export { replay } from './replay';
export type { AsymmetricMatcher, LabelExpectation, Selector } from './selector';
export { synthesize } from './synthesize';
export type { ExpositionSource } from './validity';
