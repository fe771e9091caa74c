// Runs the scrapes of an hour (locally, of a quarter) fast, through both doors of one process: memory does not grow, and no handle stays open.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test from 'ava';
import { count } from '../../support/count.mjs';
import { seriesValue } from '../../support/exposition.mjs';
import { start } from './support/children.mjs';
import { ask } from './support/doors.mjs';

/** Two scrapers every two seconds for an hour; some clients disconnect early. */
const SCRAPES = count(1000, 4000);
const TENTHS = 10;
/** Reached if a tenth of the scrapes leak 40 KB each, and locally if a tenth leak their whole text, some 150 KB. */
const GROWTH_MAX_BYTES = 8 * 2 ** 20;

/** A process with both doors; it reports its memory and handles on request. */
async function scraped(t) {
  const child = start(
    t,
    async ({ client, require, say, heard }) => {
      const counter = new client.Counter({ name: 'c_total', help: 'Some help', labelNames: ['n'] });
      for (let n = 0; n < 3000; n++) counter.inc({ n: `some value ${n}` });
      const gauge = new client.Gauge({
        name: 'collected',
        help: 'h',
        async collect() {
          await null;
          this.set(Math.random());
        },
      });
      gauge.set(0);
      const options = { checks: { fine: async () => true } };
      const server = require('node:http').createServer(client.createMetricsHandler(options));
      server.keepAliveTimeout = 60_000;
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = await client.startExporter({ host: '127.0.0.1', port: 0, ...options });
      await say([server.address().port, port]);
      for (;;) {
        await heard();
        // The finalizers of buffers run in later turns of the loop.
        for (let turn = 0; turn < 4; turn++) {
          globalThis.gc();
          await new Promise(setImmediate);
        }
        const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
        // The channel to the test is a handle while the program waits on it.
        const resources = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
        await say({ rss, heapUsed, external, arrayBuffers, resources: resources.sort() });
      }
    },
    null,
    { flags: ['--expose-gc', '--max-semi-space-size=1'] },
  );
  const ports = await child.heard();
  return {
    ports,
    async holds() {
      child.say('measure');
      return child.heard();
    },
  };
}

const KINDS = [
  ['/metrics', {}],
  ['/metrics', { 'accept-encoding': 'gzip' }],
  ['/metrics', { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' }],
  ['/metrics?name[]=collected', {}],
  ['/metrics?name[]=c_total&name[]=none', { 'x-prometheus-scrape-timeout-seconds': '5' }],
  ['/health', {}],
  ['/ready', {}],
  ['/nowhere', {}],
];

/** One scrape; every tenth client disconnects before the end. */
async function scrape(port, number, agent) {
  if (number % 10 === 9) {
    const socket = net.connect(port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    if (number % 20 === 9) await once(socket, 'data');
    socket.destroy();
    await once(socket, 'close');
    return;
  }
  const [path, headers] = KINDS[number % KINDS.length];
  const { status } = await ask({ port }, path, { headers, agent });
  if (status !== (path === '/nowhere' ? 404 : 200)) throw new Error(`${path} was answered with ${status}`);
}

test('memory is flat, and no handle is left', async (t) => {
  const { ports, holds } = await scraped(t);
  const before = await holds();
  const held = [];
  for (let tenth = 0; tenth < TENTHS; tenth++) {
    const agent = new http.Agent({ keepAlive: true });
    let next = 0;
    const scraper = async () => {
      while (next < SCRAPES / TENTHS) {
        const number = next++;
        await scrape(ports[number % 2], number >> 1, agent);
      }
    };
    await Promise.all([scraper(), scraper(), scraper(), scraper()]);
    agent.destroy();
    held.push(await holds());
  }
  const megabytes = (key) => held.map((now) => (now[key] / 2 ** 20).toFixed(1)).join(' ');
  for (const key of ['rss', 'heapUsed', 'external']) t.log(`${key} MB: ${megabytes(key)}`);
  for (const key of ['rss', 'heapUsed', 'external']) {
    const values = held.map((now) => now[key]);
    const grown = Math.min(...values.slice(-3)) - Math.min(...values.slice(2, 5));
    t.true(grown < GROWTH_MAX_BYTES, `${key}: ${grown} bytes more`);
  }
  // The sockets of the last scrapers close within a turn or two.
  let { resources } = await holds();
  for (let turn = 0; turn < 100 && resources.length > before.resources.length; turn++) ({ resources } = await holds());
  t.deepEqual(resources, before.resources);
  const names = ['connections', 'body_bytes', 'scrape_duration_seconds'];
  const query = names.map((name) => `name[]=llmdevops_metrics_${name}`).join('&');
  for (const port of ports) {
    const body = (await ask({ port }, `/metrics?${query}`)).body.toString();
    const value = (name) => seriesValue(body, `llmdevops_metrics_${name}`);
    t.is(value('body_bytes'), 0);
    t.true(value('scrape_duration_seconds_count') > SCRAPES / 4);
    t.is(value('connections'), port === ports[1] ? 1 : undefined);
  }
});
