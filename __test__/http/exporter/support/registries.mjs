// Makes the registries that the tests of the endpoint scrape.

import { Counter, Gauge, Registry } from '@llm-devops/prometheus-metrics';

/** Two families of one series each. */
export function smallRegistry(options) {
  const registry = new Registry(options);
  new Counter({ name: 'c', help: 'Some help', registers: [registry] }).inc(2);
  new Gauge({ name: 'g', help: 'Some help', registers: [registry] }).set(3);
  return registry;
}

/** One counter with some 3000 bytes a series: 6 MB, more than the buffers of a connection hold, unless told otherwise. */
export function longRegistry(series = 2000) {
  const registry = new Registry();
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'n'], registers: [registry] });
  for (let n = 0; n < series; n++) counter.inc({ a: 'x'.repeat(2980), n });
  return registry;
}

/** One counter with this number of series, some 60 bytes each. */
export function seriesRegistry(series, options) {
  const registry = new Registry({ cardinality: { maxSeries: series }, ...options });
  const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['model', 'n'], registers: [registry] });
  for (let n = 0; n < series; n++) counter.inc({ model: 'gpt-4o-mini-2024-07-18', n }, n / 8);
  return registry;
}

/** `smallRegistry()` in text 0.0.4. */
export const SMALL_TEXT = `# HELP c Some help
# TYPE c counter
c 2

# HELP g Some help
# TYPE g gauge
g 3
`;

/** `smallRegistry()` in OpenMetrics. */
export const SMALL_OPENMETRICS = `# HELP c Some help
# TYPE c counter
c_total 2
# HELP g Some help
# TYPE g gauge
g 3
# EOF
`;
