// Tests that dashboards can be imported, that panels do not overlap, and that each panel describes what it shows.

import { readFile } from 'node:fs/promises';
import test from 'ava';
import { panelsOf, readDashboards } from './support/dashboards.mjs';

const COLUMNS = 24;
const DATA_SOURCE = { type: 'prometheus', uid: `\${datasource}` };
const dashboards = await readDashboards();
const each = (run) => {
  for (const [file, dashboard] of dashboards) run(file, dashboard);
};

test('there are four, each with its own id and title', (t) => {
  const files = ['agents.json', 'cost-and-tokens.json', 'exporter-health.json', 'llm-overview.json'];
  t.deepEqual([...dashboards.keys()], files);
  for (const field of ['uid', 'title']) {
    t.is(new Set([...dashboards.values()].map((dashboard) => dashboard[field])).size, files.length, field);
  }
});

test('each can be imported anywhere: it has no id and no fixed data source', (t) => {
  each((file, dashboard) => {
    t.is(dashboard.id, null, file);
    t.regex(dashboard.uid, /^llmdevops-[a-z-]{1,30}$/, file);
    t.true(dashboard.schemaVersion >= 39, file);
    t.deepEqual(dashboard.tags, ['llmdevops'], file);
    const [first, ...others] = dashboard.templating.list;
    t.is(`${first.type} ${first.name} ${first.query}`, 'datasource datasource prometheus', file);
    const described = [...panelsOf(dashboard), ...panelsOf(dashboard).flatMap(({ targets }) => targets), ...others];
    for (const { datasource } of described) t.deepEqual(datasource, DATA_SOURCE, file);
  });
});

test('each has variables that filter its queries', (t) => {
  const names = { 'llm-overview.json': ['provider', 'model'], 'cost-and-tokens.json': ['provider', 'model'] };
  names['agents.json'] = ['agent_type'];
  each((file, dashboard) => {
    const expected = ['datasource', 'job', 'instance', ...(names[file] ?? [])];
    t.deepEqual(
      dashboard.templating.list.map(({ name }) => name),
      expected,
      file,
    );
    // A variable that no query uses would have no effect.
    const text = JSON.stringify(panelsOf(dashboard).map(({ targets }) => targets));
    for (const name of expected) t.true(text.includes(name === 'datasource' ? DATA_SOURCE.uid : `$${name}`), name);
  });
});

test('each panel has a title of its own, a description, a unit, and queries', (t) => {
  each((file, dashboard) => {
    const panels = panelsOf(dashboard);
    t.is(new Set(panels.map(({ title }) => title)).size, panels.length, file);
    t.is(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length, file);
    for (const { title, description, fieldConfig, targets } of panels) {
      t.regex(description ?? '', /^[A-Z].{15,}\.$/, `${file}, ${title}`);
      t.regex(fieldConfig.defaults.unit ?? '', /^[a-zA-Z]+$/, `${file}, ${title}`);
      t.true(targets.length > 0, `${file}, ${title}`);
      t.deepEqual(
        targets.map(({ refId }) => refId),
        targets.map((_, i) => String.fromCharCode(65 + i)),
      );
      for (const { legendFormat } of targets) t.true(legendFormat.length > 0, `${file}, ${title}`);
    }
  });
});

test('panels fill the columns and do not overlap; headings span them', (t) => {
  each((file, dashboard) => {
    const taken = new Set();
    for (const { title, type, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      t.true(x >= 0 && x + w <= COLUMNS && w > 0 && h > 0, `${file}, ${title}`);
      if (type === 'row') t.is(w, COLUMNS, `${file}, ${title}`);
      for (let row = y; row < y + h; row++) {
        for (let column = x; column < x + w; column++) {
          t.false(taken.has(row * COLUMNS + column), `${file}, ${title}`);
          taken.add(row * COLUMNS + column);
        }
      }
    }
    t.is(
      taken.size,
      COLUMNS * Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h)),
      `${file}: no holes`,
    );
  });
});

test('the most important panels exist', (t) => {
  const found = new Map(
    [...dashboards.values()].flatMap(panelsOf).map(({ title, type, targets }) => [title, { type, targets }]),
  );
  const expected = {
    'LLM Requests per Second': ['timeseries', 'llmdevops_llm_requests_total', '{{model}} - {{status}}'],
    'LLM Request Latency': ['heatmap', 'llmdevops_llm_request_duration_seconds_bucket', '{{le}}'],
    'Token Usage': ['timeseries', 'llmdevops_llm_tokens_total', '{{model}} - {{type}}'],
    'Agent Executions': ['stat', 'llmdevops_agent_executions_total', '__auto'],
    Cardinality: ['gauge', 'llmdevops_metrics_series_count', '{{instance}}'],
  };
  for (const [title, [type, metric, legend]] of Object.entries(expected)) {
    const panel = found.get(title);
    t.is(panel?.type, type, title);
    t.true(panel.targets[0].expr.includes(`${metric}{`), title);
    t.is(panel.targets[0].legendFormat, legend, title);
  }
});

test('docs/dashboards.md shows every panel', async (t) => {
  const page = await readFile(new URL('../../docs/dashboards.md', import.meta.url), 'utf8');
  each((file, dashboard) => {
    t.true(page.includes(`(../deploy/grafana/${file})`), file);
    for (const { title, type } of dashboard.panels)
      if (type === 'row') t.true(page.includes(title), `${file}: ${title}`);
  });
});
