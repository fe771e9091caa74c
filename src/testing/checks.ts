/**
 * The checks behind assertions and matchers, and their messages. Must not know any test runner.
 */
import { ConfigurationError, describe } from '../errors';
import { checkOptionNames, optionNames } from '../options';
import { nearMisses, showWithValue } from './near-misses';
import { type Distribution, isDistribution, type Reading, type SeenFamily, type SeenSeries, seriesOf } from './reading';
import { type AsymmetricMatcher, isAsymmetric, type Selector, selects, showMatcher, showSelector } from './selector';

/** A number, or a matcher of the test runner: `expect.closeTo(2)`. */
export type NumberExpectation = number | AsymmetricMatcher;

/** The expected count and sum of a histogram or summary. A missing field is not compared. */
export interface DistributionExpectation {
  readonly count?: NumberExpectation;
  readonly sum?: NumberExpectation;
}

const DISTRIBUTION = optionNames<DistributionExpectation>('the expected count and sum', { count: true, sum: true });

/** The outcome of a check. */
export interface Check {
  readonly pass: boolean;
  /** The text of the failure. @param negated true if the check was expected to fail and passed */
  message(negated: boolean): string;
  /** The expected value; undefined if any value passes. */
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The selected series, and their expected value. */
export interface Wanted<V> {
  readonly name: string;
  readonly selector: Selector;
  readonly value: V | undefined;
}

/** Passes if a selected series exists; with a value, if one of them has the value. */
export function checkMetric(
  reading: Reading,
  { name, selector, value }: Wanted<NumberExpectation | DistributionExpectation>,
): Check {
  const meant = named(reading, name).filter(({ labels }) => selects(selector, labels));
  const fitting = value === undefined ? meant : meant.filter((series) => isValue(value, series.value));
  const series = showSelector(name, selector) + (value === undefined ? '' : ` with ${showValue(value)}`);
  return {
    pass: fitting.length > 0,
    expected: value,
    actual: meant.map((one) => one.value),
    message: (negated) =>
      negated
        ? `Expected ${reading.what} not to have ${series}, but it has:${fitting.map((one) => `\n  ${showWithValue(one)}`).join('')}`
        : `Expected ${reading.what} to have ${series}, but it does not.${nearMisses(reading, name, selector)}`,
  };
}

/** All samples, histograms and summaries of this name. */
function named(reading: Reading, name: string): SeenSeries[] {
  return reading.families.flatMap((family) => {
    const distributions = family.name === name && isDistribution(family) ? seriesOf(family) : [];
    return [...distributions, ...family.samples.filter((sample) => sample.name === name)];
  });
}

/** Passes if the selected counters were incremented; with a value, if their increments add up to it. */
export function checkCounted(reading: Reading, { name, selector, value }: Wanted<NumberExpectation>): Check {
  const families = ofType(reading, name, 'counter', ({ type }) => type === 'counter' || type === 'unknown');
  const series = families.flatMap(seriesOf).filter(({ labels }) => selects(selector, labels));
  const total = series.reduce((sum, one) => sum + (one.value as number), 0);
  const by = value === undefined ? '' : ` by ${showNumber(value)}`;
  const was = total === 0 ? 'it was not counted' : `it was counted by ${total}`;
  return {
    pass: value === undefined ? total > 0 : isNumber(value, total),
    expected: value,
    actual: total,
    message: (negated) =>
      `Expected ${showSelector(name, selector)} ${negated ? 'not ' : ''}to have been counted${by}, but ${was}.` +
      (negated ? '' : nearMisses(reading, name, selector)),
  };
}

/** Passes if the selected series observed values; with a value, if their total count and sum match it. */
export function checkObserved(reading: Reading, { name, selector, value }: Wanted<DistributionExpectation>): Check {
  const families = ofType(reading, name, 'histogram or summary', isDistribution);
  const series = families.flatMap(seriesOf).filter(({ labels }) => selects(selector, labels));
  const values = series.map((one) => one.value as Distribution);
  const actual = values.reduce((a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }), { count: 0, sum: 0 });
  const wanted = value === undefined ? 'values' : showValue(value);
  const was = actual.count === 0 ? 'nothing' : showValue(actual);
  return {
    pass: value === undefined ? actual.count > 0 : isValue(value, actual),
    expected: value,
    actual,
    message: (negated) =>
      `Expected ${showSelector(name, selector)} ${negated ? 'not ' : ''}to have observed ${wanted}, but it has observed ${was}.` +
      (negated ? '' : nearMisses(reading, name, selector)),
  };
}

/** The families of a name. Throws for another type, because that is a mistake in the test. */
function ofType(reading: Reading, name: string, type: string, fits: (family: SeenFamily) => boolean): SeenFamily[] {
  const families = reading.families.filter((family) => family.name === name);
  const other = families.find((family) => !fits(family));
  if (other === undefined) return families;
  throw new ConfigurationError('INVALID_CONFIG', `Expected ${name} to be a ${type}, but it is a ${other.type}`);
}

/** Relative error that is allowed for sums of fractions, so that 0.1 + 0.2 equals 0.3. */
const TOLERANCE = 1e-9;

function isNumber(wanted: NumberExpectation, actual: number): boolean {
  if (isAsymmetric(wanted)) return wanted.asymmetricMatch(actual);
  if (Object.is(wanted, actual) || wanted === actual) return true;
  return Math.abs(wanted - actual) <= TOLERANCE * Math.max(Math.abs(wanted), Math.abs(actual));
}

function isValue(wanted: NumberExpectation | DistributionExpectation, actual: number | Distribution): boolean {
  if (typeof wanted === 'number' || isAsymmetric(wanted)) {
    return isAsymmetric(wanted)
      ? wanted.asymmetricMatch(actual)
      : typeof actual === 'number' && isNumber(wanted, actual);
  }
  checkOptionNames(wanted, DISTRIBUTION);
  if (typeof actual === 'number') return false;
  return (['count', 'sum'] as const).every((part) => {
    const expected = wanted[part];
    return expected === undefined || isNumber(expected, actual[part]);
  });
}

function showNumber(value: NumberExpectation): string {
  return isAsymmetric(value) ? showMatcher(value) : String(value);
}

function showValue(value: NumberExpectation | DistributionExpectation): string {
  if (typeof value === 'number' || isAsymmetric(value)) return `value ${showNumber(value)}`;
  const { count, sum } = value;
  const parts = Object.entries({ count, sum }).filter(([, part]) => part !== undefined);
  return parts.map(([name, part]) => `${name} ${showNumber(part as NumberExpectation)}`).join(' and ');
}

/** Validates the arguments of an assertion: `(labels?, value?)`, or a number as the only argument. */
export function wantedOf<V>(name: unknown, labels: unknown, value: V | undefined): Wanted<V> {
  if (typeof name !== 'string' || name === '') {
    throw new ConfigurationError('INVALID_CONFIG', `Expected the name of a metric but received ${describe(name)}`);
  }
  if (typeof labels === 'number' && value === undefined) return { name, selector: {}, value: labels as V };
  if (labels !== undefined && (typeof labels !== 'object' || labels === null)) {
    throw new ConfigurationError('INVALID_CONFIG', `Expected an object for labels but received ${describe(labels)}`);
  }
  return { name, selector: (labels ?? {}) as Selector, value };
}
