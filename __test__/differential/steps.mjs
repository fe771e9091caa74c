// Turns a step of a random program into one call: the object, the arguments, the source code, and the use of the
// result. It knows the scene (the existing objects and their names) and no library.

import { MISSING, OMITTED } from './generator.mjs';
import { literal } from './notation.mjs';

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const CONTENT_TYPES = { text: TEXT, openmetrics: OPENMETRICS, unsupported: 'text/html' };

/** The objects that a program has made so far; equal in every client. */
export function emptyScene() {
  return { registries: [{ code: 'register' }], metrics: [], foreign: [], children: [], timers: [], shared: [{}, {}] };
}

/** The objects of one client, in the order of the scene. */
export function emptyWorld(client) {
  client.register.clear();
  client.register.setContentType(TEXT);
  return {
    client,
    registries: [client.register],
    metrics: [],
    foreign: [],
    children: [],
    timers: [],
    shared: [{}, {}],
  };
}

/**
 * The action for a step; `undefined` if the step has no object to act on. `method` is the exercised method,
 * `run(world)` executes it, `keep` names the list that takes the result, and `as` is what the scene stores about it.
 */
export function actionOf(step, scene) {
  const [type, method] = step.step.split('.');
  if (method === undefined) {
    return ACTIONS[step.step](step, scene);
  }
  if (type === 'Registry') {
    return method === 'new' ? newRegistry(step, scene) : onRegistry(step, scene, method);
  }
  return type.endsWith('Child') || type === 'child'
    ? onChild(step, scene, type, method)
    : onMetric(step, scene, type, method);
}

const WRONG_LABEL_NAMES = { 'invalid label name': ['ok', 'not ok', '0'], 'label given twice': ['a', 'b', 'a'] };

const ACTIONS = { construct, foreign, tick, mutate, startTimer, endTimer, labels, remove, reset, get, properties };

function construct(step, scene) {
  const { type, mistake, registers, buckets } = step;
  // Reserved for histograms only: other metrics may have this label.
  const labelNames = mistake === 'reserved label' ? ['le'] : step.labelNames;
  const names = labelNames === OMITTED ? [] : labelNames;
  const exemplars = step.enableExemplars === true && type !== 'Gauge';
  const fields = {
    name: constant({ 'missing name': '', 'invalid name': '9 lives' }[mistake] ?? step.name),
    help: constant(mistake === 'missing help' ? '' : step.help),
    labelNames: constant(WRONG_LABEL_NAMES[mistake] ?? labelNames),
    registers: registers === OMITTED || registers === undefined ? constant(registers) : registryList(registers, scene),
    buckets: constant(type !== 'Histogram' ? OMITTED : mistake === 'buckets out of order' ? [1, 5, 2] : buckets),
    aggregator: constant(mistake === 'unknown aggregator' ? 'median' : step.aggregator),
    enableExemplars: constant(step.enableExemplars),
    collect:
      mistake === 'collect is not a function' ? constant('later') : collectCallback(step, names, exemplars, scene),
  };
  const config = record(fields);
  const on = registers === OMITTED || registers === undefined ? [0] : registers.map((r) => r % scene.registries.length);
  return {
    method: `${type}.new`,
    code: `new ${type}(${config.code})`,
    run: (world) => new world.client[type](config.of(world)),
    keep: 'metrics',
    as: { type, name: step.name, labelNames: names, exemplars, registries: new Set(on), events: [] },
  };
}

function collectCallback({ collect: kind, type, elsewhere }, labelNames, exemplars, scene) {
  const other = kind === 'records elsewhere' ? pick(scene.metrics, elsewhere) : undefined;
  if (kind === OMITTED || (kind === 'records elsewhere' && other === undefined)) {
    return constant(OMITTED);
  }
  const i = scene.metrics.indexOf(other);
  const recorded = other ?? { type, labelNames, exemplars };
  // No other step uses this label value, so a callback's records do not mix with others.
  const labels = Object.fromEntries(recorded.labelNames.map((name) => [name, 'collected']));
  const method = { Counter: 'inc', Gauge: 'set', Histogram: 'observe' }[recorded.type];
  const args = recorded.exemplars ? [{ labels, value: 3 }] : [labels, 3];
  const later = kind === 'records later' || kind === 'rejects';
  const fails = kind === 'throws' || kind === 'rejects';
  const lines = [
    ...(later ? ['await null;'] : []),
    `${other === undefined ? 'this' : codeOf('metrics', i)}.${method}(${args.map(literal).join(', ')});`,
    ...(fails ? ["throw new Error('collect failed');"] : []),
  ];
  const of = (world) => {
    function collect() {
      (other === undefined ? this : world.metrics[i])[method](...structuredClone(args));
      if (fails) {
        throw new Error('collect failed');
      }
    }
    async function collectLater() {
      await null;
      collect.call(this);
    }
    return later ? collectLater : collect;
  };
  return { code: `${later ? 'async ' : ''}function () { ${lines.join(' ')} }`, of };
}

function foreign(step) {
  const { name, help, type } = step;
  const values = step.values.map(([choice, value]) => {
    const labels = chosenLabels(choice, ['a', 'q']);
    const present = Object.entries(labels).filter(([, label]) => label !== null && label !== undefined);
    const named = step.suffix === OMITTED || type === 'counter' ? {} : { metricName: `${name}${step.suffix}` };
    return { labels: Object.fromEntries(present), value, ...named };
  });
  const metric = { name, help, type, values, aggregator: 'sum' };
  const code = `{ name: ${literal(name)}, type: ${literal(type)}, reset() {}, ${step.awaits ? 'async ' : ''}get: () => (${literal(metric)}) }`;
  const make = () => {
    const get = () => structuredClone(metric);
    return { name, type, reset() {}, get: step.awaits ? async () => get() : get };
  };
  return { method: 'foreign metric', code, run: make, keep: 'foreign', as: { name } };
}

function tick({ by }) {
  return { method: 'clock', code: `advanceClock(${by})`, run: () => undefined, advance: by };
}

function mutate({ shared, name, value }, scene) {
  const change = (labels) => {
    if (value === MISSING) {
      delete labels[name];
    } else {
      labels[name] = value;
    }
  };
  change(scene.shared[shared]);
  const code = value === MISSING ? `delete s${shared}.${name}` : `s${shared}.${name} = ${literal(value)}`;
  return { method: 'label object mutated', code, run: (world) => change(world.shared[shared]) };
}

function onMetric(step, scene, type, method) {
  const metric = pick(scene.metrics, step.who, (candidate) => candidate.type === type);
  if (metric === undefined) {
    return undefined;
  }
  const args = 'amount' in step ? recordingArgs(step, metric, scene) : labelArgs(step, metric, scene);
  return call(scene, 'metrics', metric, method, args, { method: `${type}.${method}` });
}

function recordingArgs(step, metric, scene) {
  const labels = labelsArgument(step.labels, metric.labelNames, scene);
  const value = constant(step.amount);
  if (metric.exemplars && step.form !== 'value') {
    const given = step.form === 'labels' ? labels : constant(OMITTED);
    return [record({ labels: given, value, exemplarLabels: constant(step.exemplarLabels) })];
  }
  const first = { labels, 'undefined first': constant(undefined), 'null first': constant(null) }[step.form];
  return [first, value].filter((argument) => argument !== undefined && argument.code !== undefined);
}

function labelArgs(step, metric, scene) {
  return step.form === 'labels' ? [labelsArgument(step.labels, metric.labelNames, scene)] : [];
}

function startTimer(step, scene) {
  const metric = pick(scene.metrics, step.who, ({ type }) => type !== 'Counter');
  if (metric === undefined) {
    return undefined;
  }
  const { exemplars } = metric;
  const { args, given } = timerArgs(step, { metric, exemplars, labels: {}, exemplarLabels: {} }, scene);
  return call(scene, 'metrics', metric, 'startTimer', args, {
    method: `${metric.type}.startTimer`,
    keep: 'timers',
    as: { metric, exemplars, ...given },
  });
}

function endTimer(step, scene) {
  const timer = pick(scene.timers, step.who);
  if (timer === undefined) {
    return undefined;
  }
  const { args } = timerArgs(step, timer, scene);
  const i = scene.timers.indexOf(timer);
  return {
    method: `${timer.metric.type} timer`,
    code: `${codeOf('timers', i)}(${args.map(({ code }) => code).join(', ')})`,
    run: (world) => world.timers[i](...args.map((argument) => argument.of(world))),
  };
}

/** The arguments of a timer's start or end, and the labels and exemplar labels after it. */
function timerArgs(step, timer, scene) {
  const labels =
    step.form === 'labels' ? labelsArgument(step.labels, timer.metric.labelNames, scene) : constant(undefined);
  const given = { labels: { ...timer.labels, ...labels.current }, exemplarLabels: timer.exemplarLabels };
  if (!timer.exemplars) {
    return { args: step.form === 'labels' ? [labels] : [], given };
  }
  const merged =
    step.exemplarLabels === OMITTED ? given.exemplarLabels : { ...given.exemplarLabels, ...step.exemplarLabels };
  const args = step.exemplarLabels === OMITTED ? [labels] : [labels, constant(step.exemplarLabels)];
  return { args, given: { ...given, exemplarLabels: merged } };
}

function labels(step, scene) {
  const metric = pick(scene.metrics, step.who);
  if (metric === undefined) {
    return undefined;
  }
  const args = labelsOrValues(step, metric, scene);
  return call(scene, 'metrics', metric, 'labels', args, {
    method: `${metric.type}.labels`,
    keep: 'children',
    as: { metric, born: metric.events.length, current: args.current },
  });
}

function remove(step, scene) {
  const metric = pick(scene.metrics, step.who);
  if (metric === undefined) {
    return undefined;
  }
  const args = labelsOrValues(step, metric, scene);
  return call(scene, 'metrics', metric, 'remove', args, { method: `${metric.type}.remove`, event: 'remove' });
}

function labelsOrValues(step, metric, scene) {
  if (step.form === 'object') {
    const argument = labelsArgument(step.labels, metric.labelNames, scene);
    return Object.assign([argument], { current: argument.current });
  }
  const values = metric.labelNames
    .map((_, i) => step.labels.values[i])
    .map((value) => (value === MISSING ? undefined : value));
  const wrong = values.length === 0 ? ['x'] : values.slice(0, -1);
  const given = step.form === 'values' ? values : wrong;
  const current = Object.fromEntries(metric.labelNames.map((name, i) => [name, values[i]]));
  return Object.assign(given.map(constant), { current });
}

function reset({ who }, scene) {
  const metric = pick(scene.metrics, who);
  return metric && call(scene, 'metrics', metric, 'reset', [], { method: `${metric.type}.reset`, event: 'reset' });
}

function get({ who }, scene) {
  const metric = pick(scene.metrics, who);
  return metric && call(scene, 'metrics', metric, 'get', [], { method: `${metric.type}.get` });
}

function properties({ who }, scene) {
  const metric = pick(scene.metrics, who);
  if (metric === undefined) {
    return undefined;
  }
  const i = scene.metrics.indexOf(metric);
  return {
    method: 'metric properties',
    code: `(({ name, help, type, labelNames, aggregator }) => ({ name, help, type, labelNames, aggregator }))(m${i})`,
    run: ({ metrics }) => {
      const { name, help, type, labelNames, aggregator } = metrics[i];
      return { name, help, type, labelNames, aggregator };
    },
  };
}

function onChild(step, scene, kind, method) {
  const timers = kind === 'child';
  const wanted = kind.replace('Child', '');
  const child = pick(scene.children, step.who, ({ metric }) =>
    timers ? metric.type !== 'Counter' : metric.type === wanted,
  );
  if (child === undefined) {
    return undefined;
  }
  const { metric } = child;
  const value = constant('amount' in step ? step.amount : OMITTED);
  const args = value.code === undefined ? [] : [value];
  const since = metric.events.slice(child.born);
  return call(scene, 'children', child, method, args, {
    method: `${metric.type} child.${method}`,
    ...(timers ? { keep: 'timers', as: { metric, exemplars: false, labels: child.current, exemplarLabels: {} } } : {}),
    situations: [...new Set(since)].map((event) => `child used after ${event}`),
    metric,
  });
}

function newRegistry({ contentType }, _scene) {
  const type = contentType === OMITTED ? undefined : CONTENT_TYPES[contentType];
  return {
    method: 'Registry.new',
    code: `new Registry(${type === undefined ? '' : literal(type)})`,
    run: ({ client }) => (type === undefined ? new client.Registry() : new client.Registry(type)),
    keep: 'registries',
    as: {},
  };
}

function onRegistry(step, scene, method) {
  if (method === 'merge') {
    const list = registryList(step.where, scene);
    return {
      method: 'Registry.merge',
      code: `Registry.merge(${list.code})`,
      run: (world) => world.client.Registry.merge(list.of(world)),
      keep: 'registries',
      as: {},
    };
  }
  const i = step.where % scene.registries.length;
  const registry = scene.registries[i];
  const name = `Registry.${method}`;
  if (method === 'contentType') {
    return {
      method: name,
      code: `${codeOf('registries', i)}.contentType`,
      run: (world) => world.registries[i].contentType,
    };
  }
  const args = registryArgs(step, scene, method);
  return (
    args &&
    call(scene, 'registries', registry, method, args, { method: name, ...registryEffect(step, scene, method, i) })
  );
}

function registryArgs(step, scene, method) {
  switch (method) {
    case 'getSingleMetric':
      return [constant(step.name)];
    case 'removeSingleMetric':
    case 'getSingleMetricAsString': {
      const metric = pick(scene.metrics, step.who);
      return metric && [constant(metric.name)];
    }
    case 'setContentType':
      return [constant(CONTENT_TYPES[step.contentType] ?? TEXT)];
    case 'setDefaultLabels':
      return step.invalid !== OMITTED
        ? [constant({ service: 'x', [step.invalid]: 'x' })]
        : [labelsArgument(step.labels, ['service', 'a', 'method'], scene)];
    case 'registerMetric': {
      const all = [...scene.metrics, ...scene.foreign];
      const i = step.who % all.length;
      return all.length === 0
        ? undefined
        : i < scene.metrics.length
          ? [{ code: `m${i}`, of: (world) => world.metrics[i] }]
          : [{ code: `f${i - scene.metrics.length}`, of: (world) => world.foreign[i - scene.metrics.length] }];
    }
    default:
      return [];
  }
}

/** Applies a registry's call to the metrics of the scene. Their children outlive it. */
function registryEffect(step, scene, method, i) {
  const members = scene.metrics.filter(({ registries }) => registries.has(i));
  const happens = (event, metrics) => ({
    effect: () => {
      for (const metric of metrics) {
        metric.events.push(event);
      }
    },
  });
  switch (method) {
    case 'clear':
      return happens('clear', members);
    case 'removeSingleMetric':
      return happens(
        'removeSingleMetric',
        members.filter(({ name }) => name === pick(scene.metrics, step.who)?.name),
      );
    case 'resetMetrics':
      return happens('reset', members);
    case 'registerMetric': {
      const metric = scene.metrics[step.who % (scene.metrics.length + scene.foreign.length)];
      return {
        effect: () => {
          metric?.registries.add(i);
          metric?.events.push('registerMetric');
        },
      };
    }
    default:
      return {};
  }
}

function call(scene, list, entry, method, args, rest) {
  const i = scene[list].indexOf(entry);
  const { event, ...action } = rest;
  return {
    code: `${codeOf(list, i)}.${method}(${args.map(({ code }) => code).join(', ')})`,
    run: (world) => world[list][i][method](...args.map((argument) => argument.of(world))),
    ...(event === undefined ? {} : { effect: () => entry.events.push(event) }),
    ...action,
  };
}

/** The variable that holds an object of the program. */
export function codeOf(list, i) {
  if (list === 'registries') {
    return i === 0 ? 'register' : `r${i}`;
  }
  return `${{ metrics: 'm', foreign: 'f', children: 'k', timers: 'end' }[list]}${i}`;
}

function pick(list, number, accepts = () => true) {
  const candidates = list.filter(accepts);
  return candidates.length === 0 ? undefined : candidates[number % candidates.length];
}

function constant(value) {
  return { code: value === OMITTED ? undefined : literal(value), of: () => structuredCloneOf(value) };
}

function structuredCloneOf(value) {
  return typeof value === 'object' ? structuredClone(value) : value;
}

function record(fields) {
  const given = Object.entries(fields).filter(([, argument]) => argument.code !== undefined);
  return {
    code: `{ ${given.map(([name, { code }]) => `${name}: ${code}`).join(', ')} }`,
    of: (world) => Object.fromEntries(given.map(([name, argument]) => [name, argument.of(world)])),
  };
}

function registryList(numbers, scene) {
  const indices = numbers.map((number) => number % scene.registries.length);
  return {
    code: `[${indices.map((i) => codeOf('registries', i)).join(', ')}]`,
    of: ({ registries }) => indices.map((i) => registries[i]),
  };
}

function labelsArgument(choice, labelNames, scene) {
  if (choice.shared !== OMITTED) {
    const current = { ...scene.shared[choice.shared] };
    return { code: `s${choice.shared}`, of: ({ shared }) => shared[choice.shared], current };
  }
  const labels = chosenLabels(choice, labelNames);
  return { ...constant(labels), current: labels };
}

function chosenLabels({ values, order, unlisted, neighbour }, labelNames) {
  if (neighbour !== OMITTED && labelNames.length >= 2) {
    return neighbours(labelNames)[neighbour];
  }
  const entries = labelNames.map((name, i) => [name, values[i]]).filter(([, value]) => value !== MISSING);
  if (unlisted !== OMITTED) {
    entries.push(['unlisted', unlisted]);
  }
  return Object.fromEntries(permuted(entries, order));
}

/** Label sets that are the same to prom-client (the first two) or to its successor (the others). */
function neighbours(labelNames) {
  const [first, second] = [...labelNames].sort();
  return [
    { [first]: `x,${second}:y` },
    { [first]: 'x', [second]: 'y' },
    { [first]: 'x|y', [second]: 'z' },
    { [first]: 'x', [second]: 'y|z' },
  ];
}

/** The permutation with this number, of up to four items. */
function permuted(items, number) {
  const rest = [...items];
  const result = [];
  for (let left = number; rest.length > 0; left = Math.floor(left / (rest.length + 1))) {
    result.push(...rest.splice(left % rest.length, 1));
  }
  return result;
}
