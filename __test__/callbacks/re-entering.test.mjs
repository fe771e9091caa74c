/**
 * Tests callbacks that use the object that calls them. Each reading is answered with the values that there are, no callback
 * is called again by its own reading, and no reading waits for itself.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createMetricsHandler, Gauge, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const later = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Ways to read a registry from within a `collect()` callback. */
const readings = {
  'metrics()': (registry) => registry.metrics(),
  'getMetricsAsJSON()': (registry) => registry.getMetricsAsJSON(),
  'scrape()': (registry) => registry.scrape(),
  'scrape() of its own name': (registry) => registry.scrape({ names: ['g'] }),
  'getSingleMetricAsString()': (registry) => registry.getSingleMetricAsString('g'),
  'getMetricsAsString()': (registry, metric) => registry.getMetricsAsString(metric),
  'get()': (_, metric) => metric.get(),
  'metrics() of a merged registry': (registry) => Registry.merge([registry]).metrics(),
  'metrics() of a registry that mounts it': (registry) => {
    const outer = new Registry();
    outer.mount(registry, { tenant: 'a' });
    return outer.metrics();
  },
};

const manners = {
  'at once': (read) => read(),
  'after an await': async (read) => {
    await later();
    return read();
  },
  'without awaiting it': (read) => {
    read();
  },
};

for (const [name, read] of Object.entries(readings)) {
  for (const [manner, call] of Object.entries(manners)) {
    test(`collect() may call ${name} ${manner}`, async (t) => {
      const failures = [];
      const registry = new Registry({ logger: { warn: (message) => failures.push(message) } });
      let calls = 0;
      new Gauge({
        name: 'g',
        help: 'h',
        registers: [registry],
        collect() {
          this.set(++calls);
          return call(() => read(registry, this));
        },
      });
      // Two such callbacks must not wait for each other either.
      let others = 0;
      new Gauge({
        name: 'other',
        help: 'h',
        registers: [registry],
        async collect() {
          others++;
          await registry.metrics();
        },
      });
      t.regex(await registry.metrics(), /^g 1$/m);
      t.regex(await registry.metrics(), /^g 2$/m);
      const both = await Promise.all([registry.scrape(), registry.getMetricsAsJSON()]);
      t.is(both[0].status, 200);
      // A reading of another registry calls the other callback, once for each call of the first.
      t.true(calls <= 8 && others <= 16, `${calls} and ${others} calls`);
      t.deepEqual(failures, []);
    });
  }
}

test('collect() of one registry may read another one, whose callbacks run', async (t) => {
  const [first, second] = [new Registry(), new Registry()];
  let calls = 0;
  const size = async (registry) => (await registry.metrics()).length;
  new Gauge({
    name: 'a',
    help: 'h',
    registers: [first],
    async collect() {
      this.set(await size(second));
    },
  });
  new Gauge({
    name: 'b',
    help: 'h',
    registers: [second],
    async collect() {
      this.set(++calls);
      await size(first);
    },
  });
  const texts = await Promise.all([first.metrics(), second.metrics()]);
  t.regex(texts[0], /^a [1-9]\d*$/m);
  t.true(calls >= 1 && calls <= 2);
});

test('what a callback has started is not part of it once it has ended', async (t) => {
  const registry = new Registry();
  let calls = 0;
  let read;
  new Gauge({
    name: 'g',
    help: 'h',
    registers: [registry],
    collect() {
      this.set(++calls);
      read ??= later()
        .then(later)
        .then(() => registry.metrics());
    },
  });
  t.regex(await registry.metrics(), /^g 1$/m);
  t.regex(await read, /^g 2$/m);
});

test('a collector that asks its own endpoint is answered within the time limit', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  let url;
  new Gauge({
    name: 'g',
    help: 'h',
    registers: [registry],
    async collect() {
      this.set((await (await fetch(`${url}/metrics`)).text()).length);
    },
  });
  const options = { registry, timeoutMs: 300 };
  const server = createServer(createMetricsHandler(options)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const exporter = await startExporter({ ...options, host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await exporter.close({ timeoutMs: 0 });
  });
  for (url of [`http://127.0.0.1:${server.address().port}`, exporter.url]) {
    t.is((await fetch(`${url}/metrics`)).status, 200);
  }
  t.true(warnings.every((warning) => warning.startsWith('COLLECTOR_TIMEOUT: collect() of "g" took longer')));
});

test('a logger, a check and authenticate() may read the registry', async (t) => {
  let logged = 0;
  const registry = new Registry({
    logger: {
      async warn() {
        logged++;
        await registry.metrics();
        new Gauge({ name: `made_${logged}`, help: 'h', registers: [registry] }).set(1);
      },
    },
  });
  new Gauge({
    name: 'g',
    help: 'h',
    registers: [registry],
    collect() {
      throw new Error('the logger hears of it');
    },
  });
  const reads = async () => (await registry.metrics()).length > 0;
  const options = { registry, authenticate: reads, checks: { reads } };
  const exporter = await startExporter({ ...options, host: '127.0.0.1', port: 0 });
  t.teardown(() => exporter.close({ timeoutMs: 0 }));
  t.is((await fetch(`${exporter.url}/metrics`)).status, 200);
  t.is((await fetch(`${exporter.url}/ready`)).status, 200);
  t.is(logged, 1);
});
