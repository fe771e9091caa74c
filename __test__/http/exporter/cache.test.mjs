// Tests the cache, and the endpoint's own metrics while scrapes are cached and shared, through both doors.

import { gunzipSync } from 'node:zlib';
import { Counter, Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { DOORS } from './support/doors.mjs';
import { seriesRegistry, smallRegistry } from './support/registries.mjs';

const COUNTED = ['scrape_duration_seconds', 'scrape_size_bytes', 'cache_hits_total', 'cache_misses_total'];

/** The counts of a door before this scrape, which itself is a miss if there is a cache. */
async function counted(text) {
  const body = await text(`/metrics?${COUNTED.map((name) => `name[]=llmdevops_metrics_${name}`).join('&')}`);
  const value = (name) => seriesValue(body, `llmdevops_metrics_${name}`);
  return {
    scrapes: value('scrape_duration_seconds_count'),
    sizes: value('scrape_size_bytes_count'),
    bytes: value('scrape_size_bytes_sum'),
    hits: value('cache_hits_total'),
    misses: value('cache_misses_total'),
  };
}

/** A registry of one gauge that counts the calls of its collect(). */
function collecting() {
  const registry = new Registry();
  let calls = 0;
  new Gauge({
    name: 'calls',
    help: 'h',
    registers: [registry],
    collect() {
      this.set(++calls);
    },
  });
  return { registry, calls: () => calls };
}

for (const { door, open } of DOORS) {
  test.serial(
    `${door}: within its time an exposition is served again, byte by byte, and no collector is run`,
    async (t) => {
      const { registry, calls } = collecting();
      const counter = new Counter({ name: 'c', help: 'h', registers: [registry] });
      const { ask, text } = await open(t, { registry, cacheTtlMs: 60_000 });
      const first = await ask('/metrics');
      t.deepEqual(samplesOf(first.body.toString()), ['calls 1', 'c 0']);
      counter.inc();
      for (let again = 0; again < 9; again++) {
        const { status, headers, body } = await ask('/metrics');
        t.is(status, 200);
        t.true(body.equals(first.body));
        t.deepEqual({ ...headers, date: '' }, { ...first.headers, date: '' });
      }
      t.is(calls(), 1);
      const bytes = 10 * first.body.length;
      t.deepEqual(await counted(text), { scrapes: 10, sizes: 10, bytes, hits: 9, misses: 2 });
    },
  );

  test.serial(`${door}: an expired body is made again`, async (t) => {
    const { registry, calls } = collecting();
    const { ask, text } = await open(t, { registry, cacheTtlMs: 400 });
    const started = performance.now();
    const first = (await ask('/metrics')).body.toString();
    const second = (await ask('/metrics')).body.toString();
    if (performance.now() - started < 350) t.is(second, first);
    await new Promise((resolve) => setTimeout(resolve, 450));
    const third = (await ask('/metrics')).body.toString();
    t.deepEqual(samplesOf(third), [`calls ${calls()}`]);
    t.not(third, first);
    const { hits, misses, scrapes } = await counted(text);
    t.is(hits + misses, 4);
    t.is(misses, calls() + 1);
    t.is(scrapes, 3);
  });

  test.serial(
    `${door}: each format, coding and choice of families is kept for itself, HEAD and GET are one`,
    async (t) => {
      const { registry, calls } = collecting();
      const { ask, text } = await open(t, { registry, cacheTtlMs: 60_000, compressionMinSize: 0 });
      const openmetrics = 'application/openmetrics-text;version=1.0.0';
      const kinds = [
        ['/metrics', {}],
        ['/metrics', { accept: openmetrics }],
        ['/metrics', { 'accept-encoding': 'gzip' }],
        ['/metrics?name[]=calls', {}],
      ];
      const shown = async () => {
        const bodies = [];
        for (const [path, headers] of kinds) {
          const answer = await ask(path, { headers });
          const zipped = answer.headers['content-encoding'] === 'gzip';
          bodies.push(samplesOf((zipped ? gunzipSync(answer.body) : answer.body).toString())[0]);
        }
        return bodies;
      };
      const expected = ['calls 1', 'calls 2', 'calls 3', 'calls 4'];
      t.deepEqual(await shown(), expected);
      t.deepEqual(await shown(), expected);
      // The same families in another order, and equivalent headers.
      await ask('/metrics?name[]=calls&name[]=calls');
      await ask('/metrics', { headers: { accept: `text/plain;q=0.2,${openmetrics};q=0.9` } });
      const head = await ask('/metrics', { method: 'HEAD' });
      t.is(head.body.length, 0);
      t.is(calls(), 4);
      t.deepEqual(await counted(text).then(({ hits, misses }) => ({ hits, misses })), { hits: 7, misses: 5 });
    },
  );

  test.serial(`${door}: health, readiness and rejected requests are not counted as scrapes`, async (t) => {
    const { ask, text } = await open(t, { registry: smallRegistry(), cacheTtlMs: 60_000 });
    for (const path of ['/health', '/ready', '/nowhere', '/']) await ask(path);
    await ask('/metrics', { method: 'POST' });
    await ask('/metrics', { headers: { 'accept-encoding': 'identity;q=0' } });
    t.deepEqual(await counted(text), { scrapes: 0, sizes: 0, bytes: 0, hits: 0, misses: 1 });
  });

  for (const options of [{}, { cacheTtlMs: 0 }]) {
    test.serial(
      `${door}: without a cache (${JSON.stringify(options)}) every scrape is new, and nothing hits or misses`,
      async (t) => {
        const { registry } = collecting();
        const { text } = await open(t, { registry, ...options });
        for (const times of [1, 2, 3]) t.is(seriesValue(await text(), 'calls'), times);
        const { scrapes, hits, misses } = await counted(text);
        t.deepEqual({ scrapes, hits, misses }, { scrapes: 3, hits: 0, misses: 0 });
      },
    );
  }

  for (const cacheTtlMs of [0, 60_000]) {
    test.serial(`${door}: 100 scrapes at once are counted one by one (cacheTtlMs ${cacheTtlMs})`, async (t) => {
      const registry = seriesRegistry(5000);
      const { ask, text } = await open(t, { registry, cacheTtlMs });
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask('/metrics')));
      for (const { status, body } of answers) {
        t.is(status, 200);
        t.is(samplesOf(body.toString()).length, 5000);
      }
      const { scrapes, sizes, bytes, hits, misses } = await counted(text);
      t.is(scrapes, 100);
      t.is(sizes, 100);
      t.is(
        bytes,
        answers.reduce((sum, { body }) => sum + body.length, 0),
      );
      t.is(hits + misses, cacheTtlMs === 0 ? 0 : 101);
    });
  }

  test.serial(`${door}: sizes are counted before compression`, async (t) => {
    const registry = seriesRegistry(1000);
    const { ask, text } = await open(t, { registry });
    const { headers, body } = await ask('/metrics', { headers: { 'accept-encoding': 'gzip' } });
    t.is(headers['content-encoding'], 'gzip');
    t.is((await counted(text)).bytes, gunzipSync(body).length);
  });

  test.serial(`${door}: the time of a scrape includes its collectors`, async (t) => {
    const registry = new Registry();
    const collect = () => new Promise((resolve) => setTimeout(resolve, 300));
    new Gauge({ name: 'g', help: 'h', registers: [registry], collect });
    const { ask, text } = await open(t, { registry });
    await ask('/metrics');
    const body = await text('/metrics?name[]=llmdevops_metrics_scrape_duration_seconds');
    const value = (suffix) => seriesValue(body, `llmdevops_metrics_scrape_duration_seconds_${suffix}`);
    t.is(value('count'), 1);
    t.is(value('bucket{le="0.1"}'), 0);
    t.is(value('bucket{le="10"}'), 1);
    t.true(value('sum') >= 0.29 && value('sum') < 10, `${value('sum')} s`);
  });

  test.serial(
    `${door}: the number of series is that of the newest exposition, without the endpoint's own`,
    async (t) => {
      const registry = seriesRegistry(20);
      const { text } = await open(t, { registry });
      t.is(seriesValue(await text(), 'llmdevops_metrics_series_count'), 20);
      registry.getSingleMetric('c').inc({ model: 'new', n: 1 });
      t.is(seriesValue(await text(), 'llmdevops_metrics_series_count'), 21);
    },
  );

  test.serial(`${door}: two doors of one registry have separate caches`, async (t) => {
    const { registry, calls } = collecting();
    const doors = [await open(t, { registry, cacheTtlMs: 60_000 }), await open(t, { registry, cacheTtlMs: 60_000 })];
    for (const [at, { text }] of [...doors, ...doors].entries()) {
      t.is(seriesValue(await text(), 'calls'), (at % 2) + 1);
    }
    t.is(calls(), 2);
  });
}
