// The same metrics for every library, with values that depend on a seed: all types, all aggregators.

const AGGREGATORS = ['sum', 'first', 'omit', 'average', 'min', 'max'];

exports.record = (client, seed) => {
  const { Counter, Gauge, Histogram, Summary } = client;
  const counter = new Counter({ name: 'requests_total', help: 'Requests', labelNames: ['path', 'code'] });
  counter.inc({ path: '/a', code: 200 }, 10 * seed);
  counter.inc({ code: 500, path: '/a,b:c|"d"\\\n' }, seed);
  if (seed % 2 === 0) counter.inc({ path: '/even' }, 1);
  for (const aggregator of AGGREGATORS) {
    const gauge = new Gauge({ name: `gauge_${aggregator}`, help: aggregator, labelNames: ['zone'], aggregator });
    gauge.set({ zone: 'eu' }, seed === 2 ? 7 : 3 * seed);
    if (seed !== 1) gauge.set({ zone: 'us' }, -seed);
  }
  new Gauge({ name: 'without_labels', help: 'x' }).set(seed / 4);
  const histogram = new Histogram({ name: 'seconds', help: 'Time', labelNames: ['path'], buckets: [0.1, 1, 5] });
  for (let index = 0; index < 3; index++) histogram.observe({ path: '/a' }, index * seed * 0.25);
  histogram.observe({ path: `/${seed}` }, 4);
  const summary = new Summary({ name: 'bytes', help: 'Size', labelNames: ['path'], percentiles: [0.5, 0.9] });
  for (let index = 0; index < 4; index++) summary.observe({ path: '/a' }, index * seed);
  summary.observe({ path: `/${seed}` }, 0.5);
  new Summary({ name: 'alone', help: 'Without labels' });
};
