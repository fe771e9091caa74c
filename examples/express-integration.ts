// Express: the endpoint, metrics of the application's requests, and a counter of its own.
//
//   npx tsx examples/express-integration.ts
//   curl localhost:3000/items/7
//   curl localhost:3000/metrics

import type { AddressInfo } from 'node:net';
import { Counter, createHttpMetrics, createMetricsHandler } from '@llm-devops/prometheus-metrics';
import express from 'express';

const views = new Counter({ name: 'item_views_total', help: 'Items shown', labelNames: ['kind'] });

const app = express();
// Before everything that answers: what comes earlier is not measured.
app.use(createHttpMetrics({ ignore: ['/metrics', '/health', '/ready'] }));
app.use(createMetricsHandler());

app.get('/items/:id', (request, response) => {
  views.inc({ kind: 'book' });
  response.send(`item ${request.params.id}`);
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/metrics`);
});
