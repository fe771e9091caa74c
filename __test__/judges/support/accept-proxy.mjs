// A proxy between a scraper and an endpoint. It notes what the scraper asks for and gets. Prometheus 2 always prefers
// OpenMetrics; to simulate a scraper that asks for text, the proxy can change the Accept header. It passes everything else on
// unchanged.

import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';

/**
 * @param accept what is asked for instead of what the scraper asks for.
 * @returns {Promise<{url: string, exchanges: object[]}>} the target to scrape, and what was asked for and answered.
 */
export async function startAcceptProxy(t, originUrl, accept) {
  const exchanges = [];
  const server = createServer((request, response) => {
    const asked = accept ?? request.headers.accept;
    const headers = { ...request.headers, accept: asked, host: new URL(originUrl).host };
    const forwarded = httpRequest(new URL(request.url, originUrl), { method: request.method, headers }, (answer) => {
      exchanges.push({
        accept: asked,
        acceptEncoding: request.headers['accept-encoding'],
        contentType: answer.headers['content-type'],
        contentEncoding: answer.headers['content-encoding'],
      });
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
  return { url: `http://127.0.0.1:${server.address().port}${new URL(originUrl).pathname}`, exchanges };
}
