/** Makes elements, without HTML in texts: names and labels are the application's. */

/**
 * @param {string} tag a name, with classes behind dots
 * @param {Record<string, any>} [properties] attributes, and functions for events
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(key, value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/**
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Sets a text if it is another: setting the same one costs a layout.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A value with its unit in a smaller size; the exact value in its attribute `data-value`.
 *
 * @returns {{ root: HTMLElement, set: (value: number, shown: { text: string, unit: string }) => void }}
 */
export function quantity() {
  const text = el('span.number');
  const unit = el('span.unit');
  const root = el('span.quantity', {}, text, unit);
  return {
    root,
    set(value, shown) {
      const exact = String(value);
      if (root.dataset.value !== exact) {
        root.dataset.value = exact;
        root.title = Number.isNaN(value) ? '' : exact;
      }
      setText(text, shown.text);
      setText(unit, shown.unit);
    },
  };
}

/** The colours of the theme, which canvases need as values. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    text: of('--text'),
    muted: of('--muted'),
    line: of('--line'),
    card: of('--card'),
    heat: of('--heat'),
    accent: of('--accent'),
    lines: Array.from({ length: 8 }, (_, at) => of(`--c${at}`)),
  };
}

/** The sizes of canvases as the browser has last laid them out: to ask an element makes it lay out the page. */
const SIZES = new WeakMap();
const OBSERVER =
  typeof ResizeObserver === 'undefined'
    ? undefined
    : new ResizeObserver((entries) => {
        for (const { target, contentRect } of entries) SIZES.set(target, contentRect);
      });

/** @param {HTMLCanvasElement} canvas */
function sizeOn(canvas) {
  const known = SIZES.get(canvas);
  if (known !== undefined && known.width > 0) return known;
  if (known === undefined) OBSERVER?.observe(canvas);
  const size = { width: canvas.clientWidth, height: canvas.clientHeight };
  SIZES.set(canvas, size);
  return size;
}

/**
 * The drawing context of a canvas that has as many pixels as the screen shows, cleared.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {{ context: CanvasRenderingContext2D, width: number, height: number } | undefined}
 */
export function cleared(canvas) {
  const { width, height } = sizeOn(canvas);
  const context = canvas.getContext('2d');
  if (context === null || width === 0 || height === 0) return undefined;
  const scale = window.devicePixelRatio || 1;
  const [x, y] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== x || canvas.height !== y) {
    canvas.width = x;
    canvas.height = y;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
