/**
 * Reads an exposition in the text format 0.0.4, piece by piece: a large one is read while it arrives, and between two
 * pieces the browser draws. Must not know what becomes of the samples.
 */

/**
 * @typedef {object} Reader receives what a line says
 * @property {(name: string, kind: string) => void} type
 * @property {(name: string, help: string) => void} help
 * @property {(series: string, value: number) => void} sample `series` is the name and the labels as they are written
 */

/** Splits text that arrives in pieces into lines, and tells a reader what they say. */
export class LineReader {
  #rest = '';
  /** @type {Reader} */
  #reader;

  /** @param {Reader} reader */
  constructor(reader) {
    this.#reader = reader;
  }

  /** @param {string} text */
  push(text) {
    const whole = this.#rest + text;
    let from = 0;
    for (let end = whole.indexOf('\n'); end >= 0; end = whole.indexOf('\n', from)) {
      readLine(whole.slice(from, end), this.#reader);
      from = end + 1;
    }
    this.#rest = whole.slice(from);
  }

  /** Reads a last line that has no end. */
  end() {
    readLine(this.#rest, this.#reader);
    this.#rest = '';
  }
}

/**
 * @param {string} line
 * @param {Reader} reader
 */
function readLine(line, reader) {
  if (line.startsWith('#')) {
    const [, word, name, rest] = /^#\s+(TYPE|HELP)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
    if (word === 'TYPE') reader.type(name, rest.trim());
    else if (word === 'HELP') reader.help(name, unescaped(rest));
    return;
  }
  // The value and a timestamp have no brace, but a label's value may have one.
  const brace = line.lastIndexOf('}');
  const end = brace >= 0 ? brace + 1 : line.indexOf(' ');
  if (end <= 0) return;
  const [text] = line.slice(end).trim().split(/\s/);
  if (text !== '') reader.sample(line.slice(0, end), toNumber(text));
}

/**
 * @param {string} text
 * @returns {number}
 */
function toNumber(text) {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}

/** @param {string} text */
function unescaped(text) {
  return text.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char));
}

/**
 * The name and the labels of a series as it is written in the exposition.
 *
 * @param {string} series
 * @returns {{ name: string, labels: [string, string][] }}
 */
export function parseSeries(series) {
  const brace = series.indexOf('{');
  if (brace < 0) return { name: series, labels: [] };
  /** @type {[string, string][]} */
  const labels = [];
  for (const [, name, value] of series.slice(brace).matchAll(/([\w.:]+)\s*=\s*"((?:[^"\\]|\\.)*)"/g)) {
    labels.push([name, unescaped(value)]);
  }
  return { name: series.slice(0, brace), labels };
}

/**
 * The labels in braces, as PromQL and expositions write them; empty without labels.
 *
 * @param {readonly (readonly [string, string])[]} labels
 * @returns {string}
 */
export function writeLabels(labels) {
  if (labels.length === 0) return '';
  const pairs = labels.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`);
  return `{${pairs.join(',')}}`;
}
