// Changes results of calls, and throws the errors that several exemptions need in a peer's place.

import { format, inspect } from 'node:util';
import { isObject, isText, recordedValue } from '../calls.mjs';

/**
 * Runs a call and changes its resolved or rejected value. A value that is returned synchronously stays the same object.
 */
export function settle(run, { fulfilled = (value) => value, message = (text) => text }) {
  const reword = (error) => {
    if (error instanceof Error) {
      error.message = message(error.message);
    }
    throw error;
  };
  try {
    const result = run();
    return result instanceof Promise ? result.then(fulfilled, reword) : result;
  } catch (error) {
    return reword(error);
  }
}

/** The value with `change` applied to every string in it. Unchanged parts stay the same objects. */
export function mapStrings(value, change) {
  if (typeof value === 'string') {
    return change(value);
  }
  if (!isObject(value)) {
    return value;
  }
  const changed = Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]);
  if (changed.every(([key, item]) => Object.is(item, value[key]))) {
    return value;
  }
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
}

/** Changes the exposition that a call returns, if it returns one. */
export function mapText(call, next, change) {
  return isText(call) ? settle(() => next(call), { fulfilled: change }) : next(call);
}

/** Throws the error for an invalid value of a counter's or histogram's call. */
export function refuseValue(call) {
  const counts = call.method === 'inc';
  const value = counts ? (recordedValue(call) ?? 1) : recordedValue(call);
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new TypeError(`Value is not a valid number: ${format(value)}`);
  }
  if (counts && value < 0) {
    throw new Error('It is not possible to decrease a counter');
  }
}

/** Throws the error for a label that the metric does not have. */
export function refuseUnlisted({ labelNames }, labels) {
  for (const name in labels) {
    if (!labelNames.includes(name)) {
      throw new Error(`Added label "${name}" is not included in initial labelset: ${inspect(labelNames)}`);
    }
  }
}
