// A real Prometheus, with the rules loaded, scrapes the example under its own load, a service with every fault, and one with
// the metrics that are off by default. Then every query of every panel, rule and page returns data, and the totals on dashboards equal those of the exposition.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { labelValuesOf, panelsOf, readDashboards } from '../deploy/support/dashboards.mjs';
import { namesIn } from '../deploy/support/promql.mjs';
import { readQueries, readRunbookQueries } from '../deploy/support/queries.mjs';
import { RULES_FOLDER, readRules } from '../deploy/support/rules.mjs';
import { startFreezingProxy } from './support/freezing-proxy.mjs';
import { startGateway } from './support/gateway.mjs';
import { Process, poll } from './support/processes.mjs';
import { startPrometheus } from './support/scrapers.mjs';

const fileOf = (service) => fileURLToPath(new URL(`support/${service}-service.mjs`, import.meta.url));

/** Values that Grafana inserts for these variables: "All", and a window that contains a round of the example's load. */
const SUBSTITUTES = { $__rate_interval: '30s' };
/** The jobs whose totals are compared; the others only have to have data. */
const COMPARED = 'gateway|faulty';

/** Queries without data in this test, and the reason. */
const EMPTY = new Map([
  ['cost-and-tokens.json, Audio and images in tokens, A', 'The models of the example read and write text only.'],
]);

const rules = await readRules();
const dashboards = await readDashboards();

function substituted(expression, jobs = '.*') {
  return expression.replaceAll(/\$\w+/g, (variable) => (variable === '$job' ? jobs : (SUBSTITUTES[variable] ?? '.*')));
}

/** Yesterday's cost, for comparison with the day before: the test does not run for two days. */
function yesterday(instance) {
  const labels = `job="gateway",instance="${instance}",model="gpt-4o-mini",provider="openai"`;
  const now = Math.floor(Date.now() / 1000);
  const lines = ['# TYPE llmdevops_llm_cost_usd counter'];
  for (let ago = 47 * 3600; ago >= 25 * 3600; ago -= 600) {
    lines.push(`llmdevops_llm_cost_usd_total{${labels}} ${(47 * 3600 - ago) / 6e5} ${now - ago}`);
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

/** @returns the URL of the metrics of a service */
async function startService(t, name) {
  let url;
  const service = new Process(process.execPath, [fileOf(name)], {
    onLine: (line) => {
      url = /^Metrics +(http:\S+)/.exec(line)?.[1] ?? url;
    },
  });
  t.teardown(() => service.stop());
  await service.until(() => url, 'it printed its URL');
  return url;
}

async function startEverything(t) {
  const gateway = await startGateway(t, { load: true });
  const proxies = {
    gateway: await startFreezingProxy(t, gateway.metricsUrl),
    faulty: await startFreezingProxy(t, await startService(t, 'faulty')),
  };
  const rulesFolder = fileURLToPath(RULES_FOLDER);
  const prometheus = await startPrometheus(
    t,
    { gateway: proxies.gateway.url, faulty: proxies.faulty.url, optional: await startService(t, 'optional') },
    {
      ruleFiles: (await readdir(rulesFolder)).map((file) => join(rulesFolder, file)),
      history: yesterday(new URL(proxies.gateway.url).host),
    },
  );
  return { prometheus, proxies };
}

/** Every query, by its name in a report. */
async function everyQuery() {
  const queries = new Map();
  for (const [file, dashboard] of dashboards) {
    for (const { title, targets } of panelsOf(dashboard)) {
      for (const { refId, expr } of targets) queries.set(`${file}, ${title}, ${refId}`, substituted(expr));
    }
    for (const variable of dashboard.templating.list.filter(({ type }) => type === 'query')) {
      const { selector, label } = labelValuesOf(variable);
      queries.set(`${file}, $${variable.name}`, `count by (${label}) (${substituted(selector)})`);
    }
  }
  for (const [title, expression] of await readQueries()) queries.set(`docs/queries.md, ${title}`, expression);
  for (const expression of await readRunbookQueries()) {
    queries.set(`docs/runbooks.md, ${expression}`, expression);
  }
  for (const { record, alert, expr } of rules) {
    if (record !== undefined) {
      queries.set(`${record}, its expression`, expr);
      queries.set(`${record}, as recorded`, record);
      continue;
    }
    // An alert that does not fire returns nothing, so its metrics are queried instead.
    for (const { name, matchers } of namesIn(expr).metrics) {
      const written = matchers.map(({ label, operator, value }) => `${label}${operator}"${value}"`);
      queries.set(`${alert}, ${name}{${written}}`, `${name}{${written}}`);
    }
  }
  return queries;
}

test('every query returns data, and totals equal the exposition’s', async (t) => {
  const { prometheus, proxies } = await startEverything(t);
  const queries = await everyQuery();
  const waiting = new Map(queries);
  await poll(
    async () => {
      for (const [name, expression] of waiting) {
        const values = (await prometheus.query(expression)).map(({ value }) => value);
        if (values.some(Number.isFinite)) waiting.delete(name);
      }
      return [...waiting.keys()].every((name) => EMPTY.has(name)) || undefined;
    },
    'every query to return data',
    { timeoutMs: 90_000, pauseMs: 2000 },
  ).catch(() => {});
  t.deepEqual([...waiting.keys()], [...EMPTY.keys()]);
  t.true(EMPTY.size <= 5);
  t.log(`${queries.size} queries`);

  const { groups } = await prometheus.get('/api/v1/rules');
  const loaded = groups.flatMap(({ rules: own }) => own);
  t.deepEqual(loaded.map(({ name }) => name).sort(), rules.map(({ record, alert }) => record ?? alert).sort());
  for (const { name, health, lastError } of loaded) t.is(health, 'ok', `${name}: ${lastError}`);
  // Faults are shown for the faulty service and not for the other one.
  const alertsOf = async (job) => {
    const { alerts } = await prometheus.get('/api/v1/alerts');
    return [...new Set(alerts.filter(({ labels }) => labels.job === job).map(({ labels }) => labels.alertname))].sort();
  };
  t.deepEqual(await alertsOf('faulty'), [
    'MetricsCardinalityOverflow',
    'MetricsCollectorFails',
    'MetricsMergeMismatch',
  ]);
  t.deepEqual(
    (await alertsOf('gateway')).filter((name) => name.startsWith('Metrics')),
    [],
  );

  await assertTotals(t, prometheus, proxies);
});

async function assertTotals(t, prometheus, proxies) {
  const expositions = Object.entries(proxies).map(([job, proxy]) => ({ job, samples: samplesIn(proxy.freeze()) }));
  for (const job of Object.keys(proxies)) await prometheus.nextScrapes(job);
  const gateway = expositions[0].samples;
  const shown = async (file, title, refId, by) => {
    const panel = panelsOf(dashboards.get(file)).find((one) => one.title === title);
    const target = panel.targets.find((one) => one.refId === refId);
    return sums(await prometheus.query(substituted(target.expr, COMPARED)), by);
  };
  const said = (name, by, labels = {}) =>
    sums(
      gateway.filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      ),
      by,
    );

  const outcome = ['provider', 'model', 'status'];
  const requests = said('llmdevops_llm_requests_total', outcome);
  t.true(requests.size > 10);
  t.deepEqual(await shown('llm-overview.json', 'Requests since start', 'A', outcome), requests);

  const model = ['provider', 'model'];
  const cost = said('llmdevops_llm_cost_usd_total', model);
  t.true([...cost.values()].every((value) => value > 0) && cost.size > 2);
  t.deepEqual(await shown('cost-and-tokens.json', 'Cost and tokens since start', 'A', model), cost);
  for (const [refId, type] of Object.entries({ B: 'input', C: 'output' })) {
    const tokens = said('llmdevops_llm_tokens_total', model, { type });
    t.deepEqual(await shown('cost-and-tokens.json', 'Cost and tokens since start', refId, model), tokens, type);
  }

  const executions = said('llmdevops_agent_executions_total', ['agent_type']);
  t.true(executions.size > 2);
  t.deepEqual(await shown('agents.json', 'Executions since start', 'A', ['agent_type']), executions);

  const series = new Map(expositions.map(({ job, samples }) => [job, seriesIn(samples)]).sort());
  t.deepEqual(await shown('exporter-health.json', 'Cardinality', 'A', ['job']), series);
  t.log(
    JSON.stringify({
      requests: requests.size,
      cost: Object.fromEntries(cost),
      executions: Object.fromEntries(executions),
      series: Object.fromEntries(series),
    }),
  );
}

/** Sums of values by some of their labels, sorted by those labels. */
function sums(samples, by) {
  const totals = new Map();
  for (const { labels, value } of samples) {
    const key = by.map((label) => labels[label]).join(' ');
    totals.set(key, (totals.get(key) ?? 0) + value);
  }
  return new Map([...totals].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The samples of an exposition whose label values are plain words, parsed without a library. */
function samplesIn(exposition) {
  return [...exposition.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*?)\})? (\S+)/gm)].map(([, name, labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text])),
    value: Number(value),
  }));
}

/** Counts the series of an exposition without the endpoint's own. All samples of a histogram count as one. */
function seriesIn(samples) {
  const own = samples.filter(({ name }) => !/^llmdevops_(metrics|eventloop)_/.test(name));
  const keys = own.map(({ name, labels: { le: _, ...labels } }) =>
    JSON.stringify([name.replace(/_(bucket|sum|count)$/, ''), labels]),
  );
  return new Set(keys).size;
}
