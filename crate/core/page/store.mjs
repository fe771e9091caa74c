/**
 * Keeps what the last scrapes said: families, their series, and for each sample its values of the last ten minutes. A scrape
 * is numbered; `times` has when it was. Must not know how anything is shown.
 */
import { Cell, MOST_SCRAPES, Span } from './cell.mjs';
import { unitOf } from './format.mjs';
import { parseSeries, writeLabels } from './parse.mjs';
import { larger, plus } from './rates.mjs';

/** Values that may be remembered, of 8 bytes each. With more samples that change, fewer scrapes are remembered. */
const MOST_VALUES = 8_000_000;
const LEAST_SCRAPES = 60;
/** How often it looks for series that are gone. */
const SWEEP_EVERY = 60;

/** The label that tells the samples of one series apart, by the kind of its family. */
const INNER_LABEL = { histogram: 'le', summary: 'quantile' };

/**
 * One label set of a family.
 *
 * @typedef {object} Series
 * @property {string} key the labels as they are written
 * @property {[string, string][]} labels
 * @property {Cell | undefined} cell the value of a counter or a gauge
 * @property {Cell | undefined} sum of a histogram or summary
 * @property {Cell | undefined} count of a histogram or summary
 * @property {{ bound: number, cell: Cell }[]} parts buckets, or quantiles
 */

/**
 * @typedef {object} Family
 * @property {string} name
 * @property {string} kind
 * @property {string} help
 * @property {Map<string, Series>} series by their key
 * @property {(sum: number, value: number) => number} gather `plus`, or `larger` for values that have no sum
 * @property {Cell} activity for each scrape all values of a gauge together; otherwise what the family grew by in a second
 * @property {number} gathered what `activity` gets at the end of the scrape
 * @property {number} named the last scrape that had its type or help
 */

/**
 * @typedef {object} Sample
 * @property {Cell} cell
 * @property {Family} family
 * @property {boolean} grows true for what only grows and stands for the family: a counter, or the count of a histogram
 * @property {boolean} adds true for the value of a gauge
 */

/** The families of all scrapes. It is a `Reader` of lines. */
export class Store {
  /** @type {Map<string, Family>} */
  families = new Map();
  /** When each scrape was, in milliseconds; by its number, modulo the capacity. */
  #times = new Float64Array(MOST_SCRAPES);
  /** The number of the newest complete scrape; -1 without one. */
  latest = -1;
  /** Changes when a family or series comes or goes. */
  shape = 0;
  /** @type {Map<string, { bounds: number[], counts: number[] }>} what queries have read of the newest scrape */
  buckets = new Map();
  /** The samples of the newest scrape. */
  size = 0;
  #scrape = -1;
  #began = 0;
  /** @type {Sample[]} the samples of the running scrape, which count once it has arrived as a whole */
  #arrived = [];
  /** @type {number[]} their values */
  #values = [];
  #span = new Span();
  /** @type {Map<string, Sample>} by the series as the exposition writes it */
  #samples = new Map();
  /** @type {Family | undefined} */
  #family;

  /** @param {number} time in milliseconds */
  begin(time) {
    this.#scrape = this.latest + 1;
    this.#began = time;
    this.#arrived.length = 0;
    this.#values.length = 0;
    this.#family = undefined;
  }

  /**
   * @param {string} name
   * @param {string} kind
   */
  type(name, kind) {
    this.#family = this.#open(name);
    if (this.#family.kind === kind) return;
    this.#family.kind = kind;
    this.shape++;
  }

  /**
   * @param {string} name
   * @param {string} help
   */
  help(name, help) {
    this.#family = this.#open(name);
    this.#family.help = help;
  }

  /**
   * @param {string} written
   * @param {number} value
   */
  sample(written, value) {
    this.#arrived.push(this.#samples.get(written) ?? this.#admit(written));
    this.#values.push(value);
  }

  /** Ends a scrape that has arrived as a whole. A scrape that has not is simply followed by `begin`. */
  end() {
    const scrape = this.#scrape;
    const seconds = scrape === 0 ? 1 : (this.#began - this.time(scrape - 1)) / 1000;
    for (const family of this.families.values()) {
      const grows = isGrowing(family.kind);
      family.gathered = grows ? 0 : Number.NaN;
      family.gather = grows || !/^(time|%)$/.test(unitOf(family.name)) ? plus : larger;
    }
    for (const [at, sample] of this.#arrived.entries()) count(sample, scrape, this.#values[at]);
    for (const { cell } of this.#samples.values()) if (cell.seen !== scrape) cell.miss(scrape);
    for (const family of this.families.values()) {
      const isGauge = !isGrowing(family.kind);
      if (isGauge || scrape > 0) family.activity.put(scrape, isGauge ? family.gathered : family.gathered / seconds);
    }
    this.#times[scrape % this.#span.capacity] = this.#began;
    this.latest = scrape;
    this.buckets.clear();
    this.size = this.#arrived.length;
    this.#saveMemory();
    if (scrape % SWEEP_EVERY === 0) this.#sweep();
  }

  /** The oldest scrape that is remembered. */
  get oldest() {
    return Math.max(0, this.latest - this.#span.capacity + 1);
  }

  /** The number of series of all families. */
  get seriesCount() {
    let count = 0;
    for (const { series } of this.families.values()) count += series.size;
    return count;
  }

  /**
   * When a remembered scrape was, in milliseconds.
   *
   * @param {number} scrape
   * @returns {number}
   */
  time(scrape) {
    return this.#times[scrape % this.#span.capacity];
  }

  /**
   * The newest remembered scrape that is at least so much older than another; otherwise the oldest one.
   *
   * @param {number} scrape
   * @param {number} seconds
   * @returns {number}
   */
  before(scrape, seconds) {
    const until = this.time(scrape) - seconds * 1000 + 50;
    const { oldest } = this;
    let at = scrape;
    while (at > oldest && this.time(at) > until) at--;
    return at;
  }

  /** @param {string} name */
  #open(name) {
    let family = this.families.get(name);
    if (family === undefined) {
      const activity = new Cell(this.#span);
      family = { name, kind: 'untyped', help: '', series: new Map(), gather: plus, activity, gathered: 0, named: 0 };
      this.families.set(name, family);
      this.shape++;
    }
    family.named = this.#scrape;
    return family;
  }

  /** @param {string} written */
  #admit(written) {
    const { name, labels } = parseSeries(written);
    const last = this.#family;
    const ending = last !== undefined && name.startsWith(last.name) ? name.slice(last.name.length) : undefined;
    const isPart = (ending === '_bucket' && last?.kind === 'histogram') || ending === '_sum' || ending === '_count';
    const isOf = ending === '' || (isPart && (last?.kind === 'histogram' || last?.kind === 'summary'));
    const family = isOf && last !== undefined ? last : this.#open(name);
    const inner = isOf ? INNER_LABEL[/** @type {'histogram'} */ (family.kind)] : undefined;
    const own = labels.filter(([label]) => label !== inner);
    const series = this.#seriesOf(family, own);
    const cell = new Cell(this.#span);
    const bound = labels.find(([label]) => label === inner)?.[1];
    let [grows, adds] = [false, false];
    if (isOf && ending === '_sum') series.sum = cell;
    else if (isOf && ending === '_count') {
      series.count = cell;
      grows = true;
    } else if (bound !== undefined) {
      series.parts.push({ bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), cell });
      series.parts.sort((a, b) => a.bound - b.bound);
    } else {
      series.cell = cell;
      grows = family.kind === 'counter';
      adds = !grows;
    }
    const sample = { cell, family, grows, adds };
    this.#samples.set(written, sample);
    return sample;
  }

  /**
   * @param {Family} family
   * @param {[string, string][]} labels
   */
  #seriesOf(family, labels) {
    const key = writeLabels(labels);
    let series = family.series.get(key);
    if (series === undefined) {
      series = { key, labels, cell: undefined, sum: undefined, count: undefined, parts: [] };
      family.series.set(key, series);
      this.shape++;
    }
    return series;
  }

  #saveMemory() {
    const wanted = Math.max(LEAST_SCRAPES, Math.floor(MOST_VALUES / Math.max(1, this.#span.rings)));
    // In steps, because all values are copied.
    if (wanted > this.#span.capacity * 0.75) return;
    const times = new Float64Array(wanted);
    for (let at = Math.max(0, this.latest - wanted + 1); at <= this.latest; at++) times[at % wanted] = this.time(at);
    this.#times = times;
    this.#span.capacity = wanted;
    for (const { cell } of this.#samples.values()) cell.shorten(this.latest);
    for (const { activity } of this.families.values()) activity.shorten(this.latest);
  }

  /** Forgets series, their parts, and families that no remembered scrape has. */
  #sweep() {
    const { oldest } = this;
    for (const [written, { cell }] of this.#samples) {
      if (cell.seen >= oldest) continue;
      cell.drop();
      this.#samples.delete(written);
    }
    for (const family of this.families.values()) {
      for (const [key, series] of family.series) {
        series.parts = series.parts.filter(({ cell }) => cell.seen >= oldest);
        if (lastSeen(series) >= oldest) continue;
        family.series.delete(key);
        this.shape++;
      }
      if (family.series.size > 0 || family.named >= oldest) continue;
      family.activity.drop();
      this.families.delete(family.name);
      this.shape++;
    }
  }
}

/**
 * Counts a value of a complete scrape.
 *
 * @param {Sample} sample
 * @param {number} scrape
 * @param {number} value
 */
function count({ cell, family, grows, adds }, scrape, value) {
  if (adds) family.gathered = family.gather(family.gathered, value);
  else if (grows && scrape > 0) {
    const before = cell.seen < 0 ? 0 : cell.value;
    family.gathered = plus(family.gathered, value < before ? value : value - before);
  }
  cell.put(scrape, value);
}

/**
 * The last scrape that had a series.
 *
 * @param {Series} series
 * @returns {number}
 */
export function lastSeen({ cell, count, sum, parts }) {
  return Math.max(cell?.seen ?? -1, count?.seen ?? -1, sum?.seen ?? -1, ...parts.map(({ cell }) => cell.seen));
}

/**
 * True for kinds whose values only grow, so that their rate is of interest.
 *
 * @param {string} kind
 * @returns {boolean}
 */
export function isGrowing(kind) {
  return kind === 'counter' || kind === 'histogram' || kind === 'summary';
}
