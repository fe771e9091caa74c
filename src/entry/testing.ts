/**
 * Exports the testing kit of the realm's copy of the library.
 */
import { api } from '../realm';
import type * as Testing from '../testing/index';

const kit: typeof Testing = api.testing();

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
} from '../testing/index';

export const Exposition: typeof Testing.Exposition = kit.Exposition;
export type Exposition = Testing.Exposition;
export const ExpositionError: typeof Testing.ExpositionError = kit.ExpositionError;
export type ExpositionError = Testing.ExpositionError;
export const SnapshotDiff: typeof Testing.SnapshotDiff = kit.SnapshotDiff;
export type SnapshotDiff = Testing.SnapshotDiff;
export const diffSnapshots: typeof Testing.diffSnapshots = kit.diffSnapshots;
export const parseExposition: typeof Testing.parseExposition = kit.parseExposition;
export const replay: typeof Testing.replay = kit.replay;
export const synthesize: typeof Testing.synthesize = kit.synthesize;

export type { ChangedFamily, ChangedSeries, FamilyDescription, LoneSeries, Snapshot } from '../testing/diff';
export type {
  ExpositionFormat,
  ParsedExemplar,
  ParsedFamily,
  ParsedNativeHistogram,
  ParsedSample,
  ParsedType,
  ParseOptions,
  WantedLabels,
} from '../testing/parse';
export type { SynthesizeOptions } from '../testing/synthesize';
