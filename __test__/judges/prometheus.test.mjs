// A real Prometheus scrapes the example gateway in both formats while a client sends it requests and keeps its own
// ledger. What Prometheus then answers must be what the ledger says: every series, and not one more.

import test from 'ava';
import { startAcceptProxy } from './support/accept-proxy.mjs';
import { startGateway } from './support/gateway.mjs';
import { FAMILIES } from './support/ledger.mjs';
import { MODELS, sendLoad } from './support/load.mjs';
import { differences } from './support/query.mjs';
import { startPrometheus } from './support/scrapers.mjs';

const JOBS = ['openmetrics', 'text'];

test('Prometheus reads what the ledger says, in OpenMetrics and in text', async (t) => {
  const gateway = await startGateway(t);
  const proxy = await startAcceptProxy(t, gateway.metricsUrl, 'text/plain;version=0.0.4');
  const prometheus = await startPrometheus(t, { openmetrics: gateway.metricsUrl, text: proxy.url });
  // Scraping begins before the load, so that series appear and values change between scrapes.
  for (const job of JOBS) await prometheus.nextScrapes(job);

  const { ledger, sent, byStatus } = await sendLoad(gateway, { rounds: 6 });
  for (const job of JOBS) await prometheus.nextScrapes(job);

  t.log(`${sent} requests: ${JSON.stringify(byStatus)}`);
  t.true(sent >= 500);
  for (const status of ['success', 'error', 'timeout', 'cancelled']) {
    for (const model of Object.keys(MODELS)) t.true(byStatus[status][model] > 0, `${status} of ${model}`);
  }

  // The le label shows which format each job was answered in: openmetrics has 1.0 where text has 1.
  for (const job of JOBS) {
    const series = await prometheus.seriesOf(job, 'llmdevops_llm_');
    t.deepEqual(differences(series, ledger.series(job)), [], job);
    t.log(`${job}: ${series.size} series agree`);
  }
  t.deepEqual([...proxy.contentTypes], ['text/plain; version=0.0.4; charset=utf-8']);

  const { activeTargets } = await prometheus.get('/api/v1/targets');
  t.deepEqual(activeTargets.map(({ labels }) => labels.job).sort(), JOBS);
  for (const { health, lastError } of activeTargets)
    t.deepEqual({ health, lastError }, { health: 'up', lastError: '' });

  for (const job of JOBS) {
    t.is(await prometheus.scalar(`min_over_time(up{job="${job}"}[1h])`), 1, `${job}: every scrape succeeded`);
    t.true((await prometheus.scalar(`min_over_time(scrape_samples_scraped{job="${job}"}[1h])`)) > 0);
    // Prometheus keeps quiet about a series that is exposed twice; the number of samples is what gives it away.
    const stored = await prometheus.scalar(`count({job="${job}",__name__!~"up|scrape_.*"})`);
    t.is(await prometheus.scalar(`scrape_samples_scraped{job="${job}"}`), stored, `${job}: no series twice`);

    const metadata = await prometheus.get('/api/v1/targets/metadata', { match_target: `{job="${job}"}` });
    const types = Object.fromEntries(metadata.map(({ metric, type }) => [metric, type]));
    for (const [family, type] of Object.entries(FAMILIES)) {
      // OpenMetrics names a counter's family without the suffix of its samples.
      const name = job === 'openmetrics' && type === 'counter' ? family.replace(/_total$/, '') : family;
      t.is(types[name], type, `${job}: the type of ${name}`);
    }
  }
});
