/**
 * Checks limits on series and converts them to the form that the core takes.
 */
import { refuseOption } from '../errors';
import type { SeriesLimits } from '../native/addon';
import { checkOptionNames, optionNames } from '../options';
import type { CardinalityOptions, RegistryCardinalityOptions } from '../types';

/** The largest limit: the core counts series in 32 bits. */
export const LARGEST_LIMIT = 2 ** 32 - 1;
const POLICIES: readonly unknown[] = ['fold', 'drop', 'throw'];

const METRIC_LIMITS = optionNames<CardinalityOptions>('cardinality', {
  maxSeries: true,
  maxLabelValues: true,
  policy: true,
});
export const REGISTRY_LIMITS = optionNames<RegistryCardinalityOptions>('cardinality', {
  maxSeries: true,
  maxLabelValues: true,
  policy: true,
  maxTotal: true,
});

/**
 * Converts the limits of a metric or registry.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG`
 */
export function checkedLimits(options: CardinalityOptions | undefined, names = METRIC_LIMITS): SeriesLimits {
  if (options === undefined) return { labelNames: [], labelLimits: [] };
  if (typeof options !== 'object' || options === null) refuseOption('limits', 'cardinality', options);
  checkOptionNames(options, names);
  const { maxSeries, maxLabelValues = {}, policy } = options;
  if (typeof maxLabelValues !== 'object' || maxLabelValues === null) {
    refuseOption('limits by label', 'cardinality.maxLabelValues', maxLabelValues);
  }
  if (policy !== undefined && !POLICIES.includes(policy))
    refuseOption('fold, drop or throw', 'cardinality.policy', policy);
  const labels = Object.entries(maxLabelValues).filter(([, max]) => max !== undefined);
  const limits: SeriesLimits = {
    labelNames: labels.map(([label]) => label),
    labelLimits: labels.map(([label, max]) => checkedCount(`cardinality.maxLabelValues.${label}`, max) as number),
  };
  const count = checkedCount('cardinality.maxSeries', maxSeries);
  if (count !== undefined) limits.maxSeries = count;
  if (policy !== undefined) limits.policy = policy;
  return limits;
}

/** The limit on all series of a registry. @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkedMaxTotal(options: RegistryCardinalityOptions | undefined): number | undefined {
  return checkedCount('cardinality.maxTotal', options?.maxTotal);
}

function checkedCount(name: string, count: unknown): number | undefined {
  if (count === undefined) return undefined;
  if (Number.isInteger(count) && (count as number) >= 1 && (count as number) <= LARGEST_LIMIT) return count as number;
  return refuseOption(`an integer from 1 to ${LARGEST_LIMIT}`, name, count);
}
