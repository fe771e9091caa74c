// The service that attack-connections.mjs attacks: one door over a registry, with the default settings. It reports its
// memory.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Both doors. */
export const DOORS = [
  { id: 'native', title: 'startExporter()' },
  { id: 'javascript', title: 'createMetricsHandler() in node:http' },
];

const mb = () => process.memoryUsage.rss() / 2 ** 20;

/** The calls that the bench makes to the service. */
export function service({ door, series }) {
  let most = 0;
  return {
    async start() {
      const { Counter, createMetricsHandler, Registry, startExporter } = require('../dist/entry/index.js');
      const registry = new Registry({ cardinality: { maxSeries: series } });
      const counter = new Counter({
        name: 'requests_total',
        help: 'Requests',
        labelNames: ['n'],
        registers: [registry],
        cardinality: { maxSeries: series },
      });
      for (let n = 0; n < series; n++) counter.inc({ n: `some value ${n}` });
      setInterval(() => {
        most = Math.max(most, mb());
      }, 20).unref();
      if (door === 'native') {
        return { port: (await startExporter({ registry, host: '127.0.0.1', port: 0 })).port };
      }
      const server = createServer(createMetricsHandler({ registry }));
      // As docs/security.md advises: 511, the default, is a queue that 600 connections at once overflow.
      await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      return { port: server.address().port };
    },
    measure() {
      most = Math.max(most, mb());
      return { mb: mb(), mostMb: most };
    },
  };
}
