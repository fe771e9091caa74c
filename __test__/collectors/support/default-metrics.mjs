// Shared by the tests of the default metrics: their names, and collections into a registry of a test.

import { setImmediate as turn } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { collectGarbage } from '../../support/garbage.mjs';

export const PROCESS = [
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_virtual_memory_bytes',
  'process_heap_bytes',
  'process_open_fds',
  'process_max_fds',
];
export const LAG = ['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'].map(
  (what) => `nodejs_eventloop_lag_${what}seconds`,
);
export const UTILIZATION = ['nodejs_eventloop_utilization_summary', 'nodejs_eventloop_utilization_histogram'];
export const ACTIVE = ['resources', 'handles', 'requests'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);
export const HEAP = ['nodejs_heap_size_total_bytes', 'nodejs_heap_size_used_bytes', 'nodejs_external_memory_bytes'];
export const SPACES = ['total', 'used', 'available'].map((what) => `nodejs_heap_space_size_${what}_bytes`);
export const RUNTIME = [
  ...LAG,
  ...UTILIZATION,
  ...ACTIVE,
  ...HEAP,
  ...SPACES,
  'nodejs_version_info',
  'nodejs_gc_duration_seconds',
];

/** Collects into a registry of the test's own until the test has ended. */
export function collect(t, options) {
  const registry = new Registry();
  const stop = collectDefaultMetrics({ register: registry, ...options });
  t.teardown(stop);
  return { registry, stop };
}

export function namesIn(registry) {
  return registry.getMetricsAsArray().map(({ name }) => name);
}

/** What a metric shows now: its only value, or the value with these labels. */
export async function read(registry, name, labels = {}) {
  const { values } = (await registry.getMetricsAsJSON()).find((family) => family.name === name);
  const found = values.filter((value) => Object.entries(labels).every(([label, text]) => value.labels[label] === text));
  if (found.length !== 1) throw new Error(`Expected one value of ${name} but received ${JSON.stringify(found)}`);
  return found[0].value;
}

export function block(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Until the engine's report of a collection has come. */
export async function collected(registry, kind) {
  for (let tries = 0; tries < 100; tries++) {
    collectGarbage();
    await turn();
    const value = registry.getSingleMetric('nodejs_gc_duration_seconds').value({ kind });
    if (value !== undefined && value.count > 0) return value;
  }
  throw new Error(`Expected a collection of kind ${kind}`);
}

export const linux = process.platform === 'linux' ? test.serial : test.serial.skip;
