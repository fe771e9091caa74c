// opossum-prometheus with circuits that succeed, fail and open.

const http = require('node:http');

module.exports = async ({ require, listen }) => {
  const CircuitBreaker = require('opossum');
  const PrometheusMetrics = require('opossum-prometheus');
  const { Registry } = require('prom-client');
  const options = { errorThresholdPercentage: 40, volumeThreshold: 3, resetTimeout: 60_000 };
  const good = new CircuitBreaker(async (value) => value, { name: 'good one', ...options });
  const bad = new CircuitBreaker(() => Promise.reject(new Error('as told')), { name: 'bad', ...options });
  const registry = new Registry();
  const own = new PrometheusMetrics({ circuits: [good], registry, metricPrefix: 'app_' });
  const shared = new PrometheusMetrics({ circuits: [good, bad] });
  const server = http.createServer(async (request, response) => {
    if (request.url === '/good') response.end(await good.fire('text'));
    else if (request.url === '/bad') response.end(await bad.fire().catch(({ message }) => message));
    else response.end(await (request.url === '/metrics' ? shared : own).metrics);
  });
  const visits = ['/good', '/bad', '/good', '/bad', '/bad', '/bad', '/bad'].map((path) => [path]);
  return { origin: await listen(server), visits, scrapes: ['/metrics', '/own'] };
};
