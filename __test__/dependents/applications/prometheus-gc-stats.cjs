// prometheus-gc-stats. The module that tells it of collections is native code; one of the test, which tells of the same
// collections each time, takes its place.

const { EventEmitter } = require('node:events');
const http = require('node:http');
const Module = require('node:module');

const stats = new EventEmitter();
const load = Module._load;
Module._load = (request, ...others) => (request === '@sematext/gc-stats' ? () => stats : load(request, ...others));

module.exports = async ({ require, listen }) => {
  const client = require('prom-client');
  const gcStats = require('prometheus-gc-stats');
  const registry = new client.Registry();
  gcStats(registry, { prefix: 'app_' })();
  gcStats()();
  for (const [gctype, pause, usedHeapSize] of [
    [1, 5e6, -1000],
    [4, 2e7, -50],
    [1, 1e6, 10],
    [31, 3e6, 0],
  ]) {
    stats.emit('stats', { gctype, pause, diff: { usedHeapSize } });
  }
  const server = http.createServer(async (request, response) => {
    const shown = request.url === '/metrics' ? client.register : registry;
    response.end(await shown.metrics());
  });
  return { origin: await listen(server), scrapes: ['/metrics', '/own'] };
};
