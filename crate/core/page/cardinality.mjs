/** The table of the families with the most series: their limits, the values of their labels, calls over the limits. */
import { el } from './dom.mjs';
import { showText } from './format.mjs';
import { familyOf } from './queries.mjs';

/**
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {import('./store.mjs').Family} Family
 */

const MOST_FAMILIES = 50;
const MOST_LABELS = 4;
/** Label values are not counted in larger families. */
const COUNTED_SERIES = 20_000;
/** The share of its limit from which a family is shown as nearly full. */
const NEARLY_FULL = 0.8;

/**
 * @param {Store} store
 * @param {Record<string, number>} limits
 * @returns {HTMLElement[]} the rows
 */
export function cardinalityRows(store, limits) {
  const beyond = new Map();
  for (const { labels, cell } of familyOf(store, 'metrics_cardinality_overflow_total')?.series.values() ?? []) {
    const metric = labels.find(([name]) => name === 'metric')?.[1];
    beyond.set(metric, (beyond.get(metric) ?? 0) + (cell?.value ?? 0));
  }
  const families = [...store.families.values()].sort(
    (a, b) => b.series.size - a.series.size || (a.name < b.name ? -1 : 1),
  );
  return families
    .slice(0, MOST_FAMILIES)
    .map((family) =>
      row(family, Object.hasOwn(limits, family.name) ? limits[family.name] : undefined, beyond.get(family.name) ?? 0),
    );
}

/**
 * @param {Family} family
 * @param {number | undefined} limit
 * @param {number} beyond
 */
function row(family, limit, beyond) {
  const { size } = family.series;
  const isFull = limit !== undefined && size >= limit * NEARLY_FULL;
  const meter = limit === undefined ? '' : el('span.meter', {}, el('i'));
  if (limit !== undefined) meter.firstChild.style.width = `${Math.max(1, Math.min(100, (size / limit) * 100))}%`;
  return el(
    isFull || beyond > 0 ? 'tr.warn' : 'tr',
    { 'data-cardinality': family.name },
    // A narrow screen may break the name between its words.
    el('th', { scope: 'row' }, ...family.name.split(/(?<=_)/).flatMap((word) => [word, el('wbr')])),
    el('td.n', {}, showText(size)),
    el('td.n', {}, limit === undefined ? '–' : showText(limit)),
    el('td.fill', {}, meter),
    el('td.n', {}, beyond === 0 ? '' : showText(beyond)),
    el('td.values', {}, labelValues(family)),
  );
}

/** @param {Family} family */
function labelValues({ series }) {
  if (series.size > COUNTED_SERIES) return 'not counted';
  /** @type {Map<string, Set<string>>} */
  const values = new Map();
  for (const { labels } of series.values()) {
    for (const [name, value] of labels) {
      const known = values.get(name);
      if (known === undefined) values.set(name, new Set([value]));
      else known.add(value);
    }
  }
  const most = [...values].sort((a, b) => b[1].size - a[1].size).slice(0, MOST_LABELS);
  return most.map(([name, { size }]) => `${name} ${size.toLocaleString('en')}`).join(', ');
}
