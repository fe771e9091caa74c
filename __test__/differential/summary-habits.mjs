// Habits in programs with summaries: kept children, timers, subclasses, replaced methods, private fields.

import { help, scene, withoutSeconds } from './scene.mjs';

const percentiles = [0.5, 0.9];

/** Habits in programs of both peers. */
export const ofSummaries = {
  async 'summaries: methods of a child without this'(client) {
    const { registry, make } = scene(client);
    const { observe, startTimer } = make('Summary', 's', { labelNames: ['a'], percentiles: [] }).labels('x');
    observe(1);
    startTimer()();
    for (const value of [2, 3]) observe(value);
    return withoutSeconds(await registry.metrics());
  },
  async 'summaries: methods of a child as keys of an object'(client) {
    const child = scene(client)
      .make('Summary', 's', { labelNames: ['a'] })
      .labels('x');
    const copy = { ...child };
    return [Object.keys(copy).sort(), Object.keys(copy).every((name) => copy[name] === child[name])];
  },
  async 'summaries: a kept method of a child after remove() and reset()'(client) {
    const { registry, make } = scene(client);
    const summary = make('Summary', 's', { labelNames: ['a'], percentiles });
    const { observe } = summary.labels('x');
    observe(5);
    summary.remove('x');
    observe(6);
    const first = await registry.metrics();
    summary.reset();
    observe(7);
    return [first, await registry.metrics()];
  },
  async 'summaries: labels that are completed while a timer runs'(client) {
    const { registry, make } = scene(client);
    const summary = make('Summary', 's', { labelNames: ['status', 'route'], percentiles: [] });
    const labels = {};
    const end = summary.startTimer(labels);
    labels.status = '200';
    end({ route: '/' });
    labels.status = '500';
    end();
    return withoutSeconds(await registry.metrics());
  },
  async 'summaries: a timer calls a replaced observe()'(client) {
    const summary = scene(client).make('Summary', 's', { labelNames: ['a'] });
    const seen = [];
    summary.observe = (labels, value) => seen.push(labels, typeof value);
    summary.startTimer({ a: 'x' })();
    summary.labels('y').startTimer()();
    summary.labels('z').observe(1);
    return seen;
  },
  async 'summaries: subclasses with collect(), observe() and get()'(client) {
    const { registry } = scene(client);
    class Filled extends client.Summary {
      collect() {
        this.reset();
        this.observe({ a: 'x' }, 3);
      }
    }
    class Halved extends client.Summary {
      observe(labels, value) {
        super.observe(labels, value / 2);
      }
    }
    class Counts extends client.Summary {
      async get() {
        const answer = await super.get();
        return { ...answer, values: answer.values.filter(({ metricName }) => metricName?.endsWith('_count')) };
      }
    }
    const config = { help, labelNames: ['a'], percentiles, registers: [registry] };
    new Filled({ ...config, name: 'filled' });
    new Halved({ ...config, name: 'halved' }).observe({ a: 'x' }, 3);
    new Counts({ ...config, name: 'counts' }).observe({ a: 'x' }, 3);
    return [await registry.metrics(), await registry.getMetricsAsJSON()];
  },
  async 'summaries: members that programs read'(client) {
    const { make } = scene(client);
    const window = { percentiles, maxAgeSeconds: 60, ageBuckets: 5, pruneAgedBuckets: true, compressCount: 10 };
    const own = (summary) => {
      const { name, type, labelNames, aggregator, percentiles, compressCount } = summary;
      const { maxAgeSeconds, ageBuckets, pruneAgedBuckets } = summary;
      return {
        name,
        type,
        labelNames,
        aggregator,
        percentiles,
        compressCount,
        maxAgeSeconds,
        ageBuckets,
        pruneAgedBuckets,
      };
    };
    const plain = own(make('Summary', 'plain'));
    return [own(make('Summary', 's', { ...window, labelNames: ['a'] })), { ...plain, pruneAgedBuckets: false }];
  },
  async 'a summary in registries that are merged, and one that is registered again'(client) {
    const { registry, make } = scene(client);
    const summary = make('Summary', 's', { percentiles });
    summary.observe(1);
    const other = new client.Registry();
    other.registerMetric(new client.Summary({ name: 'o', help, percentiles, registers: [] }));
    const merged = client.Registry.merge([registry, other]);
    summary.observe(2);
    const first = await merged.metrics();
    registry.clear();
    registry.registerMetric(summary);
    return [first, await registry.metrics(), await registry.getSingleMetricAsString('s')];
  },
  async 'summaries: messages of errors'(client) {
    const summary = scene(client).make('Summary', 's', { labelNames: ['a'] });
    const calls = [
      () => summary.labels('x', 'y'),
      () => summary.remove('x', 'y'),
      () => summary.observe({ q: 1 }, 1),
      () => summary.observe({ a: 'x' }, 'five'),
      () => summary.labels('x').observe('five'),
      () => new client.Summary({ name: 'q', help, labelNames: ['quantile'] }),
      () => new client.Summary({ name: 's' }),
    ];
    return calls.map((call) => {
      try {
        return `returns ${call()}`;
      } catch (error) {
        return error.message;
      }
    });
  },
};

/** Habits in programs of prom-client alone. */
export const ofSummariesOfPromClient = {
  async 'hashMap of summaries'(client) {
    const { registry, make } = scene(client);
    const summary = make('Summary', 's', { labelNames: ['a'], percentiles });
    for (const value of [1, 2, 4]) summary.observe({ a: 'x' }, value);
    summary.observe({ a: 'y' }, 1);
    const seen = Object.entries(summary.hashMap).map(([key, { labels, td, count, sum }]) => {
      return [key, labels, count, sum, percentiles.map((quantile) => td.percentile(quantile))];
    });
    delete summary.hashMap['a:x,'];
    const first = await registry.metrics();
    summary.hashMap = {};
    return [seen, first, await registry.metrics()];
  },
  async 'hashMap of a summary without labels'(client) {
    const { count, sum, labels } = scene(client).make('Summary', 's').hashMap[''];
    return [count, sum, labels];
  },
};
