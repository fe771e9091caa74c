// Tests pushes by OTLP and to a Pushgateway.

import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { answers, pushing, shop } from './support/pushers.mjs';
import { otlp } from './support/requests.mjs';

test('OTLP has one metric a family, cumulative, with the attributes of the process', async (t) => {
  const { registry } = shop();
  const { pusher, requests } = await pushing(t, answers(200), {
    registry,
    protocol: 'otlp',
    instance: 'i',
    labels: { region: 'eu' },
  });
  const before = Date.now();
  await pusher.flush();
  const [request] = requests;
  t.is(request.headers['content-type'], 'application/x-protobuf');
  t.is(request.headers['content-encoding'], 'gzip');
  const { resource, metrics } = otlp(request);
  t.deepEqual(resource, {
    'service.name': 'test',
    'service.instance.id': 'i',
    'telemetry.sdk.name': 'prometheus-metrics',
  });
  const own = metrics.filter(({ name }) => !name.startsWith('llmdevops'));
  const times = new Set();
  for (const point of own.flatMap(({ points }) => points)) {
    times.add(point.time);
    t.true(point.time / 1e6 >= before - 1 && point.time / 1e6 <= Date.now() + 1);
    if (point.start !== undefined) t.true(point.start <= point.time);
    delete point.time;
    delete point.start;
  }
  t.is(times.size, 1);
  const region = { region: 'eu' };
  t.deepEqual(own, [
    {
      name: 'sales_total',
      help: 'Sales',
      unit: '',
      type: 'sum',
      temporality: 2,
      monotonic: 1,
      points: [{ labels: { shop: 'a "b"\n\\', Area: 'x', ...region }, value: 3 }],
    },
    {
      name: 'open',
      help: 'Open',
      unit: '',
      type: 'gauge',
      temporality: undefined,
      monotonic: undefined,
      points: [{ labels: region, value: 1 }],
    },
    {
      name: 'wait_seconds',
      help: 'Waiting',
      unit: 's',
      type: 'histogram',
      temporality: 2,
      monotonic: undefined,
      points: [{ labels: region, count: 1, sum: 2, counts: [0, 1, 0], bounds: [1, 5] }],
    },
  ]);
});

test('names of UTF-8 are sent as they are, and to a Pushgateway with underscores', async (t) => {
  const registry = new Registry({ names: 'utf8' });
  registry.gauge({ name: 'queue.länge', help: 'Q', labelNames: ['k8s.pod'] }).set({ 'k8s.pod': 'a' }, 1);
  const { pusher, requests } = await pushing(t, answers(200), { registry, protocol: 'otlp' });
  await pusher.flush();
  const [{ name, points }] = otlp(requests[0]).metrics;
  t.is(name, 'queue.länge');
  t.is(points[0].labels['k8s.pod'], 'a');
  const gateway = await pushing(t, answers(200), { registry, protocol: 'pushgateway' });
  await gateway.pusher.flush();
  const text = gunzipSync(gateway.requests[0].body).toString();
  t.true(text.startsWith('# HELP queue_l_nge Q\n# TYPE queue_l_nge gauge\nqueue_l_nge{k8s_pod="a"} 1\n'));
});

test('a large registry is sent in several requests of OTLP, with every series once', async (t) => {
  const { registry } = shop();
  const counter = registry.counter({ name: 'wide_total', help: 'W', labelNames: ['text'] });
  for (let i = 0; i < 9000; i++) counter.inc({ text: `${i}-${'x'.repeat(1000)}` }, i);
  const { pusher, requests } = await pushing(t, answers(200), { registry, protocol: 'otlp' });
  await pusher.flush();
  t.true(requests.length > 1);
  const points = requests
    .flatMap((request) => otlp(request).metrics)
    .filter(({ name }) => name === 'wide_total')
    .flatMap((metric) => {
      t.like(metric, { type: 'sum', temporality: 2, monotonic: 1, help: 'W' });
      return metric.points;
    });
  t.is(new Set(points.map(({ labels }) => labels.text)).size, 9000);
  t.is(points.length, 9000);
});

test('a receiver of OTLP is asked again after 503, and not after 500', async (t) => {
  const { registry } = shop();
  const { pusher, requests } = await pushing(t, answers(503, 200, 500, 200), { registry, protocol: 'otlp' });
  await pusher.flush();
  t.is(requests.length, 2);
  await t.throwsAsync(pusher.flush(), { message: /answered 500/ });
  t.is(requests.length, 3);
});

test('a Pushgateway gets the text of the registry, in a group of its own', async (t) => {
  const { registry } = shop();
  const { pusher, requests } = await pushing(t, answers(200), ({ url }) => ({
    registry,
    url: `${url}/base`,
    protocol: 'pushgateway',
    job: 'nightly/backup',
    instance: 'a b',
  }));
  await pusher.flush();
  const [{ method, url, headers, body }] = requests;
  t.is(method, 'PUT');
  t.is(url, '/base/metrics/job@base64/bmlnaHRseS9iYWNrdXA=/instance/a%20b');
  t.is(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const text = gunzipSync(body).toString();
  t.true(text.startsWith('# HELP sales_total Sales\n# TYPE sales_total counter\n'));
  t.true(text.endsWith('\n'));
});

test('data points that a receiver of OTLP refuses are counted, and warned of with its message', async (t) => {
  const { registry, warnings } = shop();
  // 300 points, more than one byte holds; the push has fewer.
  const body = Buffer.from('\x0a\x0a\x08\xac\x02\x12\x05stale', 'latin1');
  const answer = answers([200, { 'Content-Type': 'application/x-protobuf' }, body]);
  const { pusher } = await pushing(t, answer, { registry, protocol: 'otlp' });
  await pusher.flush();
  t.is(pusher.stats().samples, 0);
  t.regex(warnings.join('\n'), /refused \d+ samples of a push: it answered 200: stale/);
});

test('a push to a Pushgateway that is under way is not displaced by the next one', async (t) => {
  const { registry } = shop();
  const answer = (_, response) => setTimeout(() => response.end(), 200);
  const { pusher } = await pushing(t, answer, { registry, protocol: 'pushgateway' });
  const flushes = [pusher.flush()];
  await sleep(50);
  flushes.push(pusher.flush());
  await t.notThrowsAsync(Promise.all(flushes));
  t.is(pusher.stats().dropped, 0);
});

test('a unit of OTLP is in UCUM, or an annotation where a receiver would add another word to the name', async (t) => {
  const units = {
    seconds: 's',
    bytes: 'By',
    ratio: '1',
    celsius: 'celsius',
    ms: '{ms}',
    KiBy: '{KiBy}',
    items: 'items',
    jobs: '{jobs}',
    bytes_per_second: '{bytes_per_second}',
  };
  const registry = new Registry();
  for (const unit of Object.keys(units)) registry.gauge({ name: `of_${unit}`, help: 'Of', unit }).set(1);
  const { pusher, requests } = await pushing(t, answers(200, 200), { registry, protocol: 'otlp' });
  await pusher.flush();
  const own = otlp(requests[0]).metrics.filter(({ name }) => name.startsWith('of_'));
  t.deepEqual(Object.fromEntries(own.map(({ name, unit }) => [name.slice(3), unit])), units);
});
