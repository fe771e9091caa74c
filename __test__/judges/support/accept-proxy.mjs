// Prometheus 2 always prefers OpenMetrics. This proxy simulates a scraper that asks for text: it changes the Accept
// header and passes everything else on unchanged.

import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';

/**
 * @returns {Promise<{url: string, contentTypes: Set<string>}>} the target to scrape, and the content types of the
 * answers.
 */
export async function startAcceptProxy(t, originUrl, accept) {
  const contentTypes = new Set();
  const server = createServer((request, response) => {
    const headers = { ...request.headers, accept, host: new URL(originUrl).host };
    const forwarded = httpRequest(new URL(request.url, originUrl), { method: request.method, headers }, (answer) => {
      contentTypes.add(answer.headers['content-type']);
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}${new URL(originUrl).pathname}`, contentTypes };
}
