// Code written for prom-client, with only the package's name changed. It is compiled and never run.

import client, { Counter, Gauge, Histogram, type Registry, register } from '@llm-devops/prometheus-metrics';

const registry = new client.Registry();
registry.setDefaultLabels({ app: 'api' });

client.collectDefaultMetrics({
  register: registry,
  prefix: 'api_',
  labels: { instance: process.env.HOSTNAME },
  gcDurationBuckets: [0.001, 0.01, 0.1, 1, 2, 5],
  eventLoopMonitoringPrecision: 20,
});
const collectors: string[] = client.collectDefaultMetrics.metricsList;

const httpRequests = new client.Counter({
  name: 'http_requests_total',
  help: 'Requests',
  labelNames: ['method', 'route', 'code'],
  registers: [registry],
});
httpRequests.inc({ method: 'GET', route: '/', code: 200 });
httpRequests.labels('GET', '/', '200').inc();
httpRequests.labels({ method: 'GET' }).inc(2);

const inFlight = new client.Gauge<'method'>({ name: 'in_flight', help: 'In flight', labelNames: ['method'] as const });
inFlight.inc({ method: 'GET' });
inFlight.dec({ method: 'GET' });
inFlight.set({ method: 'GET' }, 5);
inFlight.setToCurrentTime();

const duration: client.Histogram<'route'> = new Histogram({
  name: 'duration_seconds',
  help: 'Duration',
  labelNames: ['route'],
  buckets: client.linearBuckets(0.1, 0.1, 5),
});
const end = duration.startTimer();
end({ route: '/' });
duration.observe({ route: '/' }, 0.5);
duration.zero({ route: '/' });

class QueueMetrics {
  private readonly depth: Gauge<string>;
  private readonly jobs: Counter<'state'>;

  constructor(private readonly registers: Registry[] = [register]) {
    this.depth = new Gauge({
      name: 'queue_depth',
      help: 'Depth',
      registers: this.registers,
      async collect() {
        this.set(await Promise.resolve(5));
      },
    });
    this.jobs = new Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['state'], registers: this.registers });
  }

  done(): void {
    this.jobs.inc({ state: 'done' });
    this.depth.reset();
  }
}

async function respond(): Promise<[string, string]> {
  new QueueMetrics().done();
  const merged = client.Registry.merge([registry, client.register]);
  const json = await merged.getMetricsAsJSON();
  const names: string[] = json.map((metric) => metric.name).concat(collectors);
  return [merged.contentType, (await register.metrics()) + names.join()];
}

export default respond;
