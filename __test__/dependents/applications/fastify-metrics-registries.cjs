// fastify-metrics with its defaults, and with registries that it merges.

module.exports = async ({ require }) => {
  const fastify = require('fastify')();
  const { default: fastifyMetrics } = require('fastify-metrics');
  const client = require('@prometheus-io/client');
  const [own, routes] = [new client.Registry(), new client.Registry()];
  await fastify.register(fastifyMetrics, {
    defaultMetrics: { enabled: true, register: own, prefix: 'app_', gcDurationBuckets: [0.1, 1] },
    routeMetrics: { overrides: { histogram: { registers: [routes] }, summary: { registers: [routes] } } },
  });
  new client.Gauge({
    name: 'queue_length',
    help: 'Length',
    collect() {
      this.set(7);
    },
  });
  fastify.get('/items/:id', async () => 'text');
  const visits = [['/items/1'], ['/items/2'], ['/nowhere']];
  return { origin: await fastify.listen({ port: 0, host: '127.0.0.1' }), visits };
};
