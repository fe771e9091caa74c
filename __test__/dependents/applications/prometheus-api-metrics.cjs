// prometheus-api-metrics on Express, with its text and its JSON.

module.exports = async ({ require, listen }) => {
  const express = require('express');
  const apiMetrics = require('prometheus-api-metrics');
  const app = express();
  app.use(
    apiMetrics({
      durationBuckets: [0.1, 10],
      additionalLabels: ['tenant'],
      extractAdditionalLabelValuesFn: (request) => ({ tenant: request.headers['x-tenant'] ?? 'none' }),
      includeQueryParams: true,
      excludeRoutes: ['/hidden'],
    }),
  );
  app.use(express.text());
  app.get('/', (_, response) => response.send('text'));
  app.get('/hidden', (_, response) => response.send('text'));
  app.get('/items/:id', (_, response) => response.status(201).send('x'.repeat(2000)));
  const router = express.Router();
  router.post('/upload/:name', (request, response) => response.send(String(request.body.length)));
  app.use('/files', router);
  const visits = [
    ['/'],
    ['/hidden'],
    ['/items/7?b=1&a=2', { headers: { 'x-tenant': 'a' } }],
    ['/files/upload/x', { method: 'POST', body: 'y'.repeat(300), headers: { 'content-type': 'text/plain' } }],
    ['/nowhere'],
  ];
  return { origin: await listen(app), visits, scrapes: ['/metrics', '/metrics.json'] };
};
