// Compiles what typed programs of both peers do: subclasses, mocks, type arguments, configurations. It is never run.

import client, {
  type CollectFunction,
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  type LabelValues,
  type Metric,
  type MetricConfiguration,
  type MetricObject,
  type MetricObjectWithValues,
  type MetricValue,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
  type RegistryContentType,
  register,
} from '@llm-devops/prometheus-metrics';

const help = 'Some help';

// Subclasses, with members whose names this library uses for methods of its own.

class Depth extends Gauge {
  constructor(private readonly source: () => number) {
    super({ name: 'depth', help });
  }
  collect() {
    this.set(this.source());
  }
}

class Later extends Gauge<'a'> {
  async collect(): Promise<void> {
    this.set({ a: 'x' }, 1);
  }
}

class AsProperty extends Counter<'a'> {
  collect = () => this.reset();
}

class OwnGauge extends Gauge<'a'> {
  init(options: { size: number }, rest: string[]): string {
    return `${options.size}${rest}`;
  }
  time(): Date {
    return new Date();
  }
  value = () => 'a value';
  removeMatching(pattern: RegExp): RegExp {
    return pattern;
  }
  registers = 5;
  series = new Map<string, number>();
  register(): this {
    return this;
  }
  override inc(labels?: LabelValues<'a'> | number, value?: number): void {
    if (labels === undefined || typeof labels === 'number') super.inc(labels);
    else super.inc(labels, value);
  }
}

class OwnHistogram extends Histogram<'a'> {
  init(): void {}
  value(percentile: number): number {
    return percentile;
  }
  time<R>(run: () => R, name: string): [R, string] {
    return [run(), name];
  }
  bounds = [1, 2];
}

class OwnCounter<T extends string> extends Counter<T> {
  value(): string {
    return 'text';
  }
}

class OwnRegistry extends Registry {
  private readonly gauges = new Map<string, Gauge<string>>();
  gauge(name: string, gaugeHelp: string, labelNames: string[]): Gauge<string> {
    const gauge = this.gauges.get(name) ?? new Gauge({ name, help: gaugeHelp, labelNames, registers: [this] });
    this.gauges.set(name, gauge);
    return gauge;
  }
  counter = (name: string) => new Counter({ name, help, registers: [this] });
  histogram<T extends string>(configuration: HistogramConfiguration<T>): { created: Histogram<T> } {
    return { created: new Histogram(configuration) };
  }
  async scrape(): Promise<string> {
    return this.metrics();
  }
  mount(path: string): void {
    this.setDefaultLabels({ path });
  }
  cardinality(): number {
    return 5;
  }
  setTtl(): this {
    return this;
  }
  setSanitizer(sanitizer: (text: string) => string): string {
    return sanitizer('');
  }
  setCardinality = 5 as unknown as () => number;
}

class PlainRegistry extends Registry<OpenMetricsContentType> {
  override registerMetric<T extends string>(metric: Metric<T>): void {
    super.registerMetric(metric);
  }
  override async metrics(): Promise<string> {
    return `${await super.metrics()}\n`;
  }
}

// Mocks of children, of metrics and of registries.

const counterChild: Counter.Internal = { inc() {} };
const histogramChild: Histogram.Internal<'a'> = { observe() {}, startTimer: () => () => 1 };
const gaugeChild: Gauge.Internal<'a'> = {
  inc: () => {},
  dec() {},
  set() {},
  setToCurrentTime() {},
  startTimer: () => () => 1,
};
new Counter({ name: 'c', help }).labels = () => counterChild;
new Gauge({ name: 'g', help, labelNames: ['a'] }).labels = () => gaugeChild;
const mocked = { inc: (_labels?: LabelValues<'a'> | number, _value?: number) => {}, reset() {} };
export const asCounter = mocked as unknown as Counter<'a'>;
export const partial: Pick<Gauge<'a'>, 'inc' | 'reset'> = mocked;

// Type arguments and assignments.

const several = new Gauge({ name: 'g', help, labelNames: ['a', 'b'] });
export const fewer: Gauge<'a'> = several;
export const anyNames: Counter<'a'> = new Counter<string>({ name: 'c', help, labelNames: ['a'] });
export const anyOf: Counter<string> = new Counter<'a'>({ name: 'c', help });
export const anyMetric: Metric = new Histogram({ name: 'h', help, labelNames: ['a'] });
export const metrics: Metric<string>[] = [several, anyNames, anyMetric];
const infers: Histogram<'a' | 'b'> = new Histogram({ name: 'h', help, labelNames: ['a', 'b'] });
infers.observe({ a: 'x', b: 1 }, 5);
// @ts-expect-error: the histogram has no label of this name
infers.observe({ c: 'x' }, 5);
// @ts-expect-error: the gauge has no label of this name
several.set({ a: 'x', c: 'y' }, 5);
// @ts-expect-error: the gauge has no label of this name
several.value({ a: 'x', c: 'y' });
// @ts-expect-error: the counter has no label of this name
register.counter({ name: 'c', help, labelNames: ['a'] }).inc({ q: 1 });
const created: Counter<'a' | 'b'> = register.counter({ name: 'c', help, labelNames: ['a', 'b'] });
export const text: number = created.value({ a: 'x' });

function wrap<T extends string>(counter: Counter<T>, labels: LabelValues<T>): Counter.Internal {
  counter.inc(labels, 2);
  return counter.labels(labels);
}
wrap(new Counter({ name: 'c', help, labelNames: ['a'] }), { a: 'x' }).inc(3);

function startsTimer<T extends string>(
  histogram: Histogram<T>,
  labels: LabelValues<T>,
): (more?: LabelValues<T>) => number {
  const { startTimer } = histogram.labels(labels);
  startTimer()();
  return histogram.startTimer(labels);
}
startsTimer(infers, { a: 'x' })({ b: 'y' });

// Labels and buckets that are changed after they were made.

const labels: LabelValues<'a' | 'b'> = { a: 'x' };
labels.b = 5;
export const given: (string | number | undefined)[] = Object.values(labels);
several.inc(labels);

interface Defaults {
  service: string;
}
const defaults: Defaults = { service: 'api' };
register.setDefaultLabels(defaults);

const configuration: HistogramConfiguration<'a'> = { name: 'h', help, labelNames: ['a'], buckets: [1, 2] };
const buckets: number[] = configuration.buckets ?? [];
buckets.push(5);
new Histogram(configuration);
new Histogram({ name: 'h', help, buckets: [1, 2] as const });
export const common: MetricConfiguration<'a'> = configuration;
export const bare: Omit<MetricConfiguration<string>, 'name'> = { help, labelNames: ['x'] };
new Gauge({ name: 'g', help, labelNames: ['a'] as const });
const names: string[] = ['a', 'b'];
new Counter({ name: 'c', help, labelNames: names }).inc({ a: 1 });

const collect: CollectFunction<Gauge<'a'>> = function collect() {
  this.set({ a: 'x' }, 1);
};
export const gaugeConfiguration: GaugeConfiguration<'a'> = { name: 'g', help, labelNames: ['a'], collect };
export const counterConfiguration: CounterConfiguration<'a'> = {
  name: 'c',
  help,
  registers: [register, new Registry()],
  collect() {
    this.inc({ a: 'x' });
  },
};
new Gauge({
  name: 'g',
  help,
  labelNames: ['a'],
  collect() {
    this.set({ a: 'x' }, 1);
  },
});

// Registries.

export const ofText: Registry<PrometheusContentType> = register;
export const ofEither: Registry = new Registry<OpenMetricsContentType>();
export const inferred: Registry<OpenMetricsContentType> = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
export const registers: (Registry<PrometheusContentType> | Registry<OpenMetricsContentType>)[] = [ofText, inferred];
new Counter({ name: 'c', help, registers });
function formatOf<T extends RegistryContentType>(registry: Registry<T>): string {
  return registry.contentType;
}
formatOf(register);
formatOf(Registry.merge([register, new Registry()]));
register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);

register.getSingleMetric('g')?.reset();
register.getSingleMetric('g')?.remove('x');
register.getSingleMetric('g')?.labels('x');
export const found = register.getSingleMetric('g') as Gauge<'a'>;
export const foundNamed: Metric<'a'> | undefined = register.getSingleMetric<'a'>('g');
register.registerMetric(several);
register.registerMetric(anyMetric);
for (const metric of register.getMetricsAsArray()) register.removeSingleMetric(metric.name + metric.help + metric.type);
export const objects: MetricObject[] = register.getMetricsAsArray('sum');
export const json: Promise<MetricObjectWithValues<MetricValue<string>>[]> = register.getMetricsAsJSON();
export const summed: Promise<MetricObjectWithValues<MetricValue<string>>[]> = register.getMetricsAsJSON('sum');
export const one: Promise<string> = register.getMetricsAsString(several);

export async function firstValue(gauge: Gauge<'a'>): Promise<[number, string | number | undefined]> {
  const [{ value, labels: seen }] = (await gauge.get()).values;
  return [value, seen.a];
}
export async function firstName(histogram: Histogram<'a'>): Promise<string | undefined> {
  return (await histogram.get()).values[0]?.metricName;
}

export const calls: (() => void)[] = [
  () => client.collectDefaultMetrics<PrometheusContentType>({ register: ofText }),
  client.collectDefaultMetrics,
];
export const stop: () => void = client.collectDefaultMetrics();

const exemplars = new Counter({ name: 'c', help, labelNames: ['a'], enableExemplars: true });
exemplars.inc({ labels: { a: 'x' }, value: 2, exemplarLabels: { trace_id: 't' } });
const increase: client.IncreaseDataWithExemplar<'a'> = { labels: { a: 'x' } };
exemplars.inc(increase);
const observation: client.ObserveDataWithExemplar<'a'> = { value: 1 };
infers.observe(observation);

export const classes = [Depth, Later, AsProperty, OwnGauge, OwnHistogram, OwnCounter, OwnRegistry, PlainRegistry];
export { histogramChild };
