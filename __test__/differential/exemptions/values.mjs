// Exemptions for values: what counters, gauges and histograms accept as a value.

import { format } from 'node:util';
import {
  hasUnlisted,
  isCounterInc,
  isGaugeDelta,
  labelSetOf,
  recordedValue,
  seriesOf,
  takesExemplar,
  withValue,
} from '../calls.mjs';
import { refuseValue } from './results.mjs';

export function counterTakesFalsyValues(call, next) {
  const value = isCounterInc(call) ? recordedValue(call) : undefined;
  if (Number.isNaN(value) || value === '' || value === false) {
    throw new TypeError(`Value is not a valid number: ${format(value)}`);
  }
  return next(call);
}

export function observeForgetsFalsyValues(call, next) {
  if (call.kind === 'Histogram' && call.method === 'observe' && !takesExemplar(call) && call.args.length === 1) {
    const [value] = call.args;
    if (Number.isNaN(value) || value === '' || value === false) {
      throw new TypeError(`Value is not a valid number: ${format(value)}`);
    }
  }
  return next(call);
}

export function labelsCheckedFirst(call, next) {
  const counts = call.kind === 'Counter' && call.method === 'inc';
  const observes = call.kind === 'Histogram' && call.method === 'observe';
  if ((counts || observes) && hasUnlisted(call.metric, labelSetOf(call).labels)) {
    refuseValue(call);
  }
  return next(call);
}

export function gaugeNullDelta(call, next) {
  return next(isGaugeDelta(call) && recordedValue(call) === null ? withValue(call, 1) : call);
}

export function gaugeDecCoerces(call, next) {
  const value = isGaugeDelta(call) && call.method === 'dec' ? recordedValue(call) : undefined;
  if (value !== undefined && value !== null && typeof value !== 'number') {
    throw new TypeError(`Delta is not a valid number: ${format(value)}`);
  }
  return next(call);
}

export function firstDeltaKeepsZeroSign(call, next) {
  if (!isCounterInc(call) && !isGaugeDelta(call)) {
    return next(call);
  }
  const labels = call.labels ?? labelSetOf(call).labels;
  const first = recordedValue(call) === 0 && seriesOf(call.metric, labels) === undefined;
  return next(first ? withValue(call, call.method === 'dec' ? -0 : 0) : call);
}

export function incReturnsHash(call, next) {
  const result = next(call);
  return isCounterInc(call) ? undefined : result;
}
