// Tests that only its own methods reach the cells of a series: no property leads to them, a slab that code obtains in
// another way cannot be taken away, and a metric cannot be sent to another thread.

import test from 'ava';
import { MEMORIES, run } from './support/process.mjs';

for (const { memory, engineMemory } of MEMORIES) {
  test.serial(`${memory}: no property leads to the memory of a slab`, async (t) => {
    const { found, visited } = await run(
      async ({ client }) => {
        const registry = client.register;
        const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
        const gauge = new client.Gauge({ name: 'g', help: 'Help' });
        const histogram = new client.Histogram({ name: 'h', help: 'Help', labelNames: ['x'] });
        counter.inc({ x: 1 });
        gauge.set(1);
        histogram.observe({ x: 1 }, 1);
        const roots = {
          registry,
          counter,
          gauge,
          histogram,
          counterSeries: counter.labels(1),
          gaugeSeries: gauge.labels(),
        };
        roots.histogramSeries = histogram.labels(1);
        const found = [];
        const visited = new Set([Object.prototype, Function.prototype, Array.prototype, globalThis]);
        const visit = (value, path) => {
          if ((typeof value !== 'object' && typeof value !== 'function') || value === null || visited.has(value))
            return;
          visited.add(value);
          const memory = ArrayBuffer.isView(value) ? value.buffer : value;
          // Views over JavaScript's own memory hold copies; only a slab has this size.
          if (memory instanceof ArrayBuffer && memory.byteLength >= 32_768) found.push(path);
          for (const key of Reflect.ownKeys(value)) {
            const { get, value: own } = Reflect.getOwnPropertyDescriptor(value, key);
            const name = `${path}.${String(key)}`;
            visit(own, name);
            if (get === undefined) continue;
            try {
              visit(get.call(roots[path.split('.')[0]] ?? value), name);
            } catch {
              // A getter of another class.
            }
          }
          visit(Object.getPrototypeOf(value), `${path}.__proto__`);
        };
        for (const [name, root] of Object.entries(roots)) visit(root, name);
        return { found, visited: visited.size };
      },
      null,
      { engineMemory },
    );
    t.deepEqual(found, []);
    t.true(visited > 50);
  });

  test.serial(`${memory}: a metric cannot be cloned into another thread, only its description can`, async (t) => {
    const { clones, names, text } = await run(
      async ({ client, thread }) => {
        const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
        const histogram = new client.Histogram({ name: 'h', help: 'Help' });
        const collected = new client.Gauge({ name: 'g', help: 'Help', collect() {} });
        counter.inc({ x: 1 });
        const { register } = client;
        const worker = thread(async ({ heard }) => {
          while ((await heard()) !== 'end');
        });
        const roots = { counter, histogram, collected, register, series: counter.labels(1), only: histogram.labels() };
        const clones = {};
        for (const [name, root] of Object.entries(roots)) {
          try {
            const clone = structuredClone(root);
            worker.say(root);
            const methods = ['inc', 'set', 'observe', 'metrics'].filter((method) => method in clone);
            const buffers = Object.values(clone).filter((value) => ArrayBuffer.isView(value));
            clones[name] = { prototype: Object.getPrototypeOf(clone) === Object.prototype, methods, buffers };
          } catch (error) {
            clones[name] = error.name;
          }
        }
        counter.labels(1).inc();
        worker.say('end');
        await worker.ended;
        return { clones, names: Object.keys(roots), text: await register.metrics() };
      },
      null,
      { engineMemory },
    );
    for (const name of names) {
      const clone = clones[name];
      if (clone !== 'DataCloneError') t.deepEqual(clone, { prototype: true, methods: [], buffers: [] }, name);
    }
    t.is(clones.collected, 'DataCloneError');
    t.true(text.startsWith('# HELP c_total Help\n# TYPE c_total counter\nc_total{x="1"} 2\n'));
  });
}

test.serial('a slab that code gets hold of cannot be transferred away', async (t) => {
  const { attempts, ...outcome } = await run(async (tools) => {
    // The library makes its views with the realm's constructor, which earlier code may replace.
    const { Float64Array: Original } = globalThis;
    const slabs = [];
    globalThis.Float64Array = class extends Original {
      constructor(...args) {
        super(...args);
        if (args[0] instanceof ArrayBuffer) slabs.push(args[0]);
      }
    };
    const { client, scrape } = tools;
    const counter = new client.Counter({ name: 'c_total', help: 'Help' });
    globalThis.Float64Array = Original;
    const kept = counter.labels();
    kept.inc();
    const [slab] = slabs;
    const { port1 } = new MessageChannel();
    const attempts = [
      () => new Float64Array(structuredClone(slab)).fill(100),
      () => new Float64Array(structuredClone(slab, { transfer: [slab] })).fill(100),
      () => port1.postMessage(slab, [slab]),
    ].map((attempt) => {
      try {
        attempt();
        return 'copied';
      } catch (error) {
        return error.name;
      }
    });
    port1.close();
    kept.inc();
    counter.inc();
    return { attempts, slabs: slabs.length, bytes: slab.byteLength, value: (await scrape(client)).c_total };
  });
  t.deepEqual(outcome, { slabs: 1, bytes: 32_768, value: 3 });
  // Node.js 20 copies a buffer that may not be transferred, later versions throw. No version may take it away.
  const [cloned, ...transferred] = attempts;
  t.is(cloned, 'copied');
  for (const outcome of transferred) t.true(['copied', 'DataCloneError'].includes(outcome), outcome);
});
