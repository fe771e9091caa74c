// Tests the names of options: everything that takes options refuses an unknown name with the most similar one. What
// prom-client has too only warns, because programs pass options that prom-client ignores.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AgentMetricsCollector,
  ConfigurationError,
  Counter,
  configFromEnv,
  createFetchHandler,
  createHttpMetrics,
  createMetricsHandler,
  Histogram,
  LlmMetricsCollector,
  Registry,
  shareProcesses,
  startExporter,
  startPusher,
} from '@llm-devops/prometheus-metrics';
import { createAiSdkMiddleware, instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { createHttpMetrics as createFastifyHttpMetrics, fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { instrumentMcpClient, instrumentMcpServer } from '@llm-devops/prometheus-metrics/mcp';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import {
  assertObserved,
  assertValidExposition,
  MockClock,
  MockRegistry,
  metricMatchers,
  parseExposition,
  synthesize,
} from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fastify from 'fastify';
import { start } from './http/exporter/support/children.mjs';

const require = createRequire(import.meta.url);
const { addon } = require('../dist/native/addon.js');
const SOURCES = fileURLToPath(new URL('../src', import.meta.url));

const TARGET = { model: 'm', provider: 'p' };
const price = (options) => new LlmMetricsCollector({ registry: new Registry(), prices: { m: options } });
const observed = () => {
  const registry = new Registry();
  new Histogram({ name: 'h', help: 'h', registers: [registry] }).observe(1);
  return registry;
};
const asPlugin = async (options) => {
  const app = fastify();
  app.register(fastifyMetrics, options);
  await app.ready();
};
const closing = async (options) => {
  const exporter = await startExporter({ port: 0, host: '127.0.0.1', registry: new Registry() });
  try {
    await exporter.close(options);
  } finally {
    await exporter.close();
  }
};

/** By options type: for each place that takes it the name in the message, a call, and a misspelled name with the right one. */
const TAKERS = {
  ExporterOptions: [
    ['startExporter', startExporter, 'prot', 'port'],
    ['startExporter', startExporter, 'hots', 'host'],
    ['startExporter', startExporter, 'registery', 'registry'],
    ['startExporter', startExporter, 'cacheTtl', 'cacheTtlMs'],
    ['close', closing, 'timeout', 'timeoutMs'],
  ],
  PusherOptions: [
    ['startPusher', startPusher, 'urls', 'url'],
    ['startPusher', startPusher, 'interval', 'intervalMs'],
    ['startPusher', startPusher, 'registery', 'registry'],
  ],
  ShareProcessesOptions: [['shareProcesses', shareProcesses, 'nam', 'name']],
  MetricsHandlerOptions: [
    ['createMetricsHandler', createMetricsHandler, 'pth', 'path'],
    ['createMetricsHandler', createMetricsHandler, 'bearerToken', 'bearerTokens'],
    ['createFetchHandler', createFetchHandler, 'check', 'checks'],
  ],
  FastifyMetricsOptions: [['fastifyMetrics', asPlugin, 'httpMetric', 'httpMetrics']],
  HttpMetricsOptions: [['createHttpMetrics', createHttpMetrics, 'ignores', 'ignore']],
  FastifyHttpMetricsOptions: [
    ['createHttpMetrics', createFastifyHttpMetrics, 'maxRoute', 'maxRoutes'],
    ['createHttpMetrics', (options) => asPlugin({ httpMetrics: options }), 'namspace', 'namespace'],
  ],
  FetchMetricsOptions: [
    ['fetch', (options) => createHttpMetrics({ registry: new Registry() }).fetch(() => {}, options), 'rout', 'route'],
  ],
  RegistryOptions: [
    ['Registry', (options) => new Registry(options), 'defaultLabel', 'defaultLabels'],
    ['Registry', (options) => new MockRegistry(options), 'ttlSecond', 'ttlSeconds'],
  ],
  RegistryCardinalityOptions: [
    ['cardinality', (options) => new Registry({ cardinality: options }), 'maxSerie', 'maxSeries'],
    ['cardinality', (options) => new Registry().setCardinality(options), 'maxTotals', 'maxTotal'],
  ],
  CardinalityOptions: [
    [
      'cardinality',
      (options) => new Counter({ name: 'c', help: 'h', registers: [], cardinality: options }),
      'polcy',
      'policy',
    ],
  ],
  SanitizerOptions: [
    ['sanitize', (options) => new Registry({ sanitize: options }), 'maxlength', 'maxLength'],
    ['sanitize', (options) => new Registry().setSanitizer(options), 'detects', 'detect'],
  ],
  SanitizerDetections: [
    ['sanitize.detect', (options) => new Registry({ sanitize: { detect: options } }), 'emial', 'email'],
  ],
  ScrapeOptions: [['scrape', (options) => new Registry().scrape(options), 'timeout', 'timeoutMs']],
  LlmMetricsCollectorOptions: [
    ['LlmMetricsCollector', (options) => new LlmMetricsCollector(options), 'price', 'prices'],
    ['objectives', (objectives) => new LlmMetricsCollector({ objectives }), 'duration', 'durationMs'],
  ],
  LlmTarget: [
    ['setBudget', (amounts) => new LlmMetricsCollector().setBudget('b', amounts), 'limitUSD', 'limitUsd'],
    ['setRateLimit', (limits) => new LlmMetricsCollector().setRateLimit(TARGET, 'tokens', limits), 'limits', 'limit'],
  ],
  LlmOptionalMetrics: [['optional', (optional) => new LlmMetricsCollector({ optional }), 'interChunks', 'interChunk']],
  Price: [['prices["m"]', (options) => price({ input: 1, output: 2, ...options }), 'cachedRead', 'cacheRead']],
  DatedPrice: [
    ['prices["m"][0]', (options) => price([{ from: '2026-01-01', input: 1, output: 2, ...options }]), 'fron', 'from'],
  ],
  AgentMetricsCollectorOptions: [
    ['AgentMetricsCollector', (options) => new AgentMetricsCollector(options), 'tool', 'tools'],
  ],
  InstrumentOpenAIOptions: [
    ['instrumentOpenAI', (options) => instrumentOpenAI({}, options), 'include_usage', 'includeUsage'],
  ],
  InstrumentAnthropicOptions: [
    ['instrumentAnthropic', (options) => instrumentAnthropic({}, options), 'colector', 'collector'],
  ],
  InstrumentOptions: [
    ['instrumentGoogleGenAI', (options) => instrumentGoogleGenAI({}, options), 'providers_', 'providers'],
  ],
  AiSdkMiddlewareOptions: [['createAiSdkMiddleware', createAiSdkMiddleware, 'provider', 'providers']],
  InstrumentMcpServerOptions: [['instrumentMcpServer', (options) => instrumentMcpServer({}, options), 'names', 'name']],
  InstrumentAiSdkOptions: [['instrumentAiSdk', instrumentAiSdk, 'agent', 'agents']],
  AiSdkAgentsOptions: [['agents', (agents) => instrumentAiSdk({ agents }), 'finalTool', 'finalTools']],
  LangChainHandlerOptions: [['createLangChainHandler', createLangChainHandler, 'agentTypes', 'agentType']],
  MastraExporterOptions: [['createMastraExporter', createMastraExporter, 'finalTool', 'finalTools']],
  TraceProcessorOptions: [['createTraceProcessor', createTraceProcessor, 'lmm', 'llm']],
  InstrumentMcpClientOptions: [
    ['instrumentMcpClient', (options) => instrumentMcpClient({}, options), 'agentTyp', 'agentType'],
  ],
  MockClockOptions: [['MockClock', (options) => new MockClock(options), 'nw', 'now']],
  OperationFilter: [['operations', (options) => new MockRegistry().operations(options), 'label', 'labels']],
  DistributionExpectation: [
    ['the expected count and sum', (options) => assertObserved(observed(), 'h', {}, options), 'cuont', 'count'],
    ['the expected count and sum', (wanted) => metricMatchers.toHaveMetric(observed(), 'h', {}, wanted), 'sums', 'sum'],
  ],
  ParseOptions: [
    ['parseExposition', (options) => parseExposition('a 1\n', options), 'stict', 'strict'],
    ['parseExposition', (options) => assertValidExposition('a 1\n', options), 'fromat', 'format'],
    ['parseExposition', (options) => metricMatchers.toBeValidExposition('a 1\n', options), 'fromat', 'format'],
  ],
  SynthesizeOptions: [['synthesize', synthesize, 'famlies', 'families']],
};

/** Types of options that others extend, that only warn, or that take any name. */
const OTHERS = [
  'CounterConfiguration',
  'DefaultMetricsCollectorConfiguration',
  'EndpointSettings',
  'GaugeConfiguration',
  'HistogramConfiguration',
  'HttpMetricsSettings',
  'InfoConfiguration',
  'ListenerSettings',
  'MetricConfiguration',
  'NativeHistogramOptions',
  'PusherSettings',
  'StateSetConfiguration',
  'SummaryConfiguration',
  'SummaryOptions',
];

test('the table has all public types of options', (t) => {
  const entries = readdirSync(join(SOURCES, 'entry'), { recursive: true }).filter((file) => file.endsWith('ts'));
  const text = entries.map((file) => readFileSync(join(SOURCES, 'entry', file), 'utf8')).join('\n');
  const KINDS =
    /\b\w*(?:Options|Configuration|Settings|Filter|Detections|OptionalMetrics|Price|DistributionExpectation)\b/g;
  const here = Object.keys(TAKERS).filter((type) => type !== 'LlmTarget');
  t.deepEqual([...new Set(text.match(KINDS))].sort(), [...here, ...OTHERS].sort());
});

for (const [type, takers] of Object.entries(TAKERS)) {
  test.serial(`${type}: an unknown name is refused with the most similar one`, async (t) => {
    for (const [of, take, wrong, right] of takers) {
      const message = `Unknown option "${wrong}" for ${of}. Did you mean "${right}"?`;
      // Even without a value: a name that does not exist is always a mistake.
      for (const value of [1, undefined]) {
        const error = await t.throwsAsync(async () => take({ [wrong]: value }), { instanceOf: ConfigurationError });
        t.is(error.message, message);
        t.is(error.code, 'INVALID_CONFIG');
      }
    }
  });
}

test('a name that is similar to none is shown with the known names, if they are few', async (t) => {
  const message = 'Unknown option "colour" for scrape. Known options: accept, acceptEncoding, names, timeoutMs, scope';
  await t.throwsAsync(new Registry().scrape({ colour: 'red' }), { message });
  await t.throwsAsync(startExporter({ colour: 'red' }), { message: 'Unknown option "colour" for startExporter.' });
});

test('options that are inherited, not enumerable, or named by a symbol are not checked', async (t) => {
  const options = Object.create({ inherited: 1 }, { hidden: { value: 1 } });
  options[Symbol('s')] = 1;
  t.is((await new Registry().scrape(options)).status, 200);
});

test('every setting is an option of the exporter, and those without a listener of each handler', async (t) => {
  const settings = addon.NativeConfig.settings().filter(({ options }) => options !== 'pusher');
  const all = Object.fromEntries(settings.map(({ option }) => [option, undefined]));
  const exporter = await startExporter({ ...all, port: 0, host: '127.0.0.1', registry: new Registry() });
  await exporter.close();
  const listeners = settings.filter(({ options }) => options === 'exporter').map(({ option }) => option);
  t.true(listeners.includes('port') && listeners.includes('tlsKeyFile'), listeners.join());
  for (const [of, make] of Object.entries({ createMetricsHandler, createFetchHandler, fastifyMetrics: asPlugin })) {
    for (const option of listeners) {
      const message = `Expected options of a handler for ${of} but received "${option}", which only startExporter() has: the handler uses your own server's listener`;
      await t.throwsAsync(async () => make({ [option]: 1 }), { instanceOf: ConfigurationError, message });
    }
    const others = settings.filter(({ options }) => options !== 'exporter').map(({ option }) => [option, undefined]);
    await make(Object.fromEntries(others));
  }
});

test('handlers and the exporter take the result of configFromEnv(), also beside other options', async (t) => {
  const variables = {
    METRICS_ENDPOINT_PORT: '0',
    METRICS_ENDPOINT_HOST: '127.0.0.1',
    METRICS_HEADER_TIMEOUT_MS: '5000',
  };
  const makers = Object.entries({ createMetricsHandler, createFetchHandler, fastifyMetrics: asPlugin });
  for (const env of [{}, variables]) {
    const config = configFromEnv(env);
    for (const [of, make] of makers) {
      await make(config);
      await make({ ...config, registry: new Registry(), path: '/internal' });
      // What is set beside it is refused as before.
      const message = new RegExp(`^Expected options of a handler for ${of} but received`);
      await t.throwsAsync(async () => make({ ...config, port: 31_070 }), { instanceOf: ConfigurationError, message });
      await t.throwsAsync(async () => make({ port: config.port }), { instanceOf: ConfigurationError, message });
    }
  }
  const exporter = await startExporter({ ...configFromEnv(variables), path: '/m' });
  t.regex(exporter.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  await exporter.close();
});

test('Fastify adds options of its own', async (t) => {
  await t.notThrowsAsync(asPlugin({ prefix: '/internal', logLevel: 'warn', logSerializers: {}, isReady: () => true }));
});

test('metrics and collectDefaultMetrics warn of misspelled names, once, and ignore others as prom-client does', async (t) => {
  const child = start(t, async ({ client, say }) => {
    const warnings = [];
    process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));
    const { Registry, collectDefaultMetrics } = client;
    const registry = new Registry();
    for (const Type of [client.Counter, client.Gauge, client.Histogram]) {
      new Type({ name: Type.name, help: 'h', registers: [registry], lableNames: ['a'], type: 'counter', origin: 's' });
    }
    registry.counter({ name: 'two', help: 'h', labelName: ['a'] });
    registry.counter({ name: 'three', help: 'h', percentiles: [0.5], maxAgeSeconds: 5, buckets: [1] });
    collectDefaultMetrics({ register: registry, timeout: 5000, timestamps: false, prefx: 'p_' })();
    await new Promise((resolve) => setImmediate(resolve));
    await say(warnings);
  });
  t.deepEqual(await child.heard(), [
    'PrometheusMetricsWarning: Unknown option "lableNames" for a metric is ignored. Did you mean "labelNames"?',
    'PrometheusMetricsWarning: Unknown option "labelName" for a metric is ignored. Did you mean "labelNames"?',
    'PrometheusMetricsWarning: Unknown option "prefx" for collectDefaultMetrics is ignored. Did you mean "prefix"?',
  ]);
});
