/**
 * Collects all functions and classes of one copy of the package, for `realm.ts` to share. The public names are listed
 * in `entry/index.ts`.
 */
import { addon } from './native/addon';
import { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE, Registry } from './registry/registry';
import type * as Testing from './testing/index';

export { collectDefaultMetrics } from './collectors/default-metrics';
export {
  AgentMetricsCollector,
  agentCollectorOf,
  LlmMetricsCollector,
  llmCollectorOf,
} from './collectors/on-first-use';
export { configFromEnv } from './config';
export {
  CardinalityError,
  ConfigurationError,
  EndpointError,
  LabelError,
  MetricsError,
  NegativeIncrementError,
  RegistrationError,
  ValueError,
} from './errors';
export { startExporter } from './http/exporter';
export { fastifyMetrics } from './http/fastify';
export { createFetchHandler } from './http/fetch';
export { createMetricsHandler } from './http/handler';
export { createFastifyHttpMetrics } from './http/metrics/fastify';
export { createHttpMetrics } from './http/metrics/middleware';
export { exponentialBuckets, linearBuckets } from './metrics/buckets';
export { Counter } from './metrics/counter';
export { Gauge } from './metrics/gauge';
export { Histogram } from './metrics/histogram';
export { Info } from './metrics/info';
export { StateSet } from './metrics/state-set';
export { Summary } from './metrics/summary';
export { AggregatorRegistry, aggregators, ClusterRegistry, WorkerRegistry } from './processes/on-first-use';
export { Pushgateway } from './push/on-first-use';
export { Registry } from './registry/registry';

/** The default registry: metrics without `registers` are registered here. */
export const register: Registry = Registry.globalRegistry;
export const prometheusContentType = PROMETHEUS_CONTENT_TYPE;
export const openMetricsContentType = OPENMETRICS_CONTENT_TYPE;

/** Loads the testing kit. Only tests call this, so a service in production never loads it. */
export function testing(): typeof Testing {
  return require('./testing/index') as typeof Testing;
}

/** True if a string is a valid metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`. */
export function validateMetricName(name: string): boolean {
  return typeof name === 'string' && addon.isMetricName(name);
}
