/** The tiles at the top: one figure each, with its course. */
import { Cell, Span } from './cell.mjs';
import { cleared, el, quantity, setText } from './dom.mjs';
import { drawSparkline, SPARK_SCRAPES } from './draw.mjs';
import { show, showText } from './format.mjs';
import { evaluate, exists } from './queries.mjs';

/**
 * @typedef {import('./panels.mjs').Tile} Tile
 * @typedef {import('./store.mjs').Store} Store
 * @typedef {ReturnType<typeof import('./dom.mjs').colours>} Colours
 */

export class TileElement {
  root;
  #tile;
  #course = new Cell(new Span());
  #figure = quantity();
  #below = el('p.below');
  #spark = el('canvas.spark', { 'aria-hidden': 'true' });

  /** @param {Tile} tile */
  constructor(tile) {
    this.#tile = tile;
    this.root = el(
      'li.tile',
      { 'data-tile': tile.title, hidden: '' },
      el('h3', {}, tile.title),
      this.#figure.root,
      this.#below,
      this.#spark,
    );
  }

  /**
   * @param {Store} store
   * @returns {boolean} whether the exposition has it
   */
  sample(store) {
    const { queries, total, of, idle = '', warnAbove, unit } = this.#tile;
    const query = queries.find((query) => exists(store, query));
    this.root.hidden = query === undefined;
    if (query === undefined) return false;
    const value = onlyOf(evaluate(store, query, store.latest));
    this.#course.put(store.latest, value);
    this.#figure.set(value, show(value, unit));
    this.root.classList.toggle('warn', warnAbove !== undefined && value > warnAbove);
    const all = total !== undefined && exists(store, total) ? onlyOf(evaluate(store, total, store.latest)) : Number.NaN;
    const base = unit.split('/')[0];
    const below = Number.isNaN(all) ? '' : `${showText(all, base === '%' ? '' : base)} ${of}`;
    setText(this.#below, Number.isNaN(value) && idle !== '' ? idle : below);
    return true;
  }

  /**
   * @param {Store} store
   * @param {Colours} colours
   */
  draw(store, colours) {
    const drawing = this.root.hidden ? undefined : cleared(this.#spark);
    if (drawing === undefined) return;
    const values = [];
    for (let at = Math.max(store.oldest, store.latest - SPARK_SCRAPES + 1); at <= store.latest; at++)
      values.push(this.#course.at(at));
    drawSparkline(drawing.context, drawing.width, drawing.height, values, colours.accent);
  }
}

/**
 * The value of a query without groups.
 *
 * @param {Map<string, number>} values
 */
function onlyOf(values) {
  for (const value of values.values()) return value;
  return Number.NaN;
}
