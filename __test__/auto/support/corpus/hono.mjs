import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
import { Hono } from 'hono';
import { answerCorpus, byHand, options } from '../corpus.mjs';

async function hono() {
  const app = new Hono();
  if (byHand) app.use(createHttpMetrics(options).hono);
  app.use('/early', async (c) => c.text('no', 401));
  const api = new Hono();
  api.get('/items/:id', (c) => c.text(c.req.param('id')));
  api.get('/fail', () => {
    throw new Error('as it was told');
  });
  api.get('/', (c) => c.text('root'));
  const inner = new Hono().get('/deep/:leaf', (c) => c.text('leaf'));
  inner.onError((_error, c) => c.text('inner', 500));
  api.route('/:group', inner);
  app.route('/api/:tenant', api);
  const mounted = new Hono().get('/here/:id', (c) => c.text('here'));
  app.mount('/mounted', mounted.fetch);
  app.get('/files/*', (c) => c.text('file'));
  app.get('/never', () => new Promise(() => {}));
  app.get('/ignored', (c) => c.text('ignored'));
  app.onError((_error, c) => c.text('failed', 500));
  const server = serve({ fetch: app.fetch, port: 0 });
  await once(server, 'listening');
  return server;
}

await answerCorpus(await hono());
