// Reads the dashboards of deploy/grafana and the queries in them.

import { readdir, readFile } from 'node:fs/promises';

export const DASHBOARDS_FOLDER = new URL('../../../deploy/grafana/', import.meta.url);

/** @returns {Promise<Map<string, object>>} dashboards by file name. */
export async function readDashboards() {
  const files = (await readdir(DASHBOARDS_FOLDER)).filter((name) => name.endsWith('.json')).sort();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, DASHBOARDS_FOLDER), 'utf8')));
  return new Map(files.map((file, i) => [file, JSON.parse(texts[i])]));
}

/** Panels with data: rows are only headings. */
export function panelsOf(dashboard) {
  return dashboard.panels.filter(({ type }) => type !== 'row');
}

/** Metric and label of a variable that is filled by `label_values(metric, label)`. */
export function labelValuesOf({ definition }) {
  const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition);
  return { selector, label };
}
