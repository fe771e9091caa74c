import KoaRouter from '@koa/router';
import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
import Koa from 'koa';
import { answerCorpus, byHand, options } from '../corpus.mjs';

async function koa() {
  const app = new Koa();
  app.silent = true;
  if (byHand) app.use(createHttpMetrics(options).koa);
  app.use((context, next) => (context.url === '/early' ? context.throw(401) : next()));
  const api = new KoaRouter({ prefix: '/api/:tenant' });
  api.get('/items/:id', (context) => {
    context.body = context.params.id;
  });
  api.get('/fail', () => {
    throw new Error('as it was told');
  });
  api.get('/', (context) => {
    context.body = 'root';
  });
  const inner = new KoaRouter();
  inner.get('/deep/:leaf', (context) => {
    context.body = 'leaf';
  });
  const outer = new KoaRouter();
  outer.use('/mounted', inner.routes());
  outer.get(/^\/re(gex)+$/, (context) => {
    context.body = 'regex';
  });
  outer.get('/files/{*path}', (context) => {
    context.body = 'file';
  });
  outer.get('/never', () => new Promise(() => {}));
  outer.get('/ignored', (context) => {
    context.body = 'ignored';
  });
  app.use(outer.routes()).use(api.routes()).use(api.allowedMethods());
  return app.listen(0);
}

await answerCorpus(await koa());
