// Exemptions for scrapes: collect() callbacks, JSON forms, and the common parts of both text formats.

import { isObject } from '../calls.mjs';
import { mapSamples } from '../exposition.mjs';
import { mapText, settle } from './results.mjs';

const askedDirectly = new WeakSet();

export function collectFailsScrape(call, next) {
  if (call.method === 'get') {
    // `metric.get()` reports a failure to its caller; only a scrape continues without the values.
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

export function collectRunsWhileOthersPrint(call, next) {
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

export function getReturnsLiveEntries(call, next) {
  return wrapGet(call, next, (entry) => ({ ...entry }));
}

export function jsonKeepsLabelTypes(call, next) {
  const isOther = (value) => typeof value === 'boolean' || typeof value === 'bigint';
  const text = ([name, value]) => [name, isOther(value) ? String(value) : value];
  return wrapGet(call, next, (entry) => {
    const labels = Object.entries(entry.labels);
    return labels.some(([, value]) => isOther(value))
      ? { ...entry, labels: Object.fromEntries(labels.map(text)) }
      : entry;
  });
}

export function jsonInfinityWithoutExemplar(call, next) {
  const entry = (value) => (value.labels.le === '+Inf' ? { ...value, exemplar: value.exemplar ?? null } : value);
  return mapJson(call, next, (metric) => (metric.type === 'histogram' ? mapEntries(metric, entry) : metric));
}

export function jsonDefaultsReplaceFalsy(call, next) {
  const defaults = call.method === 'getMetricsAsJSON' ? call.raw._defaultLabels : {};
  const shadowed = (metric) => (metric.labelNames ?? Object.keys(defaults)).some((name) => name in defaults);
  if (!isObject(defaults) || !call.raw?.getMetricsAsArray?.().some(shadowed)) {
    return next(call);
  }
  // If the metric has a label of that name, default labels apply only to entries without it, as in the text format.
  const lay = (entry) => ({ ...entry, labels: { ...entry.labels, ...defaults, ...entry.labels } });
  call.raw._defaultLabels = {};
  return next(call)
    .then((metrics) => metrics.map((metric) => ({ ...metric, values: metric.values.map(lay) })))
    .finally(() => {
      call.raw._defaultLabels = defaults;
    });
}

export function nanSpelling(call, next) {
  return mapText(call, next, (text) =>
    mapSamples(text, (sample) => ({ ...sample, value: sample.value === 'Nan' ? 'NaN' : sample.value })),
  );
}

/** Changes every entry that `get()` of a new metric returns, before a registry adds default labels to it. */
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

/** Changes every metric that `get()` or `getMetricsAsJSON()` returns. */
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
