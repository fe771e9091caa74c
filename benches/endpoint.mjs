// What an endpoint is worth to a service in production: how many scrapes it answers, what scraping costs the service's
// own requests, and whether it answers while the event loop stands still. Service, load and bench are processes of
// their own. Each part is measured in a file of its own.

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
      "Over HTTP on this machine; the service, the load and the bench are processes of their own. The peers' `register.metrics()` is behind node:http, for gzip with zlib at level 1, which is ours too; our doors have no cache and append what they say of themselves. *Scrapes a second*: `wrk` with one thread and four connections that never pause; doors of ours share an exposition among scrapes that wait for it at once. *Prepared body* is node:http sending a buffer with no library behind it: what the load can take. *Own route*: 300 requests a second for a small JSON answer, in milliseconds from when each was due, without scraping and with two gzipped scrapes a second; medians of the rounds, and the longest of all; the ratio is the median of those of the rounds, and *never scraped* shows how far it strays by itself. *Blocked*: another process scrapes back to back over one connection while the service computes; *prepared body of a loop that turns* is another process's, beside one that computes.",
    tables: Object.values(parts).flatMap(({ tables }) => tables),
    verdicts: Object.values(parts).flatMap(({ verdicts }) => verdicts),
    samples: Object.fromEntries(Object.entries(parts).map(([name, { samples }]) => [name, samples])),
  });
}
