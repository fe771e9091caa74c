// express-prom-bundle in a cluster: the primary shows the metrics of its workers.

const cluster = require('node:cluster');
const { once } = require('node:events');

module.exports = async ({ require, listen }) => {
  const express = require('express');
  const bundle = require('express-prom-bundle');
  const app = express();
  if (cluster.isWorker) {
    app.use(bundle({ includeMethod: true, includePath: true, autoregister: false }));
    app.get('/work', (_, response) => response.send('done'));
    const { AggregatorRegistry } = require('prom-client');
    new AggregatorRegistry();
    process.send(await listen(app));
    await new Promise(() => {});
  }
  app.use('/metrics', bundle.clusterMetrics());
  const origins = [];
  for (let index = 0; index < 2; index++) {
    const worker = cluster.fork();
    let origin;
    // The library's announcements are objects.
    while (typeof origin !== 'string') [origin] = await once(worker, 'message');
    origins.push(origin);
  }
  for (const origin of [...origins, ...origins, origins[0]]) await fetch(`${origin}/work`);
  return { origin: await listen(app) };
};
