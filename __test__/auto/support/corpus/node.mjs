import http from 'node:http';
import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
import { answerCorpus, byHand, options } from '../corpus.mjs';

async function plain() {
  const metrics = byHand ? createHttpMetrics(options) : () => {};
  return http
    .createServer((request, response) => {
      metrics(request, response);
      if (request.url === '/never') return;
      response.statusCode = request.url === '/' ? 200 : 404;
      response.end('plain');
    })
    .listen(0);
}

await answerCorpus(await plain());
