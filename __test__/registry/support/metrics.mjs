// Makes metrics with short names in a registry of a test.

import { Counter, Gauge, Histogram } from '@llm-devops/prometheus-metrics';

export function counterIn(registry, name = 'c', more = {}) {
  return new Counter({ name, help: 'Some help', registers: [registry], ...more });
}

export function gaugeIn(registry, name = 'g', more = {}) {
  return new Gauge({ name, help: 'Some help', registers: [registry], ...more });
}

export function histogramIn(registry, name = 'h', more = {}) {
  return new Histogram({ name, help: 'Some help', buckets: [1], registers: [registry], ...more });
}
