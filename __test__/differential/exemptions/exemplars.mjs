// Exemptions for exemplars: where they can be recorded, and with which content.

import { bareEnd, exemplarLabelsOf, isObject, labelSetOf, recordedValue, seriesOf, takesExemplar } from '../calls.mjs';
import { refuseUnlisted, refuseValue } from './results.mjs';

export function exemplarsNeedOpenMetrics(call, next) {
  const [config] = call.args;
  if (call.method !== 'new' || config?.enableExemplars !== true) {
    return next(call);
  }
  const registries = (config.registers ?? [call.peer.register]).map(call.unwrap);
  if (registries.every(({ contentType }) => contentType === call.peer.Registry.OPENMETRICS_CONTENT_TYPE)) {
    return next(call);
  }
  const metric = next({ ...call, args: [{ ...config, registers: [] }] });
  for (const registry of registries) {
    registry.registerMetric(metric);
  }
  return metric;
}

export function exemplarMetricPlainValue(call, next) {
  const [first, second] = call.args;
  if (!takesExemplar(call) || isObject(first)) {
    return next(call);
  }
  const skipped = call.method === 'observe' && (first === undefined || first === null);
  return next({ ...call, args: [{ value: skipped ? second : first }] });
}

export function exemplarWithoutLabels(call, next) {
  const given = takesExemplar(call) ? call.args[0]?.exemplarLabels : undefined;
  const empty = given !== undefined && Object.keys(given).length === 0;
  return next(empty ? { ...call, args: [{ ...call.args[0], exemplarLabels: undefined }] } : call);
}

export function exemplarMetricChild(call, next) {
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

export function exemplarValueIsTotal(call, next) {
  return withExemplarValue(call, next, () => true);
}

export function exemplarOfZeroIsOne(call, next) {
  return withExemplarValue(call, next, (value) => value === 0);
}

export function exemplarTooLong(call, next) {
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

export function exemplarLabelsAsGiven(call, next) {
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

function withExemplarValue(call, next, applies) {
  const result = next(call);
  if (call.metric?.type === 'counter' && takesExemplar(call) && call.args[0]?.exemplarLabels !== undefined) {
    const value = recordedValue(call) ?? 1;
    if (applies(value)) {
      seriesOf(call.metric, labelSetOf(call).labels).exemplar.value = value;
    }
  }
  return result;
}

function isTooLong(exemplarLabels) {
  return (
    Object.entries(exemplarLabels ?? {})
      .flat()
      .join('').length > 128
  );
}
