// What a call of a peer means, apart from how it is written: the label set and the value it carries, the series it
// addresses, and the same call with another label set. It knows prom-client's argument forms and both peers' stores.

const METRIC_KINDS = ['Counter', 'Gauge', 'Histogram'];
const LABELS_ONLY = ['zero', 'startTimer', 'setToCurrentTime'];
const LABELS_AND_VALUE = ['inc', 'dec', 'set', 'observe'];

/** Whether the call takes `{ labels, value, exemplarLabels }` instead of labels and value. */
export function takesExemplar({ kind, method, metric }) {
  return metric?.enableExemplars === true && /^(Counter inc|Histogram observe)$/.test(`${kind} ${method}`);
}

/**
 * The label set of a call, and `with(labels)`, the same call with another one. `undefined` for a call that carries
 * none: methods without labels, children, and positional values whose number is wrong.
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
    // Peers take null for an object without labels, whatever follows it.
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

/** The same call with `change(labels)` for its labels; the very same call where that changes nothing. */
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
 * The same call, addressing the series that it means with the very labels that created it, if `applies(labels)`.
 * Absent labels are left out of a new one.
 */
export function respell(call, applies) {
  const { kind, method, metric } = call;
  if (method === 'labels' || method === 'startTimer') {
    // Children and timers keep what they were given: later labels take the place that an absent one has in it.
    return call;
  }
  if (kind === 'Timer') {
    const labels = { ...call.labels, ...call.args[0] };
    const spelled = applies(labels) ? spellingOf(metric, labels) : labels;
    // What the timer was started with cannot be taken away from it, so one without labels ends instead.
    return sameSpelling(labels, spelled) ? call : bareEnd(call, spelled, exemplarLabelsOf(call));
  }
  if (/Child$/.test(kind)) {
    const spelled = applies(call.labels) ? spellingOf(metric, call.labels) : call.labels;
    const again = () => ({ ...call, raw: metric.labels(spelled), labels: spelled });
    return sameSpelling(call.labels, spelled) ? call : again();
  }
  return mapLabels(call, (labels) => (applies(labels) ? spellingOf(metric, labels) : labels));
}

/** The end of a timer that was started with nothing, at the same moment, and so has only what is given here. */
export function bareEnd(call, labels, exemplarLabels) {
  return { ...call, raw: { end: call.bare }, labels: {}, exemplarLabels: {}, args: [labels, exemplarLabels] };
}

/** The exemplar labels that a call records, `undefined` if it takes none or has none. */
export function exemplarLabelsOf(call) {
  if (call.kind === 'Timer') {
    return call.metric.enableExemplars ? { ...call.exemplarLabels, ...call.args[1] } : undefined;
  }
  return takesExemplar(call) ? call.args[0]?.exemplarLabels : undefined;
}

/** The peer's own entry for a label set; a missing, null, undefined or empty label is the same. */
export function seriesOf(metric, labels) {
  const entries = metric.store === undefined ? Object.values(metric.hashMap) : Array.from(metric.store.values());
  const same = (entry) => metric.labelNames.every((name) => textOf(entry.labels?.[name]) === textOf(labels[name]));
  return hasUnlisted(metric, labels) ? undefined : entries.find(same);
}

/** Whether a label set has a label that the metric has not. */
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

/** Whether a label set leaves a label of the metric out, or gives it as empty. */
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

/** The value that a recording call was given, `undefined` if none. */
export function recordedValue(call) {
  const [first, second] = call.args;
  if (takesExemplar(call)) {
    return first?.value;
  }
  if (/Child$/.test(call.kind)) {
    return first;
  }
  // Histograms skip a missing first argument, counters and gauges take it for the value.
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

/** Whether the call answers with an exposition. */
export function isText({ kind, method }) {
  return kind === 'Registry' && (method === 'metrics' || method === 'getSingleMetricAsString');
}
