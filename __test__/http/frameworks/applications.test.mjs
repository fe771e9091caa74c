// Drives the same application on this library and on prom-client over HTTP, in each framework: the expositions are the same,
// and the endpoint beside them shows the same text.

import ours from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import test from 'ava';
import theirs from 'prom-client';
import { ask, listen } from '../metrics/support/ledger.mjs';
import { APPLICATIONS, shopMetrics } from './support/applications.mjs';

const PATHS = ['/items/1', '/items/none', '/till', '/items/a%20b', '/nowhere', '/items/2?x=1', '/metrics'];

/** Sends the same requests to each application, several at a time, and returns the statuses. */
async function drive(port) {
  const statuses = [];
  for (let round = 0; round < 10; round++) {
    // One after another, so that series are made in the same order.
    if (round === 0) for (const path of PATHS) statuses.push((await ask(port, 'GET', path)).status);
    else statuses.push(...(await Promise.all(PATHS.map((path) => ask(port, 'GET', path)))).map(({ status }) => status));
  }
  return statuses;
}

for (const [name, build] of Object.entries(APPLICATIONS)) {
  test(`${name}: the same application on this library and on prom-client`, async (t) => {
    const [mine, others] = [shopMetrics(ours), shopMetrics(theirs)];
    const options = { registry: mine.registry, selfMetrics: false };
    const endpoint = {
      options,
      handler: ours.createMetricsHandler(options),
      fetch: ours.createFetchHandler(options),
      fastify: fastifyMetrics,
    };
    const port = await listen(t, await build(mine, endpoint));
    const theirPort = await listen(t, await build(others));
    t.deepEqual(await drive(port), await drive(theirPort));

    const [shown, expected] = [await ask(port, 'GET', '/metrics'), await ask(theirPort, 'GET', '/metrics')];
    t.is(shown.body.toString(), expected.body.toString());
    t.is(shown.headers['content-type'], expected.headers['content-type']);
    t.regex(shown.body.toString(), /^shop_requests_total\{method="GET",route="\/items\/:id",status="200"\} 30$/m);

    const scraped = await ask(port, 'GET', '/internal/metrics');
    t.is(scraped.status, 200);
    t.is(scraped.body.toString(), shown.body.toString());
    t.is(scraped.headers['x-content-type-options'], 'nosniff');
  });
}
