// Stands between Prometheus and an endpoint. Frozen, it shows one exposition again and again: then all that Prometheus
// knows of an endpoint that is never at rest can be compared with a text.

import { once } from 'node:events';
import { createServer } from 'node:http';

/** @returns {Promise<{url: string, freeze: () => string}>} the target, and what stops its time and tells what it shows. */
export async function startFreezingProxy(t, originUrl) {
  let shown;
  let frozen = false;
  const server = createServer(async (request, response) => {
    if (!frozen) {
      const answer = await fetch(originUrl, { headers: { accept: request.headers.accept } });
      const now = { type: answer.headers.get('content-type'), text: await answer.text() };
      // It may have been frozen meanwhile.
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
