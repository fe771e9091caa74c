// fastify-metrics with histograms and summaries of routes, and with its own names and registries.

module.exports = async ({ require }) => {
  const fastify = require('fastify')();
  const { default: fastifyMetrics } = require('fastify-metrics');
  await fastify.register(fastifyMetrics, {
    endpoint: '/metrics',
    routeMetrics: {
      overrides: {
        histogram: { name: 'seconds_of_requests', buckets: [0.1, 5] },
        labels: { status: 'code', getRouteLabel: (request) => request.routeOptions.url ?? 'none' },
      },
      registeredRoutesOnly: false,
      groupStatusCodes: true,
      customLabels: { tenant: (request) => request.headers['x-tenant'] ?? 'none' },
      routeBlacklist: ['/hidden'],
    },
  });
  const jobs = new fastify.metrics.client.Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['kind'] });
  fastify.get('/', async () => 'text');
  fastify.get('/hidden', async () => 'text');
  fastify.post('/jobs/:kind', async (request) => {
    jobs.inc({ kind: request.params.kind });
    return 'made';
  });
  fastify.get('/fails', async () => {
    throw new Error('as told');
  });
  fastify.get('/single', async () => fastify.metrics.client.register.getSingleMetricAsString('jobs_total'));
  const visits = [
    ['/'],
    ['/hidden'],
    ['/jobs/mail', { method: 'POST', headers: { 'x-tenant': 'a' } }],
    ['/jobs/mail', { method: 'POST' }],
    ['/fails'],
    ['/nowhere'],
  ];
  return { origin: await fastify.listen({ port: 0, host: '127.0.0.1' }), visits, scrapes: ['/metrics', '/single'] };
};
