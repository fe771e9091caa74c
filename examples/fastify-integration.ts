// Fastify: one plugin serves the endpoint and measures the application's requests.
//
//   npx tsx examples/fastify-integration.ts
//   curl localhost:3000/items/7
//   curl localhost:3000/metrics

import { Counter } from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import Fastify from 'fastify';

const views = new Counter({ name: 'item_views_total', help: 'Items shown', labelNames: ['kind'] });

const app = Fastify();
app.register(fastifyMetrics, { httpMetrics: { ignore: ['/metrics', '/health', '/ready'] } });

app.get<{ Params: { id: string } }>('/items/:id', async (request) => {
  views.inc({ kind: 'book' });
  return `item ${request.params.id}`;
});

app.listen({ port: Number(process.env.PORT ?? 3000) }).then((address) => {
  console.log(`${address}/metrics`);
});
