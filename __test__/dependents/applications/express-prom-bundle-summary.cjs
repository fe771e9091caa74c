// express-prom-bundle with summaries, and its metrics in an application and a registry of their own.

module.exports = async ({ require, listen }) => {
  const express = require('express');
  const bundle = require('express-prom-bundle');
  const { Registry } = require('prom-client');
  const app = express();
  const metricsApp = express();
  const promRegistry = new Registry();
  app.use(
    bundle({
      metricType: 'summary',
      httpDurationMetricName: 'request_seconds',
      percentiles: [0.5, 0.9],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      pruneAgedBuckets: true,
      includeMethod: true,
      includeUp: false,
      autoregister: false,
      formatStatusCode: (response) => `${Math.floor(response.statusCode / 100)}xx`,
      metricsApp,
      promRegistry,
    }),
  );
  app.get('/', (_, response) => response.send('text'));
  app.use('/inner', metricsApp);
  const visits = ['/', '/', '/nowhere'].map((path) => [path]);
  return { origin: await listen(app), visits, scrapes: ['/inner/metrics', '/metrics'] };
};
