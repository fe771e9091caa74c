// The smallest program per restriction, and its result in this library, in the form of witnesses.mjs.

import { counter, histogram, OPENMETRICS, outcome, samples } from './witness-metrics.mjs';

export const restrictionWitnesses = {
  bucketOfMinusOne: {
    async program(client) {
      const { registry, metric } = histogram(client, { buckets: [-1, 1] });
      metric.observe(5);
      return samples(registry);
    },
    here: ['m_bucket{le="-1"} 0', 'm_bucket{le="1"} 0', 'm_bucket{le="+Inf"} 1', 'm_sum 5', 'm_count 1'],
  },

  namesThatClash: {
    async program(client) {
      const { registry } = histogram(client, { buckets: [] });
      const config = { name: 'm_count', help: 'Some help', registers: [registry] };
      const refused = await outcome(() => new client.Gauge(config).name);
      const openMetrics = counter(client, {}, OPENMETRICS).registry;
      new client.Gauge({ name: 'm_total', help: 'Some help', registers: [openMetrics] });
      return [refused, ...(await samples(registry)), ...(await samples(openMetrics))];
    },
    here: [
      'Error: A metric that writes samples named m_count has already been registered, and m_count would write them too.',
      ...['m_bucket{le="+Inf"} 0', 'm_sum 0', 'm_count 0'],
      ...['m 0', 'm_total 0'],
    ],
  },
};
