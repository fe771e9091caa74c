/**
 * Evaluates the queries of the page on a store, and writes the same in PromQL. A query is data, so that the number on the
 * page and the text that is copied cannot differ.
 */
import { writeLabels } from './parse.mjs';
import { histogramQuantile, increase, larger, plus, rate } from './rates.mjs';

/**
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {import('./store.mjs').Family} Family
 * @typedef {import('./store.mjs').Series} Series
 * @typedef {import('./cell.mjs').Cell} Cell
 *
 * @typedef {object} Query
 * @property {'rate' | 'value' | 'quantile' | 'ratio' | 'mean'} kind `rate`: growth in a second. `value`: the sum of values,
 *   or the largest of values that have no sum. `quantile`: of a histogram. `mean`: its sum by its count. `ratio`: `over` by `under`.
 * @property {string} [name] of the family, without its namespace
 * @property {Record<string, string>} [match] labels; `a|b` allows both, `!a` excludes one
 * @property {string[]} [by] labels that tell groups apart
 * @property {number} [quantile]
 * @property {number} [factor]
 * @property {Query} [over]
 * @property {Query} [under]
 */

/** The time that a rate covers. Prometheus' own queries cover a minute, which is too slow to watch a program. */
export const RATE_SECONDS = 10;
/** The time that quantiles and shares cover: they need more observations. */
export const SHARE_SECONDS = 60;

/**
 * The family of a name without namespace: with ours, with none, or with another.
 *
 * @param {Store} store
 * @param {string} name
 * @returns {Family | undefined}
 */
export function familyOf(store, name) {
  const found = store.families.get(`llmdevops_${name}`) ?? store.families.get(name);
  if (found !== undefined) return found;
  for (const family of store.families.values()) if (family.name.endsWith(`_${name}`)) return family;
  return undefined;
}

/**
 * True if the store has what a query reads.
 *
 * @param {Store} store
 * @param {Query} query
 * @returns {boolean}
 */
export function exists(store, query) {
  if (query.kind === 'ratio')
    return exists(store, /** @type {Query} */ (query.over)) && exists(store, /** @type {Query} */ (query.under));
  const family = familyOf(store, query.name ?? '');
  return family !== undefined && family.series.size > 0;
}

/**
 * The value of each group at a scrape.
 *
 * @param {Store} store
 * @param {Query} query
 * @param {number} scrape
 * @param {number} [seconds] the time that rates cover
 * @returns {Map<string, number>} by the values of the labels in `by`
 */
export function evaluate(store, query, scrape, seconds) {
  const { kind, factor = 1 } = query;
  const result = kind === 'ratio' ? evaluateRatio(store, query, scrape) : evaluateFamily(store, query, scrape, seconds);
  if (factor !== 1) for (const [group, value] of result) result.set(group, value * factor);
  return result;
}

/**
 * @param {Store} store
 * @param {Query} query
 * @param {number} scrape
 * @returns {Map<string, number>}
 */
function evaluateRatio(store, { over, under }, scrape) {
  const parts = evaluate(store, /** @type {Query} */ (over), scrape, SHARE_SECONDS);
  /** @type {Map<string, number>} */
  const result = new Map();
  // What has not grown, or is gone since a restart, has no share. A gauge that is missing is unknown.
  const none = over?.kind === 'value' ? Number.NaN : 0;
  for (const [group, whole] of evaluate(store, /** @type {Query} */ (under), scrape, SHARE_SECONDS)) {
    if (whole > 0) result.set(group, plus(none, parts.get(group) ?? none) / whole);
    else result.set(group, Number.NaN);
  }
  return result;
}

/**
 * @param {Store} store
 * @param {Query} query
 * @param {number} scrape
 * @param {number} [seconds]
 * @returns {Map<string, number>}
 */
function evaluateFamily(store, query, scrape, seconds) {
  const { kind, match = {}, by = [], quantile = 0.95 } = query;
  /** @type {Map<string, number>} */
  const result = new Map();
  /** @type {Map<string, Series[]>} */
  const groups = new Map();
  const family = familyOf(store, query.name ?? '');
  for (const series of family?.series.values() ?? []) {
    if (!matches(series, match)) continue;
    const group = by.map((label) => labelValue(series, label)).join(' · ');
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [series]);
    else members.push(series);
  }
  for (const [group, members] of groups) {
    if (kind === 'quantile') {
      // Several panels show quantiles of the same buckets.
      const covered = seconds ?? SHARE_SECONDS;
      const key = JSON.stringify([family?.name, match, by, group, covered]);
      const known = scrape === store.latest ? store.buckets : new Map();
      const buckets = known.get(key) ?? bucketsOf(store, members, scrape, covered);
      known.set(key, buckets);
      const { bounds, counts } = buckets;
      result.set(group, histogramQuantile(quantile, bounds, counts));
    } else if (kind === 'mean') {
      const sum = total(members, (series) => rate(store, series.sum, scrape, seconds ?? SHARE_SECONDS));
      const count = total(members, (series) => rate(store, series.count, scrape, seconds ?? SHARE_SECONDS));
      result.set(group, count > 0 ? sum / count : Number.NaN);
    } else if (kind === 'rate') {
      result.set(
        group,
        total(members, ({ cell, count }) => rate(store, cell ?? count, scrape, seconds ?? RATE_SECONDS)),
      );
    } else
      result.set(
        group,
        total(members, ({ cell, count }) => (cell ?? count)?.at(scrape) ?? Number.NaN, family?.gather),
      );
  }
  return result;
}

/**
 * @param {Series[]} members
 * @param {(series: Series) => number} read
 */
function total(members, read, gather = plus) {
  let sum = Number.NaN;
  for (const series of members) sum = gather(sum, read(series));
  return sum;
}

/**
 * What the buckets of some series of a histogram got together. Buckets that the scrape does not have, because an earlier
 * process had others, are left out. What was before the first scrape of such buckets cannot be compared with them.
 *
 * @param {Store} store
 * @param {readonly Series[]} members
 * @param {number} scrape
 * @param {number} seconds infinite for everything since the start of the process
 * @returns {{ bounds: number[], counts: number[] }} counts with those of smaller buckets
 */
export function bucketsOf(store, members, scrape, seconds) {
  const from = seconds === Number.POSITIVE_INFINITY ? -1 : store.before(scrape, seconds);
  /** @type {Map<number, number>} */
  const counts = new Map();
  const has = (/** @type {Series['parts'][0]} */ { cell }) => !Number.isNaN(cell.at(scrape));
  const known = new Set(members.flatMap(({ parts }) => parts.filter(has).map(({ bound }) => bound)));
  for (const { parts } of members) {
    let present = parts.filter(has);
    // A series that is gone got something too, which counts if its buckets are those of the others.
    if (present.length === 0 && parts.every(({ bound }) => known.has(bound))) present = parts;
    const firsts = present.map(({ cell }) => cell.first);
    const last = Math.max(...firsts);
    const start = last > Math.min(...firsts) ? Math.max(from, last) : from;
    for (const { bound, cell } of present) {
      const count = from < 0 ? cell.at(scrape) : increase(cell, start, scrape);
      counts.set(bound, plus(counts.get(bound) ?? Number.NaN, count));
    }
  }
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  return { bounds, counts: bounds.map((bound) => counts.get(bound) || 0) };
}

/**
 * @param {Series} series
 * @param {string} label
 * @returns {string}
 */
function labelValue({ labels }, label) {
  for (const [name, value] of labels) if (name === label) return value;
  return '';
}

/**
 * @param {Series} series
 * @param {Record<string, string>} match
 */
function matches(series, match) {
  for (const label in match) {
    const wanted = match[label];
    const value = labelValue(series, label);
    if (wanted.startsWith('!') ? value === wanted.slice(1) : !wanted.split('|').includes(value)) return false;
  }
  return true;
}

/**
 * The query in PromQL.
 *
 * @param {Store} store
 * @param {Query} query
 * @returns {string}
 */
export function promql(store, query) {
  const { factor = 1 } = query;
  const text = withoutFactor(store, query);
  return factor === 1 ? text : `${factor} * ${text}`;
}

/**
 * @param {Store} store
 * @param {Query} query
 * @returns {string}
 */
function withoutFactor(store, query) {
  const { kind, by = [], match = {}, over, under } = query;
  if (kind === 'ratio')
    return `${promql(store, /** @type {Query} */ (over))} / ${promql(store, /** @type {Query} */ (under))}`;
  const family = familyOf(store, query.name ?? '');
  const name = family?.name ?? query.name ?? '';
  const isSplit = family?.kind === 'histogram' || family?.kind === 'summary';
  const selector = writeMatch(match);
  const word = kind === 'value' ? wordOf(family) : 'sum';
  const grouped = by.length === 0 ? word : `${word} by (${by.join(', ')})`;
  if (kind === 'quantile') {
    const sum = `sum by (${['le', ...by].join(', ')})`;
    return `histogram_quantile(${query.quantile ?? 0.95}, ${sum} (rate(${name}_bucket${selector}[1m])))`;
  }
  if (kind === 'mean') {
    return `${grouped} (rate(${name}_sum${selector}[1m])) / ${grouped} (rate(${name}_count${selector}[1m]))`;
  }
  const metric = `${name}${isSplit ? '_count' : ''}${selector}`;
  return kind === 'rate' ? `${grouped} (rate(${metric}[1m]))` : `${grouped} (${metric})`;
}

/** @param {Family | undefined} family */
function wordOf(family) {
  return family?.gather === larger ? 'max' : 'sum';
}

/** @param {Record<string, string>} match */
function writeMatch(match) {
  const parts = Object.entries(match).map(([label, wanted]) => {
    if (wanted.startsWith('!')) return `${label}!="${wanted.slice(1)}"`;
    return `${label}${wanted.includes('|') ? '=~' : '='}"${wanted}"`;
  });
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/**
 * PromQL for one series as the list shows it.
 *
 * @param {Family} family
 * @param {Series | undefined} series undefined for all together
 * @returns {string}
 */
export function promqlOf(family, series) {
  const { name, kind } = family;
  const labels = writeLabels(series?.labels ?? []);
  const around = (/** @type {string} */ text) => (series === undefined ? `${wordOf(family)}(${text})` : text);
  if (kind === 'histogram') return `histogram_quantile(0.95, sum by (le) (rate(${name}_bucket${labels}[1m])))`;
  if (kind === 'summary') return around(`rate(${name}_count${labels}[1m])`);
  return around(kind === 'counter' ? `rate(${name}${labels}[1m])` : `${name}${labels}`);
}
