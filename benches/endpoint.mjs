// Measures the endpoint under load: scrapes per second, the effect on the service's own requests, and scrapes while the
// event loop is blocked. Service, load and bench are separate processes. Each part has a file of its own.

import { measureBlocked } from './endpoint-blocked.mjs';
import { client } from './endpoint-client.mjs';
import { startClient } from './endpoint-doors.mjs';
import { measureRoute } from './endpoint-route.mjs';
import { service } from './endpoint-server.mjs';
import { measureThroughput } from './endpoint-throughput.mjs';
import { ownRole, publish, serveRole } from './harness.mjs';
import { requireWrk } from './wrk.mjs';

const role = ownRole();
if (role?.serve) serveRole(service(role));
else if (role?.client) serveRole(client());
else await main();

async function main() {
  requireWrk();
  const scraper = startClient();
  const parts = {};
  try {
    parts.throughput = await measureThroughput(scraper);
    parts.route = await measureRoute(scraper);
    parts.blocked = await measureBlocked(scraper);
  } finally {
    await scraper.stop();
  }
  publish({
    name: 'endpoint',
    title: 'Endpoint',
    about:
      "Over HTTP on one machine; the service, the load and the bench are separate processes. Peers serve `register.metrics()` through node:http and gzip it with zlib at level 1, the level that our library uses. Our doors have no cache and add the endpoint's own metrics. *Scrapes per second*: `wrk` with one thread and four connections that never pause; scrapes that wait at our doors at the same time share an exposition. *Prepared body* is node:http sending a buffer without a library: the most that the load can receive. *Own route*: 300 requests per second for a small JSON answer, in milliseconds from when each was due, without scraping and with two gzipped scrapes per second. Figures are medians of the rounds, and the longest of all; the ratio is the median of the rounds' ratios, and *never scraped* shows how far it varies without a cause. *Blocked*: another process scrapes back to back over one connection while the service computes; *prepared body of a loop that turns* comes from another process, beside one that computes.",
    tables: Object.values(parts).flatMap(({ tables }) => tables),
    verdicts: Object.values(parts).flatMap(({ verdicts }) => verdicts),
    samples: Object.fromEntries(Object.entries(parts).map(([name, { samples }]) => [name, samples])),
  });
}
