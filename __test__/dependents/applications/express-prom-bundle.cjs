// express-prom-bundle with histograms and its usual options.

module.exports = async ({ require, listen }) => {
  const express = require('express');
  const bundle = require('express-prom-bundle');
  const app = express();
  const metrics = bundle({
    includeMethod: true,
    includePath: true,
    customLabels: { tenant: null, zone: 'eu' },
    transformLabels: (labels, request) => Object.assign(labels, { tenant: request.headers['x-tenant'] ?? 'none' }),
    normalizePath: [['^/users/[^/]+', '/users/#name']],
    excludeRoutes: ['/excluded', /^\/hidden/],
    bypass: { onRequest: (request) => request.path === '/bypassed', onFinish: (request) => request.path === '/late' },
    promClient: { collectDefaultMetrics: {} },
  });
  app.use(metrics);
  for (const path of ['/', '/users/:name', '/excluded', '/hidden/x', '/bypassed', '/late']) {
    app.all(path, (_, response) => response.send('text'));
  }
  app.get('/fails', () => {
    throw Object.assign(new Error('as told'), { status: 503, expose: false });
  });
  app.use((_error, _request, response, _next) => response.sendStatus(503));
  const { Counter, register } = metrics.promClient;
  new Counter({ name: 'application_jobs_total', help: 'Jobs', labelNames: ['kind'] }).inc({ kind: 'mail' }, 2);
  if (bundle.promClient.register !== register) throw new Error('expected one client');
  const visits = [
    ...[
      '/',
      '/users/ada',
      '/users/bob',
      '/users/42',
      '/nowhere',
      '/excluded',
      '/hidden/x',
      '/bypassed',
      '/late',
      '/fails',
    ],
  ].map((path) => [path, { headers: { 'x-tenant': path.length > 5 ? 'long' : 'short' } }]);
  visits.push(['/', { method: 'POST', body: 'x' }], ['/users/ada', { method: 'DELETE' }], ['/', {}]);
  return { origin: await listen(app), visits };
};
