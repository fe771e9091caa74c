// Sends requests, keeps a ledger of them and their answers, and derives the expected exposition from it.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const SIZE_BUCKETS = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const HELP = {
  llmdevops_http_requests_total: ['counter', 'HTTP requests whose response has ended'],
  llmdevops_http_request_duration_seconds: ['histogram', 'Time from a request to the end of its response'],
  llmdevops_http_request_size_bytes: ['histogram', 'Size of the bodies of HTTP requests'],
  llmdevops_http_response_size_bytes: ['histogram', 'Size of the bodies of HTTP responses'],
  llmdevops_http_active_requests: ['gauge', 'HTTP requests whose response has not ended'],
};

/** Sends requests to a server and knows the metrics that it must show. */
export class Ledger {
  #port;
  #registry;
  #rows = [];

  constructor(port, registry) {
    this.#port = port;
    this.#registry = registry;
  }

  /** Enters a request. Sizes are bytes of bodies; `null` if they cannot be known. */
  enter(method, route, statusClass, { sent = 0, received = 0 } = {}) {
    this.#rows.push({ method, route, statusClass, sent, received });
  }

  /** Sends a request, enters it under the route, and returns what came back. */
  async ask(method, path, route, { body, headers = {}, agent = false, as = method } = {}) {
    const answer = await ask(this.#port, method, path, { body, headers, agent });
    this.enter(as, route, `${Math.trunc(answer.status / 100)}xx`, {
      sent: Buffer.byteLength(body ?? ''),
      received: answer.body.length,
    });
    return answer;
  }

  /** A connection on which a request's head has been sent, and a part of its body. */
  async open(...parts) {
    const socket = net.connect(this.#port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    for (const part of parts) socket.write(part);
    return socket;
  }

  /** The value that a metric shows now. */
  async #shown(name) {
    const text = await this.#registry.metrics();
    const lines = text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Waits until so many requests are in flight. */
  async inFlight(count) {
    await until(async () => (await this.#shown('llmdevops_http_active_requests')) === count);
  }

  /** Waits until everything entered was recorded, and compares the whole exposition, durations apart. */
  async settle(t) {
    await until(async () => (await this.#shown('llmdevops_http_requests_total')) >= this.#rows.length).catch(() => {});
    // One record too many would come late as well.
    await wait(20);
    const methods = [...new Set(this.#rows.map(({ method }) => method))];
    const [shown, expected] = [masked(await this.#registry.metrics()), masked(exposition(this.#rows, methods))];
    // The counts first: all else differs where they do.
    const counts = (lines) => lines.filter((line) => line.startsWith('llmdevops_http_requests_total{'));
    t.deepEqual(counts(shown), counts(expected));
    const without = (lines, others) => lines.filter((line) => !others.includes(line));
    t.deepEqual({ extra: without(shown, expected), missing: without(expected, shown) }, { extra: [], missing: [] });
    t.is(shown.length, expected.length);
  }
}

/** Sends a request and reads the whole answer. */
export async function ask(port, method, path, { body, headers = {}, agent = false } = {}) {
  const request = http.request({ host: '127.0.0.1', port, method, path, agent, headers });
  request.end(body);
  const [response] = await once(request, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

/** Waits until something holds, for at most twenty seconds. */
export async function until(holds) {
  for (const end = Date.now() + 20_000; Date.now() < end; await wait(5)) if (await holds()) return;
  throw new Error('It did not come to hold within twenty seconds');
}

/** Starts a server, and closes it with the test. */
export async function listen(t, server) {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return server.address().port;
}

/** The exposition of these requests, with a question mark for what depends on the clock. */
function exposition(rows, methods) {
  const lines = Object.entries(HELP).flatMap(([name, [type, help]]) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
  ]);
  const groups = new Map();
  for (const row of rows) groups.set(labelsOf(row), [...(groups.get(labelsOf(row)) ?? []), row]);
  for (const [labels, group] of groups) {
    lines.push(`llmdevops_http_requests_total{${labels}} ${group.length}`);
    lines.push(...histogram('llmdevops_http_request_duration_seconds', labels, DURATION_BUCKETS, group, () => 1));
    lines.push(...histogram('llmdevops_http_request_size_bytes', labels, SIZE_BUCKETS, group, ({ sent }) => sent));
    lines.push(
      ...histogram('llmdevops_http_response_size_bytes', labels, SIZE_BUCKETS, group, ({ received }) => received),
    );
  }
  for (const method of methods) lines.push(`llmdevops_http_active_requests{method="${method}"} 0`);
  return lines.join('\n');
}

function labelsOf({ method, route, statusClass }) {
  const escaped = route.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `method="${method}",route="${escaped}",status_class="${statusClass}"`;
}

function histogram(name, labels, bounds, rows, sizeOf) {
  const values = rows.map(sizeOf).filter((value) => value !== null);
  // Size histograms of which nothing is known have no series.
  if (values.length === 0) return [];
  const atMost = (bound) => values.filter((value) => value <= bound).length;
  return [
    ...bounds.map((bound) => `${name}_bucket{le="${bound}",${labels}} ${atMost(bound)}`),
    `${name}_bucket{le="+Inf",${labels}} ${values.length}`,
    `${name}_sum{${labels}} ${values.reduce((sum, value) => sum + value, 0)}`,
    `${name}_count{${labels}} ${values.length}`,
  ];
}

/** Lines in an order of their own, without what depends on the clock. */
function masked(text) {
  const clocked = /^(llmdevops_http_request_duration_seconds_(?:sum\{|bucket\{le="[\d.]+").*) \S+$/;
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(clocked, '$1 ?'))
    .sort();
}
