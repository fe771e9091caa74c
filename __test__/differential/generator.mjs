// Generates random programs. A step refers to metrics, registries, children and timers by number and to labels by
// position. program.mjs resolves these references at run time, so every shrunk program is valid.

import fc from 'fast-check';
import { bucketOfMinusOne, namesThatClash } from './exemptions.mjs';

/** A label that is missing in a label object, unlike one that is `undefined` there. */
export const MISSING = Symbol('missing');
/** An argument that is not passed at all. */
export const OMITTED = Symbol('omitted');

export const LABEL_NAMES = ['b', 'a', 'method', 'value'];

const index = fc.nat(63);

const labelValue = fc.oneof(
  { weight: 14, arbitrary: fc.constantFrom('x', 'x', 'y', 'z') },
  { weight: 4, arbitrary: fc.constantFrom('', null, undefined, MISSING) },
  { weight: 3, arbitrary: fc.constantFrom('x|y', 'y|z', '|', 'x,b:y', 'x,a:y', ',') },
  { weight: 2, arbitrary: fc.constantFrom('quo"te', 'back\\slash', 'new\nline', '\\n', '"', '{}', ' # {', 'é𝒳', '\r') },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, '1', 2.5, -1, 1e21, true, 'true', false, 7n) },
  // Without the separator's replacement character of `labelSetsCollide`.
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 5 }).map((text) => text.replaceAll('\ue000', '')) },
  { weight: 1, arbitrary: fc.constantFrom('\ud800', '\udfff', '\ufffd', '\0') },
);

const rarely = (arbitrary, times) =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(OMITTED) }, { weight: 1, arbitrary });

const labels = fc.record({
  values: fc.tuple(labelValue, labelValue, labelValue, labelValue),
  order: fc.nat(23),
  unlisted: rarely(fc.constant('x'), 30),
  shared: rarely(fc.nat(1), 10),
  // One of four label sets, two of which are equal to a library that joins values into a key.
  neighbour: rarely(fc.nat(3), 8),
});

const exemplarLabels = fc.oneof(
  { weight: 3, arbitrary: fc.constant(OMITTED) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      { trace_id: 'abc' },
      { trace_id: 'quo"te', span_id: 'x' },
      { span: 7, trace_id: 'z' },
      {},
    ),
  },
  { weight: 1, arbitrary: fc.constant({ trace_id: 'x'.repeat(121) }) },
);

const valid = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 2, 3, 5, 0.1, 0.2, 0.25, 0.5, 10, 1000) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1e21, 1e-7, 2 ** 53 + 1, 1e308, 5e-324) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1e6, noNaN: true }) },
);

const amount = fc.oneof(
  { weight: 12, arbitrary: valid },
  { weight: 3, arbitrary: fc.constantFrom(OMITTED, undefined) },
  { weight: 2, arbitrary: fc.constantFrom(-1, -0.5, -1e3) },
  { weight: 2, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
  { weight: 1, arbitrary: fc.constantFrom(null, '5', 'five', '', true, false, 5n) },
);

const form = fc.oneof(
  { weight: 8, arbitrary: fc.constant('labels') },
  { weight: 3, arbitrary: fc.constant('value') },
  { weight: 1, arbitrary: fc.constantFrom('undefined first', 'null first') },
);

const recording = { who: index, form, labels, amount, exemplarLabels };

const buckets = fc.oneof(
  { weight: 2, arbitrary: fc.constant(OMITTED) },
  {
    weight: 5,
    arbitrary: fc
      .array(fc.constantFrom(-2.5, -1, 0, 0.00001, 0.1, 0.5, 1, 2, 5, 1000, 1e6, 123456789, 1e21, Infinity), {
        maxLength: 5,
      })
      .map((bounds) => bucketOfMinusOne([...new Set(bounds)].sort((a, b) => a - b))),
  },
);

const METRIC_NAMES = namesThatClash([
  'alpha',
  'alpha_total',
  'beta_total',
  'gamma_seconds',
  'delta:ratio',
  '_epsilon',
  'zeta',
  'zeta_sum',
  'eta',
  'theta_total',
]);
const HELP = ['Some help', 'Some help', 'with "quotes"', 'back\\slash', 'new\nline', 'é𝒳'];
const MISTAKES = [
  'missing name',
  'missing help',
  'invalid name',
  'invalid label name',
  'collect is not a function',
  'reserved label',
  'label given twice',
  'buckets out of order',
  'unknown aggregator',
];

const construct = fc.record({
  step: fc.constant('construct'),
  type: fc.constantFrom('Counter', 'Counter', 'Gauge', 'Gauge', 'Histogram', 'Histogram'),
  name: fc.constantFrom(...METRIC_NAMES),
  help: fc.constantFrom(...HELP),
  labelNames: fc.oneof(
    { weight: 1, arbitrary: fc.constant(OMITTED) },
    { weight: 6, arbitrary: fc.shuffledSubarray(LABEL_NAMES) },
  ),
  registers: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(OMITTED, undefined) },
    { weight: 4, arbitrary: fc.array(index, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(index, { maxLength: 2 }) },
  ),
  buckets,
  aggregator: fc.constantFrom(OMITTED, OMITTED, 'sum', 'max', 'omit'),
  enableExemplars: fc.constantFrom(OMITTED, OMITTED, OMITTED, OMITTED, false, true, true),
  collect: fc.constantFrom(
    ...[OMITTED, OMITTED, OMITTED, OMITTED, OMITTED, OMITTED],
    ...['records', 'records later', 'records elsewhere', 'throws', 'rejects'],
  ),
  elsewhere: index,
  mistake: rarely(fc.constantFrom(...MISTAKES), 12),
});

const contentType = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(OMITTED, 'text', 'text', 'openmetrics', 'openmetrics') },
  { weight: 1, arbitrary: fc.constant('unsupported') },
);
const newRegistry = fc.record({ step: fc.constant('Registry.new'), contentType });

const foreign = fc.record({
  step: fc.constant('foreign'),
  name: fc.constantFrom('iota', 'kappa', 'alpha'),
  help: fc.constantFrom(...HELP),
  type: fc.constantFrom('gauge', 'counter', 'untyped'),
  values: fc.array(fc.tuple(labels, fc.constantFrom(0, 1, 2.5, 1e21, Number.NaN, Infinity)), { maxLength: 2 }),
  suffix: fc.constantFrom(OMITTED, OMITTED, '_part'),
  awaits: fc.boolean(),
});

const record = (step, fields) => fc.record({ step: fc.constant(step), ...fields });

const steps = fc.oneof(
  ...[
    [4, construct],
    [1, newRegistry],
    [4, foreign],
    [3, record('tick', { by: fc.nat(2000) })],
    [3, record('mutate', { shared: fc.nat(1), name: fc.constantFrom(...LABEL_NAMES), value: labelValue })],

    [12, record('Counter.inc', recording)],
    [8, record('Gauge.set', recording)],
    [5, record('Gauge.inc', recording)],
    [5, record('Gauge.dec', recording)],
    [3, record('Gauge.setToCurrentTime', { who: index, form, labels })],
    [12, record('Histogram.observe', recording)],
    [5, record('Histogram.zero', { who: index, form, labels })],
    [6, record('startTimer', { who: index, form, labels, exemplarLabels })],
    [9, record('endTimer', { who: index, form, labels, exemplarLabels })],

    [14, record('labels', { who: index, form: fc.constantFrom('object', 'values', 'values', 'too few'), labels })],
    [10, record('CounterChild.inc', { who: index, amount })],
    [5, record('GaugeChild.set', { who: index, amount })],
    [5, record('GaugeChild.inc', { who: index, amount })],
    [5, record('GaugeChild.dec', { who: index, amount })],
    [5, record('GaugeChild.setToCurrentTime', { who: index })],
    [10, record('HistogramChild.observe', { who: index, amount })],
    [6, record('child.startTimer', { who: index })],

    [10, record('remove', { who: index, form: fc.constantFrom('object', 'values', 'values', 'too few'), labels })],
    [3, record('reset', { who: index })],
    [3, record('get', { who: index })],
    [2, record('properties', { who: index })],

    [8, record('Registry.metrics', { where: index })],
    [4, record('Registry.getMetricsAsJSON', { where: index })],
    [4, record('Registry.getSingleMetricAsString', { where: index, who: index })],
    [2, record('Registry.getSingleMetric', { where: index, name: fc.constantFrom(...METRIC_NAMES, 'unknown') })],
    [2, record('Registry.getMetricsAsArray', { where: index })],
    [4, record('Registry.registerMetric', { where: index, who: index })],
    [4, record('Registry.removeSingleMetric', { where: index, who: index })],
    [2, record('Registry.resetMetrics', { where: index })],
    [4, record('Registry.setDefaultLabels', { where: index, labels, invalid: rarely(fc.constant('not ok'), 15) })],
    [2, record('Registry.setContentType', { where: index, contentType })],
    [2, record('Registry.contentType', { where: index })],
    [2, record('Registry.clear', { where: index })],
    [2, record('Registry.merge', { where: fc.array(index, { minLength: 1, maxLength: 2 }) })],
  ].map(([weight, arbitrary]) => ({ weight, arbitrary })),
);

/** Registries and metrics first, then any steps. */
export const program = fc
  .tuple(
    fc.array(newRegistry, { maxLength: 2, size: 'max' }),
    fc.array(construct, { minLength: 1, maxLength: 4, size: 'max' }),
    fc.array(steps, { minLength: 8, maxLength: 50, size: 'max' }),
  )
  .map((parts) => parts.flat());

const digit = fc.nat(6);
const oftenMet = fc.oneof(digit, digit.map(String), fc.constantFrom(true, 'true', '', null, undefined, MISSING));
const oneOfMany = fc.record({
  values: fc.tuple(oftenMet, oftenMet, oftenMet, oftenMet),
  order: fc.nat(23),
  ...{ unlisted: fc.constant(OMITTED), shared: fc.constant(OMITTED), neighbour: fc.constant(OMITTED) },
});
const common = { who: index, labels: oneOfMany };
const given = { form: fc.constant('labels'), exemplarLabels: fc.constant(OMITTED) };

/** One metric with so many series that tables grow, are reordered and shrink again. */
export const manySeries = fc
  .tuple(
    construct.map((metric) => ({
      ...metric,
      ...{
        name: 'alpha',
        type: 'Gauge',
        registers: OMITTED,
        enableExemplars: OMITTED,
        collect: OMITTED,
        mistake: OMITTED,
      },
      labelNames: LABEL_NAMES.slice(0, 3 + (metric.elsewhere % 2)),
    })),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: record('Gauge.inc', { ...common, ...given, amount: fc.constantFrom(1, 2, 0.5) }) },
        { weight: 2, arbitrary: record('Gauge.set', { ...common, ...given, amount: fc.constantFrom(1, 2, 0.5) }) },
        { weight: 2, arbitrary: record('labels', { ...common, form: fc.constantFrom('object', 'values') }) },
        { weight: 3, arbitrary: record('GaugeChild.inc', { who: index, amount: fc.constantFrom(1, 2, 0.5) }) },
        { weight: 2, arbitrary: record('remove', { ...common, form: fc.constantFrom('object', 'values') }) },
      ),
      { minLength: 400, maxLength: 600, size: 'max' },
    ),
  )
  .map((parts) => parts.flat());
