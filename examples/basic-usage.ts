// A counter, a gauge, a histogram and a timer, and the text that Prometheus reads.
//
//   npx tsx examples/basic-usage.ts

import { Counter, Gauge, Histogram, register } from '@llm-devops/prometheus-metrics';

const requests = new Counter({ name: 'requests_total', help: 'Requests answered', labelNames: ['model', 'status'] });
const waiting = new Gauge({ name: 'queue_length', help: 'Requests that wait' });
const seconds = new Histogram({
  name: 'request_duration_seconds',
  help: 'Time from the request to its answer',
  labelNames: ['model'],
  buckets: [0.1, 0.5, 1, 5],
});

async function main() {
  // A label set becomes a series when it is first used.
  requests.inc({ model: 'gpt-4o-mini', status: 'success' });
  requests.inc({ model: 'gpt-4o-mini', status: 'error' }, 2);

  // A gauge goes up and down.
  waiting.set(5);
  waiting.dec();

  // A histogram counts values by size. A child is a series that you keep; recording with it is fastest.
  const small = seconds.labels('gpt-4o-mini');
  small.observe(0.25);
  small.observe(0.75);

  // A timer records how long a function took, also if it throws.
  await seconds.time({ model: 'echo' }, async () => 'a quick answer');

  console.log(await register.metrics());
}

main();
