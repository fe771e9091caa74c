// The dashboard that the program writes: a panel for each metric, queries that fit its type, and Grafana's form.
// __test__/judges/grafana.test.mjs compiles it with Grafana's types.

import test from 'ava';
import { panelsOf } from '../deploy/support/dashboards.mjs';
import { namesIn } from '../deploy/support/promql.mjs';
import { EVERY_TYPE } from './support/every-type.mjs';
import { run } from './support/program.mjs';

const made = async (input, ...args) => JSON.parse((await run(['dashboard', ...args, '-'], { input })).stdout);

test('each metric has a panel with queries for its type; infos have none', async (t) => {
  const dashboard = await made(EVERY_TYPE);
  const panels = panelsOf(dashboard).map(({ title, targets, fieldConfig, description }) => {
    const queries = targets.map(({ expr, legendFormat }) => `${expr} as ${legendFormat}`);
    return { title, description, unit: fieldConfig.defaults.unit, queries };
  });
  const here = '{job=~"$job",instance=~"$instance"';
  t.deepEqual(panels, [
    {
      title: 'http_requests_total',
      description: 'Requests.',
      unit: 'cps',
      queries: [`sum by (status) (rate(http_requests_total${here}}[$__rate_interval])) as {{status}}`],
    },
    {
      title: 'http_sent_bytes_total',
      description: 'Sent.',
      unit: 'Bps',
      queries: [`sum (rate(http_sent_bytes_total${here}}[$__rate_interval])) as http_sent_bytes_total`],
    },
    {
      title: 'http_wait_seconds',
      description: 'Wait.',
      unit: 's',
      queries: [50, 95, 99].map(
        (p) =>
          `histogram_quantile(${p / 100}, sum by (le) (rate(http_wait_seconds_bucket${here}}[$__rate_interval]))) as p${p}`,
      ),
    },
    {
      title: 'queue_bytes',
      description: 'Size.',
      unit: 'bytes',
      queries: [`sum by (queue, shard) (queue_bytes${here}}) as {{queue}} {{shard}}`],
    },
    {
      title: 'queue_age_seconds',
      description: 'Age.',
      unit: 's',
      queries: [`max by (quantile) (queue_age_seconds${here}}) as {{quantile}}`],
    },
    {
      title: 'queue_lag_seconds',
      description: '',
      unit: 's',
      queries: [
        `sum (rate(queue_lag_seconds_sum${here}}[$__rate_interval])) / sum (rate(queue_lag_seconds_count${here}}[$__rate_interval])) as mean`,
      ],
    },
    {
      title: 'queue_state',
      description: '',
      unit: 'short',
      queries: [`sum by (queue_state) (queue_state${here}}) as {{queue_state}}`],
    },
    {
      title: 'start_time_seconds',
      description: '',
      unit: 'short',
      queries: [`max (start_time_seconds${here}}) as start_time_seconds`],
    },
  ]);
  const written = panelsOf(dashboard).flatMap(({ targets }) => targets);
  for (const { expr } of written) t.true(namesIn(expr).metrics.length > 0, expr);
});

test('it can be imported: panels fill the columns, ids differ, variables come from a metric', async (t) => {
  const dashboard = await made(EVERY_TYPE, '--title', 'Shop');
  t.like(dashboard, { id: null, title: 'Shop', schemaVersion: 39 });
  t.deepEqual(
    dashboard.templating.list.map(({ name }) => name),
    ['datasource', 'job', 'instance'],
  );
  t.is(dashboard.templating.list[1].definition, 'label_values(http_requests_total, job)');
  t.is(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  t.deepEqual(
    dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title),
    ['http', 'queue', 'start'],
  );
  const taken = new Set();
  let bottom = 0;
  for (const { gridPos } of dashboard.panels) {
    bottom = Math.max(bottom, gridPos.y + gridPos.h);
    for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) taken.add(y * 24 + x);
    }
  }
  const area = dashboard.panels.reduce((sum, { gridPos: { w, h } }) => sum + w * h, 0);
  t.is(taken.size, area, 'no overlap');
  t.is(taken.size, bottom * 24, 'no holes');
});

test('an exposition without metrics to draw is refused', async (t) => {
  const { code, stdout, stderr } = await run(['dashboard', '-'], { input: '# TYPE a_info gauge\na_info{b="1"} 1\n' });
  t.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  t.is(stderr, 'prometheus-metrics: Expected metrics to draw, but the exposition has none\n');
});
