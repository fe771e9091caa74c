/** Shows panels as cards with a chart. Each card remembers the values of its queries, one for each scrape. */
import { Cell, Span } from './cell.mjs';
import { cleared, el, setText } from './dom.mjs';
import { drawChart, indexAt } from './draw.mjs';
import { showText } from './format.mjs';
import { bucketsOf, evaluate, exists, familyOf, RATE_SECONDS } from './queries.mjs';

/**
 * @typedef {import('./panels.mjs').Panel} Panel
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {import('./draw.mjs').Picture} Picture
 * @typedef {ReturnType<typeof import('./dom.mjs').colours>} Colours
 */

/** The groups with the largest values that a chart shows. */
const MOST_LINES = 8;
/** A chart begins with this time, though little of it has passed. */
const LEAST_MS = 60_000;

/** The values of a panel. */
export class PanelHistory {
  /** @type {Panel} */
  panel;
  #span = new Span();
  /** @type {Map<string, Cell>} by group */
  #groups = new Map();
  /** @type {Map<number, Cell>} by upper bound */
  #buckets = new Map();

  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
  }

  /**
   * @param {Store} store
   * @returns {boolean} whether the store has what the panel reads
   */
  sample(store) {
    const { queries, names = [], isHeat } = this.panel;
    const found = queries.filter((query) => exists(store, query));
    for (const query of found) {
      const name = names[queries.indexOf(query)];
      for (const [group, value] of evaluate(store, query, store.latest)) {
        this.#put(this.#groups, name ?? (group === '' ? this.panel.title : group), store.latest, value);
      }
    }
    if (isHeat && found.length > 0) {
      const members = [...(familyOf(store, queries[0].name ?? '')?.series.values() ?? [])];
      const { bounds, counts } = bucketsOf(store, members, store.latest, RATE_SECONDS);
      bounds.forEach((bound, at) => {
        this.#put(this.#buckets, bound, store.latest, counts[at] - (at === 0 ? 0 : counts[at - 1]));
      });
    }
    forget(this.#groups, store);
    forget(this.#buckets, store);
    return found.length > 0;
  }

  /**
   * @template Key
   * @param {Map<Key, Cell>} cells
   * @param {Key} key
   * @param {number} scrape
   * @param {number} value
   */
  #put(cells, key, scrape, value) {
    let cell = cells.get(key);
    if (cell === undefined) {
      cell = new Cell(this.#span);
      cells.set(key, cell);
    }
    cell.put(scrape, value);
  }

  /**
   * @param {Store} store
   * @param {Colours} colours
   * @param {number} windowMs
   * @returns {Picture & { hidden: number }} `hidden` says how many groups have no line
   */
  picture(store, colours, windowMs) {
    const { times, scrapes, from, to } = recent(store, windowMs);
    const all = [...this.#groups].map(([name, cell], at) => ({ name, cell, colour: colours.lines[at % MOST_LINES] }));
    const drawn = all
      .map(({ name, cell, colour }) => ({ name, colour, values: scrapes.map((scrape) => cell.at(scrape)) }))
      .filter(({ values }) => values.some((value) => !Number.isNaN(value)));
    const largest = [...drawn].sort((a, b) => sizeOf(b.values) - sizeOf(a.values)).slice(0, MOST_LINES);
    // In their own order, so that lines do not change places.
    const lines = drawn.filter((line) => largest.includes(line));
    if (all.length > MOST_LINES)
      lines.forEach((line, at) => {
        line.colour = colours.lines[at];
      });
    const picture = { times, lines, unit: this.panel.unit, from, to, hidden: drawn.length - lines.length };
    if (!this.panel.isHeat) return picture;
    const bounds = [...this.#buckets]
      .filter(([, { seen }]) => seen >= scrapes[0])
      .map(([bound]) => bound)
      .sort((a, b) => a - b);
    const columns = scrapes.map((at) => bounds.map((bound) => this.#buckets.get(bound)?.at(at) ?? 0));
    return {
      ...picture,
      lines: lines.map((line) => ({ ...line, name: 'p95', colour: colours.text })),
      heat: { bounds, columns },
    };
  }
}

/**
 * Notes what the newest scrape did not have, and forgets what no remembered scrape has.
 *
 * @template Key
 * @param {Map<Key, Cell>} cells
 * @param {Store} store
 */
function forget(cells, { latest, oldest }) {
  for (const [key, cell] of cells) {
    if (cell.seen < latest) cell.miss(latest);
    if (cell.seen >= oldest) continue;
    cell.drop();
    cells.delete(key);
  }
}

/**
 * The largest amount of a line, by which lines are chosen.
 *
 * @param {number[]} values
 */
function sizeOf(values) {
  return values.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, Math.abs(value))), 0);
}

/**
 * The scrapes of the last minutes, and the ends of a chart of them.
 *
 * @param {Store} store
 * @param {number} windowMs
 */
export function recent(store, windowMs) {
  const to = store.time(store.latest);
  const first = store.before(store.latest, windowMs / 1000);
  const scrapes = Array.from({ length: store.latest - first + 1 }, (_, at) => first + at);
  const times = scrapes.map((at) => store.time(at));
  return { scrapes, times, from: Math.max(to - windowMs, Math.min(times[0], to - LEAST_MS)), to };
}

/** The legend of a chart: a line for each of its lines. */
export class Legend {
  root = el('ul.legend');
  /** @type {Map<string, { item: HTMLElement, swatch: HTMLElement, value: HTMLElement }>} */
  #items = new Map();
  #more = el('li.more');

  /**
   * @param {Picture & { hidden?: number }} picture
   * @param {number} [hovered]
   */
  update({ lines, unit, hidden = 0 }, hovered) {
    const names = new Set(lines.map(({ name }) => name));
    for (const [name, { item }] of this.#items) {
      if (names.has(name)) continue;
      item.remove();
      this.#items.delete(name);
    }
    for (const { name, colour, values } of lines) {
      let entry = this.#items.get(name);
      if (entry === undefined) {
        const swatch = el('i');
        const value = el('b');
        const label = el('span', { title: name }, name);
        entry = { item: el('li', {}, swatch, label, value), swatch, value };
        this.#items.set(name, entry);
        this.root.append(entry.item);
      }
      entry.swatch.style.background = colour;
      setText(entry.value, showText(values[hovered ?? values.length - 1] ?? Number.NaN, unit));
    }
    setText(this.#more, hidden > 0 ? `and ${hidden} more` : '');
    if (hidden > 0) this.root.append(this.#more);
    else this.#more.remove();
  }
}

/** A chart with its legend. The pointer shows the values at a time. */
export class Chart {
  legend = new Legend();
  canvas;
  /** @type {Picture & { hidden?: number } | undefined} */
  #picture;
  /** @type {Colours | undefined} */
  #colours;
  /** @type {number | undefined} */
  #hovered;

  /** @param {string} title */
  constructor(title) {
    this.canvas = el('canvas.chart', {
      role: 'img',
      'aria-label': title,
      pointermove: (/** @type {PointerEvent} */ event) => this.#hover(event.offsetX),
      pointerleave: () => this.#hover(undefined),
    });
  }

  /** @param {number | undefined} place */
  #hover(place) {
    if (this.#picture === undefined) return;
    this.#hovered = place === undefined ? undefined : indexAt(this.#picture, this.canvas.clientWidth, place);
    this.#draw();
  }

  /**
   * @param {Picture & { hidden?: number }} picture
   * @param {Colours} colours
   */
  show(picture, colours) {
    this.#picture = picture;
    this.#colours = colours;
    this.#draw();
  }

  #draw() {
    const drawing = cleared(this.canvas);
    if (this.#picture === undefined || this.#colours === undefined || drawing === undefined) return;
    drawChart(drawing.context, drawing.width, drawing.height, this.#picture, this.#colours, this.#hovered);
    this.legend.update(this.#picture, this.#hovered);
  }
}

/** A panel on the page. */
export class Card {
  root;
  history;
  #chart;
  #isVisible = false;
  #note = el('p.note');

  /**
   * @param {Panel} panel
   * @param {(card: Card) => void} open called when its title is chosen
   */
  constructor(panel, open) {
    this.history = new PanelHistory(panel);
    this.#chart = new Chart(panel.title);
    const title = el('button.title', { type: 'button', click: () => open(this) }, panel.title);
    this.root = el(
      'article.card',
      {},
      el('h3', {}, title),
      el('div.plot', {}, this.#chart.canvas, this.#note),
      this.#chart.legend.root,
    );
    const observer = new IntersectionObserver(
      ([entry]) => {
        this.#isVisible = entry.isIntersecting;
      },
      { rootMargin: '200px' },
    );
    observer.observe(this.root);
  }

  /**
   * @param {Store} store
   * @param {Colours} colours
   * @param {number} windowMs
   * @param {boolean} [always] draws also what the observer has not seen yet
   */
  draw(store, colours, windowMs, always = false) {
    if (!this.#isVisible && !always) return;
    const picture = this.history.picture(store, colours, windowMs);
    const isEmpty = picture.lines.every(({ values }) => values.every(Number.isNaN));
    setText(this.#note, isEmpty ? 'Nothing in this time' : '');
    this.#chart.show(picture, colours);
  }
}
