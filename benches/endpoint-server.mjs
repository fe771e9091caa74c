// The service of endpoint.mjs: it has a route of its own, records metrics as it answers, and exposes them through the
// chosen door. It measures nothing.

import { createServer } from 'node:http';
import { openLibrary } from './libraries.mjs';
import { populate } from './populations.mjs';

/**
 * The ways to expose metrics. `prepared` uses no library: it shows the limit of node:http and of the load generator.
 */
export const NATIVE = 'native';
export const JAVASCRIPT = 'javascript';
export const PREPARED = 'prepared';

/** Rounds of work that take about 50 us on a core of 2020. */
const WORK_ROUNDS = 8;

/** The data that the route reads, changes and returns. */
const ORDER = {
  id: 'order-4711',
  customer: { name: 'Ada Lovelace', city: 'London', since: 1843 },
  items: Array.from({ length: 12 }, (_, index) => ({
    sku: `sku-${index}`,
    quantity: (index % 3) + 1,
    cents: index * 99,
  })),
};

/** The calls that endpoint.mjs makes to a service. */
export function service({ library: id, door, kind, size, collects }) {
  return {
    /** Returns `{port, metricsPort}`; the native door has its own port. Only `prepared` gets bodies. */
    async start(bodies) {
      if (door === PREPARED) return listen(sendPrepared(bodies), () => {});
      const library = openLibrary(id, size);
      const population = populate(library, kind, size);
      if (collects) library.collected('queue_length', () => size);
      const record = () => population.touchSome(1);
      const ports = await listen(door === NATIVE ? notFound : library.handler, record);
      return door === NATIVE ? { ...ports, metricsPort: (await library.startExporter()).port } : ports;
    },

    /** Blocks the event loop soon after this call returns. It computes, so the core is busy too. */
    block(ms) {
      setTimeout(spin, 20, ms);
    },
  };
}

async function listen(handler, record) {
  const server = createServer((request, response) => {
    if (request.url === '/metrics') return handler(request, response);
    record();
    response.setHeader('content-type', 'application/json');
    response.end(work());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return { port, metricsPort: port };
}

function work() {
  let text = JSON.stringify(ORDER);
  for (let round = 0; round < WORK_ROUNDS; round++) {
    const order = JSON.parse(text);
    order.items.forEach((item) => {
      item.cents += item.quantity;
    });
    text = JSON.stringify(order);
  }
  return text;
}

function sendPrepared(bodies) {
  const [plain, gzipped] = bodies.map((base64) => Buffer.from(base64, 'base64'));
  return (request, response) => {
    if (!request.headers['accept-encoding']?.includes('gzip')) return response.end(plain);
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipped);
  };
}

function notFound(_request, response) {
  response.statusCode = 404;
  response.end();
}

function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
