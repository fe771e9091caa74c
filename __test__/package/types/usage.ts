// Code that must compile, and code that the compiler must reject. types.test.mjs compiles it as CommonJS, as an ES
// module and for bundlers; it is never run. A line under `@ts-expect-error` that compiles is an error itself.

import type { IncomingMessage, ServerResponse } from 'node:http';
import * as client from '@llm-devops/prometheus-metrics';
import {
  type Aggregator,
  type AnyMetric,
  CardinalityError,
  type CardinalityOptions,
  type CardinalityReport,
  type CollectDefaultMetrics,
  Counter,
  type CounterConfiguration,
  type CounterSeries,
  collectDefaultMetrics,
  type contentType,
  createFetchHandler,
  createHttpMetrics,
  createMetricsHandler,
  type DefaultMetric,
  type DefaultMetricsCollectorConfiguration,
  type DefaultMetricsGroup,
  exponentialBuckets,
  type FetchMetricsHandler,
  type ForeignMetric,
  Gauge,
  type GaugeSeries,
  Histogram,
  type HistogramSeries,
  type HistogramValue,
  type HttpMetrics,
  LabelError,
  type LabelValues,
  type Logger,
  linearBuckets,
  type MetricObjectWithValues,
  MetricsError,
  type MetricsErrorCode,
  type MetricsHandler,
  type MetricValue,
  type OverflowPolicy,
  openMetricsContentType,
  prometheusContentType,
  Registry,
  type RegistryCardinalityOptions,
  type RegistryContentType,
  register,
  type SanitizerAction,
  type SanitizerOptions,
  type ScrapeResponse,
  type StopCollecting,
  type Timer,
  validateMetricName,
} from '@llm-devops/prometheus-metrics';

/** True if two types are the same, and not merely assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_ extends true>(): void {}

// Label names are inferred from labelNames.

const counter = new Counter({ name: 'c', help: 'Some help', labelNames: ['method', 'status'] });
check<Same<typeof counter, Counter<'method' | 'status'>>>();
counter.inc();
counter.inc(2);
counter.inc(null);
counter.inc({ method: 'GET' });
counter.inc({ method: 'GET', status: 200 }, 2);
counter.inc({ method: undefined, status: null });
counter.inc({ method: true, status: 5n });
// @ts-expect-error: no such label
counter.inc({ route: '/' });
// @ts-expect-error: no such label, beside an existing one
counter.inc({ method: 'GET', route: '/' });
// @ts-expect-error: a value is a number
counter.inc({ method: 'GET' }, '2');
// @ts-expect-error: a value is a number
counter.inc('2');
// @ts-expect-error: counters do not go down
counter.dec();
// @ts-expect-error: an object is not a label value
counter.inc({ method: {} });

const labelNames = ['method', 'status'] as const;
const fromConstant = new Counter({ name: 'c', help: 'Some help', labelNames });
check<Same<typeof fromConstant, Counter<'method' | 'status'>>>();
// @ts-expect-error: no such label
fromConstant.inc({ route: '/' });

const readonlyNames: readonly ('a' | 'b')[] = ['a', 'b'];
const fromReadonly = new Gauge({ name: 'g', help: 'Some help', labelNames: readonlyNames });
check<Same<typeof fromReadonly, Gauge<'a' | 'b'>>>();

const dynamicNames: string[] = ['a'];
const dynamic = new Counter({ name: 'c', help: 'Some help', labelNames: dynamicNames });
check<Same<typeof dynamic, Counter<string>>>();
dynamic.inc({ anything: 'x' });

// Annotations.

const annotated: Counter<'a'> = new Counter({ name: 'c', help: 'Some help', labelNames: ['a'] });
const wide: Counter = new Counter({ name: 'c', help: 'Some help' });
const explicit = new Histogram<'a' | 'b'>({ name: 'h', help: 'Some help', labelNames: ['a', 'b'] });
explicit.observe({ a: 'x' }, 1);
// @ts-expect-error: no such label
annotated.inc({ b: 'x' });
// @ts-expect-error: the name is not among the annotated ones
new Counter<'a'>({ name: 'c', help: 'Some help', labelNames: ['b'] });
wide.inc({ any: 'x' });

class Service {
  readonly requests: Counter<'route'>;
  constructor(registers: Registry[]) {
    this.requests = new Counter({ name: 'c', help: 'Some help', labelNames: ['route'], registers });
  }
}
new Service([register]).requests.inc({ route: '/' });

// Configuration.

// @ts-expect-error: help is mandatory
new Counter({ name: 'c' });
// @ts-expect-error: name is mandatory
new Counter({ help: 'Some help' });
// @ts-expect-error: counters have no buckets
new Counter({ name: 'c', help: 'Some help', buckets: [1] });
// @ts-expect-error: no such aggregator
new Gauge({ name: 'g', help: 'Some help', aggregator: 'median' });
const configuration: CounterConfiguration<'a'> = { name: 'c', help: 'Some help', labelNames: ['a'], registers: [] };
check<Same<InstanceType<typeof Counter>, Counter<string>>>();
new Counter(configuration).inc({ a: 1 });
const aggregators: Aggregator[] = ['omit', 'sum', 'first', 'min', 'max', 'average'];
for (const aggregator of aggregators) new Gauge({ name: 'g', help: 'Some help', registers: [], aggregator });

// collect() has its metric as this.

new Gauge({
  name: 'g',
  help: 'Some help',
  labelNames: ['a'],
  collect() {
    check<Same<typeof this, Gauge<'a'>>>();
    this.set({ a: 'x' }, 1);
    // @ts-expect-error: no such label
    this.set({ b: 'x' }, 1);
  },
});
new Counter({
  name: 'c',
  help: 'Some help',
  async collect() {
    await Promise.resolve();
    this.inc();
    // @ts-expect-error: counters cannot be set
    this.set(1);
  },
});
new Histogram({
  name: 'h',
  help: 'Some help',
  buckets: [1] as const,
  collect() {
    this.observe(1);
  },
});

// Children that are kept.

const countOf: CounterSeries = counter.labels('GET', 200);
countOf.inc();
countOf.inc(2);
// @ts-expect-error: a child has its labels
countOf.inc({ method: 'GET' });
check<Same<ReturnType<typeof counter.labels>, CounterSeries>>();
counter.labels({ method: 'GET' }).inc();
// @ts-expect-error: no such label
counter.labels({ route: '/' });

const gauge = new Gauge({ name: 'g', help: 'Some help', labelNames: ['a'] });
const levelOf: GaugeSeries = gauge.labels('x');
levelOf.set(1);
levelOf.inc();
levelOf.dec(2);
levelOf.setToCurrentTime();
// @ts-expect-error: set needs a value
levelOf.set();
// @ts-expect-error: set needs a value
gauge.set({ a: 'x' });

const histogram = new Histogram({ name: 'h', help: 'Some help', labelNames: ['a'], buckets: linearBuckets(0, 1, 3) });
const distributionOf: HistogramSeries = histogram.labels({ a: 'x' });
distributionOf.observe(1);
// @ts-expect-error: observe needs a value
histogram.observe({ a: 'x' });
new Histogram({ name: 'h', help: 'Some help', buckets: exponentialBuckets(1, 2, 3) }).observe(1);

// Removing and reading.

counter.remove('GET', '200');
counter.remove({ method: 'GET' });
// @ts-expect-error: no such label
counter.remove({ route: '/' });
counter.reset();
histogram.zero({ a: 'x' });
const count: number = counter.value({ method: 'GET' });
const level: number = gauge.value();
const distribution: HistogramValue = histogram.value({ a: 'x' });
const [{ le, count: atOrBelow }] = distribution.buckets;
check<Same<[typeof le, typeof atOrBelow, typeof count, typeof level], [number, number, number, number]>>();
// @ts-expect-error: no such label
counter.value({ route: '/' });

async function read(): Promise<void> {
  const { name, help, type, aggregator, values } = await counter.get();
  check<Same<[typeof name, typeof help, typeof aggregator], [string, string, Aggregator]>>();
  check<Same<typeof type, 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset' | 'untyped'>>();
  for (const { value, labels } of values) {
    check<Same<typeof value, number>>();
    labels.method;
    labels.le;
    // @ts-expect-error: no such label
    labels.route;
  }
  const sample: MetricValue | undefined = values[0];
  sample?.metricName?.toUpperCase();
  sample?.exemplar?.timestamp.toFixed();
}

// Timers.

const end = histogram.startTimer({ a: 'x' });
const seconds: number = end();
end({ a: 'y' });
// @ts-expect-error: no such label
end({ b: 'y' });
end[Symbol.dispose]();
const timer: Timer<'a'> = gauge.startTimer();
timer();
{
  using _timer = histogram.startTimer({ a: 'x' });
}
const text: string = histogram.time(() => 'x');
const promise: Promise<number> = gauge.time({ a: 'x' }, async () => seconds);
// @ts-expect-error: no such label
histogram.time({ b: 'x' }, () => {});

// Exemplars.

const withExemplars = new Counter({ name: 'c', help: 'Some help', labelNames: ['a'], enableExemplars: true });
withExemplars.inc({ labels: { a: 'x' }, value: 2, exemplarLabels: { trace_id: 'x' } });
const observed = new Histogram({ name: 'h', help: 'Some help', labelNames: ['a'], enableExemplars: true });
observed.observe({ labels: { a: 'x' }, value: 2, exemplarLabels: { trace_id: 'x' } });
observed.startTimer({ a: 'x' }, { trace_id: 'x' })({ a: 'y' }, { span_id: 'x' });

// Registries.

const registry: Registry = new Registry();
const openMetrics: client.Registry = new client.Registry(Registry.OPENMETRICS_CONTENT_TYPE);
new Registry({ contentType: prometheusContentType, defaultLabels: { pod: 'x', zone: 5 }, logger: console });
// @ts-expect-error: no such content type
new Registry('text/html');
// @ts-expect-error: no such option
new Registry({ labels: {} });
const type: RegistryContentType = registry.contentType;
registry.setContentType(openMetricsContentType);
registry.setDefaultLabels({ pod: 'x' });
registry.registerMetric(counter);
registry.registerMetric(histogram);
registry.removeSingleMetric('c');
registry.clear();
registry.resetMetrics();
Registry.merge([registry, openMetrics, Registry.globalRegistry]).clear();
const metrics: (AnyMetric | ForeignMetric)[] = registry.getMetricsAsArray();
const metric: AnyMetric | ForeignMetric | undefined = registry.getSingleMetric('c');

const foreign: ForeignMetric = {
  name: 'f',
  get: async () => ({
    name: 'f',
    help: 'F',
    type: 'gauge',
    aggregator: 'sum',
    values: [{ value: 1, labels: { a: 'x' } }],
  }),
};
registry.registerMetric(foreign);
// @ts-expect-error: a metric can be asked for its samples
registry.registerMetric({ name: 'x' });

const found = registry.counter({ name: 'c', help: 'Some help', labelNames: ['a'] });
check<Same<typeof found, Counter<'a'>>>();
found.inc({ a: 'x' });
// @ts-expect-error: no such label
found.inc({ b: 'x' });
check<Same<ReturnType<typeof registry.gauge<'x'>>, Gauge<'x'>>>();
registry.histogram({ name: 'h', help: 'Some help', buckets: [1, 2] }).observe(1);

async function scrape(): Promise<ScrapeResponse> {
  const all: string = await registry.metrics();
  const one: string = await registry.getSingleMetricAsString('c');
  const objects: MetricObjectWithValues[] = await registry.getMetricsAsJSON();
  const { status, headers, body } = await registry.scrape({
    accept: 'text/plain',
    acceptEncoding: undefined,
    names: ['c'],
    timeoutMs: 100,
    scope: 'process',
  });
  check<Same<[typeof status, typeof headers, typeof body], [number, Record<string, string>, Buffer]>>();
  // @ts-expect-error: no such option
  await registry.scrape({ name: 'c' });
  return { status: all.length + one.length + objects.length, headers, body };
}

// The handler.

const handler: MetricsHandler = createMetricsHandler({ registry, path: '/prom', timeoutMs: 100, scope: 'own' });
handler.setReady(false);
declare const request: IncomingMessage;
declare const response: ServerResponse;
handler(request, response);
handler(request, response, (error?: unknown) => error);
const listener: (request: IncomingMessage, response: ServerResponse) => void = createMetricsHandler();
// @ts-expect-error: a registry is an object
createMetricsHandler({ registry: 'default' });

// Default metrics.

const stop: StopCollecting = collectDefaultMetrics();
stop();
function scopedMetrics(): void {
  using _ = collectDefaultMetrics({ register: registry, prefix: 'app_', labels: { service: 'gateway', port: 80 } });
}
const chosen: DefaultMetricsCollectorConfiguration<typeof prometheusContentType> = {
  include: ['runtime', 'processCpuTotal'],
  exclude: ['gc'],
  gcDurationBuckets: [0.01, 0.1] as const,
  eventLoopMonitoringPrecision: 20,
  eventLoopLagWindowSeconds: 15,
  eventLoopUtilizationTimeout: 100,
  eventLoopUtilizationBuckets: [0.5],
  eventLoopUtilizationPercentiles: [0.5],
  eventLoopUtilizationAgeBuckets: 5,
  eventLoopUtilizationMaxAgeSeconds: 60,
};
collectDefaultMetrics(chosen);
collectDefaultMetrics(null);
// @ts-expect-error: no such collector
collectDefaultMetrics({ include: ['processes'] });
// @ts-expect-error: no such option
collectDefaultMetrics({ timeout: 5000 });
check<Same<typeof collectDefaultMetrics, CollectDefaultMetrics>>();
check<Same<(typeof collectDefaultMetrics.metricsList)[number], DefaultMetric>>();
const names: string[] = collectDefaultMetrics.metricsList;
const groups: DefaultMetricsGroup[] = ['process', 'runtime'];
// @ts-expect-error: no such group
const noGroup: DefaultMetricsGroup = 'http';

// Errors.

function codeOf(error: unknown): MetricsErrorCode | undefined {
  if (error instanceof LabelError) return error.code;
  return error instanceof MetricsError ? error.code : undefined;
}
// @ts-expect-error: no such code
const wrongCode: MetricsErrorCode = 'WRONG';

// All other exports.

check<Same<typeof contentType, RegistryContentType>>();
check<Same<typeof prometheusContentType, 'text/plain; version=0.0.4; charset=utf-8'>>();
check<Same<typeof openMetricsContentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8'>>();
const valid: boolean = validateMetricName('x');
const logger: Logger = { warn: (message) => message.length };
const labels: LabelValues<'a'> = { a: 'x' };

export {
  client,
  codeOf,
  groups,
  labels,
  listener,
  logger,
  metric,
  metrics,
  names,
  noGroup,
  promise,
  read,
  scopedMetrics,
  scrape,
  text,
  type,
  valid,
  wrongCode,
};

// HTTP: handlers and middleware, for requests of node:http and of fetch.

const httpMetrics: HttpMetrics = createHttpMetrics({
  namespace: 'app',
  ignore: ({ method, path }) => method === 'OPTIONS' || path === '/metrics',
  route: (request) => request.url,
  durationBuckets: [1, 2],
  sizes: false,
  maxRoutes: 10,
});
createHttpMetrics({ ignore: ['/metrics', /^\/health/], registry: undefined });
// @ts-expect-error: a list of paths
createHttpMetrics({ ignore: '/metrics' });
// @ts-expect-error: a route is a string
createHttpMetrics({ route: () => 1 });
const wrapped = httpMetrics.fetch(async (_request: Request, id: number) => new Response(String(id)), { route: '/x' });
check<Same<typeof wrapped, (request: Request, id: number) => Promise<Response>>>();
// @ts-expect-error: the wrapped handler takes the same arguments as the handler
wrapped(new Request('http://x'));
const fetchHandler: FetchMetricsHandler = createFetchHandler({ path: '/m' });
fetchHandler(new Request('http://x'), { peer: '::1' }).then((response) => check<Same<typeof response, Response>>());
fetchHandler.setReady(false);

// Limits, time to live, cleaning, tenants.

const limited = new Counter({
  name: 'c',
  help: 'Some help',
  labelNames: ['method', 'status'],
  cardinality: { maxSeries: 100, maxLabelValues: { method: 10, status: undefined }, policy: 'drop' },
  ttlSeconds: 60,
});
check<Same<typeof limited, Counter<'method' | 'status'>>>();
// @ts-expect-error: no such label
new Gauge({ name: 'g', help: 'Some help', labelNames: ['method'], cardinality: { maxLabelValues: { route: 1 } } });
// @ts-expect-error: a limit is a number
new Gauge({ name: 'g', help: 'Some help', labelNames: ['method'], cardinality: { maxLabelValues: { method: '1' } } });
// @ts-expect-error: no such policy
new Gauge({ name: 'g', help: 'Some help', cardinality: { policy: 'ignore' } });
// @ts-expect-error: the total is a registry's
new Gauge({ name: 'g', help: 'Some help', cardinality: { maxTotal: 1 } });
// @ts-expect-error: seconds are a number
new Histogram({ name: 'h', help: 'Some help', ttlSeconds: '60' });
register.histogram({ name: 'h', help: 'Some help', labelNames: ['a'], cardinality: { maxLabelValues: { a: 1 } } });
// @ts-expect-error: no such label
register.histogram({ name: 'h', help: 'Some help', labelNames: ['a'], cardinality: { maxLabelValues: { b: 1 } } });

limited.init();
limited.init({ method: ['GET', 'POST'], status: [200, undefined] });
limited.init({ method: ['GET'] as const });
// @ts-expect-error: no such label
limited.init({ route: ['/'] });
// @ts-expect-error: a list of values
limited.init({ method: 'GET' });
check<Same<ReturnType<typeof limited.init>, void>>();
check<Same<ReturnType<typeof limited.removeMatching>, number>>();
limited.removeMatching({ method: 'GET' });
limited.removeMatching({});
// @ts-expect-error: no such label
limited.removeMatching({ route: '/' });
// @ts-expect-error: {} selects all
limited.removeMatching();

const policies: OverflowPolicy[] = ['fold', 'drop', 'throw'];
const actions: SanitizerAction[] = ['keep', 'warn', 'redact', 'drop'];
const own: CardinalityOptions<'a'> = { maxSeries: 1, maxLabelValues: { a: 1 }, policy: policies[0] };
const total: RegistryCardinalityOptions = { ...own, maxTotal: 5 };
const cleaning: SanitizerOptions = { maxLength: 5, unicode: 'nfc', reservedPrefixes: ['x_'], detect: actions[1] };
const tenant = new Registry({ cardinality: total, ttlSeconds: 5, sanitize: cleaning, created: true });
tenant.setCardinality(total);
tenant.setTtl(0);
tenant.setCreated(false);
tenant.setSanitizer(true);
tenant.setSanitizer({ detect: { apiKey: 'drop', email: undefined } });
// @ts-expect-error: no such kind
tenant.setSanitizer({ detect: { mail: 'drop' } });
// @ts-expect-error: no such action
tenant.setSanitizer({ detect: 'hide' });
const unmount = register.mount(tenant, { tenant: 'acme', plan: 2, none: undefined });
check<Same<typeof unmount, () => void>>();
// @ts-expect-error: labels are needed
register.mount(tenant);
const report: CardinalityReport = tenant.cardinality();
check<Same<(typeof report.metrics)[number]['labels'], Record<string, { values: number; maxValues?: number }>>>();
try {
  limited.inc();
} catch (error) {
  if (error instanceof CardinalityError) check<Same<typeof error.code, MetricsErrorCode>>();
}
