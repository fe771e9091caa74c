// Tests values that only JavaScript has and that a program provides after the metric was made: the exporter asks for them.

import { Counter, Gauge, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samplesOf } from '../../support/exposition.mjs';

const help = 'Some help';

async function exporterOf(t, registry) {
  const exporter = await startExporter({ registry, port: 0, host: '127.0.0.1', cacheEnabled: false });
  t.teardown(() => exporter.close());
  return async (name) => {
    const text = await (await fetch(new URL('/metrics', exporter.url))).text();
    return samplesOf(text).filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  };
}

test.serial('collect() of a subclass', async (t) => {
  const registry = new Registry();
  const scrape = await exporterOf(t, registry);
  class Depth extends Gauge {
    collect() {
      this.set(50);
    }
  }
  class Jobs extends Counter {
    // A field is set after the constructor has registered the metric.
    collect = () => {
      this.reset();
      this.inc(3);
    };
  }
  new Depth({ name: 'depth', help, registers: [registry] });
  new Jobs({ name: 'jobs', help, registers: [registry] });
  t.deepEqual(await scrape('depth'), ['depth 50']);
  t.deepEqual(await scrape('jobs'), ['jobs 3']);
});

test.serial('collect() that is assigned while an exporter runs', async (t) => {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'g', help, registers: [registry] });
  const scrape = await exporterOf(t, registry);
  t.deepEqual(await scrape('g'), ['g 0']);
  gauge.collect = function collect() {
    this.set(7);
  };
  t.deepEqual(await scrape('g'), ['g 7']);
});

test.serial('collect() that is assigned in a mounted registry', async (t) => {
  const [registry, mounted] = [new Registry(), new Registry()];
  const gauge = new Gauge({ name: 'g', help, registers: [mounted] });
  registry.mount(mounted, { tenant: 'acme' });
  const scrape = await exporterOf(t, registry);
  t.deepEqual(await scrape('g'), ['g{tenant="acme"} 0']);
  gauge.collect = () => gauge.set(7);
  t.deepEqual(await scrape('g'), ['g{tenant="acme"} 7']);
});

test.serial('get() of a subclass', async (t) => {
  const registry = new Registry();
  const scrape = await exporterOf(t, registry);
  class Fresh extends Gauge {
    async get() {
      this.set({ a: 'x' }, 5);
      return super.get();
    }
  }
  new Fresh({ name: 'fresh', help, labelNames: ['a'], registers: [registry] });
  t.deepEqual(await scrape('fresh'), ['fresh{a="x"} 5']);
});
