/**
 * Collects all functions and classes of one copy of the package, for `realm.ts` to share. The public names are listed
 * in `entry/index.ts`.
 */
import { isMainThread } from 'node:worker_threads';
import type * as Config from './config';
import type * as Databases from './databases/clients';
import { EndpointError } from './errors';
import type * as Exporter from './http/exporter';
import type * as Fastify from './http/fastify';
import type * as Fetch from './http/fetch';
import type * as Handler from './http/handler';
import type * as Clients from './http/metrics/clients';
import type * as HttpMetrics from './http/metrics/middleware';
import type * as Servers from './http/metrics/servers';
import { addon } from './native/addon';
import { RUN, sharedWith } from './native/contributor';
import type * as Registries from './processes/registries';
import type * as Share from './processes/share';
import type * as Pushers from './push/pusher';
import type * as Push from './push/pushgateway';
import type * as Aggregation from './registry/aggregation';
import { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE, Registry } from './registry/registry';
import type * as Testing from './testing/index';

export {
  AgentMetricsCollector,
  agentCollectorOf,
  collectDefaultMetrics,
  LlmMetricsCollector,
  llmCollectorOf,
} from './collectors/on-first-use';
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
export { exponentialBuckets, linearBuckets } from './metrics/buckets';
export { Counter } from './metrics/counter';
export { Gauge } from './metrics/gauge';
export { Histogram } from './metrics/histogram';
export { Info } from './metrics/info';
export { StateSet } from './metrics/state-set';
export { Summary } from './metrics/summary';
export { Registry } from './registry/registry';

/** The default registry: metrics without `registers` are registered here. */
export const register: Registry = Registry.globalRegistry;
export const prometheusContentType = PROMETHEUS_CONTENT_TYPE;
export const openMetricsContentType = OPENMETRICS_CONTENT_TYPE;

// Most programs use few of the following, so each is loaded when a program first uses it.

interface OnFirstCall {
  readonly configFromEnv: typeof Config.configFromEnv;
  readonly createMetricsHandler: typeof Handler.createMetricsHandler;
  readonly createFetchHandler: typeof Fetch.createFetchHandler;
  readonly createHttpMetrics: typeof HttpMetrics.createHttpMetrics;
  readonly startExporter: typeof Exporter.startExporter;
  readonly shareProcesses: typeof Share.shareProcesses;
  readonly startPusher: typeof Pushers.startPusher;
  readonly withMetrics: typeof Pushers.withMetrics;
}

/** Methods, because these keep their names in stack traces. */
const onFirstCall: OnFirstCall = {
  configFromEnv(...options) {
    return (require('./config') as typeof Config).configFromEnv(...options);
  },
  createMetricsHandler(...options) {
    return (require('./http/handler') as typeof Handler).createMetricsHandler(...options);
  },
  createFetchHandler(...options) {
    return (require('./http/fetch') as typeof Fetch).createFetchHandler(...options);
  },
  createHttpMetrics(...options) {
    return (require('./http/metrics/middleware') as typeof HttpMetrics).createHttpMetrics(...options);
  },
  async startExporter(...options) {
    return exporter().startExporter(...options);
  },
  shareProcesses(...options) {
    return share().shareProcesses(...options);
  },
  async startPusher(...options) {
    return pushers().startPusher(...options);
  },
  withMetrics(...options) {
    return pushers().withMetrics(...options);
  },
};

export const configFromEnv: typeof Config.configFromEnv = onFirstCall.configFromEnv;
export const createMetricsHandler: typeof Handler.createMetricsHandler = onFirstCall.createMetricsHandler;
export const createFetchHandler: typeof Fetch.createFetchHandler = onFirstCall.createFetchHandler;
export const createHttpMetrics: typeof HttpMetrics.createHttpMetrics = onFirstCall.createHttpMetrics;
export const startExporter: typeof Exporter.startExporter = onFirstCall.startExporter;
export const shareProcesses: typeof Share.shareProcesses = onFirstCall.shareProcesses;
export const startPusher: typeof Pushers.startPusher = onFirstCall.startPusher;
export const withMetrics: typeof Pushers.withMetrics = onFirstCall.withMetrics;

/** Classes and tables of the main entry that are loaded when they are read. */
export const onFirstRead = {
  get Pushgateway(): typeof Push.Pushgateway {
    return (require('./push/pushgateway') as typeof Push).Pushgateway;
  },
  get AggregatorRegistry(): typeof Registries.AggregatorRegistry {
    return registries().AggregatorRegistry;
  },
  get ClusterRegistry(): typeof Registries.ClusterRegistry {
    return registries().ClusterRegistry;
  },
  get WorkerRegistry(): typeof Registries.WorkerRegistry {
    return registries().WorkerRegistry;
  },
  get aggregators(): typeof Aggregation.aggregators {
    return (require('./registry/aggregation') as typeof Aggregation).aggregators;
  },
};

function share(): typeof Share {
  return require('./processes/share') as typeof Share;
}

function pushers(): typeof Pushers {
  return require('./push/pusher') as typeof Pushers;
}

function registries(): typeof Registries {
  return require('./processes/registries') as typeof Registries;
}

/** A process without file descriptors cannot load the exporter either: for its caller both are one failure. */
function exporter(): typeof Exporter {
  try {
    return require('./http/exporter') as typeof Exporter;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
    throw new EndpointError('BIND_FAILED', `Expected to load the exporter but failed: ${message}`);
  }
}

/** Loads the plugins for Fastify. */
export function fastify(): typeof Fastify {
  return require('./http/fastify') as typeof Fastify;
}

/** Records the requests of all servers. */
export const watchServers: typeof Servers.watchServers = () =>
  (require('./http/metrics/servers') as typeof Servers).watchServers();

/** Records the requests that the program sends. */
export const watchClients: typeof Clients.watchClients = () =>
  (require('./http/metrics/clients') as typeof Clients).watchClients();

/** Records the operations of databases' clients. */
export const watchDatabases: typeof Databases.watchDatabases = () =>
  (require('./databases/clients') as typeof Databases).watchDatabases();

export const startYieldingExporter: typeof Exporter.startYieldingExporter = async (options) =>
  exporter().startYieldingExporter(options);

/** Loads the testing kit. Only tests call this, so a service in production never loads it. */
export function testing(): typeof Testing {
  return require('./testing/index') as typeof Testing;
}

/** True if a string is a valid metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`. */
export function validateMetricName(name: string): boolean {
  return typeof name === 'string' && addon.isMetricName(name);
}

/** Takes part in the run of the process in a thread, and in that of the primary in a worker of `node:cluster`. */
export function joinAsWorker(): void {
  // Only a process with a channel to its parent can be a worker. Most programs load nothing here.
  const mayJoin = isMainThread
    ? typeof process.send === 'function' && process.env[RUN] !== undefined
    : sharedWith().length > 0;
  if (mayJoin) share().joinAsWorker();
}
