import { createHttpMetrics as createFastifyHttpMetrics } from '@llm-devops/prometheus-metrics/fastify';
import Fastify from 'fastify';
import { answerCorpus, byHand, options } from '../corpus.mjs';

async function fastify() {
  const app = Fastify({ forceCloseConnections: true });
  if (byHand) app.register(createFastifyHttpMetrics(options));
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/early') await reply.code(401).send('no');
  });
  app.register(
    async (api) => {
      api.get('/items/:id', async (request) => request.params.id);
      api.get('/fail', async () => {
        throw new Error('as it was told');
      });
      api.get('/', async () => 'root');
      api.register(async (inner) => inner.get('/deep/:leaf', async () => 'leaf'), { prefix: '/:group' });
    },
    { prefix: '/api/:tenant' },
  );
  app.get('/early', async () => 'never');
  app.get('/files/*', async () => 'file');
  app.get('/never', () => new Promise(() => {}));
  app.get('/ignored', async () => 'ignored');
  await app.listen({ port: 0 });
  return app.server;
}

await answerCorpus(await fastify());
