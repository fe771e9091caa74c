/** Calculates what changed between two scrapes, and quantiles of histograms, as Prometheus does. */

/**
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {import('./cell.mjs').Cell} Cell
 */

/**
 * By how much a counter grew from one scrape to another. A value that is smaller than the one before it began at zero again.
 * A counter that the first scrape did not have began at zero too. NaN if neither scrape nor one between them had it.
 *
 * @param {Cell} cell
 * @param {number} from
 * @param {number} to
 * @returns {number}
 */
export function increase(cell, from, to) {
  if (from < to && cell.isConstant(from, to)) return 0;
  let before = cell.at(from);
  let sum = Number.NaN;
  for (let at = from + 1; at <= to; at++) {
    const value = cell.at(at);
    if (Number.isNaN(value)) continue;
    if (Number.isNaN(before)) {
      if (cell.first === at && at > 0) sum = plus(sum, value);
    } else sum = plus(sum, value >= before ? value - before : value);
    before = value;
  }
  return sum;
}

/**
 * The sum of two numbers of which each may be missing.
 *
 * @param {number} sum
 * @param {number} value
 * @returns {number}
 */
export function plus(sum, value) {
  if (Number.isNaN(value)) return sum;
  return Number.isNaN(sum) ? value : sum + value;
}

/**
 * The larger of two numbers of which each may be missing.
 *
 * @param {number} most
 * @param {number} value
 * @returns {number}
 */
export function larger(most, value) {
  return Number.isNaN(most) || value > most ? value : most;
}

/**
 * By how much a counter grows in a second, over the last seconds before a scrape.
 *
 * @param {Store} store
 * @param {Cell | undefined} cell
 * @param {number} scrape
 * @param {number} seconds
 * @returns {number}
 */
export function rate(store, cell, scrape, seconds) {
  const from = store.before(scrape, seconds);
  if (cell === undefined || from === scrape) return Number.NaN;
  return increase(cell, from, scrape) / ((store.time(scrape) - store.time(from)) / 1000);
}

/**
 * A quantile of a histogram, interpolated within its bucket.
 *
 * @param {number} quantile from 0 to 1
 * @param {readonly number[]} bounds upper bounds, the last one +Inf
 * @param {readonly number[]} counts of each bucket with all smaller ones
 * @returns {number} NaN without observations
 */
export function histogramQuantile(quantile, bounds, counts) {
  const total = counts.at(-1) ?? 0;
  if (!(total > 0) || bounds.at(-1) !== Number.POSITIVE_INFINITY) return Number.NaN;
  const rank = quantile * total;
  const at = counts.findIndex((count) => count >= rank);
  if (at === bounds.length - 1) return bounds.length > 1 ? bounds[bounds.length - 2] : Number.NaN;
  if (at === 0 && bounds[0] <= 0) return bounds[0];
  const start = at === 0 ? 0 : bounds[at - 1];
  const below = at === 0 ? 0 : counts[at - 1];
  const own = counts[at] - below;
  return own === 0 ? bounds[at] : start + (bounds[at] - start) * ((rank - below) / own);
}
