/** Draws charts, sparklines and heat maps on canvases. Must not know where the values come from. */
import { showText } from './format.mjs';

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour
 * @property {number[]} values one for each time; NaN for none
 *
 * @typedef {object} Picture
 * @property {number[]} times in milliseconds
 * @property {Line[]} lines
 * @property {string} unit
 * @property {number} from the left end, in milliseconds
 * @property {number} to
 * @property {{ bounds: number[], columns: number[][] }} [heat] drawn below the lines: how many observations a bucket got
 *
 * @typedef {ReturnType<typeof import('./dom.mjs').colours>} Colours
 */

const MARGIN = { left: 54, right: 8, top: 8, bottom: 20 };
/** A line is interrupted where at least so much time, in milliseconds, and several intervals have no scrape. */
const GAP_MS = 15_000;
const GAP_INTERVALS = 3;
/** The scrapes that a sparkline shows. */
export const SPARK_SCRAPES = 120;
const FONT = '11px system-ui, sans-serif';

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Picture} picture
 * @param {Colours} colours
 * @param {number} [hovered] an index of `times`
 */
export function drawChart(context, width, height, picture, colours, hovered) {
  const { times, lines, unit, from, to, heat } = picture;
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const x = (/** @type {number} */ time) => left + ((time - from) / (to - from)) * (right - left);
  context.font = FONT;
  context.lineWidth = 1;
  const scale = heat === undefined ? valueScale(lines, bottom - top, unit) : bucketScale(heat.bounds);
  const y = (/** @type {number} */ value) => bottom - scale.place(value) * (bottom - top);
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const tick of scale.ticks) {
    const at = Math.round(y(tick)) + 0.5;
    context.strokeStyle = colours.line;
    stroke(context, [
      [left, at],
      [right, at],
    ]);
    context.fillStyle = colours.muted;
    context.fillText(showText(tick, unit), left - 6, at, left - 8);
  }
  drawTimes(context, x, from, to, bottom, colours);
  context.save();
  context.beginPath();
  context.rect(left, top - 4, right - left, bottom - top + 8);
  context.clip();
  if (heat !== undefined) drawHeat(context, times, heat, x, [top, bottom], colours);
  context.lineJoin = 'round';
  context.lineWidth = 1.6;
  for (const line of lines)
    drawLine(context, line, times, x, y, lines.length === 1 && heat === undefined ? bottom : undefined);
  if (hovered !== undefined && times[hovered] !== undefined) {
    const at = Math.round(x(times[hovered])) + 0.5;
    context.lineWidth = 1;
    context.strokeStyle = colours.muted;
    stroke(context, [
      [at, top],
      [at, bottom],
    ]);
    for (const { colour, values } of lines) {
      if (Number.isNaN(values[hovered])) continue;
      context.fillStyle = colour;
      context.beginPath();
      context.arc(at, y(values[hovered]), 3, 0, 7);
      context.fill();
    }
  }
  context.restore();
}

/** The index of the time at a place of a chart, or undefined beside it.
 *
 * @param {Picture} picture
 * @param {number} width
 * @param {number} place in pixels from the left
 * @returns {number | undefined}
 */
export function indexAt({ times, from, to }, width, place) {
  const share = (place - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
  if (times.length === 0 || share < -0.02 || share > 1.02) return undefined;
  const time = from + share * (to - from);
  let best = 0;
  for (let at = 1; at < times.length; at++) if (Math.abs(times[at] - time) < Math.abs(times[best] - time)) best = at;
  return best;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Line} line
 * @param {number[]} times
 * @param {(time: number) => number} x
 * @param {(value: number) => number} y
 * @param {number | undefined} floor the area above it is filled
 */
function drawLine(context, { colour, values }, times, x, y, floor) {
  for (const [start, end] of runs(values, times)) {
    context.beginPath();
    for (let at = start; at < end; at++) context.lineTo(x(times[at]), y(values[at]));
    context.strokeStyle = colour;
    if (end - start === 1) {
      context.fillStyle = colour;
      context.fillRect(x(times[start]) - 1.5, y(values[start]) - 1.5, 3, 3);
    } else context.stroke();
    if (floor === undefined || end - start === 1) continue;
    context.lineTo(x(times[end - 1]), floor);
    context.lineTo(x(times[start]), floor);
    context.globalAlpha = 0.12;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
}

/**
 * The ranges of indices that have a value and no gap of time.
 *
 * @param {number[]} values
 * @param {number[]} times
 * @returns {Generator<[number, number]>}
 */
function* runs(values, times) {
  let start = -1;
  for (let at = 0; at <= values.length; at++) {
    const isValue = at < values.length && Number.isFinite(values[at]);
    const isNear = start < 0 || !isGap(times, at);
    if (start >= 0 && (!isValue || !isNear)) {
      yield [start, at];
      start = -1;
    }
    if (isValue && start < 0) start = at;
  }
}

/**
 * True if scrapes are missing before a time: the interval is that of its neighbours, as it changes with the work.
 *
 * @param {number[]} times
 * @param {number} at
 */
function isGap(times, at) {
  const step = (/** @type {number} */ to) => times[to] - times[to - 1] || 0;
  return step(at) > Math.max(GAP_MS, GAP_INTERVALS * Math.max(step(at - 1), step(at + 1)));
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[]} times
 * @param {{ bounds: number[], columns: number[][] }} heat
 * @param {(time: number) => number} x
 * @param {[number, number]} between
 * @param {Colours} colours
 */
function drawHeat(context, times, { bounds, columns }, x, [top, bottom], colours) {
  let most = 0;
  for (const column of columns) for (const count of column) most = Math.max(most, count);
  if (most === 0) return;
  context.fillStyle = colours.heat;
  const y = (/** @type {number} */ share) => bottom - share * (bottom - top);
  columns.forEach((column, at) => {
    if (at === 0 || isGap(times, at)) return;
    const [left, right] = [x(times[at - 1]), x(times[at])];
    column.forEach((count, bucket) => {
      if (!(count > 0)) return;
      const [low, high] = [bucket / bounds.length, (bucket + 1) / bounds.length];
      context.globalAlpha = 0.15 + 0.85 * Math.sqrt(count / most);
      context.fillRect(left, y(high), right - left + 0.5, y(low) - y(high));
    });
  });
  context.globalAlpha = 1;
}

/**
 * A scale on which each bucket has the same height.
 *
 * @param {number[]} bounds
 */
function bucketScale(bounds) {
  const count = Math.max(1, bounds.length);
  const place = (/** @type {number} */ value) => {
    const at = bounds.findIndex((bound) => value <= bound);
    if (at < 0) return 1;
    const start = at === 0 ? Math.min(0, bounds[0]) : bounds[at - 1];
    const share = Number.isFinite(bounds[at]) ? (value - start) / (bounds[at] - start || 1) : 0;
    return (at + share) / count;
  };
  const step = Math.ceil(count / 6);
  return { place, ticks: bounds.filter((bound, at) => at % step === step - 1 && Number.isFinite(bound)) };
}

/**
 * A linear scale from zero, or from the smallest value below it.
 *
 * @param {Line[]} lines
 * @param {number} height
 * @param {string} unit
 */
function valueScale(lines, height, unit) {
  let [least, most] = [0, 0];
  for (const { values } of lines) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  if (least === most) most = least + 1;
  const rough = (most - least) / Math.max(2, Math.floor(height / 36));
  // Of bytes, the round numbers are powers of two.
  const step = unit.startsWith('B') ? 2 ** Math.ceil(Math.log2(rough)) : niceStep(rough);
  const [low, high] = [Math.floor(least / step) * step, Math.ceil(most / step - 1e-9) * step];
  const ticks = [];
  for (let at = 0; low + at * step <= high + step / 2; at++) ticks.push(low + at * step);
  return { place: (/** @type {number} */ value) => (value - low) / (high - low), ticks };
}

/** @param {number} rough */
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

/** Distances of the marks of time, in seconds. */
const TIME_STEPS = [10, 15, 30, 60, 120, 300];

/**
 * @param {CanvasRenderingContext2D} context
 * @param {(time: number) => number} x
 * @param {number} from
 * @param {number} to
 * @param {number} bottom
 * @param {Colours} colours
 */
function drawTimes(context, x, from, to, bottom, colours) {
  const room = (x(to) - x(from)) / 74;
  const step = (TIME_STEPS.find((seconds) => (to - from) / 1000 / seconds <= room) ?? 300) * 1000;
  context.textAlign = 'center';
  context.fillStyle = colours.muted;
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const at = x(time);
    if (at - x(from) < 22 || x(to) - at < 22) continue;
    context.fillText(new Date(time).toLocaleTimeString('en-GB'), at, bottom + 12);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][]} points
 */
function stroke(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {number[]} values
 * @param {string} colour
 */
export function drawSparkline(context, width, height, values, colour) {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return;
  // A rate begins at zero. A level that hardly changes is shown in its own range.
  if (least > 0 && least < most * 0.8) least = 0;
  const spread = most - least;
  const step = width / Math.max(1, values.length - 1);
  const y = (/** @type {number} */ value) =>
    height - 2 - (spread === 0 ? (most === 0 ? 0 : 0.5) : (value - least) / spread) * (height - 4);
  drawLine(
    context,
    { name: '', colour, values },
    values.map((_, at) => at),
    (at) => at * step,
    y,
    height,
  );
}

/**
 * A bar of the buckets of a histogram: the more of the observations a bucket has, the stronger its colour.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {number[]} counts of each bucket with all smaller ones
 * @param {Colours} colours
 */
export function drawHeatBar(context, width, height, counts, colours) {
  const own = counts.map((count, at) => count - (at === 0 ? 0 : counts[at - 1]));
  const most = Math.max(0, ...own);
  const step = width / Math.max(1, own.length);
  own.forEach((count, at) => {
    const isEmpty = !(count > 0);
    context.globalAlpha = isEmpty ? 1 : 0.2 + 0.8 * Math.sqrt(count / most);
    context.fillStyle = isEmpty ? colours.line : colours.heat;
    context.fillRect(at * step, 0, Math.max(1, step - 1), height);
  });
  context.globalAlpha = 1;
}
