// The examples that serve: started by their own command, asked what their comment asks with curl.

import test from 'ava';
import { tsImport } from 'tsx/esm/api';
import { samplesOf, withoutSelfMetrics } from '../support/exposition.mjs';
import { addressOf, commandsOf } from './support/started.mjs';

const FRAMEWORKS = {
  Express: 'examples/express-integration.ts',
  Fastify: 'examples/fastify-integration.ts',
  Hono: 'examples/hono.ts',
  NestJS: 'examples/nestjs.mts',
};

const ROUTE = 'method="GET",route="/items/:id",status_class="2xx"';
const SIZE_BUCKETS = ['100', '1000', '10000', '100000', '1000000', '10000000', '+Inf'];

/** The samples after one request that was answered with "item 7", without the time that it took. */
const EXPECTED = [
  'item_views_total{kind="book"} 1',
  `llmdevops_http_requests_total{${ROUTE}} 1`,
  `llmdevops_http_request_duration_seconds_count{${ROUTE}} 1`,
  ...sizes('llmdevops_http_request_size_bytes', 0),
  ...sizes('llmdevops_http_response_size_bytes', 'item 7'.length),
  'llmdevops_http_active_requests{method="GET"} 0',
];

function sizes(name, bytes) {
  return [
    ...SIZE_BUCKETS.map((le) => `${name}_bucket{le="${le}",${ROUTE}} 1`),
    `${name}_sum{${ROUTE}} ${bytes}`,
    `${name}_count{${ROUTE}} 1`,
  ];
}

/** The URL of a `curl` command of an example's comment, at the address where the example listens. */
function urlOf(command, address) {
  const found = command.match(/^curl localhost:3000(\/\S*)$/);
  if (found === null) throw new Error(`expected curl localhost:3000/… but received ${command}`);
  return `${address}${found[1]}`;
}

for (const [framework, file] of Object.entries(FRAMEWORKS)) {
  test(`${framework}: the example answers, counts, and measures its requests`, async (t) => {
    const address = await addressOf(t, file);
    const [item, metrics] = commandsOf(file)
      .slice(1)
      .map((command) => urlOf(command, address));
    const answer = await fetch(item);
    t.is(answer.status, 200);
    t.is(await answer.text(), 'item 7');
    let scraped;
    // A request is recorded when its response has ended, which the client may see first.
    do {
      const response = await fetch(metrics);
      t.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      scraped = samplesOf(await response.text());
    } while (scraped.includes('llmdevops_http_active_requests{method="GET"} 1'));
    t.deepEqual(
      scraped.filter((line) => !/_duration_seconds_(bucket|sum)\{/.test(line)),
      EXPECTED,
    );
    for (const path of ['/health', '/ready']) t.is((await fetch(`${address}${path}`)).status, 200);
    t.is((await fetch(`${address}/unknown`)).status, 404);
  });
}

test('Next.js: the routes of the example count and show the counts', async (t) => {
  const load = (route) => tsImport(`../../examples/nextjs/app/${route}/route.ts`, import.meta.url);
  const [ask, metrics] = [await load('ask'), await load('metrics')];
  const ofLanguage = (language) =>
    new Request('http://localhost:3000/ask', { headers: { 'accept-language': language } });
  t.is(await (await ask.GET(ofLanguage('de-CH'))).text(), 'Wie bitte?');
  t.is(await (await ask.GET(ofLanguage('en'))).text(), 'Pardon?');
  t.is(await (await ask.GET(ofLanguage('fr'))).text(), 'Pardon?');
  const response = await metrics.GET(new Request('http://localhost:3000/metrics'));
  t.is(
    withoutSelfMetrics(await response.text()),
    `# HELP questions_total Questions asked
# TYPE questions_total counter
questions_total{language="de"} 1
questions_total{language="en"} 2
`,
  );
  const head = await metrics.HEAD(new Request('http://localhost:3000/metrics', { method: 'HEAD' }));
  t.is(head.status, 200);
  t.is(await head.text(), '');
  t.deepEqual([ask.dynamic, metrics.dynamic], ['force-dynamic', 'force-dynamic']);
});
