// Tests remote write: what a receiver gets, and which version of the protocol.

import { Counter, Registry, Summary } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';
import { answers, pushing, SHOP, shop, until, WRITTEN } from './support/pushers.mjs';
import { remoteWrite, unsnappy, valuesOf } from './support/requests.mjs';

/** The rules of both versions for the labels of a series. */
function checkLabels(t, labels) {
  const names = labels.map(([name]) => name);
  t.deepEqual(names, [...new Set(names)].sort(), 'sorted, none twice');
  t.true(names.includes('__name__'));
  t.true(labels.every(([name, value]) => name !== '' && value !== ''));
}

test('version 1.0 has every sample with sorted labels, one timestamp, and metadata', async (t) => {
  const { registry } = shop();
  const { pusher, requests } = await pushing(t, answers(204), { registry });
  const before = Date.now();
  await pusher.flush();
  const [request] = requests;
  const { 'content-type': type, 'content-encoding': encoding, 'user-agent': agent } = request.headers;
  t.deepEqual([type, encoding], ['application/x-protobuf', 'snappy']);
  t.is(request.headers['x-prometheus-remote-write-version'], '0.1.0');
  t.regex(agent, /^prometheus-metrics\/\d/);
  t.is(request.method, 'POST');
  t.deepEqual(valuesOf(request), SHOP);
  const { series, metadata } = remoteWrite(request);
  for (const { labels } of series) checkLabels(t, labels);
  const times = new Set(series.flatMap(({ samples }) => samples.map(({ timestamp }) => timestamp)));
  t.is(times.size, 1);
  const [time] = times;
  t.true(time >= before && time <= Date.now());
  t.deepEqual(
    metadata.filter(({ name }) => !name.startsWith('llmdevops')),
    [
      { type: 1, name: 'sales_total', help: 'Sales', unit: '' },
      { type: 2, name: 'open', help: 'Open', unit: '' },
      { type: 3, name: 'wait_seconds', help: 'Waiting', unit: 'seconds' },
    ],
  );
});

test('version 2.0 has each text once, starts, exemplars, and metadata', async (t) => {
  const { registry } = shop();
  const found = new Counter({ name: 'found_total', help: 'F', enableExemplars: true, registers: [registry] });
  found.inc({ value: 1, exemplarLabels: { trace_id: 'abc' } });
  const { pusher, requests } = await pushing(t, answers([204, WRITTEN]), { registry, protocol: 'remote-write' });
  await pusher.flush();
  const [request] = requests;
  t.is(request.headers['content-type'], 'application/x-protobuf;proto=io.prometheus.write.v2.Request');
  t.is(request.headers['x-prometheus-remote-write-version'], '2.0.0');
  t.is(request.headers['content-encoding'], 'snappy');
  t.regex(request.headers['user-agent'], /^prometheus-metrics\/\d/);
  const { symbols, series } = remoteWrite(request);
  t.is(symbols[0], '');
  t.is(new Set(symbols).size, symbols.length);
  for (const { labels } of series) checkLabels(t, labels);
  t.like(valuesOf(request), SHOP);
  const of = (wanted) => series.find(({ labels }) => Object.fromEntries(labels).__name__ === wanted);
  const [{ exemplars, samples }, open] = [of('found_total'), of('open')];
  t.deepEqual(of('sales_total').metadata, { type: 1, help: 'Sales', unit: '' });
  t.deepEqual(open.metadata, { type: 2, help: 'Open', unit: '' });
  t.is(of('wait_seconds_sum').metadata.unit, 'seconds');
  t.true(Math.abs(samples[0].start - Date.now()) < 60_000);
  t.is(open.samples[0].start, undefined);
  const [{ labels, value, timestamp }] = exemplars;
  t.deepEqual([labels, value, exemplars.length], [[['trace_id', 'abc']], 1, 1]);
  t.true(Math.abs(timestamp - Date.now()) < 60_000);
});

for (const [what, answer] of [
  ['accepts it and stores nothing', 204],
  ['answers 400', 400],
  ['answers 415', 415],
]) {
  test(`a receiver that does not know version 2.0 and ${what} gets version 1.0 from then on`, async (t) => {
    const { registry, warnings, sales } = shop();
    const { pusher, requests } = await pushing(t, answers(answer, 204), { registry, protocol: 'remote-write' });
    await pusher.flush();
    t.deepEqual(
      requests.map((request) => remoteWrite(request).version),
      [2, 1],
    );
    t.deepEqual(valuesOf(requests[1]), SHOP);
    sales.inc({ shop: 'a "b"\n\\', Area: 'x' });
    await pusher.flush();
    t.is(remoteWrite(requests[2]).version, 1);
    await until(() => warnings.length > 0);
    t.is(warnings.filter((warning) => warning.includes('remote write 2.0')).length, 1);
    t.is(pusher.stats().dropped, 0);
  });
}

test('a receiver that knows version 2.0 keeps it when it refuses a push', async (t) => {
  const { registry } = shop();
  const script = answers([204, WRITTEN], 400, [204, WRITTEN]);
  const { pusher, requests } = await pushing(t, script, { registry, protocol: 'remote-write' });
  await pusher.flush();
  await t.throwsAsync(pusher.flush(), { code: 'PUSH_FAILED', message: /answered 400/ });
  await pusher.flush();
  t.deepEqual(
    requests.map((request) => remoteWrite(request).version),
    [2, 2, 2],
  );
});

test('a push that is written in part counts what was refused', async (t) => {
  const { registry, warnings } = shop();
  const written = { 'X-Prometheus-Remote-Write-Samples-Written': '2' };
  const { pusher } = await pushing(t, answers([204, written]), { registry, protocol: 'remote-write' });
  await pusher.flush();
  t.is(pusher.stats().samples, 2);
  await until(() => warnings.some((warning) => /refused \d+ samples/.test(warning)));
});

test('what a receiver wrote of a push that it refused is counted', async (t) => {
  const { registry } = shop();
  const written = { 'X-Prometheus-Remote-Write-Samples-Written': '2' };
  const { pusher, requests } = await pushing(t, answers([400, written]), { registry, protocol: 'remote-write' });
  await t.throwsAsync(pusher.flush(), { code: 'PUSH_FAILED' });
  const { samples, pushes, dropped } = pusher.stats();
  t.deepEqual({ samples, pushes, dropped, sent: requests.length }, { samples: 2, pushes: 0, dropped: 1, sent: 1 });
});

test('requests are sent one after the other, the older ones first, also if some fail', async (t) => {
  const { registry } = shop();
  let [open, most, number] = [0, 0, 0];
  const accepted = [];
  const answer = (_, response) => {
    open += 1;
    most = Math.max(most, open);
    const at = number++;
    setTimeout(() => {
      open -= 1;
      if (at % 3 !== 1) accepted.push(at);
      response.writeHead(at % 3 === 1 ? 503 : 204, WRITTEN).end();
    }, 150);
  };
  const { requests } = await pushing(t, answer, { registry, protocol: 'remote-write', intervalMs: 100 });
  await until(() => accepted.length > 5);
  t.is(most, 1);
  const times = accepted.map((at) => remoteWrite(requests[at]).series[0].samples[0].timestamp);
  t.deepEqual(times, [...new Set(times)].sort());
});

test('a series that ended is marked once, and all are marked when the pusher is closed', async (t) => {
  for (const protocol of ['remote-write-1', 'remote-write']) {
    const { registry, sales } = shop();
    sales.inc({ shop: 'gone', Area: 'x' });
    const { pusher, requests } = await pushing(t, answers([204, WRITTEN]), { registry, protocol });
    await pusher.flush();
    sales.remove({ shop: 'gone', Area: 'x' });
    await pusher.flush();
    await pusher.flush();
    await pusher.close();
    const stale = requests.map((request) =>
      remoteWrite(request).series.filter(({ samples }) => samples[0].value === 'stale'),
    );
    const marked = stale.flatMap((series) => series.map(({ labels }) => Object.fromEntries(labels)));
    const own = marked.filter(({ __name__: name }) => !name.startsWith('llmdevops_push'));
    t.deepEqual([own[0].__name__, own[0].shop], ['sales_total', 'gone'], protocol);
    t.is(own.filter(({ shop: label }) => label === 'gone').length, 1);
    t.is(own.length, 1 + Object.keys(SHOP).length);
    // In order within each series.
    const last = new Map();
    for (const request of requests) {
      for (const { labels, samples } of remoteWrite(request).series) {
        const key = JSON.stringify(labels);
        for (const { timestamp } of samples) {
          t.true(timestamp > (last.get(key) ?? 0), key);
          last.set(key, timestamp);
        }
      }
    }
  }
});

test("a series' own labels come before those of the pusher", async (t) => {
  const registry = new Registry();
  new Counter({ name: 'c', help: 'C', labelNames: ['job', 'region'], registers: [registry] }).inc({ job: 'own' });
  const options = { registry, labels: { region: 'eu', empty: '' } };
  const { pusher, requests } = await pushing(t, answers(204), options);
  await pusher.flush();
  t.deepEqual(Object.keys(valuesOf(requests[0])), ['c{job="own",region="eu"}']);
});

test('large registries are sent in several requests of limited size, with every series once', async (t) => {
  const registry = new Registry();
  const counter = new Counter({
    name: 'wide_total',
    help: 'W',
    labelNames: ['text'],
    registers: [registry],
    limits: {},
  });
  for (let i = 0; i < 9000; i++) counter.inc({ text: `${i}-${'x'.repeat(1000)}` }, i);
  for (const protocol of ['remote-write-1', 'remote-write']) {
    const { pusher, requests } = await pushing(t, answers([204, WRITTEN]), { registry, protocol });
    await pusher.flush();
    t.true(requests.length > 1);
    for (const request of requests) {
      t.true(unsnappy(request.body).length <= 5 * 2 ** 20, 'a receiver may refuse more');
      const { symbols = [''] } = remoteWrite(request);
      t.deepEqual([symbols[0], symbols.length], ['', new Set(symbols).size], 'each request has its own texts');
    }
    const all = Object.assign({}, ...requests.map(valuesOf));
    t.is(Object.keys(all).length, 9000);
    t.is(
      Object.values(all).reduce((sum, value) => sum + value, 0),
      (9000 * 8999) / 2,
    );
  }
});

test('a summary is pushed with its quantiles', async (t) => {
  const registry = new Registry();
  new Summary({ name: 's', help: 'S', percentiles: [0.5], registers: [registry] }).observe(3);
  const { pusher, requests } = await pushing(t, answers(204), { registry });
  await pusher.flush();
  t.deepEqual(valuesOf(requests[0]), {
    's_count{job="test"}': 1,
    's_sum{job="test"}': 3,
    's{job="test",quantile="0.5"}': 3,
  });
});

test('a receiver reads what the registry shows, with any labels and values', async (t) => {
  const registry = new Registry();
  const { pusher, requests } = await pushing(t, answers([204, WRITTEN]), { registry, protocol: 'remote-write' });
  const first = await pushing(t, answers(204), { registry });
  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,6}$/).filter((it) => !it.startsWith('__'));
  const value = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('"', '\\', '\n', 'é\u2028', ''));
  const set = fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(set, fc.double(), async (labels, number) => {
      registry.clear();
      const labelNames = Object.keys(labels);
      const gauge = registry.gauge({ name: 'g', help: 'G', labelNames });
      gauge.set(labels, number);
      await Promise.all([pusher.flush(), first.pusher.flush()]);
      for (const received of [requests.splice(0), first.requests.splice(0)]) {
        const shown = received
          .flatMap((request) => remoteWrite(request).series)
          .filter(({ samples }) => samples[0].value !== 'stale');
        const own = shown.filter(({ labels }) => Object.fromEntries(labels).__name__ === 'g');
        t.is(own.length, 1);
        const { __name__: _, instance, job, ...others } = Object.fromEntries(own[0].labels);
        const expected = Object.entries(labels).filter(([, text]) => text !== '');
        t.deepEqual(
          { instance: typeof instance, job, ...others },
          { instance: 'string', job: 'test', ...Object.fromEntries(expected.map(([k, v]) => [k, v.toWellFormed()])) },
        );
        t.is(own[0].samples[0].value, number);
        checkLabels(t, own[0].labels);
      }
    }),
    { numRuns: count(30, 300) },
  );
});

test('pushes go out by themselves, the first one soon', async (t) => {
  const { registry } = shop();
  const { requests } = await pushing(t, answers(204), { registry, intervalMs: 100 });
  await until(() => requests.length > 2);
  const times = requests.map((request) => remoteWrite(request).series[0].samples[0].timestamp);
  t.deepEqual(times, [...new Set(times)].sort());
});
