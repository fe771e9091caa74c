// Hono: the endpoint as three routes, metrics of the application's requests, and a counter of its own.
//
//   npx tsx examples/hono.ts
//   curl localhost:3000/items/7
//   curl localhost:3000/metrics

import { serve } from '@hono/node-server';
import { Counter, createFetchHandler, createHttpMetrics } from '@llm-devops/prometheus-metrics';
import { Hono } from 'hono';

const views = new Counter({ name: 'item_views_total', help: 'Items shown', labelNames: ['kind'] });

const app = new Hono();
app.use(createHttpMetrics({ ignore: ['/metrics', '/health', '/ready'] }).hono);

const metrics = createFetchHandler();
for (const path of ['/metrics', '/health', '/ready']) app.all(path, (c) => metrics(c.req.raw, c.env));

app.get('/items/:id', (c) => {
  views.inc({ kind: 'book' });
  return c.text(`item ${c.req.param('id')}`);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) => {
  console.log(`http://localhost:${port}/metrics`);
});
