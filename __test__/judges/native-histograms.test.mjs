// Prometheus 3 scrapes native histograms, in protobuf and in OpenMetrics 2.0, and answers queries about them.

import { Counter, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { startAcceptProxy } from './support/accept-proxy.mjs';
import { poll } from './support/processes.mjs';
import { PROMETHEUS_3, PROMETHEUS_NEWEST, startPrometheus } from './support/scrapers.mjs';
import { served } from './support/served.mjs';

const SERVERS = {
  'Prometheus 3': { program: PROMETHEUS_3 },
  'the newest Prometheus': { program: PROMETHEUS_NEWEST },
  'the newest Prometheus, in OpenMetrics 2.0,': { program: PROMETHEUS_NEWEST, protocol: 'OpenMetricsText2.0.0' },
};
const FEATURES = ['native-histograms', 'created-timestamp-zero-ingestion', 'exemplar-storage'];
/** The quantiles of values that are spread evenly over the powers of ten from 0.01 to 10. */
const quantile = (share) => 10 ** (3 * share - 2);

for (const [title, { program, protocol }] of Object.entries(SERVERS)) {
  test(`${title} stores native histograms, their exemplars, and the first increase of new series`, async (t) => {
    const registry = new Registry();
    const config = { help: 'Some help', labelNames: ['kind'], registers: [registry] };
    const native = { nativeHistogramBucketFactor: 1.1, enableExemplars: true };
    const alone = new Histogram({ ...config, ...native, name: 'alone_seconds' });
    const beside = new Histogram({ ...config, ...native, name: 'beside_seconds', buckets: [0.1, 1] });
    const coarse = new Histogram({ ...config, ...native, name: 'coarse_seconds', nativeHistogramMaxBuckets: 10 });
    const counter = new Counter({ ...config, name: 'events_total' });
    for (const histogram of [alone, beside, coarse]) {
      for (let at = 0; at < 10_000; at++)
        histogram.observe({ labels: { kind: 'even' }, value: quantile((at + 0.5) / 10_000) });
      histogram.observe({ labels: { kind: 'signed' }, value: -2 });
      histogram.observe({ labels: { kind: 'signed' }, value: 0 });
    }
    const proxy = await startAcceptProxy(t, await served(t, registry));
    const app = { url: proxy.url, ...(protocol && { scrape_protocols: [protocol] }) };
    const features = protocol ? [...FEATURES, 'openmetrics2'] : FEATURES;
    const prometheus = await startPrometheus(t, { app }, { program, features });
    await prometheus.nextScrapes('app');

    // Born between two scrapes.
    counter.inc({ kind: 'new' }, 5);
    for (let at = 0; at < 5; at++) {
      alone.observe({ labels: { kind: 'new' }, value: 2, exemplarLabels: { trace_id: `t${at}` } });
    }
    await prometheus.nextScrapes('app');
    const types = new Set(proxy.exchanges.map(({ contentType }) => contentType.split(/; (?!version)/)[0]));
    t.deepEqual(
      [...types],
      [protocol ? 'application/openmetrics-text; version=2.0.0' : 'application/vnd.google.protobuf'],
    );

    for (const name of ['alone_seconds', 'beside_seconds', 'coarse_seconds']) {
      t.is(await prometheus.scalar(`histogram_count(${name}{kind="even"})`), 10_000, name);
      // The coarse one has a bucket for each two doublings.
      const near = name === 'coarse_seconds' ? 2 : 1.05;
      for (const share of [0.1, 0.5, 0.9, 0.99]) {
        const ratio = (await prometheus.scalar(`histogram_quantile(${share}, ${name}{kind="even"})`)) / quantile(share);
        t.true(ratio < near && ratio > 1 / near, `${name}: the quantile ${share} is ${ratio} times the true one`);
      }
      t.is(await prometheus.scalar(`histogram_sum(${name}{kind="signed"})`), -2);
      t.is(await prometheus.scalar(`histogram_count(${name}{kind="signed"})`), 2);
    }
    t.deepEqual(
      await prometheus.query('{__name__=~"(alone|beside)_seconds_(bucket|count|sum)"}'),
      [],
      'no classic series',
    );

    // The server stores 0 at the time of birth, so the increase is 5. `increase()` adds what it extrapolates.
    const stored = async (name) => {
      const { result } = await prometheus.get('/api/v1/query', { query: `${name}{kind="new"}[1m]` });
      return result.flatMap(({ values, histograms }) =>
        (values ?? histograms).map(([, sample]) => sample.count ?? sample),
      );
    };
    for (const name of ['events_total', 'alone_seconds']) {
      const values = await stored(name);
      t.deepEqual([values[0], values.at(-1)], ['0', '5'], name);
    }
    for (const increase of ['increase(events_total[1m])', 'histogram_count(increase(alone_seconds{kind="new"}[1m]))']) {
      t.true((await prometheus.scalar(increase)) >= 5, increase);
    }

    const exemplars = await poll(async () => {
      const range = { start: Date.now() / 1000 - 600, end: Date.now() / 1000 + 1 };
      const found = await prometheus.get('/api/v1/query_exemplars', { query: 'alone_seconds{kind="new"}', ...range });
      return found.length > 0 ? found : undefined;
    }, 'exemplars are stored');
    const [{ exemplars: found }] = exemplars;
    t.true(found.length > 0 && found.every(({ labels, value }) => /^t[0-4]$/.test(labels.trace_id) && value === '2'));
  });
}
