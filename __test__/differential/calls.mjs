// Reads the meaning of a peer's call: the label set and value that it carries, the series that it addresses, and the
// same call with another label set. It knows prom-client's argument forms and both peers' stores.

const METRIC_KINDS = ['Counter', 'Gauge', 'Histogram'];
const LABELS_ONLY = ['zero', 'startTimer', 'setToCurrentTime'];
const LABELS_AND_VALUE = ['inc', 'dec', 'set', 'observe'];

/** True if the call takes `{ labels, value, exemplarLabels }` instead of labels and value. */
export function takesExemplar({ kind, method, metric }) {
  return metric?.enableExemplars === true && /^(Counter inc|Histogram observe)$/.test(`${kind} ${method}`);
}

/**
 * The label set of a call, and `with(labels)`, the same call with another label set. `undefined` if the call carries no
 * labels: methods without labels, children, and a wrong number of positional values.
 */
export function labelSetOf(call) {
  const { kind, method, args, metric } = call;
  const [first, second] = args;
  const withArgs = (...changed) => ({ ...call, args: changed });
  if (!METRIC_KINDS.includes(kind)) {
    return undefined;
  }
  if (takesExemplar(call)) {
    return { labels: first?.labels ?? {}, with: (labels) => withArgs({ ...first, labels }) };
  }
  if (method === 'labels' || method === 'remove') {
    if (isObject(first)) {
      return { labels: first, with: (labels) => withArgs(labels) };
    }
    // Peers read null as an object without labels and ignore the arguments after it.
    if (first === null || metric.labelNames.length !== args.length) {
      return undefined;
    }
    const labels = Object.fromEntries(metric.labelNames.map((name, i) => [name, args[i]]));
    return { labels, with: (changed) => withArgs(changed) };
  }
  if (LABELS_ONLY.includes(method)) {
    return { labels: first ?? {}, with: (labels) => withArgs(labels, ...args.slice(1)) };
  }
  if (LABELS_AND_VALUE.includes(method)) {
    if (isObject(first)) {
      return { labels: first, with: (labels) => withArgs(labels, second) };
    }
    return { labels: {}, with: (labels) => withArgs(labels, recordedValue(call)) };
  }
  return undefined;
}

/** The same call with `change(labels)` as its labels; the call itself if nothing changes. */
export function mapLabels(call, change) {
  if (call.kind === 'Timer') {
    return isObject(call.args[0]) ? { ...call, args: [change(call.args[0]), ...call.args.slice(1)] } : call;
  }
  const set = labelSetOf(call);
  if (set === undefined) {
    return call;
  }
  const changed = change(set.labels);
  return sameSpelling(set.labels, changed) ? call : set.with(changed);
}

/**
 * The same call, with the labels that created its series, if `applies(labels)`. For a new series, absent labels are
 * left out.
 */
export function respell(call, applies) {
  const { kind, method, metric } = call;
  if (method === 'labels' || method === 'startTimer') {
    // Children and timers keep their labels: later labels take the place of an absent one.
    return call;
  }
  if (kind === 'Timer') {
    const labels = { ...call.labels, ...call.args[0] };
    const spelled = applies(labels) ? spellingOf(metric, labels) : labels;
    // The labels that a timer was started with cannot be removed, so a timer without labels is ended in its place.
    return sameSpelling(labels, spelled) ? call : bareEnd(call, spelled, exemplarLabelsOf(call));
  }
  if (/Child$/.test(kind)) {
    const spelled = applies(call.labels) ? spellingOf(metric, call.labels) : call.labels;
    const again = () => ({ ...call, raw: metric.labels(spelled), labels: spelled });
    return sameSpelling(call.labels, spelled) ? call : again();
  }
  return mapLabels(call, (labels) => (applies(labels) ? spellingOf(metric, labels) : labels));
}

/** The end of a timer that was started at the same moment without arguments, so it has only the labels given here. */
export function bareEnd(call, labels, exemplarLabels) {
  return { ...call, raw: { end: call.bare }, labels: {}, exemplarLabels: {}, args: [labels, exemplarLabels] };
}

/** The exemplar labels that a call records; `undefined` if there are none. */
export function exemplarLabelsOf(call) {
  if (call.kind === 'Timer') {
    return call.metric.enableExemplars ? { ...call.exemplarLabels, ...call.args[1] } : undefined;
  }
  return takesExemplar(call) ? call.args[0]?.exemplarLabels : undefined;
}

/** The peer's own entry for a label set. Missing, null, undefined and empty labels are equal. */
export function seriesOf(metric, labels) {
  const entries = metric.store === undefined ? Object.values(metric.hashMap) : Array.from(metric.store.values());
  const same = (entry) => metric.labelNames.every((name) => textOf(entry.labels?.[name]) === textOf(labels[name]));
  return hasUnlisted(metric, labels) ? undefined : entries.find(same);
}

/** True if a label set has a label that the metric does not have. */
export function hasUnlisted({ labelNames }, labels) {
  return Object.keys(labels).some((name) => !labelNames.includes(name));
}

function spellingOf(metric, labels) {
  if (hasUnlisted(metric, labels)) {
    return labels;
  }
  const series = seriesOf(metric, labels);
  return series === undefined ? withoutAbsent(labels) : (series.labels ?? {});
}

export function withoutAbsent(labels) {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== null && value !== undefined));
}

/** True if a label of the metric is missing or empty in the label set. */
export function hasEmptyLabel(metric, labels) {
  return metric.labelNames.some((name) => textOf(labels[name]) === '');
}

function textOf(value) {
  return value === null || value === undefined ? '' : String(value);
}

function sameSpelling(a, b) {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length && left.every(([name, value], i) => name === right[i][0] && value === right[i][1])
  );
}

/** The value of a recording call; `undefined` if there is none. */
export function recordedValue(call) {
  const [first, second] = call.args;
  if (takesExemplar(call)) {
    return first?.value;
  }
  if (/Child$/.test(call.kind)) {
    return first;
  }
  // Histograms skip a missing first argument; counters and gauges read it as the value.
  return isObject(first) || (call.method === 'observe' && !first && first !== 0) ? second : first;
}

/** The same recording call with another value. */
export function withValue(call, value) {
  if (takesExemplar(call)) {
    return { ...call, args: [{ ...call.args[0], value }] };
  }
  return { ...call, args: isObject(call.args[0]) ? [call.args[0], value] : [value] };
}

export function isObject(value) {
  return value !== null && typeof value === 'object';
}

export function isCounterInc({ metric, method }) {
  return metric?.type === 'counter' && method === 'inc';
}

export function isGaugeDelta({ metric, method }) {
  return metric?.type === 'gauge' && (method === 'inc' || method === 'dec');
}

/** True if the call returns an exposition. */
export function isText({ kind, method }) {
  return kind === 'Registry' && (method === 'metrics' || method === 'getSingleMetricAsString');
}
