// The smallest program per exemption and restriction that shows the difference, and its result in this library. A
// witness takes a client and returns text, or values that JSON can represent.

import { counter, gauge, histogram, OPENMETRICS, outcome, samples } from './witness-metrics.mjs';

export const witnesses = {
  labelObjectKept: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a'] });
      const labels = { a: 'x' };
      metric.inc(labels);
      labels.a = 'y';
      metric.inc(labels);
      return samples(registry);
    },
    here: ['m{a="x"} 1', 'm{a="y"} 1'],
  },

  failedConstructorRegisters: {
    async program(client) {
      const [free, taken] = [new client.Registry(), counter(client, {}).registry];
      const construct = (type, config) => outcome(() => new client[type]({ name: 'm', help: 'Some help', ...config }));
      return [
        await construct('Counter', { registers: [free, taken] }),
        await construct('Histogram', { labelNames: ['le'], registers: [free] }),
        free.getMetricsAsArray().length,
      ];
    },
    here: ['Error: A metric with the name m has already been registered.', 'Error: le is a reserved label keyword', 0],
  },

  invalidNamesUnnamed: {
    async program(client) {
      const construct = (config) => outcome(() => counter(client, config));
      return [await construct({ name: '9 lives' }), await construct({ labelNames: ['fine', 'not fine', '0'] })];
    },
    here: ['Error: Invalid metric name: 9 lives', 'Error: At least one label name is invalid: not fine,0'],
  },

  repeatedLabelName: {
    program(client) {
      return outcome(() => samples(counter(client, { labelNames: ['a', 'b', 'a'] }).registry));
    },
    here: 'Error: Invalid label name: a (given twice to m)',
  },

  defaultLabelNamesUnchecked: {
    async program(client) {
      const { registry } = counter(client, {});
      const error = await outcome(() => registry.setDefaultLabels({ 'not fine': 'x' }));
      return [error, ...(await samples(registry))];
    },
    here: ['Error: At least one label name is invalid: not fine', 'm 0'],
  },

  bucketsUnchecked: {
    program(client) {
      return outcome(() => samples(histogram(client, { buckets: [1, 5, 2] }).registry));
    },
    here: 'Error: Expected finite numbers in ascending order for the buckets of m but received [1.0, 5.0, 2.0]',
  },

  aggregatorUnchecked: {
    program(client) {
      return outcome(() => counter(client, { aggregator: 'median' }).metric.type);
    },
    here: 'TypeError: Expected one of sum, first, latest, omit, average, min, max for aggregator but received "median" of type string',
  },

  infiniteBucket: {
    program(client) {
      return samples(histogram(client, { buckets: [1, Infinity] }).registry);
    },
    here: ['m_bucket{le="1"} 0', 'm_bucket{le="+Inf"} 0', 'm_sum 0', 'm_count 0'],
  },

  unknownMetricUnnamed: {
    program(client) {
      return outcome(() => new client.Registry().getSingleMetricAsString('m'));
    },
    here: 'TypeError: Expected the name of a registered metric but received "m"',
  },

  configurationErrorsAreErrors: {
    program(client) {
      return outcome(() => new client.Registry().setContentType('text/html'));
    },
    here: 'TypeError: Content type text/html is unsupported',
  },

  unknownLabelsSorted: {
    program(client) {
      const { metric } = counter(client, { labelNames: ['b', 'a'] });
      return outcome(() => metric.inc({ c: 'x' }));
    },
    here: `Error: Added label "c" is not included in initial labelset: [ 'b', 'a' ]`,
  },

  collectFailsScrape: {
    async program(client) {
      const { registry, metric } = gauge(client, {
        collect() {
          throw new Error('no connection');
        },
      });
      return [await outcome(() => samples(registry)), await outcome(() => metric.get())];
    },
    here: [['m 0'], 'Error: no connection'],
  },

  collectRunsWhileOthersPrint: {
    async program(client) {
      const { registry, metric } = gauge(client, { labelNames: ['a'] });
      const collect = () => metric.set({ a: 'x' }, 1);
      new client.Gauge({ name: 'later', help: 'Some help', registers: [registry], collect });
      return samples(registry);
    },
    here: ['m{a="x"} 1', 'later 0'],
  },

  exemplarsNeedOpenMetrics: {
    program(client) {
      return outcome(() => samples(counter(client, { enableExemplars: true }).registry));
    },
    here: ['m 0'],
  },

  exemplarTooLong: {
    async program(client) {
      const { registry, metric } = counter(client, { enableExemplars: true }, OPENMETRICS);
      const error = await outcome(() => metric.inc({ exemplarLabels: { trace_id: 'x'.repeat(121) } }));
      return [error, ...(await samples(registry))];
    },
    here: ['Error: Label set size must be smaller than 128 UTF-8 chars', 'm_total 0'],
  },

  exemplarLabelsAsGiven: {
    async program(client) {
      const { registry, metric } = counter(client, { enableExemplars: true }, OPENMETRICS);
      metric.inc({ exemplarLabels: { trace_id: 'x', span: 7 } });
      const [{ values }] = await registry.getMetricsAsJSON();
      return [...(await samples(registry)), JSON.stringify(values[0].exemplar.labelSet)];
    },
    here: ['m_total 1 # {span="7",trace_id="x"} 1 1700000000', '{"span":"7","trace_id":"x"}'],
  },

  exemplarMetricPlainValue: {
    async program(client) {
      const { registry, metric } = counter(client, { enableExemplars: true }, OPENMETRICS);
      metric.inc(5);
      return samples(registry);
    },
    here: ['m_total 5'],
  },

  exemplarWithoutLabels: {
    async program(client) {
      const { registry, metric } = counter(client, { enableExemplars: true }, OPENMETRICS);
      metric.inc({ value: 2, exemplarLabels: {} });
      return samples(registry);
    },
    here: ['m_total 2'],
  },

  exemplarMetricChild: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a'], enableExemplars: true }, OPENMETRICS);
      metric.labels('x').inc(5);
      return samples(registry);
    },
    here: ['m_total{a="x"} 5'],
  },

  exemplarValueIsTotal: {
    async program(client) {
      const { registry, metric } = counter(client, { enableExemplars: true }, OPENMETRICS);
      metric.inc({ value: 2 });
      metric.inc({ value: 3, exemplarLabels: { trace_id: 'x' } });
      return samples(registry);
    },
    here: ['m_total 5 # {trace_id="x"} 3 1700000000'],
  },

  exemplarOfZeroIsOne: {
    async program(client) {
      const { registry, metric } = counter(client, { enableExemplars: true }, OPENMETRICS);
      metric.inc({ value: 0, exemplarLabels: { trace_id: 'x' } });
      return samples(registry);
    },
    here: ['m_total 0 # {trace_id="x"} 0 1700000000'],
  },

  counterTakesFalsyValues: {
    async program(client) {
      const { registry, metric } = counter(client, {});
      return [
        await outcome(() => metric.inc(Number.NaN)),
        await outcome(() => metric.inc('')),
        ...(await samples(registry)),
      ];
    },
    here: ['TypeError: Value is not a valid number: NaN', 'TypeError: Value is not a valid number: ', 'm 0'],
  },

  observeForgetsFalsyValues: {
    program(client) {
      const { metric } = histogram(client, {});
      return outcome(() => metric.observe(Number.NaN));
    },
    here: 'TypeError: Value is not a valid number: NaN',
  },

  labelsCheckedFirst: {
    program(client) {
      return outcome(() => counter(client, {}).metric.inc({ a: 'x' }, -1));
    },
    here: 'Error: It is not possible to decrease a counter',
  },

  gaugeNullDelta: {
    async program(client) {
      const { registry, metric } = gauge(client, {});
      await outcome(() => metric.inc(null));
      await outcome(() => metric.inc(null));
      await outcome(() => metric.dec(null));
      return samples(registry);
    },
    here: ['m 1'],
  },

  gaugeDecCoerces: {
    async program(client) {
      const { registry, metric } = gauge(client, {});
      return [await outcome(() => metric.dec('five')), ...(await samples(registry))];
    },
    here: ['TypeError: Delta is not a valid number: five', 'm 0'],
  },

  firstDeltaKeepsZeroSign: {
    async program(client) {
      const { metric } = gauge(client, { labelNames: ['a'] });
      metric.dec({ a: 'x' }, 0);
      const { values } = await metric.get();
      return Object.is(values[0].value, -0) ? 'minus zero' : 'zero';
    },
    here: 'zero',
  },

  incReturnsHash: {
    program(client) {
      return typeof counter(client, {}).metric.inc();
    },
    here: 'undefined',
  },

  zeroUnchecked: {
    async program(client) {
      const { registry, metric } = histogram(client, { labelNames: ['a'] });
      return [await outcome(() => metric.zero({ b: 'x' })), ...(await samples(registry))];
    },
    here: [`Error: Added label "b" is not included in initial labelset: [ 'a' ]`],
  },

  counterLabelsUnchecked: {
    program(client) {
      const { metric } = counter(client, { labelNames: ['a'] });
      return outcome(() => Object.keys(metric.labels({ b: 'x' })));
    },
    here: `Error: Added label "b" is not included in initial labelset: [ 'a' ]`,
  },

  labelSetsCollide: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a', 'b'] });
      metric.inc({ a: 'x|y', b: 'z' });
      metric.inc({ a: 'x', b: 'y|z' });
      metric.inc({ a: 'x,b:y' });
      metric.inc({ a: 'x', b: 'y' });
      return samples(registry);
    },
    here: ['m{a="x|y",b="z"} 1', 'm{a="x",b="y|z"} 1', 'm{a="x,b:y"} 1', 'm{a="x",b="y"} 1'],
  },

  childrenShareSeries: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a', 'b'] });
      metric.inc({ a: 'x', b: 'y' });
      const child = metric.labels({ b: 'y', a: 'x' });
      metric.reset();
      child.inc();
      return samples(registry);
    },
    here: ['m{a="x",b="y"} 1'],
  },

  zeroReplacesLabels: {
    async program(client) {
      const { registry, metric } = histogram(client, { labelNames: ['a', 'b'], buckets: [] });
      metric.observe({ a: 'x', b: 'y' }, 1);
      metric.zero({ b: 'y', a: 'x' });
      return (await samples(registry)).filter((line) => line.startsWith('m_count'));
    },
    here: ['m_count{a="x",b="y"} 0'],
  },

  emptyLabelIsAbsent: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a', 'b'] });
      metric.inc({});
      metric.inc({ a: '', b: null });
      metric.inc({ a: undefined });
      metric.inc({ a: 'x', b: null });
      return samples(registry);
    },
    here: ['m 3', 'm{a="x"} 1'],
  },

  loneSurrogatesKept: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a'] });
      metric.inc({ a: '\ud800' });
      metric.inc({ a: '\udfff' });
      return samples(registry);
    },
    here: ['m{a="\ufffd"} 2'],
  },

  nullAsFirstValue: {
    async program(client) {
      const { registry, metric } = counter(client, { labelNames: ['a', 'b'] });
      metric.labels(null, 'x').inc();
      return samples(registry);
    },
    here: ['m{b="x"} 1'],
  },

  gaugeSetReplacesLabels: {
    async program(client) {
      const { registry, metric } = gauge(client, { labelNames: ['a', 'b'] });
      metric.set({ a: 'x', b: 'y' }, 1);
      metric.set({ b: 'y', a: 'x' }, 2);
      return samples(registry);
    },
    here: ['m{a="x",b="y"} 2'],
  },

  getReturnsLiveEntries: {
    async program(client) {
      const { registry, metric } = gauge(client, { labelNames: ['a'] });
      metric.set({ a: 'x' }, 1);
      registry.setDefaultLabels({ service: 's' });
      await registry.getMetricsAsJSON();
      registry.setDefaultLabels({});
      return samples(registry);
    },
    here: ['m{a="x"} 1'],
  },

  jsonDefaultsReplaceFalsy: {
    async program(client) {
      const { registry, metric } = gauge(client, { labelNames: ['a'] });
      metric.set({ a: 0 }, 1);
      registry.setDefaultLabels({ a: 'default' });
      const [{ values }] = await registry.getMetricsAsJSON();
      return values[0].labels.a;
    },
    here: 0,
  },

  jsonKeepsLabelTypes: {
    async program(client) {
      const { metric } = counter(client, { labelNames: ['a', 'b'] });
      metric.inc({ a: true, b: 1 });
      const { values } = await metric.get();
      return [typeof values[0].labels.a, typeof values[0].labels.b];
    },
    here: ['string', 'number'],
  },

  jsonInfinityWithoutExemplar: {
    async program(client) {
      const { metric } = histogram(client, { buckets: [], enableExemplars: true }, OPENMETRICS);
      const { values } = await metric.get();
      return String(values[0].exemplar);
    },
    here: 'null',
  },

  nanSpelling: {
    program(client) {
      const { registry, metric } = gauge(client, {});
      metric.set(Number.NaN);
      return samples(registry);
    },
    here: ['m NaN'],
  },

  openMetricsRenames: {
    async program(client) {
      const { registry, metric } = counter(client, { name: 'm_total' }, OPENMETRICS);
      const single = await registry.getSingleMetricAsString('m_total');
      await registry.metrics();
      return [...single.split('\n'), metric.name];
    },
    here: ['# HELP m Some help', '# TYPE m counter', 'm_total 0', 'm_total'],
  },

  openMetricsHelpUnescaped: {
    async program(client) {
      const { registry } = gauge(client, { help: 'a "quoted" word' }, OPENMETRICS);
      return (await registry.metrics()).split('\n')[0];
    },
    here: '# HELP m a \\"quoted\\" word',
  },

  openMetricsBucketBounds: {
    async program(client) {
      const { registry } = histogram(client, { buckets: [0, 0.00001, 0.5, 1, 1e6] }, OPENMETRICS);
      return (await samples(registry)).filter((line) => line.startsWith('m_bucket'));
    },
    here: [
      'm_bucket{le="0.0"} 0',
      'm_bucket{le="1e-05"} 0',
      'm_bucket{le="0.5"} 0',
      'm_bucket{le="1.0"} 0',
      'm_bucket{le="1e+06"} 0',
      'm_bucket{le="+Inf"} 0',
    ],
  },

  openMetricsBlankLine: {
    program(client) {
      return new client.Registry(OPENMETRICS).metrics();
    },
    here: '# EOF\n',
  },

  openMetricsUntyped: {
    async program(client) {
      const registry = new client.Registry(OPENMETRICS);
      registry.registerMetric({
        name: 'm',
        get: () => ({ name: 'm', help: 'Some help', type: 'untyped', values: [] }),
      });
      return (await registry.metrics()).split('\n')[1];
    },
    here: '# TYPE m unknown',
  },

  openMetricsNegativeBuckets: {
    program(client) {
      return samples(histogram(client, { buckets: [-1.5] }, OPENMETRICS).registry);
    },
    here: ['m_bucket{le="-1.5"} 0', 'm_bucket{le="+Inf"} 0'],
  },
};
