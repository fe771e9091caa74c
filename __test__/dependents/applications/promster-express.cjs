// @promster/express with all of its metric types.

module.exports = async ({ require, listen }) => {
  const express = require('express');
  const { createMiddleware, getContentType, getRequestRecorder, getSummary, signalIsUp } = require('@promster/express');
  const app = express();
  app.use(
    createMiddleware({
      app,
      options: {
        labels: ['tenant'],
        accuracies: ['s', 'ms'],
        metricTypes: [
          'httpRequestsTotal',
          'httpRequestsHistogram',
          'httpRequestsSummary',
          'httpContentLengthHistogram',
        ],
        getLabelValues: (request) => ({ tenant: request.headers['x-tenant'] ?? 'none' }),
        normalizePath: (path) => path.replace(/\d+/, ':id'),
      },
    }),
  );
  app.get('/items/:id', (_, response) => response.send('text'));
  app.get('/metrics', async (_, response) => {
    response.setHeader('content-type', getContentType());
    response.end(await getSummary());
  });
  signalIsUp();
  getRequestRecorder()(process.hrtime(), {
    labels: { path: '/by-hand', method: 'get', status_code: '200', tenant: 'x' },
  });
  const visits = [['/items/1'], ['/items/2', { headers: { 'x-tenant': 'a' } }], ['/nowhere']];
  return { origin: await listen(app), visits };
};
