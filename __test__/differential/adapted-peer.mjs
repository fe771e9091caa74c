// Wraps a peer library in its own API and runs exemptions between the caller and the peer. It knows the classes and
// their methods; it must not know which exemptions exist.

import { isObject, labelSetOf } from './calls.mjs';

const METHODS = {
  Counter: ['inc', 'labels', 'remove', 'reset', 'get'],
  CounterChild: ['inc'],
  Gauge: ['inc', 'dec', 'set', 'setToCurrentTime', 'startTimer', 'labels', 'remove', 'reset', 'get'],
  GaugeChild: ['inc', 'dec', 'set', 'setToCurrentTime', 'startTimer'],
  Histogram: ['observe', 'zero', 'startTimer', 'labels', 'remove', 'reset', 'get'],
  HistogramChild: ['observe', 'startTimer'],
  Registry: [
    'metrics',
    'getMetricsAsJSON',
    'getSingleMetricAsString',
    'getSingleMetric',
    'getMetricsAsArray',
    'registerMetric',
    'removeSingleMetric',
    'resetMetrics',
    'setDefaultLabels',
    'setContentType',
    'clear',
  ],
};
const PROPERTIES = ['name', 'help', 'type', 'labelNames', 'aggregator'];

/**
 * A client with the peer's API. Each exemption is a function `(call, next) => result` around every call; the first in
 * the list is the outermost. A call is `{ kind, method, args, raw, metric, labels, bare, ... }`: `raw` is the peer's
 * object; `metric` is the peer's metric, also for children and timers; `labels` are the labels of a child or timer;
 * `exemplarLabels` are those that a timer was started with; `bare` is a timer that was started at the same moment
 * without arguments.
 */
export function adaptPeer(peer, exemptions) {
  const wrappers = new WeakMap();
  const raws = new WeakMap();
  const unwrap = (value) => raws.get(value) ?? value;
  const wrapperOf = (raw) => (isObject(raw) ? (wrappers.get(raw) ?? raw) : raw);
  const dispatch = exemptions.reduceRight((next, exemption) => (call) => exemption(call, next), perform);

  function perform(call) {
    if (call.method === 'new') {
      return construct(call);
    }
    if (call.method === 'merge') {
      return pair(call.self, peer.Registry.merge(call.args[0].map(unwrap)));
    }
    const result = call.raw[call.method](
      ...call.args.map((argument) => (isObject(argument) ? unwrap(argument) : argument)),
    );
    switch (call.method) {
      case 'labels':
        return expose(
          `${call.kind}Child`,
          {},
          { raw: result, metric: call.metric, labels: labelSetOf(call)?.labels ?? {} },
        );
      case 'startTimer':
        return exposeTimer(call, result);
      case 'getMetricsAsArray':
        return result.map(wrapperOf);
      case 'getSingleMetric':
        return wrapperOf(result);
      default:
        return result;
    }
  }

  function construct({ kind, args, self }) {
    const [config] = args;
    if (kind === 'Registry' || !isObject(config)) {
      return pair(self, new peer[kind](...args));
    }
    const given = { ...config };
    if (config.registers !== undefined) {
      given.registers = config.registers.map(unwrap);
    }
    if (typeof config.collect === 'function') {
      // `this` of a collect callback is the wrapped metric, so that exemptions also apply to what it records.
      given.collect = () => config.collect.call(self);
    }
    return pair(self, new peer[kind](given));
  }

  function pair(wrapper, raw) {
    wrappers.set(raw, wrapper);
    raws.set(wrapper, raw);
    return raw;
  }

  function expose(kind, wrapper, context) {
    for (const method of METHODS[kind]) {
      wrapper[method] = (...args) => dispatch({ peer, unwrap, kind, method, args, self: wrapper, ...context });
    }
    return wrapper;
  }

  function exposeTimer(call, end) {
    const context = {
      kind: 'Timer',
      method: 'end',
      raw: { end },
      metric: call.metric,
      labels: call.labels ?? labelSetOf(call).labels,
      exemplarLabels: call.args[1],
      bare: call.metric.startTimer(),
    };
    return (...args) => dispatch({ peer, unwrap, args, ...context });
  }

  function metricClass(kind) {
    return class {
      constructor(config) {
        const raw = dispatch({ peer, unwrap, kind, method: 'new', args: [config], self: this });
        expose(kind, this, { raw, metric: raw });
        for (const property of PROPERTIES) {
          Object.defineProperty(this, property, { get: () => raw[property] });
        }
      }
    };
  }

  function exposeRegistry(wrapper, raw) {
    Object.defineProperty(wrapper, 'contentType', { get: () => raw.contentType });
    return expose('Registry', wrapper, { raw });
  }

  class Registry {
    static PROMETHEUS_CONTENT_TYPE = peer.Registry.PROMETHEUS_CONTENT_TYPE;
    static OPENMETRICS_CONTENT_TYPE = peer.Registry.OPENMETRICS_CONTENT_TYPE;

    constructor(...args) {
      exposeRegistry(this, dispatch({ peer, unwrap, kind: 'Registry', method: 'new', args, self: this }));
    }

    static merge(registries) {
      const self = Object.create(Registry.prototype);
      const args = [registries];
      return exposeRegistry(self, dispatch({ peer, unwrap, kind: 'Registry', method: 'merge', args, self }));
    }
  }

  const register = Object.create(Registry.prototype);
  exposeRegistry(register, pair(register, peer.register));
  const [Counter, Gauge, Histogram] = ['Counter', 'Gauge', 'Histogram'].map(metricClass);
  return { register, Registry, Counter, Gauge, Histogram };
}
