// A service with every fault that the endpoint's own metrics report, again and again: a collector that throws, a metric
// over its limit, a thread that disagrees. Its event loop is healthy.

import { Worker } from 'node:worker_threads';
import { Counter, Gauge, startExporter } from '@llm-devops/prometheus-metrics';

new Gauge({
  name: 'queue_depth',
  help: 'The depth of a queue that cannot be reached',
  collect() {
    throw new Error('The queue cannot be reached');
  },
});
const logins = new Counter({
  name: 'logins_total',
  help: 'Logins by user: a label that grows without limit',
  labelNames: ['user'],
  cardinality: { maxSeries: 10 },
});
let user = 0;
setInterval(() => logins.inc({ user: `user-${user++}` }), 100);

new Counter({ name: 'jobs_total', help: 'Jobs' }).inc();
new Worker(
  `const { Gauge } = require('@llm-devops/prometheus-metrics');
  new Gauge({ name: 'jobs_total', help: 'Jobs' }).set(1);
  setInterval(() => {}, 1000);`,
  { eval: true },
);

const exporter = await startExporter({ host: '127.0.0.1', port: 0, cacheTtlMs: 100 });
process.stdout.write(`Metrics  ${exporter.url}/metrics\n`);
process.on('SIGTERM', () => process.exit(0));
