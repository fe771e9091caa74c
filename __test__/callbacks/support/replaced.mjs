// Replaces globals, then uses the library in all ways that need timers, promises or warnings. Runs in a child process.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** What programs and test environments do to globals, by name. */
const replacements = {
  /** As in a browser: identifiers are numbers, and there is no `setImmediate()`. */
  "a browser's timers"() {
    const { clearInterval, clearTimeout, setInterval, setTimeout } = globalThis;
    const timers = new Map();
    const numbered =
      (begin) =>
      (...settings) => {
        const id = timers.size + 1;
        timers.set(id, begin(...settings));
        return id;
      };
    globalThis.setTimeout = numbered(setTimeout);
    globalThis.setInterval = numbered(setInterval);
    globalThis.clearTimeout = (id) => clearTimeout(timers.get(id));
    globalThis.clearInterval = (id) => clearInterval(timers.get(id));
    delete globalThis.setImmediate;
    delete globalThis.clearImmediate;
  },
  'timers that never fire'() {
    for (const name of ['setTimeout', 'setInterval', 'setImmediate'])
      globalThis[name] = () => ({ unref() {}, ref() {} });
  },
  'frozen prototypes'() {
    for (const built of [Object, Array, Function, Error, TypeError, Promise, Map, Set]) {
      Object.freeze(built);
      Object.freeze(built.prototype);
    }
  },
  'properties of every object'() {
    Object.prototype.extra = () => 1;
    Array.prototype.extra = 2;
  },
  'a getter of every object that fails'() {
    const get = () => {
      throw new Error('of every object');
    };
    Object.defineProperty(Object.prototype, 'extra', { enumerable: true, get });
  },
  'a Promise without methods'() {
    const Engine = Promise;
    class Replaced {
      constructor(start) {
        // biome-ignore lint/correctness/noConstructorReturn: as libraries do that replace Promise
        return new Engine(start);
      }
    }
    for (const name of ['all', 'race', 'resolve', 'reject']) Replaced[name] = Engine[name].bind(Engine);
    globalThis.Promise = Replaced;
  },
  'warnings that cannot be emitted'() {
    process.emitWarning = undefined;
  },
  'a console without methods'() {
    globalThis.console = {};
  },
};

function get(url) {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent: false }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode, text });
      })
      .once('error', reject);
  });
}

const name = process.argv[2];
if (name === undefined) {
  process.send(Object.keys(replacements));
  process.disconnect();
} else {
  const client = await import('@llm-devops/prometheus-metrics');
  // Loads what requests need.
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  replacements[name]();

  const { Counter, Gauge, Registry, collectDefaultMetrics, createMetricsHandler, startExporter } = client;
  const registry = new Registry({ cardinality: { maxSeries: 2 } });
  const registers = [registry];
  new Counter({ name: 'plain', help: 'h', registers }).inc();
  const counter = new Counter({ name: 'limited', help: 'h', labelNames: ['a'], registers });
  for (let at = 0; at < 300; at++) counter.inc({ a: `${at}` });
  new Gauge({ name: 'fails', help: 'h', registers, collect: () => Promise.reject(new Error('warned of')) });
  const settled = Promise.resolve();
  new Gauge({
    name: 'later',
    help: 'h',
    registers,
    async collect() {
      await settled;
      this.set(4);
    },
  });
  const all = new Registry();
  all.mount(registry, { tenant: 'a' });
  const stop = collectDefaultMetrics({ register: all });

  const shows = (text) => {
    assert.match(text, /^plain(\{tenant="a"\})? 1$/m);
    assert.match(text, /^later(\{tenant="a"\})? 4$/m);
  };
  shows(await registry.metrics());
  shows((await all.scrape()).body.toString());
  const options = { registry: all, authenticate: async () => true, checks: { fine: async () => true } };
  server.on('request', createMetricsHandler(options));
  const exporter = await startExporter({ ...options, host: '127.0.0.1', port: 0 });
  for (const url of [`http://127.0.0.1:${server.address().port}`, exporter.url]) {
    const { status, text } = await get(`${url}/metrics`);
    assert.equal(status, 200, text);
    shows(text);
    assert.match(text, /^nodejs_eventloop_lag_seconds /m);
    assert.equal((await get(`${url}/ready`)).status, 200);
  }
  await exporter.close();
  stop();
  server.close();
  server.closeAllConnections();
  // Warnings and rejections that nothing handles are reported later.
  await wait(50);
  process.send('done');
  process.disconnect();
}
