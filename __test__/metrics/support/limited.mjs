// Makes metrics with limits for the tests of cardinality, and counts the calls over them.

import { Histogram, Registry } from '@llm-devops/prometheus-metrics';

export const quiet = { warn() {} };

/** A metric of one or more labels in a registry of its own. */
export function of(Class, { labelNames = ['a'], cardinality, registry = {}, ...more } = {}) {
  const registers = [new Registry({ logger: quiet, ...registry })];
  const config = { name: 'm', help: 'Some help', labelNames, registers, ...(cardinality && { cardinality }) };
  const metric = new Class({ ...config, ...(Class === Histogram && { buckets: [1] }), ...more });
  return { registry: registers[0], metric };
}

/** How many calls of a metric had a label set over a limit. */
export function overflow(registry) {
  return registry.cardinality().metrics[0].overflow;
}
