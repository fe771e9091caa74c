// The corpus' routes in Express.

import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
import { byHand, options } from '../corpus.mjs';

export function corpusOfExpress(framework, wildcard) {
  const app = framework();
  if (byHand) app.use(createHttpMetrics(options));
  app.use((request, response, next) => {
    if (request.url === '/early') return response.status(401).end('no');
    return next();
  });
  const router = framework.Router({ mergeParams: true });
  router.get('/items/:id', (request, response) => response.send(request.params.id));
  router.get('/fail', () => {
    throw new Error('as it was told');
  });
  router.get('/', (_request, response) => response.send('root'));
  const inner = framework.Router();
  inner.get('/deep/:leaf', (_request, response) => response.send('leaf'));
  router.use('/:group', inner);
  const mounted = framework();
  mounted.get('/here/:id', (_request, response) => response.send('here'));
  mounted.get('/refused', (_request, response) => response.status(403).end());
  app.use('/api/:tenant', router);
  app.use('/mounted', mounted);
  app.get(['/one', '/two'], (_request, response) => response.send('list'));
  app.get(/^\/re(gex)+$/, (_request, response) => response.send('regex'));
  app.get(wildcard, (_request, response) => response.send('file'));
  app.get('/never', () => {});
  app.get('/ignored', (_request, response) => response.send('ignored'));
  app.use((_error, _request, response, _next) => response.status(500).end('failed'));
  return app.listen(0);
}
