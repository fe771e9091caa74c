// Starts both doors for a test and ends them with it; and a client that reads whole answers.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createMetricsHandler, startExporter } from '@llm-devops/prometheus-metrics';
import { seriesValue } from '../../../support/exposition.mjs';

/**
 * Sends a request and reads the whole answer. `to` is what `http.request()` takes: port and host, or socketPath; `from`
 * an address of this machine.
 */
export async function ask(to, path, { method = 'GET', headers = {}, body, agent = false, from } = {}) {
  const request = http.request({ host: '127.0.0.1', ...to, path, method, headers, agent, localAddress: from });
  request.end(body);
  const [response] = await once(request, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

/** An answer's headers without those of the connection and the date. */
export function own({ connection: _, date: __, 'keep-alive': ___, ...headers }) {
  return headers;
}

/** The credentials of basic authentication. */
export function basic(user, password) {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** What a test may do with a door on a port of the loopback. */
function client(port) {
  const to = { port };
  return {
    port,
    ask: (path, options) => ask(to, path, options),
    text: async (path = '/metrics') => (await ask(to, path)).body.toString(),
    /** A raw connection. */
    async connect(options = {}) {
      const socket = net.connect({ port, host: '127.0.0.1', ...options });
      await once(socket, 'connect');
      return socket;
    },
  };
}

/** Starts an exporter on a free port. The options may be of a class. */
export async function exporter(t, options = {}) {
  const all = Object.assign(Object.create(Object.getPrototypeOf(options)), { host: '127.0.0.1', port: 0 }, options);
  const running = await startExporter(all);
  t.teardown(() => running.close({ timeoutMs: 0 }));
  return {
    ...client(running.port),
    url: running.url,
    setReady: (ready) => running.setReady(ready),
    close: (options) => running.close(options),
  };
}

/** Serves a handler on a free port. */
export async function handler(t, options = {}) {
  const listener = createMetricsHandler(options);
  const server = http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...client(server.address().port), setReady: (ready) => listener.setReady(ready) };
}

/** Both doors: each test runs with each. */
export const DOORS = [
  { door: 'createMetricsHandler()', open: handler },
  { door: 'startExporter()', open: exporter },
];

/** All bytes that a connection sends until it ends. */
export async function everything(socket) {
  let all = '';
  for await (const chunk of socket.setEncoding('latin1')) all += chunk;
  return all;
}

/** The number of rejected requests and connections in an exposition. */
export function rejected(exposition, reason) {
  return seriesValue(exposition, `llmdevops_metrics_rejected_total{reason="${reason}"}`);
}

/** Waits for a condition, for ten seconds at most; returns whether it became true. */
export async function eventually(holds) {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
