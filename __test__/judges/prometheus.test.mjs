// A real Prometheus scrapes the example gateway in both formats while a client sends requests and keeps a ledger.
// Afterwards, Prometheus must have exactly the series of the ledger, and exactly the values that the gateway shows, to
// the last bit.

import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { startAcceptProxy } from './support/accept-proxy.mjs';
import { startGateway } from './support/gateway.mjs';
import { agrees, FAMILIES, seriesKey } from './support/ledger.mjs';
import { CHAT_MODELS, sendLoad } from './support/load.mjs';
import { differences } from './support/query.mjs';
import { startPrometheus } from './support/scrapers.mjs';

const JOBS = ['openmetrics', 'text'];
const ACCEPT = {
  openmetrics: 'application/openmetrics-text;version=1.0.0',
  text: 'text/plain;version=0.0.4',
};

test('Prometheus reads the ledger’s values, in OpenMetrics and in text', async (t) => {
  const gateway = await startGateway(t);
  const proxy = await startAcceptProxy(t, gateway.metricsUrl, ACCEPT.text);
  const prometheus = await startPrometheus(t, { openmetrics: gateway.metricsUrl, text: proxy.url });
  // Scraping starts before the load, so series appear and values change between scrapes.
  for (const job of JOBS) await prometheus.nextScrapes(job);

  const { ledger, sent, byStatus } = await sendLoad(gateway, { rounds: 6 });
  for (const job of JOBS) await prometheus.nextScrapes(job);

  t.log(`${sent} requests: ${JSON.stringify(byStatus)}`);
  t.true(sent >= 500);
  for (const status of ['success', 'error', 'timeout', 'cancelled']) {
    for (const model of CHAT_MODELS) t.true(byStatus[status][model] > 0, `${status} of ${model}`);
  }

  // The le label shows which format each job was answered in: openmetrics has 1.0 where text has 1.
  for (const job of JOBS) {
    const series = await prometheus.seriesOf(job, 'llmdevops_llm_');
    t.deepEqual(differences(series, ledger.series(job), agrees), [], job);
    t.deepEqual(differences(series, await shown(gateway.metricsUrl, ACCEPT[job])), [], `${job}: the same doubles`);
    t.is((await prometheus.seriesOf(job, 'llmdevops_agent_')).size, 0, 'there are no agents without load');
    t.log(`${job}: ${series.size} series agree`);
  }
  const types = new Set(proxy.exchanges.map(({ contentType }) => contentType));
  t.deepEqual([...types], ['text/plain; version=0.0.4; charset=utf-8']);

  const { activeTargets } = await prometheus.get('/api/v1/targets');
  t.deepEqual(activeTargets.map(({ labels }) => labels.job).sort(), JOBS);
  for (const { health, lastError } of activeTargets)
    t.deepEqual({ health, lastError }, { health: 'up', lastError: '' });

  for (const job of JOBS) {
    t.is(await prometheus.scalar(`min_over_time(up{job="${job}"}[1h])`), 1, `${job}: every scrape succeeded`);
    t.true((await prometheus.scalar(`min_over_time(scrape_samples_scraped{job="${job}"}[1h])`)) > 0);
    // Prometheus does not report a series that is exposed twice, but the number of samples shows it.
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

/** The series that the gateway shows now, in the form that Prometheus gives them. */
async function shown(url, accept) {
  const exposition = parseExposition(await (await fetch(url, { headers: { accept } })).text());
  const samples = exposition.families.flatMap((family) => family.samples);
  const own = samples.filter(({ name }) => name.startsWith('llmdevops_llm_'));
  return new Map(own.map(({ name, labels, value }) => [seriesKey(name, labels), value]));
}
