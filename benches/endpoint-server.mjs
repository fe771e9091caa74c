// The service of endpoint.mjs: it has a route of its own, records as it answers, and shows its metrics through the door
// it is told to use. It measures nothing.

import { createServer } from 'node:http';
import { openLibrary } from './libraries.mjs';
import { populate } from './populations.mjs';

/** How a service shows its metrics. `prepared` has no library behind it: what node:http and the load could do at most. */
export const NATIVE = 'native';
export const JAVASCRIPT = 'javascript';
export const PREPARED = 'prepared';

/** Rounds of work that take some 50 us on a core of 2020. */
const WORK_ROUNDS = 8;

/** What the route reads, changes and answers with. */
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
    /** Answers `{port, metricsPort}`: the native door listens by itself. Only `prepared` is given bodies. */
    async start(bodies) {
      if (door === PREPARED) return listen(sendPrepared(bodies), () => {});
      const library = openLibrary(id, size);
      const population = populate(library, kind, size);
      if (collects) library.collected('queue_length', () => size);
      const record = () => population.touchSome(1);
      const ports = await listen(door === NATIVE ? notFound : library.handler, record);
      return door === NATIVE ? { ...ports, metricsPort: (await library.startExporter()).port } : ports;
    },

    /** Keeps the event loop from turning, soon after this is answered, as a computation does: the core is busy too. */
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
