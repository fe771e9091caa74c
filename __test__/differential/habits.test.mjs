// Habits of programs that random programs do not have: subclasses, replaced methods, private fields, objects of other
// libraries. Each must have the same result in this library and in the peer that the program was written for.

import test from 'ava';
import { ofClasses } from './class-habits.mjs';
import { peers, subject } from './clients.mjs';
import { common, ofPromClient, ofSuccessor } from './habits.mjs';
import { ofSummaries, ofSummariesOfPromClient } from './summary-habits.mjs';

// Silence the warnings about callbacks that fail on purpose.
process.removeAllListeners('warning');

const [promClient, successor] = peers;

for (const [habits, written] of [
  [common, peers],
  [ofClasses, peers],
  [ofPromClient, [promClient]],
  [ofSuccessor, [successor]],
  [ofSummaries, peers],
  [ofSummariesOfPromClient, [promClient]],
]) {
  for (const [title, habit] of Object.entries(habits)) {
    for (const { name, client } of written) {
      test.serial(`as in ${name}: ${title}`, async (t) => {
        t.deepEqual(plain(await habit(subject.client)), plain(await habit(client)));
      });
    }
  }
}

/** Without classes, proxies and the order of keys. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return Object.fromEntries(keys.sort().map((key) => [key, plain(value[key])]));
}

/** Metrics of every type with values, in no registry. */
function metricsOf(client) {
  const common = { help: 'with "quotes"', labelNames: ['b', 'a'], registers: [] };
  const counter = new client.Counter({ ...common, name: 'jobs' });
  counter.inc({ b: 'x', a: 1 }, 2);
  counter.inc({ a: 'quo"te\n' });
  const gauge = new client.Gauge({
    ...{ ...common, name: 'depth', aggregator: 'max' },
    collect() {
      this.set({ a: 'x' }, -1.5);
    },
  });
  const histogram = new client.Histogram({ ...common, name: 'seconds', buckets: [0.1, 1] });
  histogram.observe({ a: 'x' }, 0.5);
  const plain = new client.Histogram({ name: 'bytes', help: 'Bytes', registers: [], buckets: [10] });
  plain.observe(50);
  const summary = new client.Summary({ ...common, name: 'waits', percentiles: [0.5, 1] });
  summary.observe({ a: 'x', b: 2 }, 0.5);
  summary.observe({ a: 'x', b: 2 }, 1.5);
  const alone = new client.Summary({ name: 'alone', help: 'Alone', registers: [] });
  return [counter, gauge, histogram, plain, summary, alone];
}

async function shown(ofMetrics, ofRegistry) {
  const registry = new ofRegistry.Registry();
  const metrics = metricsOf(ofMetrics);
  for (const metric of metrics) registry.registerMetric(metric);
  registry.setDefaultLabels({ pod: 'p' });
  const text = await registry.metrics();
  const json = await registry.getMetricsAsJSON();
  registry.removeSingleMetric('depth');
  const one = await registry.getSingleMetricAsString('seconds');
  registry.resetMetrics();
  const names = registry.getMetricsAsArray().map(({ name, type }) => `${name} ${type}`);
  return { text: sorted(text), json: plain(json), one: sorted(one), names, reset: await registry.metrics() };
}

/** The lines of an exposition, with labels in the order of their names: it depends on who writes a metric of another library. */
function sorted(text) {
  const ordered = (labels) => `{${[...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].map(String).sort()}}`;
  return text.split('\n').map((line) => (line.startsWith('#') ? line : line.replace(/{.*}/, ordered)));
}

for (const peer of peers) {
  test.serial(`metrics of ${peer.name} in a registry of this library`, async (t) => {
    t.deepEqual(await shown(peer.client, subject.client), await shown(peer.client, peer.client));
  });

  test.serial(`metrics of this library in a registry of ${peer.name}`, async (t) => {
    t.deepEqual(await shown(subject.client, peer.client), await shown(peer.client, peer.client));
  });

  test.serial(`metrics of both in a registry of each, beside ${peer.name}`, async (t) => {
    const texts = [];
    for (const { client } of [subject, peer]) {
      const registry = new client.Registry();
      const [counter] = metricsOf(subject.client);
      const [, gauge] = metricsOf(peer.client);
      registry.registerMetric(counter);
      registry.registerMetric(gauge);
      t.throws(() => registry.registerMetric(metricsOf(peer.client)[0]), {
        message: /jobs has already been registered/,
      });
      texts.push(sorted(await registry.metrics()));
    }
    t.deepEqual(texts[0], texts[1]);
  });
}
