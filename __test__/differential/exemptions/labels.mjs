// Exemptions for label sets: the series that a call addresses, and the labels that it prints.

import { hasEmptyLabel, isObject, mapLabels, respell, seriesOf, withoutAbsent } from '../calls.mjs';
import { mapStrings, mapText, refuseUnlisted, settle } from './results.mjs';

export function labelSetsCollide(call, next) {
  // prom-client joins label values with `,` into a key, its successor with `|`. On the way in, a character that no
  // program contains replaces the separator, which keeps such keys apart. On the way out it is changed back.
  const separator = 'ClusterRegistry' in call.peer ? '|' : ',';
  const standIn = '\ue000';
  const hide = (value) => (typeof value === 'string' ? value.replaceAll(separator, standIn) : value);
  const hideAll = (labels) => Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, hide(value)]));
  const restore = (text) => text.replaceAll(standIn, separator);
  return settle(() => next(mapLabels(call, hideAll)), {
    fulfilled: (value) => mapStrings(value, restore),
    message: restore,
  });
}

export function labelObjectKept(call, next) {
  // A timer reads its labels when it ends, here as well.
  if (['new', 'registerMetric', 'merge', 'startTimer'].includes(call.method)) {
    return next(call);
  }
  return next({ ...call, args: call.args.map((value) => (isObject(value) ? structuredClone(value) : value)) });
}

export function loneSurrogatesKept(call, next) {
  if (call.kind === 'Registry') {
    return mapText(call, next, (text) => text.toWellFormed());
  }
  return next(call.method === 'new' ? call : { ...call, args: mapStrings(call.args, (text) => text.toWellFormed()) });
}

export function emptyLabelIsAbsent(call, next) {
  if (call.method === 'setDefaultLabels') {
    return next({ ...call, args: [withoutAbsent(call.args[0])] });
  }
  return next(respell(call, (labels) => hasEmptyLabel(call.metric, labels)));
}

export function nullAsFirstValue(call, next) {
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

export function gaugeSetReplacesLabels(call, next) {
  const sets = call.method === 'set' || call.method === 'setToCurrentTime' || call.kind === 'Timer';
  return next(sets && call.metric.type === 'gauge' ? respell(call, () => true) : call);
}

export function childrenShareSeries(call, next) {
  if (call.method !== 'labels') {
    return next(call);
  }
  const spelling = (labels) => seriesOf(call.metric, labels)?.labels ?? labels;
  return next(mapLabels(call, spelling));
}

export function zeroReplacesLabels(call, next) {
  return next(call.method === 'zero' ? respell(call, () => true) : call);
}

export function zeroUnchecked(call, next) {
  if (call.method !== 'zero') {
    return next(call);
  }
  const [labels = {}] = call.args;
  refuseUnlisted(call.metric, labels);
  return next({ ...call, args: [labels] });
}

export function counterLabelsUnchecked(call, next) {
  if (call.kind === 'Counter' && call.method === 'labels' && isObject(call.args[0])) {
    refuseUnlisted(call.metric, call.args[0]);
  }
  return next(call);
}
