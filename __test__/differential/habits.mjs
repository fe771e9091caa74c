// Lists what programs do with prom-client beyond its documented calls, as small programs. Each gets a library and returns
// what it saw. habits.test.mjs runs them on this library and on the peers, and the results must be equal.

import { help, scene, withoutSeconds } from './scene.mjs';

/** Habits in programs of both peers. */
export const common = {
  async 'a timer without labels, with null and with inherited labels'(client) {
    const { registry, make } = scene(client);
    const histogram = make('Histogram', 'h', { labelNames: ['a'], buckets: [60] });
    histogram.startTimer()();
    histogram.startTimer(null)({ a: 'x' });
    histogram.startTimer(Object.create({ a: 'inherited' }))();
    return withoutSeconds(await registry.metrics());
  },
  async 'labels that are completed while a histogram timer runs'(client) {
    const { registry, make } = scene(client);
    const histogram = make('Histogram', 'h', { labelNames: ['status', 'route'], buckets: [60] });
    const labels = {};
    const end = histogram.startTimer(labels);
    labels.status = '200';
    end({ route: '/' });
    labels.status = '500';
    end();
    delete labels.status;
    end();
    return withoutSeconds(await registry.metrics());
  },
  async 'labels that are completed while a gauge timer runs'(client) {
    const { registry, make } = scene(client);
    const gauge = make('Gauge', 'g', { labelNames: ['status', 'route'] });
    const labels = { route: '/a' };
    const end = gauge.startTimer(labels);
    labels.status = 200;
    end({ route: '/b' });
    labels.status = undefined;
    end({ route: '/c', status: 'x' });
    return withoutSeconds(await registry.metrics());
  },
  async 'labels and exemplar labels that are completed while a timer runs'(client) {
    const registry = new client.Registry(client.Registry.OPENMETRICS_CONTENT_TYPE);
    const histogram = new client.Histogram({
      ...{ name: 'h', help, labelNames: ['a'], registers: [registry], buckets: [60.5], enableExemplars: true },
    });
    const labels = {};
    const exemplarLabels = {};
    const end = histogram.startTimer(labels, exemplarLabels);
    labels.a = 'x';
    exemplarLabels.trace_id = 't';
    end({}, { span_id: 's' });
    const { values } = await histogram.get();
    return values.map(({ labels, exemplar }) => [labels, exemplar?.labelSet]);
  },
  async 'a timer calls a replaced observe() or set()'(client) {
    const { make } = scene(client);
    const seen = [];
    const histogram = make('Histogram', 'h', { labelNames: ['a'] });
    histogram.observe = (labels, value) => seen.push(labels, typeof value);
    histogram.startTimer({ a: 'x' })();
    histogram.labels('y').startTimer()();
    const gauge = make('Gauge', 'g', { labelNames: ['a'] });
    gauge.set = (labels, value) => seen.push(labels, typeof value);
    gauge.startTimer({ a: 'x' })();
    gauge.labels('y').startTimer()();
    gauge.setToCurrentTime({ a: 'z' });
    gauge.labels('u').set(1);
    return seen;
  },
  async 'a child calls a replaced inc() or dec()'(client) {
    const { make } = scene(client);
    const seen = [];
    const counter = make('Counter', 'c', { labelNames: ['a'] });
    counter.inc = (...args) => seen.push(args);
    counter.labels('x').inc();
    counter.labels({ a: 'y' }).inc(2);
    const gauge = make('Gauge', 'g', { labelNames: ['a'] });
    gauge.dec = (...args) => seen.push(args);
    gauge.labels('x').dec();
    gauge.labels('x').dec(3);
    return seen;
  },
  async 'methods of children without this'(client) {
    const { registry, make } = scene(client);
    const { inc } = make('Counter', 'c', { labelNames: ['a'] }).labels('x');
    inc();
    for (const value of [2, 3]) inc(value);
    const gauge = make('Gauge', 'g', { labelNames: ['a'] }).labels('x');
    const { set, dec, setToCurrentTime, startTimer } = gauge;
    const add = gauge.inc;
    setToCurrentTime();
    startTimer()();
    set(5);
    add();
    dec(3);
    const { observe, startTimer: start } = make('Histogram', 'h', { labelNames: ['a'], buckets: [60] }).labels('x');
    observe(1);
    start()();
    return withoutSeconds(await registry.metrics());
  },
  async 'methods of a child as keys of an object'(client) {
    const { make } = scene(client);
    return ['Counter', 'Gauge', 'Histogram'].map((type) => {
      const child = make(type, type.toLowerCase(), { labelNames: ['a'] }).labels('x');
      const copy = { ...child };
      return [Object.keys(copy).sort(), Object.keys(copy).every((name) => copy[name] === child[name])];
    });
  },
  async 'a kept method of a child after remove() and reset()'(client) {
    const { registry, make } = scene(client);
    const counter = make('Counter', 'c', { labelNames: ['a'] });
    const { inc } = counter.labels('x');
    inc(5);
    counter.remove('x');
    inc(2);
    const first = await registry.metrics();
    counter.reset();
    inc(1);
    return [first, await registry.metrics()];
  },
  async 'buckets as numeric strings'(client) {
    const { make } = scene(client);
    const histogram = make('Histogram', 'h', { buckets: ['0.5', '1', '10'] });
    for (const value of [0.4, 0.5, 2, 11]) histogram.observe(value);
    const { values } = await histogram.get();
    return values.map(({ value, metricName, labels }) => [value, metricName, `${labels.le}`]);
  },
  async 'members of metrics that programs read'(client) {
    const { registry, make } = scene(client);
    const histogram = make('Histogram', 'h', { labelNames: ['b', 'a'], buckets: [1, 2, 5] });
    const gauge = make('Gauge', 'g', { enableExemplars: false, aggregator: 'max' });
    const own = ({ name, help, type, labelNames, aggregator, enableExemplars }) => {
      return { name, help, type, labelNames, aggregator, enableExemplars };
    };
    return [
      own(histogram),
      own(gauge),
      histogram.sortedLabelNames,
      [histogram.upperBounds, histogram.buckets, histogram.bucketValues],
      [histogram.registers.length, histogram.registers[0] === registry, gauge._getValue(), gauge.collect],
    ];
  },
  async 'registers that are read or changed later'(client) {
    const { registry, make } = scene(client);
    const gauge = make('Gauge', 'g');
    gauge.registers = [];
    new client.Gauge({ name: 'k', help, registers: undefined });
    const known = client.register.getSingleMetric('k') !== undefined;
    client.register.removeSingleMetric('k');
    return [gauge.registers.length, known, await registry.metrics()];
  },
  async 'default labels and content type as private fields'(client) {
    const { registry } = scene(client);
    registry.setDefaultLabels({ pod: 'p' });
    return [registry._defaultLabels, registry._contentType];
  },
  async 'objects of other libraries without a name'(client) {
    const { registry, make } = scene(client);
    make('Gauge', 'own').set(1);
    registry.registerMetric({
      get: async () => ({ name: 'foreign', help, type: 'gauge', values: [{ value: 2, labels: { a: 'x' } }] }),
    });
    let message;
    try {
      registry.registerMetric({ get: async () => ({ name: 'second', help, type: 'gauge', values: [] }) });
    } catch (error) {
      message = error.message;
    }
    registry.setDefaultLabels({ pod: 'p' });
    const array = registry.getMetricsAsArray().map(({ name }) => name);
    return [message, array, await registry.metrics(), await registry.getMetricsAsJSON()];
  },
  async 'the text of an object without a name'(client) {
    const { registry } = scene(client);
    registry.setDefaultLabels({ pod: 'p' });
    const metric = {
      get: () => ({ name: 'foreign', help: 'a\nb', type: 'counter', values: [{ value: 2, labels: {} }] }),
    };
    return registry.getMetricsAsString(metric);
  },
  async 'errors of arguments'(client) {
    const { make } = scene(client);
    const messages = [];
    const attempt = (call) => {
      try {
        messages.push(typeof call());
      } catch (error) {
        messages.push(error.message);
      }
    };
    const gauge = make('Gauge', 'g', { labelNames: ['a', 'b'] });
    const counter = make('Counter', 'c', { labelNames: ['a'] });
    const histogram = make('Histogram', 'h', { labelNames: ['a'] });
    for (const metric of [gauge, counter, histogram]) {
      attempt(() => metric.labels('x', 'y', 'z'));
      attempt(() => metric.remove('x', 'y', 'z'));
      attempt(() => metric.remove({ q: 1 }));
    }
    attempt(() => gauge.set('5'));
    attempt(() => gauge.set({ a: 'x' }, '5'));
    attempt(() => gauge.set({ a: 'x' }));
    attempt(() => gauge.inc('5'));
    attempt(() => gauge.labels('x'));
    attempt(() => counter.inc('x'));
    attempt(() => counter.inc({ a: 'x' }, -1));
    attempt(() => counter.inc({ a: 'x' }, 'x'));
    attempt(() => histogram.observe('x'));
    attempt(() => histogram.observe({ a: 'x' }, 'x'));
    attempt(() => histogram.observe({ a: 'x' }));
    attempt(() => new client.Gauge());
    attempt(() => new client.Gauge('g'));
    attempt(() => new client.Gauge('g', help));
    attempt(() => new client.Gauge({}));
    attempt(() => new client.Gauge({ name: 'g' }));
    attempt(() => new client.Gauge({ help }));
    attempt(() => new client.Gauge({ name: 'g', help, collect: 5 }));
    attempt(() => new client.Histogram({ name: 'g', help, labelNames: ['le'] }));
    attempt(() => new client.Registry('x'));
    attempt(() => new client.Registry().setContentType('x'));
    attempt(() => client.linearBuckets(1, 1, 0));
    attempt(() => client.exponentialBuckets(0, 2, 2));
    attempt(() => client.exponentialBuckets(1, 1, 2));
    attempt(() => client.exponentialBuckets(1, 2, 0));
    return messages;
  },
  async 'names and labels of errors and classes'(client) {
    const classes = ['Counter', 'Gauge', 'Histogram', 'Registry'].map((name) => client[name].name);
    return [
      classes,
      client.Registry.globalRegistry === client.register,
      typeof client.validateMetricName('a'),
      client.validateMetricName('a-b'),
    ];
  },
};

/** Habits in programs of prom-client alone. The successor keeps its values elsewhere. */
export const ofPromClient = {
  async 'hashMap of counters and gauges'(client) {
    const { make } = scene(client);
    const counter = make('Counter', 'c');
    const before = counter.hashMap[''].value;
    counter.inc(2);
    const gauge = make('Gauge', 'g', { labelNames: ['b', 'a'] });
    gauge.set({ b: 'x', a: 1 }, 5);
    gauge.set({ a: 'y' }, 6);
    const seen = Object.entries(gauge.hashMap).map(([key, { value, labels }]) => [key, value, labels]);
    return [before, counter.hashMap[''].value, seen, 'a:y,' in gauge.hashMap, gauge.hashMap['a:none,']];
  },
  async 'hashMap of histograms'(client) {
    const { make } = scene(client);
    const histogram = make('Histogram', 'h', { labelNames: ['a'], buckets: [1, 2] });
    for (const value of [0.5, 1.5, 1.6, 7]) histogram.observe({ a: 'x' }, value);
    return histogram.hashMap;
  },
  async 'hashMap that is assigned, and entries that are removed and set'(client) {
    const { registry, make } = scene(client);
    const gauge = make('Gauge', 'g', { labelNames: ['a'] });
    for (const a of ['x', 'y', 'z']) gauge.set({ a }, 1);
    delete gauge.hashMap['a:y,'];
    gauge.hashMap['a:x,'].value = 10;
    gauge.hashMap['a:x,'].value += 2;
    gauge.inc({ a: 'x' });
    const first = await registry.metrics();
    gauge.hashMap = {};
    gauge.set({ a: 'new' }, 2);
    const histogram = make('Histogram', 'h', { labelNames: ['a'], buckets: [1] });
    histogram.observe({ a: 'x' }, 1);
    histogram.hashMap = {};
    return [first, await registry.metrics()];
  },
  async 'hashMap that a subclass fills'(client) {
    const { registry, make } = scene(client);
    const counter = make('Counter', 'c', { labelNames: ['a'] });
    counter.hashMap = { 'a:x,': { value: 5, labels: { a: 'x' } } };
    counter.hashMap['a:y,'] = { value: 6, labels: { a: 'y' } };
    counter.inc({ a: 'x' });
    return registry.metrics();
  },
  async 'metrics as a private field'(client) {
    const { registry, make } = scene(client);
    const gauge = make('Gauge', 'g');
    make('Gauge', 'k');
    const seen = [Object.keys(registry._metrics), registry._metrics.g === gauge, 'k' in registry._metrics];
    delete registry._metrics.k;
    return [...seen, await registry.metrics(), registry._metrics.unknown];
  },
};

/** Habits in programs of the successor alone. */
export const ofSuccessor = {
  async 'metrics as a private field'(client) {
    const { registry, make } = scene(client);
    const gauge = make('Gauge', 'g');
    make('Gauge', 'k');
    const { _metrics: metrics } = registry;
    const seen = [metrics.size, [...metrics.keys()], metrics.get('g') === gauge, metrics.has('x'), [...metrics].length];
    registry._metrics.delete('k');
    return [...seen, await registry.metrics()];
  },
};
