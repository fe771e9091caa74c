// A proxy between Prometheus and an endpoint. When frozen, it repeats one exposition. So everything that Prometheus
// knows about a busy endpoint can be compared with one text.

import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * @returns {Promise<{url: string, freeze: () => string}>} the target, and a function that freezes it and returns the
 * repeated text.
 */
export async function startFreezingProxy(t, originUrl) {
  let shown;
  let frozen = false;
  const server = createServer(async (request, response) => {
    if (!frozen) {
      const answer = await fetch(originUrl, { headers: { accept: request.headers.accept } });
      const now = { type: answer.headers.get('content-type'), text: await answer.text() };
      // The proxy may have been frozen in the meantime.
      if (!frozen) shown = now;
    }
    response.writeHead(200, { 'content-type': shown.type }).end(shown.text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const freeze = () => {
    frozen = true;
    return shown.text;
  };
  return { url: `http://127.0.0.1:${server.address().port}/metrics`, freeze };
}
