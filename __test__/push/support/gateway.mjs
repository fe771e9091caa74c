// A server in the place of a Pushgateway. It keeps what it receives, and answers as the test says.

import http from 'node:http';
import https from 'node:https';

/**
 * Starts a server, which ends with the test.
 *
 * @param answer answers a request after its body has been read; 200 without a body if missing
 * @param secure the key and certificate of an https server
 */
export async function startGateway(t, answer = (_, response) => response.end(), secure = undefined) {
  const requests = [];
  const receive = async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks) });
    answer(request, response);
  };
  const server = secure === undefined ? http.createServer(receive) : https.createServer(secure, receive);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  return { port, requests, url: `${secure === undefined ? 'http' : 'https'}://127.0.0.1:${port}` };
}
