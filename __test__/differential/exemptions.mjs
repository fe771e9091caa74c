// Every place where this library deliberately differs from a peer, or where the peers differ from each other. An
// exemption is one named function around a call of the peer that makes the peer do what we do (see adapted-peer.mjs);
// a restriction is one named function that keeps something out of the generated programs. The reason for each is the
// section of the same name in docs/compatibility.md, and exemptions.test.mjs shows that the peer still differs.

import { format, inspect } from 'node:util';
import {
  bareEnd,
  exemplarLabelsOf,
  hasEmptyLabel,
  hasUnlisted,
  isObject,
  labelSetOf,
  mapLabels,
  mapStrings,
  respell,
  seriesOf,
  settle,
  takesExemplar,
  valueOf,
  withoutAbsent,
  withValue,
} from './calls.mjs';
import { mapHelp, mapSamples } from './exposition.mjs';

// Label sets and series

function labelSetsCollide(call, next) {
  // prom-client joins label values with `,` into a key, the successor with `|`. A stand-in that no program contains
  // keeps such keys apart on the way in, and is turned back into the separator on the way out.
  const separator = isSuccessor(call) ? '|' : ',';
  const standIn = '\ue000';
  const hide = (value) => (typeof value === 'string' ? value.replaceAll(separator, standIn) : value);
  const hideAll = (labels) => Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, hide(value)]));
  const restore = (text) => text.replaceAll(standIn, separator);
  return settle(() => next(mapLabels(call, hideAll)), {
    fulfilled: (value) => mapStrings(value, restore),
    message: restore,
  });
}

function labelObjectKept(call, next) {
  if (['new', 'registerMetric', 'merge'].includes(call.method)) {
    return next(call);
  }
  const copy = (value) => (isObject(value) ? mapStrings(value, (text) => text) : value);
  return next({ ...call, args: call.args.map(copy) });
}

function loneSurrogatesKept(call, next) {
  if (call.kind === 'Registry') {
    return mapText(call, next, (text) => text.toWellFormed());
  }
  return next(call.method === 'new' ? call : { ...call, args: mapStrings(call.args, (text) => text.toWellFormed()) });
}

function emptyLabelIsAbsent(call, next) {
  if (call.method === 'setDefaultLabels') {
    return next({ ...call, args: [withoutAbsent(call.args[0])] });
  }
  return next(respell(call, (labels) => hasEmptyLabel(call.metric, labels)));
}

function nullAsFirstValue(call, next) {
  const { method, args, metric } = call;
  if ((method !== 'labels' && method !== 'remove') || args[0] !== null) {
    return next(call);
  }
  const { labelNames } = metric;
  if (args.length > 1 && args.length !== labelNames.length) {
    const [given, names] = [args, labelNames].map((list) => list.join(', '));
    throw new Error(
      `Invalid number of arguments (${args.length}): "${given}" for label names (${labelNames.length}): "${names}".`,
    );
  }
  const labels = args.length === 1 ? {} : Object.fromEntries(labelNames.map((name, i) => [name, args[i]]));
  return next({ ...call, args: [labels] });
}

function gaugeSetReplacesLabels(call, next) {
  const sets = call.method === 'set' || call.method === 'setToCurrentTime' || call.kind === 'Timer';
  return next(sets && call.metric.type === 'gauge' ? respell(call, () => true) : call);
}

function zeroKeepsPlace(call, next) {
  if (call.method === 'zero') {
    const series = seriesOf(call.metric, labelSetOf(call).labels);
    if (series !== undefined) {
      call.metric.remove(series.labels ?? {});
    }
  }
  return next(call);
}

function zeroUnchecked(call, next) {
  if (call.method !== 'zero') {
    return next(call);
  }
  const [labels = {}] = call.args;
  refuseUnlisted(call.metric, labels);
  return next({ ...call, args: [labels] });
}

function counterLabelsUnchecked(call, next) {
  if (call.kind === 'Counter' && call.method === 'labels' && isObject(call.args[0])) {
    refuseUnlisted(call.metric, call.args[0]);
  }
  return next(call);
}

// Values

function counterTakesFalsyValues(call, next) {
  const value = isCounterInc(call) ? valueOf(call) : undefined;
  if (Number.isNaN(value) || value === '' || value === false) {
    throw new TypeError(`Value is not a valid number: ${format(value)}`);
  }
  return next(call);
}

function observeForgetsFalsyValues(call, next) {
  if (call.kind === 'Histogram' && call.method === 'observe' && !takesExemplar(call) && call.args.length === 1) {
    const [value] = call.args;
    if (Number.isNaN(value) || value === '' || value === false) {
      throw new TypeError(`Value is not a valid number: ${format(value)}`);
    }
  }
  return next(call);
}

function labelsCheckedFirst(call, next) {
  const counts = call.kind === 'Counter' && call.method === 'inc';
  const observes = call.kind === 'Histogram' && call.method === 'observe';
  if ((counts || observes) && hasUnlisted(call.metric, labelSetOf(call).labels)) {
    refuseValue(call);
  }
  return next(call);
}

function gaugeNullDelta(call, next) {
  return next(isGaugeDelta(call) && valueOf(call) === null ? withValue(call, 1) : call);
}

function gaugeDecCoerces(call, next) {
  const value = isGaugeDelta(call) && call.method === 'dec' ? valueOf(call) : undefined;
  if (value !== undefined && value !== null && typeof value !== 'number') {
    throw new TypeError(`Delta is not a valid number: ${format(value)}`);
  }
  return next(call);
}

function firstDeltaKeepsZeroSign(call, next) {
  if (!isCounterInc(call) && !isGaugeDelta(call)) {
    return next(call);
  }
  const labels = call.labels ?? labelSetOf(call).labels;
  const first = valueOf(call) === 0 && seriesOf(call.metric, labels) === undefined;
  return next(first ? withValue(call, call.method === 'dec' ? -0 : 0) : call);
}

function incReturnsHash(call, next) {
  const result = next(call);
  return isCounterInc(call) ? undefined : result;
}

// Errors

function unknownLabelsSorted(call, next) {
  const names = call.metric?.labelNames ?? [];
  const message = (text) =>
    text.startsWith('Added label ') ? text.replace(inspect([...names].sort()), () => inspect(names)) : text;
  return settle(() => next(call), { message });
}

function invalidNamesUnnamed(call, next) {
  const { name, labelNames = [] } = call.args[0] ?? {};
  const message = (text) => {
    if (text.startsWith('Invalid metric name')) {
      return `Invalid metric name: ${name} (expected [a-zA-Z_:][a-zA-Z0-9_:]*)`;
    }
    const invalid = labelNames.find((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label));
    return invalid === undefined ? text : `Invalid label name: ${invalid} (expected [a-zA-Z_][a-zA-Z0-9_]*)`;
  };
  return call.method === 'new' ? settle(() => next(call), { message }) : next(call);
}

function repeatedLabelName(call, next) {
  const { name, labelNames = [] } = call.method === 'new' ? (call.args[0] ?? {}) : {};
  const twice = labelNames.find((label, i) => labelNames.indexOf(label) < i);
  if (twice !== undefined) {
    throw new Error(`Invalid label name: ${twice} (given twice to ${name})`);
  }
  return next(call);
}

function bucketsUnchecked(call, next) {
  const { name, buckets = [] } = call.method === 'new' ? (call.args[0] ?? {}) : {};
  if (!buckets.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > buckets[i - 1]))) {
    const received = buckets.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`)).join(', ');
    throw new Error(`Expected finite numbers in ascending order for the buckets of ${name} but received [${received}]`);
  }
  return next(call);
}

function unknownMetricUnnamed(call, next) {
  const [name] = call.args;
  if (call.method !== 'getSingleMetricAsString' || call.raw.getSingleMetric(name) !== undefined) {
    return next(call);
  }
  const internal = "Cannot read properties of undefined (reading 'getForPromString')";
  return settle(() => next(call), {
    message: (text) => (text === internal ? `Expected the name of a registered metric but received "${name}"` : text),
  });
}

function configurationErrorsAreErrors(call, next) {
  try {
    return next(call);
  } catch (error) {
    const ours = /^(Content type .* is unsupported|Registers can only be merged .*|Optional "collect" parameter .*)$/;
    throw ours.test(error.message) ? new TypeError(error.message) : error;
  }
}

function infiniteBucket(call, next) {
  const [config] = call.args;
  const infinite = call.kind === 'Histogram' && call.method === 'new' && config?.buckets?.at(-1) === Infinity;
  return next(infinite ? { ...call, args: [{ ...config, buckets: config.buckets.slice(0, -1) }] } : call);
}

function failedConstructorRegisters(call, next) {
  if (call.method !== 'new' || call.kind === 'Registry') {
    return next(call);
  }
  const { name, registers, labelNames = [] } = call.args[0] ?? {};
  if (call.kind === 'Histogram' && labelNames.includes('le')) {
    // The only check that a peer makes after it has registered the metric.
    return next({ ...call, args: [{ ...call.args[0], registers: [] }] });
  }
  const registries = (registers ?? [call.peer.register]).map(call.unwrap);
  const before = registries.map((registry) => registry.getSingleMetric(name));
  try {
    return next(call);
  } catch (error) {
    registries.forEach((registry, i) => {
      if (registry.getSingleMetric(name) !== before[i]) {
        registry.removeSingleMetric(name);
      }
    });
    throw error;
  }
}

// Exemplars

function exemplarsNeedOpenMetrics(call, next) {
  const [config] = call.args;
  if (call.method !== 'new' || config?.enableExemplars !== true) {
    return next(call);
  }
  const registries = (config.registers ?? [call.peer.register]).map(call.unwrap);
  const metric = next({ ...call, args: [{ ...config, registers: [] }] });
  for (const registry of registries) {
    registry.registerMetric(metric);
  }
  return metric;
}

function exemplarMetricPlainValue(call, next) {
  const [first, second] = call.args;
  if (!takesExemplar(call) || isObject(first)) {
    return next(call);
  }
  const skipped = call.method === 'observe' && (first === undefined || first === null);
  return next({ ...call, args: [{ value: skipped ? second : first }] });
}

function exemplarWithoutLabels(call, next) {
  const given = takesExemplar(call) ? call.args[0]?.exemplarLabels : undefined;
  const empty = given !== undefined && Object.keys(given).length === 0;
  return next(empty ? { ...call, args: [{ ...call.args[0], exemplarLabels: undefined }] } : call);
}

function exemplarMetricChild(call, next) {
  if (call.metric?.enableExemplars !== true) {
    return next(call);
  }
  const { metric, labels } = call;
  if (call.kind === 'CounterChild') {
    return next({ ...call, kind: 'Counter', raw: metric, args: [{ labels, value: call.args[0] }] });
  }
  if (call.kind === 'HistogramChild' && call.method === 'startTimer') {
    return next({ ...call, kind: 'Histogram', raw: metric, args: [labels] });
  }
  return next(call);
}

function exemplarValueIsTotal(call, next) {
  return withExemplarValue(call, next, () => true);
}

function exemplarOfZeroIsOne(call, next) {
  return withExemplarValue(call, next, (value) => value === 0);
}

function exemplarTooLong(call, next) {
  if (!isTooLong(exemplarLabelsOf(call))) {
    return next(call);
  }
  if (call.kind === 'Timer') {
    refuseUnlisted(call.metric, { ...call.labels, ...call.args[0] });
  } else {
    refuseValue(call);
    refuseUnlisted(call.metric, labelSetOf(call).labels);
  }
  throw new Error('Label set size must be smaller than 128 UTF-8 chars');
}

function exemplarLabelsAsGiven(call, next) {
  const given = exemplarLabelsOf(call);
  if (given === undefined) {
    return next(call);
  }
  const texts = Object.entries(given).map(([name, value]) => [name, String(value)]);
  const sorted = Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
  if (call.kind === 'Timer') {
    return next(bareEnd(call, { ...call.labels, ...call.args[0] }, sorted));
  }
  return next({ ...call, args: [{ ...call.args[0], exemplarLabels: sorted }] });
}

// Scrapes

const askedDirectly = new WeakSet();

function collectFailsScrape(call, next) {
  if (call.method === 'get') {
    // `metric.get()` tells its caller about a failure; only a scrape goes on without.
    askedDirectly.add(call.self);
    try {
      return next(call);
    } finally {
      askedDirectly.delete(call.self);
    }
  }
  const [config] = call.args;
  if (call.method !== 'new' || typeof config?.collect !== 'function') {
    return next(call);
  }
  function collect() {
    if (askedDirectly.has(this)) {
      return config.collect.call(this);
    }
    try {
      const result = config.collect.call(this);
      return result instanceof Promise ? result.catch(() => {}) : result;
    } catch {
      return undefined;
    }
  }
  return next({ ...call, args: [{ ...config, collect }] });
}

const collectors = new WeakMap();

function collectRunsWhileOthersPrint(call, next) {
  if (call.method === 'new' && typeof call.args[0]?.collect === 'function') {
    const { collect, ...config } = call.args[0];
    const metric = next({ ...call, args: [config] });
    collectors.set(metric, () => collect.call(call.self));
    return metric;
  }
  const asked = {
    get: () => [call.raw],
    metrics: () => call.raw.getMetricsAsArray(),
    getMetricsAsJSON: () => call.raw.getMetricsAsArray(),
    getSingleMetricAsString: () => [call.raw.getSingleMetric(call.args[0]) ?? call],
  }[call.method]?.();
  const collecting = asked?.filter((metric) => collectors.has(metric)) ?? [];
  if (collecting.length === 0) {
    return next(call);
  }
  const collected = collecting.map(async (metric) => collectors.get(metric)());
  return Promise.all(collected).then(() => next(call));
}

function getReturnsLiveEntries(call, next) {
  return wrapGet(call, next, (entry) => ({ ...entry }));
}

function jsonKeepsLabelTypes(call, next) {
  const text = (value) => (typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : value);
  const labels = (set) => Object.fromEntries(Object.entries(set).map(([name, value]) => [name, text(value)]));
  return wrapGet(call, next, (entry) => ({ ...entry, labels: labels(entry.labels) }));
}

function jsonKeepsForeignLabelTypes(call, next) {
  if (call.method !== 'getMetricsAsJSON') {
    return next(call);
  }
  const labels = (set) => Object.fromEntries(Object.entries(set).map(([name, value]) => [name, String(value).toWellFormed()]));
  const foreign = call.raw.getMetricsAsArray().filter((metric) => metric.labelNames === undefined);
  const gets = foreign.map((metric) => metric.get);
  for (const metric of foreign) {
    const { get } = metric;
    metric.get = async () => mapEntries(await get(), (entry) => ({ ...entry, labels: labels(entry.labels) }));
  }
  try {
    // Registries call every get() before they wait for one.
    return next(call);
  } finally {
    foreign.forEach((metric, i) => {
      metric.get = gets[i];
    });
  }
}

function jsonInfinityWithoutExemplar(call, next) {
  const entry = (value) => (value.labels.le === '+Inf' ? { ...value, exemplar: value.exemplar ?? null } : value);
  return mapJson(call, next, (metric) => (metric.type === 'histogram' ? mapEntries(metric, entry) : metric));
}

function jsonDefaultsReplaceFalsy(call, next) {
  const defaults = call.method === 'getMetricsAsJSON' ? call.raw._defaultLabels : {};
  const shadowed = (metric) => (metric.labelNames ?? Object.keys(defaults)).some((name) => name in defaults);
  if (!isObject(defaults) || !call.raw?.getMetricsAsArray?.().some(shadowed)) {
    return next(call);
  }
  // Where a metric has a label of that name, default labels are laid over what comes without them, as text does it.
  const lay = (entry) => ({ ...entry, labels: { ...entry.labels, ...defaults, ...entry.labels } });
  call.raw._defaultLabels = {};
  return next(call)
    .then((metrics) => metrics.map((metric) => ({ ...metric, values: metric.values.map(lay) })))
    .finally(() => {
      call.raw._defaultLabels = defaults;
    });
}

function nanSpelling(call, next) {
  return mapText(call, next, (text) =>
    mapSamples(text, (sample) => ({ ...sample, value: sample.value === 'Nan' ? 'NaN' : sample.value })),
  );
}

// OpenMetrics

function openMetricsRenames(call, next) {
  if (!isOpenMetricsText(call)) {
    return next(call);
  }
  const counters = call.raw.getMetricsAsArray().filter(({ type }) => type === 'counter');
  const names = counters.map(({ name }) => name);
  for (const counter of counters) {
    counter.name = counter.name.replace(/_total$/, '');
  }
  return next(call).finally(() => {
    counters.forEach((counter, i) => {
      counter.name = names[i];
    });
  });
}

function openMetricsHelpUnescaped(call, next) {
  return mapOpenMetrics(call, next, (text) => mapHelp(text, (help) => help.replaceAll('"', '\\"')));
}

function openMetricsBucketBounds(call, next) {
  const canonical = (labels) => labels.replace(/^le="([^"]*)"/, (_, bound) => `le="${canonicalBound(bound)}"`);
  return mapOpenMetrics(call, next, (text) =>
    mapSamples(text, (sample) =>
      sample.name.endsWith('_bucket') ? { ...sample, labels: canonical(sample.labels) } : sample,
    ),
  );
}

function openMetricsBlankLine(call, next) {
  return mapOpenMetrics(call, next, (text) => (text === '\n# EOF\n' ? '# EOF\n' : text));
}

function openMetricsUntyped(call, next) {
  return mapOpenMetrics(call, next, (text) => text.replace(/^(# TYPE \S+) untyped$/gm, '$1 unknown'));
}

function openMetricsNegativeBuckets(call, next) {
  // A family's samples follow its first bucket, so that its lowest bound is known by then.
  let negative = false;
  const keeps = (line) => {
    const first = /^\S+_bucket\{le="([^"]*)"/.exec(line);
    negative = line.startsWith('# ') ? false : negative || Number(first?.[1]) < 0;
    return !(negative && /^[^\s{]+_(sum|count)[ {]/.test(line));
  };
  return mapOpenMetrics(call, next, (text) => text.split('\n').filter(keeps).join('\n'));
}

/** The exemptions in the order in which they stand around a call, outermost first, and the peers they are for. */
export const exemptions = [
  [labelObjectKept, 'both'],
  [loneSurrogatesKept, 'both'],
  [nullAsFirstValue, 'both'],
  [failedConstructorRegisters, 'both'],
  [invalidNamesUnnamed, 'both'],
  [repeatedLabelName, 'both'],
  [unknownMetricUnnamed, 'both'],
  [configurationErrorsAreErrors, 'both'],
  [infiniteBucket, 'both'],
  [bucketsUnchecked, 'both'],
  [unknownLabelsSorted, '@prometheus-io/client'],
  [collectFailsScrape, 'both'],
  [collectRunsWhileOthersPrint, 'both'],
  [exemplarsNeedOpenMetrics, 'both'],
  [exemplarMetricPlainValue, 'both'],
  [labelsCheckedFirst, 'prom-client'],
  [exemplarTooLong, 'both'],
  [exemplarWithoutLabels, 'both'],
  [exemplarLabelsAsGiven, 'both'],
  [exemplarMetricChild, 'both'],
  [counterTakesFalsyValues, 'both'],
  [observeForgetsFalsyValues, 'both'],
  [gaugeNullDelta, 'prom-client'],
  [gaugeDecCoerces, 'both'],
  [incReturnsHash, 'prom-client'],
  [zeroUnchecked, 'prom-client'],
  [counterLabelsUnchecked, 'both'],
  [labelSetsCollide, 'both'],
  [zeroKeepsPlace, 'both'],
  [emptyLabelIsAbsent, 'both'],
  [gaugeSetReplacesLabels, 'prom-client'],
  [exemplarValueIsTotal, '@prometheus-io/client'],
  [exemplarOfZeroIsOne, 'prom-client'],
  [firstDeltaKeepsZeroSign, 'both'],
  [getReturnsLiveEntries, 'both'],
  [jsonDefaultsReplaceFalsy, 'prom-client'],
  [jsonKeepsLabelTypes, 'both'],
  [jsonInfinityWithoutExemplar, 'both'],
  [jsonKeepsForeignLabelTypes, 'both'],
  [nanSpelling, 'both'],
  [openMetricsRenames, 'both'],
  [openMetricsHelpUnescaped, 'both'],
  [openMetricsBucketBounds, 'both'],
  [openMetricsBlankLine, 'both'],
  [openMetricsUntyped, 'both'],
  [openMetricsNegativeBuckets, 'both'],
].map(([exemption, peers]) => ({
  name: exemption.name,
  exemption,
  peers: peers === 'both' ? ['prom-client', '@prometheus-io/client'] : [peers],
}));

/** The functions to stand around the calls of one peer, without the one of that name if given. */
export function exemptionsFor(peerName, without) {
  return exemptions
    .filter(({ name, peers }) => peers.includes(peerName) && name !== without)
    .map(({ exemption }) => exemption);
}

function withExemplarValue(call, next, applies) {
  const result = next(call);
  if (call.metric?.type === 'counter' && takesExemplar(call) && call.args[0]?.exemplarLabels !== undefined) {
    const value = valueOf(call) ?? 1;
    if (applies(value)) {
      seriesOf(call.metric, labelSetOf(call).labels).exemplar.value = value;
    }
  }
  return result;
}

/** Says what is wrong with the value of a counter's or histogram's call, if anything is. */
function refuseValue(call) {
  const counts = call.method === 'inc';
  const value = counts ? (valueOf(call) ?? 1) : valueOf(call);
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new TypeError(`Value is not a valid number: ${format(value)}`);
  }
  if (counts && value < 0) {
    throw new Error('It is not possible to decrease a counter');
  }
}

function isTooLong(exemplarLabels) {
  return Object.entries(exemplarLabels ?? {}).flat().join('').length > 128;
}

function refuseUnlisted({ labelNames }, labels) {
  for (const name in labels) {
    if (!labelNames.includes(name)) {
      throw new Error(`Added label "${name}" is not included in initial labelset: ${inspect(labelNames)}`);
    }
  }
}

function isCounterInc(call) {
  return call.metric?.type === 'counter' && call.method === 'inc';
}

function isGaugeDelta(call) {
  return call.metric?.type === 'gauge' && (call.method === 'inc' || call.method === 'dec');
}

function isSuccessor(call) {
  return 'ClusterRegistry' in call.peer;
}

function isText(call) {
  return call.kind === 'Registry' && (call.method === 'metrics' || call.method === 'getSingleMetricAsString');
}

function isOpenMetricsText(call) {
  return isText(call) && call.raw.contentType === call.peer.Registry.OPENMETRICS_CONTENT_TYPE;
}

function mapText(call, next, change) {
  return isText(call) ? settle(() => next(call), { fulfilled: change }) : next(call);
}

/** Changes every metric that `get()` or `getMetricsAsJSON()` answers with. */
function mapJson(call, next, change) {
  switch (call.method) {
    case 'get':
      return settle(() => next(call), { fulfilled: change });
    case 'getMetricsAsJSON':
      return settle(() => next(call), { fulfilled: (metrics) => metrics.map(change) });
    default:
      return next(call);
  }
}

/** Changes every entry that a new metric's `get()` answers with, before a registry adds default labels to it. */
function wrapGet(call, next, change) {
  const metric = next(call);
  if (call.method === 'new' && call.kind !== 'Registry') {
    const get = metric.get.bind(metric);
    metric.get = async () => mapEntries(await get(), change);
  }
  return metric;
}

function mapEntries(metric, change) {
  return { ...metric, values: metric.values.map(change) };
}

function mapOpenMetrics(call, next, change) {
  return isOpenMetricsText(call) ? mapText(call, next, change) : next(call);
}

/** A bucket bound as Go prints it: shortest digits, an exponent of two digits from 1e+06 and below 1e-04, else a point. */
function canonicalBound(text) {
  const bound = Number(text);
  if (!Number.isFinite(bound)) {
    return text;
  }
  const [mantissa, exponent] = bound.toExponential().split('e');
  if (Number(exponent) < -4 || Number(exponent) >= 6) {
    return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  return Number.isInteger(bound) ? `${bound}.0` : text;
}

// Restrictions: what the generator keeps out of programs, because no other call would make the peer agree.

export function bucketOfMinusOne(bounds) {
  return bounds.filter((bound) => bound !== -1);
}

export function namesThatClash(names) {
  const written = (name) => ['', '_total', '_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`);
  return names.filter((name) => !names.some((other) => other !== name && written(other).includes(name)));
}

export const restrictions = [bucketOfMinusOne, namesThatClash];
