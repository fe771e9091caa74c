// Generates metrics for the parsers to read back: names, help texts, label values and numbers at the limits of the
// formats, and the expected result of a reader.

import fc from 'fast-check';
import { seriesKey } from './ledger.mjs';

/** Characters that a writer or reader treats specially, including both halves of a surrogate pair. */
const SPECIAL = [
  ...['"', "'", '\\', '\n', '\r', '\t', '\0', ' ', '{', '}', ',', '=', '#', 'n', 'EOF', '\\n'],
  ...['\u0085', '\u00a0', '\u2028', '\ufeff', '\ufffd', '\ud800', '\udfff', '\u{10ffff}', 'é', '漢', '👩‍🚀'],
];
const special = fc.array(fc.constantFrom(...SPECIAL), { maxLength: 12 }).map((parts) => parts.join(''));
const anyText = fc.oneof(special, fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }));
const longText = fc.tuple(anyText, fc.integer({ min: 100, max: 1000 })).map(([text, times]) => text.repeat(times));

/** Missing, null, undefined and '' are one label value: an absent one. */
const labelValue = fc.oneof(
  { weight: 20, arbitrary: anyText },
  { weight: 1, arbitrary: longText },
  { weight: 4, arbitrary: fc.constantFrom('', null, undefined) },
);
const labelName = fc
  .oneof(
    fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/),
    fc.constantFrom('constructor', 'toString', 'hasOwnProperty', 'value', 'name'),
  )
  .filter((name) => !name.startsWith('__') && name !== 'le' && name !== 'quantile');

const nonNegative = fc.oneof(
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  fc.nat(),
  fc.constantFrom(0, 5e-324, 0.1 + 0.2, 1e6, 1e16, 1e21, 2 ** 53 + 2, 1e308),
);
const anyNumber = fc.oneof(fc.double(), nonNegative, fc.constantFrom(NaN, Infinity, -Infinity, -0, -5e-324, -1e308));

/**
 * The characters that Python's str.strip() removes, except the line feed: it is escaped, so it is no longer white
 * space.
 */
const PYTHON_BLANKS = [
  ...['\t', '\v', '\f', '\r', '\u001c', '\u001d', '\u001e', '\u001f', ' ', '\u0085', '\u00a0', '\u1680'],
  ...['\u2000', '\u2001', '\u2002', '\u2003', '\u2004', '\u2005', '\u2006', '\u2007', '\u2008', '\u2009'],
  ...['\u200a', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000'],
];

// A suffix with a meaning would make the name a sample of another family.
const metricName = fc
  .stringMatching(/^[a-zA-Z0-9_:]{1,12}$/)
  .filter((name) => !/_(total|created|bucket|count|sum|info)$/.test(name));

const kind = fc.oneof(
  fc.record({ type: fc.constant('counter'), total: fc.boolean(), value: fc.constant(nonNegative) }),
  fc.record({ type: fc.constant('gauge'), value: fc.constant(anyNumber) }),
  fc.record({
    type: fc.constant('histogram'),
    buckets: fc
      .uniqueArray(fc.oneof(nonNegative, fc.integer({ min: -1000, max: -1 })), { minLength: 1, maxLength: 5 })
      .map((bounds) => bounds.sort((a, b) => a - b)),
    value: fc.constant(fc.array(nonNegative, { minLength: 1, maxLength: 5 })),
  }),
);

const family = fc.tuple(kind, fc.uniqueArray(labelName, { maxLength: 3 })).chain(([{ value, ...shape }, labelNames]) =>
  fc.record({
    ...Object.fromEntries(Object.entries(shape).map(([key, constant]) => [key, fc.constant(constant)])),
    body: metricName,
    help: fc.oneof(anyText, longText).filter((text) => text.length > 0),
    labelNames: fc.constant(labelNames),
    series: fc.uniqueArray(
      fc.record({ labels: fc.record(Object.fromEntries(labelNames.map((name) => [name, labelValue]))), value }),
      {
        minLength: labelNames.length === 0 ? 1 : 0,
        maxLength: labelNames.length === 0 ? 1 : 4,
        selector: ({ labels }) => seriesKey('', readableLabels(labels)),
      },
    ),
  }),
);

/** Families under different names, ready to be registered. */
export const program = fc
  .array(family, { minLength: 1, maxLength: 4 })
  .map((families) =>
    families.map(({ body, total, ...rest }, i) => ({ ...rest, name: `f${i}${body}${total ? '_total' : ''}` })),
  );

/** Labels as a reader sees them: without empty ones, and as Unicode without lone surrogates. */
export function readableLabels(labels) {
  const entries = Object.entries(labels).filter(([, value]) => value != null && value !== '');
  return Object.fromEntries(entries.map(([name, value]) => [name, value.toWellFormed()]));
}

/** The family as a parser must report it; `formatBound` prints the bucket bounds. */
export function expectedFamily({ type, name, help, series, buckets }, format, formatBound) {
  // Both parsers name a counter's family without the suffix and its samples with it.
  const base = type === 'counter' ? name.replace(/_total$/, '') : name;
  const samples = series.flatMap(({ labels, value }) => {
    const own = readableLabels(labels);
    if (type === 'counter') return [[`${base}_total`, own, value]];
    if (type === 'gauge') return [[name, own, value]];
    return histogramSamples(name, own, value, buckets, format, formatBound);
  });
  return { name: base, type, help: readableHelp(help, format), samples };
}

function histogramSamples(name, labels, observations, buckets, format, formatBound) {
  const samples = [...buckets, Infinity].map((bound) => {
    const count = observations.filter((value) => value <= bound).length;
    return [`${name}_bucket`, { ...labels, le: formatBound(bound) }, count];
  });
  // With negative bounds a sum can decrease, which OpenMetrics forbids. Sum and count are present or absent together.
  if (format === 'openmetrics' && buckets[0] < 0) return samples;
  const sum = observations.reduce((total, value) => total + value, 0);
  return [...samples, [`${name}_sum`, labels, sum], [`${name}_count`, labels, observations.length]];
}

/**
 * Help as the Python parsers return it. Neither can separate leading blanks of a help text from the blank before it.
 * The text parser also removes white space, as Python defines it, at the end of each line.
 */
function readableHelp(help, format) {
  const text = help.toWellFormed();
  if (format === 'openmetrics') return text.replace(/^ +/, '');
  let end = text.length;
  while (PYTHON_BLANKS.includes(text[end - 1])) end -= 1;
  return text.slice(0, end).replace(/^[\t\v\f\r ]+/, '');
}
