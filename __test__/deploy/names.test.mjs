// Tests that every metric, label and word in dashboards, rules and docs/queries.md exists.

import test from 'ava';
import { labelValuesOf, panelsOf, readDashboards } from './support/dashboards.mjs';
import { knownMetrics } from './support/known-metrics.mjs';
import { namesIn } from './support/promql.mjs';
import { readQueries, readRunbookQueries } from './support/queries.mjs';
import { readRules } from './support/rules.mjs';

const known = await knownMetrics();
const rules = await readRules();

/** Recorded metrics have the labels that they are summed by; their names begin with these labels. */
const recorded = new Map(
  rules
    .filter(({ record }) => record !== undefined)
    .map(({ record, expr }) => [record, new Map(namesIn(expr).labels.map((label) => [label, []]))]),
);

/** The unknown names of an expression, one per line. `variables` are those that matchers may contain. */
function unknownIn(expression, { variables = new Set(), also = new Map() } = {}) {
  const faults = [];
  const labelsSeen = new Set();
  const { metrics, labels } = namesIn(expression);
  for (const { name, matchers } of metrics) {
    if (name === '') {
      // The matcher that counts all names.
      if (matchers.some(({ label }) => label !== '__name__')) faults.push(`a selector without a name: ${expression}`);
      labelsSeen.add('__name__');
      continue;
    }
    const own = known.get(name) ?? also.get(name);
    if (own === undefined) {
      faults.push(`no metric ${name}`);
      continue;
    }
    for (const label of own.keys()) labelsSeen.add(label);
    for (const { label, operator, value } of matchers) {
      if (!own.has(label)) faults.push(`no label ${label} of ${name}`);
      else faults.push(...strangersIn(value, operator, own.get(label), variables, `${label} of ${name}`));
    }
  }
  if (metrics.length === 0) faults.push('no metric at all');
  for (const label of labels) if (!labelsSeen.has(label)) faults.push(`no metric has the label ${label}`);
  return faults;
}

function strangersIn(value, operator, words, variables, what) {
  if (value.startsWith('$')) return variables.has(value.slice(1)) ? [] : [`no variable ${value} for ${what}`];
  if (words.length === 0) return [];
  const given = operator.endsWith('~') ? value.split('|') : [value];
  return given.filter((word) => !words.includes(word)).map((word) => `no word ${word} for ${what}`);
}

test('unknown names are found', (t) => {
  t.deepEqual(
    unknownIn(
      'sum by (modle) (rate(llmdevops_llm_requests_total{status=~"error|timedout",job=~"$jobs",provder="x"}[5m])) / nothing',
    ),
    [
      'no word timedout for status of llmdevops_llm_requests_total',
      'no variable $jobs for job of llmdevops_llm_requests_total',
      'no label provder of llmdevops_llm_requests_total',
      'no metric nothing',
      'no metric has the label modle',
    ],
  );
  t.deepEqual(unknownIn('rate(llmdevops_llm_request_duration_seconds[5m])'), [
    'no metric llmdevops_llm_request_duration_seconds',
  ]);
  t.deepEqual(unknownIn('30 * vector(1)'), ['no metric at all']);
});

test('rules', (t) => {
  const faults = rules.flatMap(({ record, alert, expr }) =>
    unknownIn(expr, { also: alert === undefined ? new Map() : recorded }).map(
      (fault) => `${record ?? alert}: ${fault}`,
    ),
  );
  t.deepEqual(faults, []);
});

test('docs/queries.md', async (t) => {
  const queries = await readQueries();
  t.true(queries.size > 30);
  t.deepEqual(
    [...queries].flatMap(([title, expression]) => unknownIn(expression).map((fault) => `${title}: ${fault}`)),
    [],
  );
});

test('docs/runbooks.md', async (t) => {
  const queries = await readRunbookQueries();
  t.true(queries.length > 20);
  t.deepEqual(
    queries.flatMap((expression) => unknownIn(expression).map((fault) => `${expression}: ${fault}`)),
    [],
  );
});

test('dashboards: queries, their legends and variables', async (t) => {
  const faults = [];
  for (const [file, dashboard] of await readDashboards()) {
    const { list } = dashboard.templating;
    const variables = new Set(list.map(({ name }) => name));
    for (const { title, targets } of panelsOf(dashboard)) {
      for (const { expr, legendFormat } of targets) {
        faults.push(...unknownIn(expr, { variables }).map((fault) => `${file}, ${title}: ${fault}`));
        const { metrics, labels } = namesIn(expr);
        // A query without grouping keeps all of its labels.
        const shown = labels.length > 0 ? labels : metrics.flatMap(({ name }) => [...(known.get(name)?.keys() ?? [])]);
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          if (!shown.includes(label)) faults.push(`${file}, ${title}: the legend shows ${label}, which is not kept`);
        }
      }
    }
    for (const variable of list.filter(({ type }) => type === 'query')) {
      const { selector, label } = labelValuesOf(variable);
      faults.push(...unknownIn(selector, { variables }).map((fault) => `${file}, $${variable.name}: ${fault}`));
      if (!known.get(namesIn(selector).metrics[0].name)?.has(label)) faults.push(`${file}: no label ${label}`);
    }
  }
  t.deepEqual(faults, []);
});
