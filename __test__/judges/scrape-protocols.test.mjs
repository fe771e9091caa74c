// Prometheus of today asks for every format that it knows, under each of its settings, and stores the same series and values
// from each. From those that show starts it also knows when a series began.

import { Counter, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { startAcceptProxy } from './support/accept-proxy.mjs';
import { classicForm, EXEMPLAR, everyType, inOpenMetrics, keyed, PROTOBUF, startOf } from './support/every-type.mjs';
import { differences } from './support/query.mjs';
import { PROMETHEUS_NEWEST, startPrometheus } from './support/scrapers.mjs';
import { served } from './support/served.mjs';

const OPENMETRICS = 'application/openmetrics-text;version=';
const TEXT_ANSWER = 'text/plain; version=';
const OPENMETRICS_ANSWER = 'application/openmetrics-text; version=';
const PROTOBUF_ANSWER = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const ESCAPED = '; charset=utf-8; escaping=allow-utf-8';

/** What the server asks for without protobuf and OpenMetrics 2.0. */
const usual = (first, escaping = 'allow-utf-8') =>
  [
    `${OPENMETRICS}1.0.0;escaping=${escaping};q=0.${first}`,
    `${OPENMETRICS}0.0.1;q=0.${first - 1}`,
    `text/plain;version=1.0.0;escaping=${escaping};q=0.${first - 2}`,
    `text/plain;version=0.0.4;q=0.${first - 3}`,
    `*/*;q=0.${first - 4}`,
  ].join(',');

/** A proxy for each job, which notes what is asked for. */
async function startJobs(t, url, settings) {
  const jobs = {};
  const proxies = {};
  for (const [job, own] of Object.entries(settings)) {
    proxies[job] = await startAcceptProxy(t, url);
    jobs[job] = { url: proxies[job].url, ...own };
  }
  return { jobs, proxies };
}

const WITHOUT_FEATURES = {
  default: [{}, usual(7), `${OPENMETRICS_ANSWER}1.0.0${ESCAPED}`],
  native: [{ scrape_native_histograms: true }, `${PROTOBUF};q=0.7,${usual(6)}`, PROTOBUF_ANSWER],
  legacy: [
    { metric_name_validation_scheme: 'legacy', metric_name_escaping_scheme: 'underscores' },
    usual(7, 'underscores'),
    `${OPENMETRICS_ANSWER}1.0.0; charset=utf-8; escaping=underscores`,
  ],
};
const WITH_FEATURES = {
  default: [{}, `${PROTOBUF};q=0.7,${usual(6)}`, PROTOBUF_ANSWER],
};

for (const [title, { features, encoding, expected }] of Object.entries({
  'without features': { features: [], encoding: 'gzip', expected: WITHOUT_FEATURES },
  'that wants starts and zstd': {
    features: ['created-timestamp-zero-ingestion', 'zstd-scrape'],
    encoding: 'zstd,gzip',
    expected: WITH_FEATURES,
  },
})) {
  test(`a server ${title} gets what it asks for`, async (t) => {
    const registry = new Registry();
    new Counter({ name: 'judged_total', help: 'Some help', registers: [registry] }).inc(3);
    const plain = { plain: { enable_compression: false } };
    const settings = Object.fromEntries(Object.entries(expected).map(([job, [own]]) => [job, own]));
    const { jobs, proxies } = await startJobs(t, await served(t, registry), { ...settings, ...plain });
    const prometheus = await startPrometheus(t, jobs, { program: PROMETHEUS_NEWEST, features });
    await Promise.all(Object.keys(jobs).map((job) => prometheus.nextScrapes(job)));
    for (const [job, { exchanges }] of Object.entries(proxies)) {
      t.is(await prometheus.scalar(`judged_total{job="${job}"}`), 3, job);
      const [, accept, contentType] = expected[job] ?? expected.default;
      const asked =
        job === 'plain'
          ? { acceptEncoding: 'identity', contentEncoding: undefined }
          : { acceptEncoding: encoding, contentEncoding: 'gzip' };
      t.deepEqual(exchanges[0], { accept, contentType, ...asked }, job);
    }
  });
}

/** Each protocol of the server's settings, and what it is answered with. */
const PROTOCOLS = {
  PrometheusProto: PROTOBUF_ANSWER,
  'OpenMetricsText2.0.0': `${OPENMETRICS_ANSWER}2.0.0${ESCAPED}`,
  'OpenMetricsText1.0.0': `${OPENMETRICS_ANSWER}1.0.0${ESCAPED}`,
  'OpenMetricsText0.0.1': `${OPENMETRICS_ANSWER}0.0.1; charset=utf-8`,
  'PrometheusText1.0.0': `${TEXT_ANSWER}1.0.0${ESCAPED}`,
  'PrometheusText0.0.4': `${TEXT_ANSWER}0.0.4; charset=utf-8`,
};

for (const [title, features] of Object.entries({
  'stores a zero where a series began': ['created-timestamp-zero-ingestion'],
  'stores starts': ['st-storage', 'use-start-timestamps', 'promql-experimental-functions'],
})) {
  test(`a server that ${title} has the same values from every format`, async (t) => {
    const { registry, events, native, series } = everyType({ created: true });
    const settings = Object.entries(PROTOCOLS).map(([protocol]) => [protocol, { scrape_protocols: [protocol] }]);
    const { jobs, proxies } = await startJobs(t, await served(t, registry), Object.fromEntries(settings));
    const more = { program: PROMETHEUS_NEWEST, features: [...features, 'openmetrics2', 'exemplar-storage'] };
    const prometheus = await startPrometheus(t, jobs, more);
    await Promise.all(Object.keys(jobs).map((job) => prometheus.nextScrapes(job)));
    // Born between two scrapes.
    events.inc({ labels: { kind: 'new' }, value: 5 });
    const born = await startOf(registry, 'judged_events_total', ({ kind }) => kind === 'new');
    await Promise.all(Object.keys(jobs).map((job) => prometheus.nextScrapes(job)));

    const own = [...series(inOpenMetrics), ...classicForm(native, inOpenMetrics)];
    const expected = keyed([...own, ['judged_events_total', { kind: 'new' }, 5]]);
    for (const [job, contentType] of Object.entries(PROTOCOLS)) {
      t.deepEqual([...new Set(proxies[job].exchanges.map(({ contentType }) => contentType))], [contentType], job);
      t.deepEqual(differences(await prometheus.seriesOf(job, 'judged_'), expected), [], job);

      const of = `judged_events_total{kind="new",job="${job}"}`;
      const hasStart = !job.startsWith('PrometheusText');
      // `increase()` adds what it extrapolates.
      const increase = await prometheus.scalar(`increase(${of}[1m])`);
      t.true(hasStart ? increase >= 5 : increase === 0, `${job}: ${increase}`);
      const { result } = await prometheus.get('/api/v1/query', { query: `${of}[1m]` });
      const [[at, first]] = result[0].values;
      if (features.includes('st-storage')) {
        t.is(first, '5', job);
        t.is(Math.round((await prometheus.scalar(`start_timestamp(${of})`)) * 1000), hasStart ? born : 0, job);
      } else if (hasStart) t.deepEqual([Math.round(at * 1000), first], [born, '0'], job);
      else t.is(first, '5', job);

      const range = { start: Date.now() / 1000 - 600, end: Date.now() / 1000 + 1 };
      const query = `{__name__=~"judged_events_total|judged_time_seconds_bucket",job="${job}"}`;
      const exemplars = await prometheus.get('/api/v1/query_exemplars', { query, ...range });
      t.deepEqual(
        exemplars.map((found) => [found.seriesLabels.__name__, found.exemplars[0].labels]),
        hasStart
          ? [
              ['judged_events_total', EXEMPLAR],
              ['judged_time_seconds_bucket', EXEMPLAR],
            ]
          : [],
        job,
      );
    }
  });
}
