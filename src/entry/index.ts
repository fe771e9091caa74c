/**
 * Exports the main entry: all public names except those of the other files of this folder.
 */
import type * as Api from '../api';
import type * as Registries from '../processes/registries';
import type * as Push from '../push/pushgateway';
import { api } from '../realm';
import type * as Aggregation from '../registry/aggregation';
import type { RegistryContentType } from '../types';

export const register: Api.Registry = api.register;
export const Registry: typeof Api.Registry = api.Registry;
export type Registry<B extends RegistryContentType = RegistryContentType> = Api.Registry<B>;
export const Counter: typeof Api.Counter = api.Counter;
export type Counter<T extends string = string> = Api.Counter<T>;
export const Gauge: typeof Api.Gauge = api.Gauge;
export type Gauge<T extends string = string> = Api.Gauge<T>;
export const Histogram: typeof Api.Histogram = api.Histogram;
export type Histogram<T extends string = string> = Api.Histogram<T>;
export const Summary: typeof Api.Summary = api.Summary;
export type Summary<T extends string = string> = Api.Summary<T>;
export const Info: typeof Api.Info = api.Info;
export type Info<T extends string = string> = Api.Info<T>;
export const StateSet: typeof Api.StateSet = api.StateSet;
export type StateSet<S extends string = string, T extends string = string> = Api.StateSet<S, T>;

/** A function without arguments and result. */
export type Collector = () => void;

export const linearBuckets: typeof Api.linearBuckets = api.linearBuckets;
export const exponentialBuckets: typeof Api.exponentialBuckets = api.exponentialBuckets;
export const validateMetricName: typeof Api.validateMetricName = api.validateMetricName;
export const collectDefaultMetrics: typeof Api.collectDefaultMetrics = api.collectDefaultMetrics;
export const createMetricsHandler: typeof Api.createMetricsHandler = api.createMetricsHandler;
export const startExporter: typeof Api.startExporter = api.startExporter;
export const shareProcesses: typeof Api.shareProcesses = api.shareProcesses;
export const startPusher: typeof Api.startPusher = api.startPusher;
export const withMetrics: typeof Api.withMetrics = api.withMetrics;
export const LlmMetricsCollector: typeof Api.LlmMetricsCollector = api.LlmMetricsCollector;
export type LlmMetricsCollector = Api.LlmMetricsCollector;
export const AgentMetricsCollector: typeof Api.AgentMetricsCollector = api.AgentMetricsCollector;
export type AgentMetricsCollector = Api.AgentMetricsCollector;
export declare const Pushgateway: typeof Push.Pushgateway;
export type Pushgateway<T extends RegistryContentType = RegistryContentType> = Push.Pushgateway<T>;
export declare const AggregatorRegistry: typeof Registries.AggregatorRegistry;
export type AggregatorRegistry<T extends RegistryContentType = RegistryContentType> = Registries.AggregatorRegistry<T>;
export declare const ClusterRegistry: typeof Registries.ClusterRegistry;
export type ClusterRegistry<T extends RegistryContentType = RegistryContentType> = Registries.ClusterRegistry<T>;
export declare const WorkerRegistry: typeof Registries.WorkerRegistry;
export type WorkerRegistry<T extends RegistryContentType = RegistryContentType> = Registries.WorkerRegistry<T>;
export declare const aggregators: typeof Aggregation.aggregators;
export const configFromEnv: typeof Api.configFromEnv = api.configFromEnv;
export const createFetchHandler: typeof Api.createFetchHandler = api.createFetchHandler;
export const createHttpMetrics: typeof Api.createHttpMetrics = api.createHttpMetrics;

/** The content type of the default registry's `metrics()`. With `require`, it follows later changes. */
export const contentType: RegistryContentType = register.contentType;
export const prometheusContentType: typeof Api.prometheusContentType = api.prometheusContentType;
export const openMetricsContentType: typeof Api.openMetricsContentType = api.openMetricsContentType;

export const MetricsError: typeof Api.MetricsError = api.MetricsError;
export type MetricsError = Api.MetricsError;
export const RegistrationError: typeof Api.RegistrationError = api.RegistrationError;
export type RegistrationError = Api.RegistrationError;
export const ValueError: typeof Api.ValueError = api.ValueError;
export type ValueError = Api.ValueError;
export const NegativeIncrementError: typeof Api.NegativeIncrementError = api.NegativeIncrementError;
export type NegativeIncrementError = Api.NegativeIncrementError;
export const LabelError: typeof Api.LabelError = api.LabelError;
export type LabelError = Api.LabelError;
export const CardinalityError: typeof Api.CardinalityError = api.CardinalityError;
export type CardinalityError = Api.CardinalityError;
export const ConfigurationError: typeof Api.ConfigurationError = api.ConfigurationError;
export type ConfigurationError = Api.ConfigurationError;
export const EndpointError: typeof Api.EndpointError = api.EndpointError;
export type EndpointError = Api.EndpointError;

export type { AgentExecutionReport, AgentMetricsCollectorOptions } from '../collectors/agent/agent-collector';
export type { AgentExecution } from '../collectors/agent/execution';
export type { CollectDefaultMetrics, StopCollecting } from '../collectors/default-metrics';
export type { GenAiNames } from '../collectors/gen-ai';
export type { GenAiVersion } from '../collectors/gen-ai-catalogue';
export type { LlmCall, LlmOutcome } from '../collectors/llm/call';
export type { LlmMetricsCollectorOptions, LlmOptionalMetrics } from '../collectors/llm/llm-collector';
export type { LlmObjectives } from '../collectors/llm/objectives';
export type { DatedPrice, LongContextPrices, Price, PriceTable, TokenPrices } from '../collectors/llm/prices';
export type { LlmEnd, LlmMedia, LlmRequest, LlmTarget, LlmUsage, ModelUsage } from '../collectors/llm/request';
export type { UserLabelOption, UserLabels } from '../collectors/llm/user-label';
export type {
  DefaultMetric,
  DefaultMetricsCollectorConfiguration,
  DefaultMetricsGroup,
} from '../collectors/options';
export type * from '../collectors/words';
export type { EndpointSettings, ListenerSettings, MetricsConfig, PusherSettings } from '../config';
export type { MetricsErrorCode } from '../errors';
export type { Authenticate, Visitor } from '../http/authenticate';
export type { Exporter, ExporterOptions } from '../http/exporter';
export type { FetchMetricsHandler } from '../http/fetch';
export type { MetricsHandler, MetricsHandlerOptions } from '../http/handler';
export type { KoaDoorContext, KoaDoorMiddleware } from '../http/koa';
export type { HonoContext, HonoMiddleware } from '../http/metrics/hono';
export type { KoaContext, KoaMiddleware } from '../http/metrics/koa';
export type { FetchHandler, FetchMetricsOptions, HttpMetrics } from '../http/metrics/middleware';
export type { HttpMetricsOptions, HttpMetricsSettings, HttpRequestLine } from '../http/metrics/options';
export type { ReadinessCheck, ReadinessChecks } from '../http/readiness';
export type { SanitizerAction, SanitizerDetections, SanitizerOptions } from '../labels/sanitizer';
export type { CounterConfiguration, CounterSeries } from '../metrics/counter';
export type {
  ExemplarLabels,
  IncreaseDataWithExemplar,
  ObserveDataWithExemplar,
  WithExemplar,
} from '../metrics/exemplar';
export type { GaugeConfiguration, GaugeSeries } from '../metrics/gauge';
export type {
  HistogramConfiguration,
  HistogramSeries,
  HistogramValue,
  NativeHistogramValue,
} from '../metrics/histogram';
export type { InfoConfiguration, InfoSeries } from '../metrics/info';
export type { MetricConfiguration } from '../metrics/metric';
export type { NativeHistogramOptions } from '../metrics/native-options';
export type { StateSeries, StateSetConfiguration } from '../metrics/state-set';
export type { SummaryConfiguration, SummarySeries, SummaryValue } from '../metrics/summary';
export type { SummaryOptions } from '../metrics/summary-options';
export type { Timer } from '../metrics/timer';
export type { SharedProcesses, ShareProcessesOptions } from '../processes/share';
export type { Pusher, PusherOptions, PusherStats } from '../push/pusher';
export type { PushgatewayAnswer } from '../push/pushgateway';
export type { AggregatorFunction } from '../registry/aggregation';
export type { AnyMetric, RegisteredMetric } from '../registry/entries';
export type { KnownMetric as Metric, RegistryOptions } from '../registry/registry';
export type { ScrapeOptions, ScrapeResponse } from '../registry/scraping';
export type {
  Aggregator,
  AnyLabels,
  CardinalityOptions,
  CardinalityReport,
  Charset,
  CollectFunction,
  ExemplarValue,
  ForeignMetric,
  LabelValue,
  LabelValues,
  Logger,
  MetricCardinality,
  MetricObject,
  MetricObjectWithValues,
  MetricType,
  MetricValue,
  MetricValueWithName,
  NameRule,
  OpenMetricsContentType,
  OpenMetricsMIME,
  OpenMetricsVersion,
  OverflowPolicy,
  PrometheusContentType,
  PrometheusMetricsVersion,
  PrometheusMIME,
  RegistryCardinalityOptions,
  RegistryContentType,
} from '../types';

// `require` loads these when they are first read. A test may replace them, like every other export.
for (const name of ['Pushgateway', 'AggregatorRegistry', 'ClusterRegistry', 'WorkerRegistry', 'aggregators'] as const) {
  const property = { enumerable: true, configurable: true };
  Object.defineProperty(exports, name, {
    ...property,
    get: () => api.onFirstRead[name],
    set: (value) => Object.defineProperty(exports, name, { ...property, writable: true, value }),
  });
}

// As in prom-client, `require(...).contentType` reads and sets the content type of the default registry.
Object.defineProperty(exports, 'contentType', {
  enumerable: true,
  get: () => register.contentType,
  set: (contentType: RegistryContentType) => register.setContentType(contentType),
});
