// Tests the tiles, charts and queries of the page: against the catalogue, the Grafana dashboards, and known courses.

import { collectDefaultMetrics, createHttpMetrics, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { SECTIONS, TILES } from '../../crate/core/page/panels.mjs';
import { evaluate, exists, promql } from '../../crate/core/page/queries.mjs';
import { panelsOf, readDashboards } from '../deploy/support/dashboards.mjs';
import { knownMetrics } from '../deploy/support/known-metrics.mjs';
import { storeOf } from './support/stores.mjs';

/** The names that a query reads. */
function namesIn(query) {
  return query.kind === 'ratio' ? [...namesIn(query.over), ...namesIn(query.under)] : [query.name];
}

const queries = [
  ...TILES.flatMap((tile) => tile.queries),
  ...SECTIONS.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries)),
];

test('LLM, agent and endpoint panels read metrics that exist, with their labels', async (t) => {
  const known = await knownMetrics();
  const leaves = (query) => (query.kind === 'ratio' ? [...leaves(query.over), ...leaves(query.under)] : [query]);
  const ours = queries.flatMap(leaves).filter(({ name }) => /^(llm|agent|metrics)_/.test(name));
  t.true(ours.length > 70);
  for (const { name, by = [], match = {} } of ours) {
    const labels = known.get(`llmdevops_${name}`) ?? known.get(`llmdevops_${name}_count`);
    t.truthy(labels, name);
    for (const label of [...by, ...Object.keys(match)]) t.true(labels.has(label), `${name} ${label}`);
    for (const [label, wanted] of Object.entries(match)) {
      const words = labels.get(label);
      for (const word of wanted.replace('!', '').split('|'))
        t.true(words.length === 0 || words.includes(word), `${name} ${word}`);
    }
  }
});

test('the page shows each metric of LLM requests and agents that the Grafana dashboards show', async (t) => {
  const shown = new Set(queries.flatMap(namesIn));
  // Times until something happens, and the versions of models, are in the list.
  const inTheList = [
    'llm_ratelimit_reset_timestamp_seconds',
    'llm_budget_reset_timestamp_seconds',
    'llm_budget_limit_usd',
    'llm_model_info',
  ];
  const texts = [...(await readDashboards()).values()].flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  );
  const names = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/llmdevops_((?:llm|agent)_\w+)/g)].map(([, name]) => name.replace(/_(bucket|sum|count)$/, '')),
    ),
  );
  t.true(names.size > 40);
  t.deepEqual(
    [...names].filter((name) => !shown.has(name) && !inTheList.includes(name)),
    [],
  );
});

test('panels of HTTP and of the process read metrics that the library makes', async (t) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  createHttpMetrics({ registry });
  const made = new Set((await registry.getMetricsAsJSON()).map(({ name }) => name));
  const names = new Set(queries.flatMap(namesIn).filter((name) => /^(http|nodejs|process)_/.test(name)));
  t.true(names.size > 15);
  for (const name of names) t.true(made.has(name) || made.has(`llmdevops_${name}`), name);
});

test('titles of a section are different', (t) => {
  for (const { id, panels } of SECTIONS) t.is(new Set(panels.map(({ title }) => title)).size, panels.length, id);
});

const text = (at) => `# TYPE llmdevops_llm_requests_total counter
llmdevops_llm_requests_total{model="a",status="success"} ${at * 3}
llmdevops_llm_requests_total{model="a",status="error"} ${at}
llmdevops_llm_requests_total{model="b",status="cancelled"} ${at}
# TYPE llmdevops_llm_request_duration_seconds histogram
llmdevops_llm_request_duration_seconds_bucket{model="a",le="1"} ${at}
llmdevops_llm_request_duration_seconds_bucket{model="a",le="2"} ${at * 2}
llmdevops_llm_request_duration_seconds_bucket{model="a",le="+Inf"} ${at * 2}
llmdevops_llm_request_duration_seconds_sum{model="a"} ${at * 3}
llmdevops_llm_request_duration_seconds_count{model="a"} ${at * 2}
`;
const store = storeOf(Array.from({ length: 90 }, (_, at) => text(at)));
const LLM = 'llm_requests_total';
const DURATION = 'llm_request_duration_seconds';

for (const [title, query, expected, written] of [
  [
    'a rate',
    { kind: 'rate', name: LLM, by: ['model'] },
    { a: 4, b: 1 },
    'sum by (model) (rate(llmdevops_llm_requests_total[1m]))',
  ],
  [
    'a rate of several words',
    { kind: 'rate', name: LLM, match: { status: 'error|cancelled' }, factor: 60 },
    { '': 120 },
    '60 * sum (rate(llmdevops_llm_requests_total{status=~"error|cancelled"}[1m]))',
  ],
  [
    'a value',
    { kind: 'value', name: LLM, match: { status: '!error' } },
    { '': 356 },
    'sum (llmdevops_llm_requests_total{status!="error"})',
  ],
  [
    'the rate of a histogram',
    { kind: 'rate', name: DURATION },
    { '': 2 },
    'sum (rate(llmdevops_llm_request_duration_seconds_count[1m]))',
  ],
  [
    'a quantile',
    { kind: 'quantile', quantile: 0.75, name: DURATION, by: ['model'] },
    { a: 1.5 },
    'histogram_quantile(0.75, sum by (le, model) (rate(llmdevops_llm_request_duration_seconds_bucket[1m])))',
  ],
  [
    'a mean',
    { kind: 'mean', name: DURATION },
    { '': 1.5 },
    'sum (rate(llmdevops_llm_request_duration_seconds_sum[1m])) / sum (rate(llmdevops_llm_request_duration_seconds_count[1m]))',
  ],
  [
    'a share',
    {
      kind: 'ratio',
      over: { kind: 'rate', name: LLM, by: ['model'], match: { status: 'error' } },
      under: { kind: 'rate', name: LLM, by: ['model'] },
    },
    { a: 0.25, b: 0 },
    'sum by (model) (rate(llmdevops_llm_requests_total{status="error"}[1m])) / sum by (model) (rate(llmdevops_llm_requests_total[1m]))',
  ],
]) {
  test(`${title}: its value, and the same in PromQL`, (t) => {
    t.true(exists(store, query));
    t.deepEqual(Object.fromEntries(evaluate(store, query, store.latest)), expected);
    t.is(promql(store, query), written);
  });
}

test('a query of a metric that the exposition does not have', (t) => {
  const query = { kind: 'rate', name: 'missing_total' };
  t.false(exists(store, query));
  t.deepEqual(evaluate(store, query, store.latest), new Map());
});

test('a share after a restart: what is gone has no part, and a gauge that is missing is unknown', (t) => {
  const counters = (at) => `# TYPE c_total counter\nc_total{s="ok"} ${at}\n${at < 5 ? 'c_total{s="error"} 1\n' : ''}`;
  const gauges = (at) => `# TYPE limit gauge\nlimit 4\n# TYPE left gauge\n${at < 5 ? 'left 0\n' : ''}`;
  const store = storeOf(Array.from({ length: 120 }, (_, at) => counters(at) + gauges(at)));
  const growth = (match) => ({ kind: 'rate', name: 'c_total', match });
  const failed = { kind: 'ratio', over: growth({ s: 'error' }), under: growth({}) };
  t.deepEqual(evaluate(store, failed, store.latest), new Map([['', 0]]));
  const left = { kind: 'ratio', over: { kind: 'value', name: 'left' }, under: { kind: 'value', name: 'limit' } };
  t.deepEqual(evaluate(store, left, 4), new Map([['', 0]]));
  t.deepEqual(evaluate(store, left, store.latest), new Map([['', Number.NaN]]));
});

test('values that have no sum: the largest, and the same in PromQL', (t) => {
  const store = storeOf(['# TYPE a_ratio gauge\na_ratio{n="1"} 0.5\na_ratio{n="2"} NaN\na_ratio{n="3"} 0.75\n']);
  const query = { kind: 'value', name: 'a_ratio' };
  t.deepEqual(evaluate(store, query, 0), new Map([['', 0.75]]));
  t.is(promql(store, query), 'max (a_ratio)');
});

test('a metric is found with another namespace, and without one', (t) => {
  for (const name of ['http_requests_total', 'shop_http_requests_total']) {
    const other = storeOf([`# TYPE ${name} counter\n${name} 1\n`]);
    t.is(promql(other, { kind: 'value', name: 'http_requests_total' }), `sum (${name})`);
  }
});
