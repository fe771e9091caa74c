// The module that each runner tests: it counts in the default registry and contains no test code.

const { Counter, Gauge, Histogram } = require('@llm-devops/prometheus-metrics');

const requests = new Counter({ name: 'app_requests_total', help: 'Requests', labelNames: ['route', 'status'] });
const seconds = new Histogram({ name: 'app_request_seconds', help: 'Duration', labelNames: ['route'], buckets: [1] });
const inFlight = new Gauge({ name: 'app_in_flight', help: 'Requests being served' });

/** Serves a request; `work` is the timed part. */
exports.serve = (route, status, work = () => {}) => {
  inFlight.inc();
  const end = seconds.startTimer({ route });
  work();
  end();
  requests.inc({ route, status });
  inFlight.dec();
};
