/**
 * Returns the metric of a registry that a configuration names, or creates it. Must not know the types of metrics.
 */
import { RegistrationError } from '../errors';
import { allowsUtf8, checkConfiguration, isSame, type MetricRegistry } from '../metrics/metric';
import type { MetricType } from '../types';
import type { AnyMetric } from './entries';

/** A registry that finds its metrics by name. */
interface Searched extends MetricRegistry {
  getSingleMetric(name: string): unknown;
}

/** What metrics of a type may differ in; all others in their buckets. */
const DIFFERING: Partial<Record<MetricType, string>> = { summary: 'percentiles', stateset: 'states' };

/**
 * The metric of a configuration's name in a registry; created if it does not exist.
 *
 * @throws {RegistrationError} `TYPE_MISMATCH` if the registered metric is another one
 */
export function getOrCreate<C extends { name: string; registers?: unknown }, M extends AnyMetric>(
  registry: Searched,
  type: new (configuration: C) => M,
  configuration: C,
): M {
  checkConfiguration(configuration);
  const found = registry.getSingleMetric(configuration.name);
  // Creating the metric checks the configuration, whether or not the name is registered.
  if (found === undefined) return new type({ ...configuration, registers: [registry] });
  const nowhere = { [allowsUtf8]: registry[allowsUtf8], registerMetric() {}, removeSingleMetric() {} };
  const wanted = new type({ ...configuration, registers: [nowhere] });
  if (found instanceof type && isSame(found, wanted)) return found;
  throw new RegistrationError(
    'TYPE_MISMATCH',
    `Expected ${configuration.name} to be the ${(found as AnyMetric).type ?? 'metric'} it was registered as, with the same label names and ${DIFFERING[wanted.type] ?? 'buckets'}, but received another ${wanted.type}`,
  );
}
