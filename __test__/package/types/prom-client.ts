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

const options: client.Pushgateway.Options = {
  requireJobName: true,
  timeout: 5000,
  headers: { 'Content-Encoding': 'gzip' },
};
const group: client.Pushgateway.Parameters = { jobName: 'backup', groupings: { instance: 'a' } };
const gateways: client.Pushgateway<client.RegistryContentType>[] = [
  new client.Pushgateway('http://127.0.0.1:9091'),
  new client.Pushgateway('http://127.0.0.1:9091', null, registry),
  new client.Pushgateway('http://127.0.0.1:9091', options, registry),
  new client.Pushgateway('http://127.0.0.1:9091', registry),
];
const pushed: Promise<{ resp?: unknown; body?: unknown }>[] = gateways.flatMap((gateway) => [
  gateway.push(group),
  gateway.pushAdd({ jobName: 'backup' }),
  gateway.delete({ jobName: 'backup' }),
]);

client.AggregatorRegistry.setRegistries([registry, register]);
client.ClusterRegistry.setRegistries(registry);
client.WorkerRegistry.setRegistries(registry);
const many: client.AggregatorRegistry<client.PrometheusContentType> = new client.AggregatorRegistry();
const both: client.ClusterRegistry<client.OpenMetricsContentType> = new client.ClusterRegistry();
const threads: client.WorkerRegistry<client.RegistryContentType> = new client.WorkerRegistry();

async function gather(): Promise<string> {
  await Promise.all([...pushed, both.shutdown(), threads.shutdown()]);
  const combined: client.Registry = client.AggregatorRegistry.aggregate([await many.getMetricsAsJSON()]);
  const doubled = client.aggregators.sum(await combined.getMetricsAsJSON());
  return `${await many.clusterMetrics()}${await threads.workerMetrics()}${doubled?.name}${registry.getMetricsAsArray('sum').length}`;
}

async function respond(): Promise<[string, string]> {
  await gather();
  new QueueMetrics().done();
  const merged = client.Registry.merge([registry, client.register]);
  const json = await merged.getMetricsAsJSON();
  const names: string[] = json.map((metric) => metric.name).concat(collectors);
  return [merged.contentType, (await register.metrics()) + names.join()];
}

export default respond;
