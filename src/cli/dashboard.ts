/**
 * Writes a Grafana dashboard of what an exposition shows: a panel for each metric, a row for each prefix of names.
 */
import type { Exposition } from '../testing/parse';
import { type Family, familiesOf } from './families';
import { readExposition } from './source';
import { writeJson } from './terminal';
import { CommandError, textOf, type Values } from './values';

/** A label with more values would fill the legend. */
const LEGEND_VALUES_MAX = 20;
const LEGEND_LABELS_MAX = 2;
const [COLUMNS, WIDTH, HEIGHT] = [24, 12, 8];
const DATA_SOURCE = { type: 'prometheus', uid: `\${datasource}` };
const TARGETS = 'job=~"$job",instance=~"$instance"';
const OPTIONS = {
  legend: { calcs: ['lastNotNull', 'max'], displayMode: 'table', placement: 'bottom', showLegend: true },
  tooltip: { mode: 'multi', sort: 'desc' },
};
const CUSTOM = { drawStyle: 'line', fillOpacity: 8, lineWidth: 1, showPoints: 'never', spanNulls: false };

export async function dashboard([target]: string[], values: Values): Promise<number> {
  writeJson(dashboardOf(await readExposition(target, values), textOf(values, 'title') ?? 'Metrics'));
  return 0;
}

function dashboardOf(exposition: Exposition, title: string) {
  // An info metric has facts and no course.
  const drawn = familiesOf(exposition).filter(
    ({ name, type, series }) => type !== 'info' && !/_(?:info|created)$/.test(name) && series > 0,
  );
  if (drawn.length === 0) throw new CommandError('Expected metrics to draw, but the exposition has none');
  const first = drawn[0].type.endsWith('histogram') ? `${drawn[0].name}_count` : drawn[0].name;
  return {
    annotations: { list: [] },
    description: 'Every metric of one exposition.',
    editable: true,
    graphTooltip: 1,
    id: null,
    panels: panelsOf(drawn),
    refresh: '30s',
    schemaVersion: 39,
    tags: [],
    templating: {
      list: [
        { current: {}, label: 'Data source', name: 'datasource', query: 'prometheus', type: 'datasource' },
        variable('job', first),
        variable('instance', `${first}{job=~"$job"}`),
      ],
    },
    time: { from: 'now-6h', to: 'now' },
    title,
  };
}

function variable(name: string, selector: string) {
  const definition = `label_values(${selector}, ${name})`;
  const all = { selected: true, text: ['All'], value: ['$__all'] };
  const more = { includeAll: true, label: name, multi: true, name, refresh: 2, sort: 1, type: 'query' };
  return { current: all, datasource: DATA_SOURCE, definition, query: { query: definition, refId: name }, ...more };
}

function panelsOf(families: readonly Family[]) {
  const groups = new Map<string, Family[]>();
  for (const family of families) {
    const prefix = /^_*[^_:]+/.exec(family.name)?.[0] ?? family.name;
    groups.set(prefix, [...(groups.get(prefix) ?? []), family]);
  }
  const panels: object[] = [];
  let y = 0;
  for (const [title, members] of groups) {
    const row = { id: panels.length + 1, gridPos: { h: 1, w: COLUMNS, x: 0, y }, panels: [] };
    panels.push({ ...row, collapsed: false, title, type: 'row' });
    y += 1;
    for (const [at, family] of members.entries()) {
      const isLone = at === members.length - 1 && at % 2 === 0;
      const gridPos = { h: HEIGHT, w: isLone ? COLUMNS : WIDTH, x: (at % 2) * WIDTH, y };
      panels.push({ id: panels.length + 1, gridPos, ...panelOf(family) });
      if (at % 2 === 1 || isLone) y += HEIGHT;
    }
  }
  return panels;
}

function panelOf(family: Family) {
  const { queries, unit } = queriesOf(family);
  return {
    datasource: DATA_SOURCE,
    description: family.help,
    fieldConfig: { defaults: { unit, custom: CUSTOM }, overrides: [] },
    options: OPTIONS,
    targets: queries.map(([expr, legendFormat], at) => {
      const refId = String.fromCharCode(65 + at);
      return { datasource: DATA_SOURCE, editorMode: 'code', expr, legendFormat, range: true, refId };
    }),
    title: family.name,
    type: 'timeseries',
  };
}

interface Drawing {
  readonly queries: [expression: string, legend: string][];
  readonly unit: string;
}

function queriesOf(family: Family): Drawing {
  const { name, type } = family;
  const by = legendLabels(family);
  const named = by.map((label) => `{{${label}}}`).join(' ');
  const grouped = by.length === 0 ? '' : ` by (${by.join(', ')})`;
  const unit = unitOf(name);
  if (type === 'counter') {
    const perSecond = { bytes: 'Bps', s: 's' }[unit] ?? 'cps';
    return {
      queries: [[`sum${grouped} (rate(${name}{${TARGETS}}[$__rate_interval]))`, named || name]],
      unit: perSecond,
    };
  }
  if (type === 'histogram') {
    const buckets = `sum by (le) (rate(${name}_bucket{${TARGETS}}[$__rate_interval]))`;
    return { queries: [50, 95, 99].map((p) => [`histogram_quantile(${p / 100}, ${buckets})`, `p${p}`]), unit };
  }
  if (type === 'summary') {
    const hasQuantiles = family.samples.some(({ labels }) => labels.quantile !== undefined);
    if (hasQuantiles) return { queries: [[`max by (quantile) (${name}{${TARGETS}})`, '{{quantile}}']], unit };
    const rate = (suffix: string) => `sum${grouped} (rate(${name}_${suffix}{${TARGETS}}[$__rate_interval]))`;
    return { queries: [[`${rate('sum')} / ${rate('count')}`, named || 'mean']], unit };
  }
  const shown = type === 'gaugehistogram' ? `${name}_gcount` : name;
  const joined = type === 'gauge' ? (JOINED[unit] ?? (isTime(name) ? 'max' : 'sum')) : 'sum';
  return { queries: [[`${joined}${grouped} (${shown}{${TARGETS}})`, named || name]], unit };
}

/** The labels that tell a metric's lines apart: few, with few values. A state set needs the label of its name. */
function legendLabels({ name, type, labels }: Family): string[] {
  const telling = [...labels].filter(([, values]) => values.size > 1 && values.size <= LEGEND_VALUES_MAX);
  const fewest = telling.sort(([, one], [, two]) => one.size - two.size).map(([label]) => label);
  const first = type === 'stateset' ? [name] : [];
  return [...first, ...fewest.filter((label) => !first.includes(label))].slice(0, LEGEND_LABELS_MAX);
}

const UNITS: Readonly<Record<string, string>> = {
  ...{ seconds: 's', milliseconds: 'ms', bytes: 'bytes', ratio: 'percentunit', percent: 'percent', celsius: 'celsius' },
  ...{ volts: 'volt', amperes: 'amp', joules: 'joule', grams: 'massg', meters: 'lengthm', usd: 'currencyUSD' },
};

/** How gauges of several instances become one line, if their sum says nothing. */
const JOINED: Readonly<Record<string, string>> = {
  s: 'max',
  ms: 'max',
  percentunit: 'avg',
  percent: 'avg',
  celsius: 'max',
};

/** A point in time, not a duration. */
const isTime = (name: string) => /_time_seconds$|timestamp/.test(name);

function unitOf(name: string): string {
  const word =
    name
      .replace(/_total$/, '')
      .split('_')
      .at(-1) ?? '';
  // Grafana expects a point in time in milliseconds.
  return (isTime(name) ? undefined : UNITS[word]) ?? 'short';
}
