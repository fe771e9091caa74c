/** Writes values for people: few digits, with a unit. */

/**
 * A number and its unit, which the page shows in two sizes.
 *
 * @typedef {{ text: string, unit: string }} Shown
 */

/** Steps of units: what a unit is worth, largest first. */
const SECONDS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];
const BYTES = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, 'B'],
];
const COUNTS = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
];

/** The thousands of a count are written out below this. */
const WRITTEN_OUT = 100_000;

/**
 * The unit of a metric, by the end of its name: `s`, `B`, `USD`, `%`, `time` for seconds since 1970, or empty.
 *
 * @param {string} name
 * @returns {string}
 */
export function unitOf(name) {
  const base = name.replace(/_(total|sum|bucket)$/, '');
  if (base.endsWith('_timestamp_seconds') || base.endsWith('_time_seconds')) return 'time';
  if (base.endsWith('_seconds')) return 's';
  if (base.endsWith('_bytes')) return 'B';
  if (base.endsWith('_usd')) return 'USD';
  if (base.endsWith('_ratio') || base.includes('_utilization')) return '%';
  return '';
}

/**
 * @param {number} value
 * @param {string} [unit] as of `unitOf`, also with `/s` behind it
 * @returns {Shown}
 */
export function show(value, unit = '') {
  if (Number.isNaN(value)) return { text: '–', unit: '' };
  if (!Number.isFinite(value)) return { text: value > 0 ? '∞' : '−∞', unit: '' };
  if (unit === 's/s') return show(value, '%');
  if (unit === 'time') return { text: new Date(value * 1000).toLocaleString(), unit: '' };
  if (unit === '%') return { text: digits(value * 100), unit: '%' };
  if (unit.startsWith('USD')) {
    const rest = unit.slice('USD'.length);
    const { text, unit: step } =
      value === 0 || Math.abs(value) >= 0.01 ? money(value) : { text: small(value), unit: '' };
    return { text: `${value < 0 ? '−' : ''}$${text}${step}`, unit: rest === '' ? '' : rest };
  }
  const [base, per] = unit.split('/');
  const perUnit = per === undefined ? '' : `/${per}`;
  if (base === 's') return inSteps(value, SECONDS, perUnit);
  if (base === 'B') return inSteps(value, BYTES, perUnit);
  if (base !== '')
    return { ...inSteps(value, COUNTS, ''), unit: joined(inSteps(value, COUNTS, '').unit, `${base}${perUnit}`) };
  if (Math.abs(value) < WRITTEN_OUT) return { text: digits(value), unit: perUnit };
  return inSteps(value, COUNTS, perUnit);
}

/**
 * The same in one text.
 *
 * @param {number} value
 * @param {string} [unit]
 * @returns {string}
 */
export function showText(value, unit) {
  const shown = show(value, unit);
  if (shown.unit === '') return shown.text;
  return shown.unit.startsWith('/') || shown.unit === '%' ? shown.text + shown.unit : `${shown.text} ${shown.unit}`;
}

/** @param {number} value */
function money(value) {
  const size = Math.abs(value);
  if (size >= WRITTEN_OUT) return inSteps(size, COUNTS, '');
  return {
    text: size.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: size < 1 ? 3 : 2 }),
    unit: '',
  };
}

/** @param {number} value */
function small(value) {
  return Number(Math.abs(value).toPrecision(2)).toString();
}

/**
 * @param {number} value
 * @param {number[][] | (string | number)[][]} steps
 * @param {string} perUnit
 * @returns {Shown}
 */
function inSteps(value, steps, perUnit) {
  const size = Math.abs(value);
  const found =
    size === 0 ? steps.find(([worth]) => worth === 1) : steps.find(([worth]) => size >= Number(worth) * 0.9995);
  const [worth, name] = found ?? steps[steps.length - 1];
  return { text: digits(value / Number(worth)), unit: `${name}${perUnit}` };
}

/**
 * @param {string} step
 * @param {string} rest
 */
function joined(step, rest) {
  return step === '' ? rest : `${step} ${rest}`;
}

/**
 * Three digits, or all of a whole number.
 *
 * @param {number} value
 */
function digits(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(1).replace('-', '−').replace('+', '');
  const decimals = Number.isInteger(value) || size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 4;
  const text = value.toLocaleString('en', { maximumFractionDigits: decimals });
  if (size < 0.9995 && size > 0) return String(Number(value.toPrecision(2)));
  return text.replace('-', '−');
}
