// Lists what programs do with the classes of prom-client: they extend them, replace their methods, and wrap their objects.
// Each program gets a library and returns what it saw.

import { help, scene } from './scene.mjs';

/** Habits in programs of both peers. */
export const ofClasses = {
  async 'methods of a class that a test replaces'(client) {
    const { registry, make } = scene(client);
    const seen = [];
    const { set } = client.Gauge.prototype;
    client.Gauge.prototype.set = function spy(...args) {
      seen.push(args.length);
      return set.apply(this, args);
    };
    try {
      const gauge = make('Gauge', 'g', { labelNames: ['a'] });
      gauge.set({ a: 'x' }, 1);
      gauge.labels('x').set(2);
      gauge.labels('y').startTimer()();
      gauge.labels('z').setToCurrentTime();
    } finally {
      client.Gauge.prototype.set = set;
    }
    const { getMetricsAsString } = client.Registry.prototype;
    client.Registry.prototype.getMetricsAsString = async ({ name }) => `# ${name}`;
    try {
      seen.push(await registry.metrics());
    } finally {
      client.Registry.prototype.getMetricsAsString = getMetricsAsString;
    }
    return seen;
  },
  async 'a subclass of Registry that chooses the format'(client) {
    class Open extends client.Registry {
      get contentType() {
        return client.Registry.OPENMETRICS_CONTENT_TYPE;
      }
    }
    const registry = new Open();
    new client.Counter({ name: 'c', help, registers: [registry] }).inc();
    return [await registry.metrics(), registry.contentType];
  },
  async 'collect() of a subclass'(client) {
    const { registry } = scene(client);
    class Depth extends client.Gauge {
      constructor() {
        super({ name: 'depth', help, registers: [registry] });
        this.source = () => 50;
      }
      collect() {
        this.set(this.source());
      }
    }
    class Jobs extends client.Counter {
      async collect() {
        await null;
        this.reset();
        this.inc({ state: 'done' }, 3);
      }
    }
    class Sizes extends client.Histogram {
      collect = () => {
        this.reset();
        this.observe(2);
      };
    }
    const depth = new Depth();
    new Jobs({ name: 'jobs', help, labelNames: ['state'], registers: [registry] });
    new Sizes({ name: 'sizes', help, buckets: [1, 5], registers: [registry] });
    const seen = [await registry.metrics(), (await depth.get()).values];
    return [...seen, await registry.getMetricsAsJSON(), await registry.getSingleMetricAsString('depth')];
  },
  async 'collect() that is inherited over two classes, and calls the one above'(client) {
    const { registry } = scene(client);
    class Above extends client.Gauge {
      collect() {
        this.set(1);
      }
    }
    class Below extends Above {
      collect() {
        super.collect();
        this.inc(4);
      }
    }
    new Below({ name: 'g', help, registers: [registry] });
    return registry.metrics();
  },
  async 'collect() of the configuration before that of a subclass'(client) {
    const { registry } = scene(client);
    class Own extends client.Gauge {
      collect() {
        this.set(1);
      }
    }
    new Own({
      ...{ name: 'g', help, registers: [registry] },
      collect() {
        this.set(2);
      },
    });
    return registry.metrics();
  },
  async 'collect() that is assigned later'(client) {
    const { registry, make } = scene(client);
    const gauge = make('Gauge', 'g');
    const before = await registry.metrics();
    gauge.collect = function collect() {
      this.set(7);
    };
    const after = await registry.metrics();
    gauge.collect = undefined;
    gauge.set(1);
    return [before, after, await registry.metrics()];
  },
  async 'get() of a subclass, and one that is replaced later'(client) {
    const { registry, make } = scene(client);
    class Fresh extends client.Gauge {
      async get() {
        this.set({ a: 'x' }, 5);
        return super.get();
      }
    }
    new Fresh({ name: 'fresh', help, labelNames: ['a'], registers: [registry] });
    class Own extends client.Histogram {
      async get() {
        const answer = await super.get();
        return { ...answer, values: answer.values.filter(({ metricName }) => metricName.endsWith('_count')) };
      }
    }
    new Own({ name: 'own', help, buckets: [1], registers: [registry] }).observe(1);
    const json = await registry.getMetricsAsJSON();
    const counter = make('Counter', 'later');
    counter.get = async () => ({
      name: 'later',
      help,
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: 9, labels: {} }],
    });
    return [json, await registry.getSingleMetricAsString('fresh'), await registry.getSingleMetricAsString('later')];
  },
  async 'methods of a subclass with super'(client) {
    const { registry } = scene(client);
    class Tagged extends client.Gauge {
      inc(labels, value) {
        super.inc({ ...labels, team: 'a' }, value);
      }
      labels(...args) {
        return super.labels(...args, 'b');
      }
      remove(...args) {
        super.remove(...args, 'b');
      }
      reset() {
        super.reset();
        this.resets = (this.resets ?? 0) + 1;
      }
    }
    const gauge = new Tagged({ name: 'g', help, labelNames: ['x', 'team'], registers: [registry] });
    gauge.inc({ x: '1' }, 2);
    gauge.labels('2').set(3);
    const before = await registry.metrics();
    gauge.remove('2');
    const removed = await registry.metrics();
    registry.resetMetrics();
    return [before, removed, await registry.metrics(), gauge.resets];
  },
  async 'members of a subclass with names of this library'(client) {
    const { registry } = scene(client);
    class Own extends client.Gauge {
      series = ['s'];
      register() {
        return 'register';
      }
      init() {
        return 'init';
      }
      value = 5;
      time() {
        return 'time';
      }
      unlabelled() {
        return 'unlabelled';
      }
      removeMatching() {
        return 'removeMatching';
      }
    }
    const own = new Own({ name: 'g', help, registers: [registry] });
    own.inc(2);
    return [
      own.series,
      own.register(),
      own.init(),
      own.value,
      own.time(),
      own.removeMatching(),
      await registry.metrics(),
    ];
  },
  async 'a subclass of Registry'(client) {
    class Own extends client.Registry {
      seen = [];
      registerMetric(metric) {
        this.seen?.push(metric.name);
        super.registerMetric(metric);
      }
      gauge(name) {
        return new client.Gauge({ name, help, registers: [this] });
      }
      counter = (name) => new client.Counter({ name, help, registers: [this] });
      scrape() {
        return this.metrics();
      }
    }
    const own = new Own();
    own.gauge('g').set(1);
    own.counter('c').inc();
    return [own.seen, await own.scrape(), own instanceof client.Registry, own.contentType];
  },
  async 'a subclass of Registry that selects, sorts and writes metrics'(client) {
    class Sorted extends client.Registry {
      getMetricsAsArray(...args) {
        return super
          .getMetricsAsArray(...args)
          .filter(({ name }) => !name.startsWith('hidden'))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
      }
    }
    class Marked extends client.Registry {
      async getMetricsAsString(metric) {
        return `# ${metric.name}\n${await super.getMetricsAsString(metric)}`;
      }
    }
    const texts = [];
    for (const Class of [Sorted, Marked]) {
      for (const type of [client.Registry.PROMETHEUS_CONTENT_TYPE, client.Registry.OPENMETRICS_CONTENT_TYPE]) {
        const registry = new Class(type);
        for (const name of ['b', 'hidden', 'a']) new client.Gauge({ name, help, registers: [registry] }).set(1);
        texts.push(await registry.metrics(), await registry.getSingleMetricAsString('b'));
      }
    }
    return texts;
  },
  async 'a Proxy around a registry'(client) {
    const { registry, make } = scene(client);
    const seen = [];
    const proxy = new Proxy(registry, {
      get(target, name, receiver) {
        seen.push(name);
        return Reflect.get(target, name, receiver);
      },
    });
    make('Gauge', 'g').set(1);
    new client.Counter({ name: 'c', help, labelNames: ['a'], registers: [proxy] }).inc({ a: 'x' });
    proxy.setDefaultLabels({ pod: 'p' });
    const text = await proxy.metrics();
    proxy.removeSingleMetric('g');
    const names = proxy.getMetricsAsArray().map(({ name }) => name);
    proxy.resetMetrics();
    proxy.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE);
    const { contentType } = proxy;
    proxy.clear();
    return [
      text,
      names,
      contentType,
      await registry.getMetricsAsJSON(),
      seen.includes('metrics'),
      proxy instanceof client.Registry,
    ];
  },
  async 'an object that inherits from a registry, and a Proxy around metrics'(client) {
    const { registry, make } = scene(client);
    const heir = Object.create(registry);
    new client.Gauge({ name: 'g', help, registers: [heir] }).set(4);
    const proxied = (metric) => new Proxy(metric, {});
    proxied(make('Counter', 'c', { labelNames: ['a'] })).inc({ a: 'x' }, 2);
    proxied(make('Histogram', 'h', { buckets: [1] })).observe(0.5);
    proxied(make('Gauge', 'k', { labelNames: ['a'] }))
      .labels('x')
      .set(3);
    return [await heir.metrics(), await registry.metrics()];
  },
};
