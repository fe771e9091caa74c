// Recipes of docs/frameworks.md and docs/http-metrics.md: real frameworks over real connections.

import http from 'node:http';
import { register } from '@llm-devops/prometheus-metrics';
import { ask, listen, until } from '../../http/metrics/support/ledger.mjs';

const ENDPOINT = 'docs/frameworks.md';
const MEASURED = 'docs/http-metrics.md';

/** The endpoint answers at its three paths and nowhere else. */
async function answers(t, program) {
  const port = await program.port();
  for (const path of ['/metrics', '/health', '/ready']) t.is((await ask(port, 'GET', path)).status, 200, path);
  t.is((await ask(port, 'POST', '/metrics')).status, 405);
  t.is((await ask(port, 'GET', '/nothing')).status, 404);
}

/** Two requests to one route are counted under that route alone. */
async function counts(t, program) {
  const port = await program.port();
  for (const id of ['one', 'two']) t.is((await ask(port, 'GET', `/items/${id}`)).body.toString(), id);
  const line = 'llmdevops_http_requests_total{method="GET",route="/items/:id",status_class="2xx"} 2';
  await until(async () => (await program.registry()).includes(line));
  t.is((await program.registry()).match(/^llmdevops_http_requests_total\{/gm).length, 1);
}

const endpoint = (title, text) => ({ page: ENDPOINT, title, blocks: [text], serves: answers });
const measured = (title, text) => ({ page: MEASURED, title, blocks: [text], serves: counts });

export default [
  endpoint('Express', "from 'express'"),
  endpoint('Koa', "from 'koa'"),
  endpoint('Fastify', "from 'fastify'"),
  endpoint('Hono', "from 'hono'"),
  {
    page: ENDPOINT,
    title: 'Next.js: route handlers are functions',
    blocks: ['force-dynamic'],
    before: `
      import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
      const item = createHttpMetrics().fetch(async () => Response.json({}), { route: '/pages/[id]' });
      await (await item(new Request('http://x/pages/7'))).text();`,
    async exports(t, { GET, HEAD, dynamic }) {
      t.is(dynamic, 'force-dynamic');
      const response = await GET(new Request('http://x/api/prom'), { params: undefined });
      t.is(response.status, 200);
      const line = 'llmdevops_http_requests_total{method="GET",route="/pages/[id]",status_class="2xx"} 1';
      const text = await response.text();
      t.true(text.includes(line), text);
      const head = await HEAD(new Request('http://x/api/prom', { method: 'HEAD' }), { params: undefined });
      // The endpoint's own metrics have changed since.
      t.true(Number(head.headers.get('content-length')) > text.length / 2);
      t.is(await head.text(), '');
    },
  },
  {
    page: ENDPOINT,
    title: 'Next.js: API routes of pages',
    blocks: ['export default createMetricsHandler()'],
    async exports(t, { default: metrics }) {
      // Next.js adds these to the requests of API routes.
      const added = { query: {}, cookies: {}, draftMode: undefined };
      const server = http.createServer((request, response) => metrics(Object.assign(request, added), response));
      const port = await listen(t, server);
      t.is((await ask(port, 'GET', '/api/metrics')).status, 200);
      t.is((await ask(port, 'GET', '/api/prom?name[]=c')).status, 200);
    },
  },
  measured('Express', "from 'express'"),
  measured('Koa', "from 'koa'"),
  measured('Fastify', "from 'fastify'"),
  measured('Hono', "from 'hono'"),
  measured('node:http', "from 'node:http'"),
  {
    page: MEASURED,
    title: 'Next.js: route handlers are functions',
    blocks: ['metrics.fetch('],
    async exports(t, { GET }) {
      const item = await GET(new Request('http://x/items/7'), { params: Promise.resolve({ id: '7' }) });
      t.deepEqual(await item.json(), { id: '7' });
      const line = 'llmdevops_http_requests_total{method="GET",route="/items/[id]",status_class="2xx"} 1';
      await until(async () => (await register.metrics()).includes(line));
    },
  },
];
