// Exemptions for invalid constructor arguments and look-ups, and their messages.

import { inspect } from 'node:util';
import { settle } from './results.mjs';

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function unknownLabelsSorted(call, next) {
  const names = call.metric?.labelNames ?? [];
  const message = (text) =>
    text.startsWith('Added label ') ? text.replace(inspect([...names].sort()), () => inspect(names)) : text;
  return settle(() => next(call), { message });
}

export function invalidNamesUnnamed(call, next) {
  const { name, labelNames = [] } = call.args[0] ?? {};
  const message = (text) => {
    if (text === 'Invalid metric name') return `Invalid metric name: ${name}`;
    const invalid = labelNames.filter((label) => !LABEL_NAME.test(label));
    return text === 'Invalid label name' ? `At least one label name is invalid: ${invalid.join(',')}` : text;
  };
  return call.method === 'new' ? settle(() => next(call), { message }) : next(call);
}

export function repeatedLabelName(call, next) {
  const { name, labelNames = [] } = call.method === 'new' ? (call.args[0] ?? {}) : {};
  const twice = labelNames.find((label, i) => labelNames.indexOf(label) < i);
  if (twice !== undefined) {
    throw new Error(`Invalid label name: ${twice} (given twice to ${name})`);
  }
  return next(call);
}

export function aggregatorUnchecked(call, next) {
  const { aggregator = 'sum' } = call.method === 'new' ? (call.args[0] ?? {}) : {};
  const known = ['sum', 'first', 'latest', 'omit', 'average', 'min', 'max'];
  if (!known.includes(aggregator)) {
    const expected = known.join(', ');
    throw new TypeError(`Expected one of ${expected} for aggregator but received "${aggregator}" of type string`);
  }
  return next(call);
}

export function bucketsUnchecked(call, next) {
  const { name, buckets = [] } = call.method === 'new' ? (call.args[0] ?? {}) : {};
  const finite = buckets.at(-1) === Infinity ? buckets.slice(0, -1) : buckets;
  if (!finite.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > finite[i - 1]))) {
    const received = buckets.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`)).join(', ');
    throw new Error(`Expected finite numbers in ascending order for the buckets of ${name} but received [${received}]`);
  }
  return next(call);
}

export function defaultLabelNamesUnchecked(call, next) {
  const names = call.method === 'setDefaultLabels' ? Object.keys(call.args[0]) : [];
  const invalid = names.find((name) => !LABEL_NAME.test(name));
  if (invalid !== undefined) {
    throw new Error(`At least one label name is invalid: ${invalid}`);
  }
  return next(call);
}

export function unknownMetricUnnamed(call, next) {
  const [name] = call.args;
  if (call.method !== 'getSingleMetricAsString' || call.raw.getSingleMetric(name) !== undefined) {
    return next(call);
  }
  const internal = "Cannot read properties of undefined (reading 'getForPromString')";
  return settle(() => next(call), {
    message: (text) => (text === internal ? `Expected the name of a registered metric but received "${name}"` : text),
  });
}

export function configurationErrorsAreErrors(call, next) {
  try {
    return next(call);
  } catch (error) {
    const ours = /^(Content type .* is unsupported|Registers can only be merged .*|Optional "collect" parameter .*)$/;
    throw ours.test(error.message) ? new TypeError(error.message) : error;
  }
}

export function infiniteBucket(call, next) {
  const [config] = call.args;
  const infinite = call.kind === 'Histogram' && call.method === 'new' && config?.buckets?.at(-1) === Infinity;
  return next(infinite ? { ...call, args: [{ ...config, buckets: config.buckets.slice(0, -1) }] } : call);
}

export function failedConstructorRegisters(call, next) {
  if (call.method !== 'new' || call.kind === 'Registry') {
    return next(call);
  }
  const { name, registers, labelNames = [] } = call.args[0] ?? {};
  if (call.kind === 'Histogram' && labelNames.includes('le')) {
    // The only check that a peer makes after registering the metric.
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
