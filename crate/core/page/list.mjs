/**
 * The list of families and their series. Only the rows on the screen exist as elements, so that 10,000 series cost no more
 * than 30.
 */
import { cleared, el, quantity, setText } from './dom.mjs';
import { drawHeatBar, drawSparkline, SPARK_SCRAPES } from './draw.mjs';
import { show, showText, unitOf } from './format.mjs';
import { bucketsOf, RATE_SECONDS, SHARE_SECONDS } from './queries.mjs';
import { histogramQuantile, plus, rate } from './rates.mjs';
import { isGrowing, lastSeen } from './store.mjs';

/**
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {import('./store.mjs').Family} Family
 * @typedef {import('./store.mjs').Series} Series
 * @typedef {ReturnType<typeof import('./dom.mjs').colours>} Colours
 *
 * @typedef {{ id: string, family: Family, series: Series | undefined, isOpen: boolean }} Row
 */

/** Rows beyond the edges of the screen, so that scrolling shows no holes. */
const SPARE_ROWS = 6;
const QUANTILES = [0.5, 0.95, 0.99];

export class List {
  root;
  #space = el('ul.space');
  #nothing = el('p.empty');
  #store;
  #open;
  /** @type {Set<string>} names of the families whose series are shown */
  #opened = new Set();
  /** @type {Row[]} */
  #rows = [];
  /** @type {Map<string, RowElement>} */
  #elements = new Map();
  #shape = -1;
  #words = /** @type {string[]} */ ([]);
  #order = 'name';
  /** @type {Colours | undefined} */
  #colours;

  /**
   * @param {Store} store
   * @param {(family: Family, series: Series | undefined) => void} open called for a row that is chosen
   */
  constructor(store, open) {
    this.#store = store;
    this.#open = open;
    this.root = el('div.list', {}, this.#space, this.#nothing);
    addEventListener('scroll', () => this.#place(), { passive: true });
    addEventListener('resize', () => this.#place());
    this.root.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
  }

  /**
   * @param {string} text words, all of which a family or a series must have
   * @param {string} order `name`, `series` or `activity`
   */
  filter(text, order) {
    this.#words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.#order = order;
    this.#shape = -1;
    this.update(this.#colours);
  }

  /** The number of families that the list shows. */
  get found() {
    return this.#rows.filter(({ series }) => series === undefined).length;
  }

  /** @param {Colours | undefined} colours */
  update(colours) {
    this.#colours = colours;
    if (this.#shape !== this.#store.shape || this.#order === 'activity') this.#collect();
    this.#place();
  }

  #collect() {
    this.#shape = this.#store.shape;
    this.#rows = [];
    for (const family of this.#sorted()) {
      const own = `${family.name} ${family.kind} ${family.help}`.toLowerCase();
      const missing = this.#words.filter((word) => !own.includes(word));
      const series = [...family.series.values()].filter(({ key }) => {
        const text = key.toLowerCase();
        return missing.every((word) => text.includes(word));
      });
      if (missing.length > 0 && series.length === 0) continue;
      const isOpen = this.#opened.has(family.name) || missing.length > 0;
      this.#rows.push({ id: family.name, family, series: undefined, isOpen });
      if (!isOpen) continue;
      for (const member of series)
        this.#rows.push({ id: `${family.name}\n${member.key}`, family, series: member, isOpen: false });
    }
    const text =
      this.#store.latest < 0
        ? ''
        : this.#words.length === 0
          ? 'The exposition is empty.'
          : 'No family or series has these words.';
    setText(this.#nothing, this.#rows.length === 0 ? text : '');
  }

  #sorted() {
    const families = [...this.#store.families.values()];
    const byName = (/** @type {Family} */ a, /** @type {Family} */ b) => (a.name < b.name ? -1 : 1);
    if (this.#order === 'series') return families.sort((a, b) => b.series.size - a.series.size || byName(a, b));
    if (this.#order !== 'activity') return families.sort(byName);
    const speed = new Map(
      families.map((family) => [family, isGrowing(family.kind) ? activityOf(this.#store, family) : -1]),
    );
    return families.sort((a, b) => (speed.get(b) ?? 0) - (speed.get(a) ?? 0) || byName(a, b));
  }

  /** Makes the rows that the screen shows, and updates them. */
  #place() {
    if (this.root.offsetParent === null) return;
    const height = Number.parseFloat(getComputedStyle(this.root).getPropertyValue('--row'));
    this.#space.style.height = `${this.#rows.length * height}px`;
    const top = this.#space.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - SPARE_ROWS);
    const last = Math.min(this.#rows.length, Math.ceil((innerHeight - top) / height) + SPARE_ROWS);
    /** @type {Map<string, RowElement>} */
    const kept = new Map();
    for (let at = first; at < last; at++) {
      const row = this.#rows[at];
      const element =
        this.#elements.get(row.id) ?? new RowElement(row, this.#store, (isChart) => this.#choose(row, isChart));
      kept.set(row.id, element);
      element.place(at, this.#rows.length, at * height, row.isOpen);
    }
    for (const [id, { root }] of this.#elements)
      if (!kept.has(id) && !root.contains(document.activeElement)) root.remove();
      else if (!kept.has(id)) kept.set(id, /** @type {RowElement} */ (this.#elements.get(id)));
    for (const element of kept.values()) {
      if (element.root.parentNode !== this.#space) this.#space.append(element.root);
      if (this.#colours !== undefined) element.update(this.#colours);
    }
    this.#elements = kept;
  }

  /**
   * @param {Row} row
   * @param {boolean} isChart whether the chart was asked for, not the series
   */
  #choose({ family, series }, isChart) {
    const hasMore = series === undefined && (family.series.size > 1 || [...family.series.keys()][0] !== '');
    if (isChart || !hasMore) return this.#open(family, series);
    if (!this.#opened.delete(family.name)) this.#opened.add(family.name);
    this.#shape = -1;
    this.update(this.#colours);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const id = /** @type {HTMLElement} */ (event.target).closest('li')?.dataset.row;
    if (step === undefined || id === undefined) return;
    event.preventDefault();
    const at = this.#rows.findIndex((row) => row.id === id) + step;
    const row = this.#rows[at];
    if (row === undefined) return;
    const height = Number.parseFloat(getComputedStyle(this.root).getPropertyValue('--row'));
    const top = this.#space.getBoundingClientRect().top + at * height;
    if (top < 140) scrollBy(0, top - 140);
    if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8);
    this.#place();
    this.#elements.get(row.id)?.focus();
  }
}

/**
 * What a family grew by in a second, over the last seconds.
 *
 * @param {Store} store
 * @param {Family} family
 */
function activityOf(store, { activity }) {
  const from = store.before(store.latest, RATE_SECONDS);
  let sum = Number.NaN;
  for (let at = from + 1; at <= store.latest; at++) {
    sum = plus(sum, (activity.at(at) * (store.time(at) - store.time(at - 1))) / 1000);
  }
  return from === store.latest ? Number.NaN : sum / ((store.time(store.latest) - store.time(from)) / 1000);
}

/** The elements of one row. */
class RowElement {
  root;
  #row;
  #store;
  #name;
  #spark = el('canvas.spark', { 'aria-hidden': 'true' });
  #rate = quantity();
  #value = quantity();
  #more = el('span.more');
  #toggle;

  /**
   * @param {Row} row
   * @param {Store} store
   * @param {(isChart: boolean) => void} choose
   */
  constructor(row, store, choose) {
    this.#row = row;
    this.#store = store;
    const { family, series } = row;
    const isFamily = series === undefined;
    this.#name = isFamily ? el('span.name', {}, family.name) : labelsOf(series);
    const text = el('span.what', {}, this.#name, this.#more);
    this.#toggle = el(
      'button.main',
      { type: 'button', click: () => choose(false), title: isFamily ? family.help : series.key },
      text,
    );
    const chart = el(
      'button.chart-button',
      { type: 'button', click: () => choose(true), 'aria-label': `Chart of ${family.name}${series?.key ?? ''}` },
      this.#spark,
    );
    this.root = el(
      isFamily ? 'li.row.family' : 'li.row.series',
      {
        'data-row': row.id,
        ...(isFamily ? { 'data-family': family.name } : { 'data-series': family.name + series.key }),
      },
      this.#toggle,
      chart,
      el('span.cell.rate', { 'data-what': 'rate' }, this.#rate.root),
      el('span.cell.value', { 'data-what': 'value' }, this.#value.root),
    );
  }

  focus() {
    this.#toggle.focus();
  }

  /**
   * @param {number} at
   * @param {number} count
   * @param {number} top
   * @param {boolean} isOpen
   */
  place(at, count, top, isOpen) {
    this.root.style.transform = `translateY(${top}px)`;
    this.root.setAttribute('aria-posinset', String(at + 1));
    this.root.setAttribute('aria-setsize', String(count));
    if (this.#row.series === undefined) {
      this.#toggle.setAttribute('aria-expanded', String(isOpen));
      this.root.classList.toggle('open', isOpen);
    }
  }

  /** @param {Colours} colours */
  update(colours) {
    const { family, series } = this.#row;
    const store = this.#store;
    const isGone = series === undefined ? family.series.size === 0 : lastSeen(series) < store.latest;
    this.root.classList.toggle('gone', isGone);
    const grows = isGrowing(family.kind);
    const unit = unitOf(family.name);
    const members = series === undefined ? [...family.series.values()] : [series];
    const perSecond = !grows
      ? Number.NaN
      : series === undefined
        ? activityOf(store, family)
        : rate(store, series.cell ?? series.count, store.latest, RATE_SECONDS);
    const isSplit = family.kind === 'histogram' || family.kind === 'summary';
    this.#rate.set(perSecond, grows ? show(perSecond, isSplit ? '/s' : `${unit}/s`) : { text: '', unit: '' });
    let value = Number.NaN;
    for (const member of members)
      value = family.gather(value, (member.cell ?? member.count)?.at(store.latest) ?? Number.NaN);
    this.#value.set(value, show(value, isSplit ? '' : unit));
    if (family.kind === 'histogram') return this.#updateHistogram(members, unit, colours);
    setText(this.#more, this.#describe(unit));
    this.#drawSpark(series?.cell ?? series?.count, grows, colours);
  }

  /**
   * @param {Series[]} members
   * @param {string} unit
   * @param {Colours} colours
   */
  #updateHistogram(members, unit, colours) {
    const store = this.#store;
    let { bounds, counts } = bucketsOf(store, members, store.latest, SHARE_SECONDS);
    const isRecent = (counts.at(-1) ?? 0) > 0;
    if (!isRecent) ({ bounds, counts } = bucketsOf(store, members, store.latest, Number.POSITIVE_INFINITY));
    const values = QUANTILES.map((quantile) => showText(histogramQuantile(quantile, bounds, counts), unit));
    const texts =
      (counts.at(-1) ?? 0) > 0
        ? `p50 ${values[0]}  p95 ${values[1]}  p99 ${values[2]}${isRecent ? '' : '  since start'}`
        : 'no observations';
    setText(this.#more, this.#row.series === undefined ? `${this.#describe(unit)}  ${texts}` : texts);
    const drawing = cleared(this.#spark);
    if (drawing !== undefined) drawHeatBar(drawing.context, drawing.width, drawing.height, counts, colours);
  }

  /** @param {string} unit */
  #describe(unit) {
    const { family, series } = this.#row;
    if (series !== undefined) {
      if (family.kind !== 'summary') return '';
      return series.parts
        .filter(({ cell }) => cell.seen === this.#store.latest)
        .map(
          ({ bound, cell }) =>
            `p${Number((bound * 100).toPrecision(6))} ${showText(cell.at(this.#store.latest), unit)}`,
        )
        .join('  ');
    }
    const { size } = family.series;
    const count = size === 1 ? '1 series' : `${size.toLocaleString('en')} series`;
    return `${family.kind}  ${count}`;
  }

  /**
   * @param {import('./cell.mjs').Cell | undefined} cell undefined for the whole family
   * @param {boolean} grows
   * @param {Colours} colours
   */
  #drawSpark(cell, grows, colours) {
    const store = this.#store;
    const drawing = cleared(this.#spark);
    if (drawing === undefined) return;
    const values = [];
    for (let at = Math.max(store.oldest, store.latest - SPARK_SCRAPES + 1); at <= store.latest; at++) {
      if (cell === undefined) values.push(this.#row.family.activity.at(at));
      else if (!grows) values.push(cell.at(at));
      else if (at > store.oldest) {
        const [before, now] = [cell.at(at - 1), cell.at(at)];
        values.push((now >= before ? now - before : now) / ((store.time(at) - store.time(at - 1)) / 1000));
      }
    }
    drawSparkline(drawing.context, drawing.width, drawing.height, values, colours.accent);
  }
}

/** @param {Series} series */
function labelsOf({ labels }) {
  if (labels.length === 0) return el('span.labels', {}, 'without labels');
  return el(
    'span.labels',
    {},
    ...labels.map(([name, value]) =>
      el('span.label', {}, el('span.label-name', {}, name), el('span.label-value', {}, value === '' ? '""' : value)),
    ),
  );
}
