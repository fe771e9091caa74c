/** Saves what a chart shows as CSV or PNG, and copies texts. */
import { el } from './dom.mjs';
import { drawChart } from './draw.mjs';
import { showText } from './format.mjs';

/**
 * @typedef {import('./draw.mjs').Picture} Picture
 * @typedef {ReturnType<typeof import('./dom.mjs').colours>} Colours
 */

/**
 * One row for each scrape, one column for each line of the chart.
 *
 * @param {Picture} picture
 * @returns {string}
 */
export function toCsv({ times, lines, heat }) {
  const buckets = (heat?.bounds ?? []).map((bound) => `le ${bound === Number.POSITIVE_INFINITY ? '+Inf' : bound}`);
  const rows = [['time', ...lines.map(({ name }) => name), ...buckets]];
  times.forEach((time, at) => {
    const values = [...lines.map(({ values }) => values[at]), ...(heat?.columns[at] ?? [])];
    rows.push([new Date(time).toISOString(), ...values.map((value) => (Number.isNaN(value) ? '' : String(value)))]);
  });
  return `${rows.map((row) => row.map(quoted).join(',')).join('\r\n')}\r\n`;
}

/**
 * A field, quoted if it must be. A spreadsheet reads a field that begins with one of these signs as a formula, and names are
 * the application's users' to choose.
 *
 * @param {string} field
 */
function quoted(field) {
  const text = /^[=+\-@\t]/.test(field) && Number.isNaN(Number(field)) ? `'${field}` : field;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

const [WIDTH, HEIGHT, ROW] = [960, 360, 20];

/**
 * @param {string} title
 * @param {Picture} picture
 * @param {Colours} colours
 * @returns {Promise<Blob>}
 */
export function toPng(title, picture, colours) {
  const scale = 2;
  const legend = Math.ceil(picture.lines.length / 3) * ROW;
  const canvas = el('canvas', { width: String(WIDTH * scale), height: String((HEIGHT + legend + 60) * scale) });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.scale(scale, scale);
  context.fillStyle = colours.card;
  context.fillRect(0, 0, WIDTH, HEIGHT + legend + 60);
  context.fillStyle = colours.text;
  context.font = '600 16px system-ui, sans-serif';
  context.fillText(title, 16, 28);
  context.translate(8, 40);
  drawChart(context, WIDTH - 16, HEIGHT, picture, colours);
  context.textAlign = 'left';
  context.font = '12px system-ui, sans-serif';
  picture.lines.forEach(({ name, colour, values }, at) => {
    const [x, y] = [12 + (at % 3) * (WIDTH / 3), HEIGHT + 12 + Math.floor(at / 3) * ROW];
    context.fillStyle = colour;
    context.fillRect(x, y - 4, 12, 3);
    context.fillStyle = colours.text;
    context.fillText(`${name}  ${showText(values.at(-1) ?? Number.NaN, picture.unit)}`, x + 18, y, WIDTH / 3 - 30);
  });
  return new Promise((resolve, reject) => {
    canvas.toBlob((/** @type {Blob | null} */ blob) =>
      blob === null ? reject(new Error('The browser makes no PNG')) : resolve(blob),
    );
  });
}

/**
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * Copies a text. Without TLS a browser has no clipboard, except on localhost: then the text is selected.
 *
 * @param {HTMLElement} element that shows the text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return document.execCommand('copy');
  }
}
