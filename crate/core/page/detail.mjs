/** The window with one large chart: the values, PromQL for the same, and the chart as CSV or PNG. */
import { Chart, recent } from './cards.mjs';
import { byId, el, setText } from './dom.mjs';
import { unitOf } from './format.mjs';
import { bucketsOf, promql, promqlOf, RATE_SECONDS, SHARE_SECONDS } from './queries.mjs';
import { histogramQuantile, rate } from './rates.mjs';
import { copy, download, toCsv, toPng } from './save.mjs';
import { isGrowing } from './store.mjs';

/**
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {import('./store.mjs').Family} Family
 * @typedef {import('./store.mjs').Series} Series
 * @typedef {import('./draw.mjs').Picture} Picture
 * @typedef {ReturnType<typeof import('./dom.mjs').colours>} Colours
 *
 * @typedef {object} Subject what the window shows
 * @property {string} title
 * @property {string} help
 * @property {string[]} promql
 * @property {(colours: Colours, windowMs: number) => Picture} picture
 */

export class Detail {
  #dialog = byId('detail');
  /** @type {Subject | undefined} */
  #subject;
  /** @type {Chart | undefined} */
  #chart;
  /** @type {Picture | undefined} */
  #picture;
  /** @type {Colours | undefined} */
  #colours;

  constructor() {
    byId('detail-close').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('click', (/** @type {Event} */ event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    byId('csv').addEventListener('click', () => this.#saveCsv());
    byId('png').addEventListener('click', () => this.#savePng());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /**
   * @param {Subject} subject
   */
  open(subject) {
    this.#subject = subject;
    this.#chart = new Chart(subject.title);
    setText(byId('detail-title'), subject.title);
    setText(byId('detail-help'), subject.help);
    byId('detail-chart').replaceChildren(this.#chart.canvas, this.#chart.legend.root);
    byId('detail-promql').replaceChildren(...subject.promql.map((text) => this.#promql(text)));
    this.#dialog.showModal();
  }

  /** @param {string} text */
  #promql(text) {
    const code = el('code', {}, text);
    const button = el('button', { type: 'button' }, 'Copy');
    button.addEventListener('click', async () => {
      setText(button, (await copy(code)) ? 'Copied' : 'Selected');
      setTimeout(() => setText(button, 'Copy'), 1500);
    });
    return el('div.promql', {}, code, button);
  }

  /**
   * @param {Colours} colours
   * @param {number} windowMs
   */
  update(colours, windowMs) {
    if (!this.isOpen || this.#subject === undefined) return;
    this.#colours = colours;
    this.#picture = this.#subject.picture(colours, windowMs);
    this.#chart?.show(this.#picture, colours);
  }

  #saveCsv() {
    if (this.#picture !== undefined)
      download(this.#fileName('csv'), new Blob([toCsv(this.#picture)], { type: 'text/csv' }));
  }

  async #savePng() {
    if (this.#picture === undefined || this.#colours === undefined) return;
    download(this.#fileName('png'), await toPng(this.#subject?.title ?? '', this.#picture, this.#colours));
  }

  /** @param {string} ending */
  #fileName(ending) {
    const name = (this.#subject?.title ?? '')
      .replace(/[^\w]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 80);
    return `${name}.${ending}`;
  }
}

/**
 * A panel as the window's subject.
 *
 * @param {Store} store
 * @param {import('./cards.mjs').Card} card
 * @returns {Subject}
 */
export function subjectOfCard(store, { history }) {
  const { title, queries } = history.panel;
  return {
    title,
    help: '',
    promql: queries.map((query) => promql(store, query)),
    picture: (colours, windowMs) => history.picture(store, colours, windowMs),
  };
}

/**
 * A series as the window's subject, or a whole family.
 *
 * @param {Store} store
 * @param {Family} family
 * @param {Series | undefined} series
 * @returns {Subject}
 */
export function subjectOfSeries(store, family, series) {
  const only = series ?? (family.series.size === 1 ? [...family.series.values()][0] : undefined);
  return {
    title: family.name + (only?.key ?? ''),
    help: family.help,
    promql: [promqlOf(family, only)],
    picture: (colours, windowMs) => pictureOf(store, family, only, colours, windowMs),
  };
}

/**
 * @param {Store} store
 * @param {Family} family
 * @param {Series | undefined} series
 * @param {Colours} colours
 * @param {number} windowMs
 * @returns {Picture}
 */
function pictureOf(store, family, series, colours, windowMs) {
  const { scrapes, times, from, to } = recent(store, windowMs);
  const unit = unitOf(family.name);
  if (family.kind === 'histogram') {
    const members = series === undefined ? [...family.series.values()] : [series];
    return { times, from, to, unit, ...heatOf(store, members, scrapes, colours) };
  }
  const grows = isGrowing(family.kind);
  const cell = series?.cell ?? series?.count;
  const read = (/** @type {number} */ at) => {
    if (cell === undefined) return family.activity.at(at);
    return grows ? rate(store, cell, at, RATE_SECONDS) : cell.at(at);
  };
  const line = { name: grows ? 'per second' : 'value', colour: colours.lines[0], values: scrapes.map(read) };
  return { times, from, to, lines: [line], unit: grows ? `${family.kind === 'summary' ? '' : unit}/s` : unit };
}

/** The columns of a heat map that are calculated; more would take too long. */
const MOST_COLUMNS = 100;

/**
 * @param {Store} store
 * @param {Series[]} members
 * @param {number[]} scrapes
 * @param {Colours} colours
 * @returns {Pick<Picture, 'lines' | 'heat'>}
 */
function heatOf(store, members, scrapes, colours) {
  const every = Math.ceil(scrapes.length / MOST_COLUMNS);
  const last = scrapes[scrapes.length - 1];
  /** @type {{ bounds: number[], counts: number[] }} */
  let recent = { bounds: [], counts: [] };
  /** @type {Set<number>} those of all scrapes: a restart may have brought others */
  const seen = new Set();
  /** @type {{ bounds: number[], counts: number[] }} */
  let minute = recent;
  /** @type {Map<number, number>[]} */
  const columns = [];
  const quantiles = [0.5, 0.95, 0.99].map((quantile, at) => ({
    name: `p${quantile * 100}`,
    colour: colours.lines[at],
    quantile,
    values: /** @type {number[]} */ ([]),
  }));
  for (const scrape of scrapes) {
    if (columns.length === 0 || (last - scrape) % every === 0) {
      recent = bucketsOf(store, members, scrape, RATE_SECONDS);
      minute = bucketsOf(store, members, scrape, SHARE_SECONDS);
    }
    const { bounds, counts } = recent;
    columns.push(new Map(counts.map((count, at) => [bounds[at], count - (at === 0 ? 0 : counts[at - 1])])));
    for (const bound of bounds) seen.add(bound);
    for (const { quantile, values } of quantiles)
      values.push(histogramQuantile(quantile, minute.bounds, minute.counts));
  }
  const bounds = [...seen].sort((a, b) => a - b);
  return {
    lines: quantiles,
    heat: { bounds, columns: columns.map((column) => bounds.map((bound) => column.get(bound) ?? 0)) },
  };
}
