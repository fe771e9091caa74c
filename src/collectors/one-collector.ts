/**
 * Makes the functions of prom-client's files `lib/metrics/*`: each registers the default metrics of one collector.
 */
import type { Registry } from '../registry/registry';
import type { CollectDefaultMetrics } from './default-metrics';
import type { DefaultMetric, DefaultMetricsCollectorConfiguration } from './options';

/** Registers the metrics of one collector, with the options of `collectDefaultMetrics()`. */
export interface OneCollector {
  (register?: Registry, options?: DefaultMetricsCollectorConfiguration): void;
  /** The names of its metrics, as far as the platform has them. */
  readonly metricNames: string[];
}

/** Takes the function and the class of the main entry, because a second copy of the library must use those of the first. */
export function oneCollector(
  collect: CollectDefaultMetrics,
  OwnRegistry: typeof Registry,
  name: DefaultMetric,
): OneCollector {
  const collector = (register?: Registry, options?: DefaultMetricsCollectorConfiguration): void => {
    collect({ ...options, register, include: [name], exclude: [] });
  };
  const metricNames = () => {
    const register = new OwnRegistry();
    const stop = collect({ register, include: [name] });
    const names = register.getMetricsAsArray().map((metric) => metric.name);
    stop();
    return names;
  };
  return Object.defineProperty(collector, 'metricNames', { get: metricNames }) as OneCollector;
}
