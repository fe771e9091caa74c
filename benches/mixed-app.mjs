// An application with 30 metrics of all kinds, three call sites each, and two request handlers. Each library gets a copy
// compiled from its own source text, so that the engine specialises each copy for one library, as in a real program.

/** Kind, and label names of each metric. */
const METRICS = {
  ...numbered('counter', [
    [],
    [],
    ['route'],
    ['route'],
    ['method', 'code'],
    ['method', 'code'],
    ['method', 'code'],
    ['method', 'route', 'code'],
    ['method', 'route', 'code'],
    ['method', 'route', 'code'],
    ['provider', 'model', 'type', 'outcome'],
    ['tenant', 'provider', 'model', 'type', 'outcome'],
  ]),
  ...numbered('gauge', [
    [],
    [],
    [],
    ['pool'],
    ['pool'],
    ['pool', 'state'],
    ['pool', 'state'],
    ['method', 'route', 'code'],
  ]),
  ...numbered('histogram', [
    [],
    [],
    ['route'],
    ['route'],
    ['route'],
    ['method', 'route'],
    ['method', 'route'],
    ['method', 'route', 'code'],
    ['method', 'route', 'code'],
    ['provider', 'model', 'operation', 'outcome'],
  ]),
  counterWide: { kind: 'counter', labels: ['method', 'route', 'code'] },
  counterFresh: { kind: 'counter', labels: ['method', 'route', 'code'] },
  counterWideFresh: { kind: 'counter', labels: ['method', 'route', 'code'] },
  histogramWide: { kind: 'histogram', labels: ['method', 'route', 'code'] },
};

const METHODS = { counter: 'inc', gauge: 'set', histogram: 'observe' };
/** What the three call sites of a metric record; a counter's first adds 1. */
const VALUES = {
  counter: ['', 'request.bytes', 'request.dollars'],
  gauge: ['request.depth', 'request.seconds', 'request.depth'],
  histogram: ['request.seconds', 'request.bytes', 'request.seconds'],
};
/**
 * How the call sites make their labels: in the declared order; in reverse, with the code as a number; by a function, the
 * last label added with a spread.
 */
const SHAPES = ['ordered', 'reversed', 'helper'];
const KEPT = ['counter7', 'gauge7', 'histogram7'];
const FRESH =
  '{ method: request.method, route: request.routeHead + request.routeTail, code: request.codeHead + request.codeTail }';

/** By title: the call sites that take turns, whether the requests have 10,000 label sets, and how many records a call is. */
export const cases = {
  'counter, no labels': sites(['counter0', 'counter1']),
  'gauge, no labels': sites(['gauge0', 'gauge1', 'gauge2']),
  'histogram, no labels': sites(['histogram0', 'histogram1']),
  'kept children': { sites: KEPT.map((name) => `${name}_child`) },
  'counter, 1 label': sites(['counter2', 'counter3']),
  'counter, 2 labels': sites(['counter4', 'counter5', 'counter6']),
  'counter, 3 labels': sites(['counter7', 'counter8', 'counter9']),
  'counter, 4 labels': sites(['counter10']),
  'counter, 5 labels': sites(['counter11']),
  'gauge, 1 or 2 labels': sites(['gauge3', 'gauge4', 'gauge5', 'gauge6']),
  'histogram, 1 or 2 labels': sites(['histogram2', 'histogram3', 'histogram4', 'histogram5', 'histogram6']),
  'histogram, 3 labels': sites(['histogram7', 'histogram8']),
  'histogram, 4 labels': sites(['histogram9']),
  'counter, 3 labels, fresh strings': { sites: ['counterFresh_fresh'] },
  'counter, 3 labels, 10,000 sets': { sites: ['counterWide_ordered', 'counterWide_helper'], wide: true },
  'counter, 3 labels, 10,000 sets, fresh strings': { sites: ['counterWideFresh_fresh'], wide: true },
  'histogram, 3 labels, 10,000 sets': { sites: ['histogramWide_ordered'], wide: true },
  'handler of a request, ten records': { sites: ['serveRequest'], records: 10 },
  'handler of an LLM call, ten records': { sites: ['serveCompletion'], records: 10 },
};

/**
 * The call sites of a library's copy, by name; each takes a request. Without a library they only make the label objects,
 * which is the caller's own cost.
 */
export function openApplication(library) {
  const metrics = library ? makeMetrics(library) : {};
  const names = Object.keys(metrics);
  const source = `'use strict'; /* ${++copies} */ ${library ? '' : 'let kept; function keep(labels) { kept = labels; }'}
    const sites = {};
    ${helpers().join('\n')}
    ${callSites(library !== undefined).join('\n')}
    return sites;`;
  return new Function(...names, source)(...names.map((name) => metrics[name]));
}

/** The loop that calls some sites in turn, compiled for one library. */
export function openLoop() {
  return new Function(
    'sites',
    'requests',
    'calls',
    `/* ${++copies} */ const mask = requests.length - 1;
    for (let i = 0, at = 0; i < calls; i++) {
      sites[at](requests[i & mask]);
      if (++at === sites.length) at = 0;
    }`,
  );
}

/** Equal source texts would share one compiled function. */
let copies = 0;

function numbered(kind, labelLists) {
  return Object.fromEntries(labelLists.map((labels, index) => [kind + index, { kind, labels }]));
}

function sites(names) {
  return { sites: names.flatMap((name) => SHAPES.map((shape) => `${name}_${shape}`)) };
}

function makeMetrics(library) {
  return Object.fromEntries(
    Object.entries(METRICS).map(([name, { kind, labels }]) => [name, library[kind](`mixed_${name}`, labels)]),
  );
}

/** The functions that the call sites of the shape `helper` use. */
function helpers() {
  const lists = new Set(Object.values(METRICS).map(({ labels }) => baseOf(labels).join()));
  return [...lists].filter(Boolean).map((list) => {
    const labels = list.split(',');
    return `function base_${labels.join('_')}(request) { return { ${labels.map((label) => `${label}: request.${label}`).join(', ')} }; }`;
  });
}

/** The labels that a helper makes: all but the last one, or the only one. */
function baseOf(labels) {
  return labels.length === 1 ? labels : labels.slice(0, -1);
}

function callSites(records) {
  const define = (name, body) => `sites.${name} = function ${name}(request) { ${body} };`;
  const all = Object.entries(METRICS).flatMap(([name, { kind }]) =>
    SHAPES.map((shape, index) => define(`${name}_${shape}`, record(records, name, shape, VALUES[kind][index]))),
  );
  for (const name of KEPT) {
    const { kind } = METRICS[name];
    if (records) all.push(`const child_${name} = ${name}.labels('GET', '/api/0', '200');`);
    all.push(define(`${name}_child`, records ? `child_${name}.${METHODS[kind]}(${VALUES[kind][1]});` : ''));
  }
  for (const name of ['counterFresh', 'counterWideFresh']) {
    all.push(define(`${name}_fresh`, call(records, name, FRESH, '')));
  }
  const one = (...args) => record(records, ...args);
  const inFlight = (name, method) => (records ? `${name}.${method}();` : '');
  all.push(
    define(
      'serveRequest',
      `${inFlight('gauge0', 'inc')}
      ${one('counter7', 'ordered', '')} ${one('histogram7', 'reversed', 'request.seconds')} ${one('counter4', 'helper', '')}
      ${one('histogram2', 'ordered', 'request.seconds')} ${one('counter0', 'ordered', '')} ${one('counter1', 'ordered', 'request.bytes')}
      ${one('histogram0', 'ordered', 'request.seconds')} ${one('gauge5', 'ordered', 'request.depth')}
      ${inFlight('gauge0', 'dec')}`,
    ),
    define(
      'serveCompletion',
      `${inFlight('gauge1', 'inc')}
      ${one('counter10', 'ordered', 'request.bytes')} ${one('counter10', 'reversed', 'request.bytes')}
      ${one('histogram9', 'ordered', 'request.seconds')} ${one('counter11', 'ordered', 'request.dollars')}
      ${one('histogram5', 'helper', 'request.seconds')} ${one('counter8', 'reversed', '')}
      ${one('histogram1', 'ordered', 'request.bytes')} ${one('counter2', 'ordered', '')}
      ${inFlight('gauge1', 'dec')}`,
    ),
  );
  return all;
}

function record(records, name, shape, value) {
  return call(records, name, labelObject(METRICS[name].labels, shape), value);
}

function call(records, name, labels, value) {
  if (!records) return labels && `keep(${labels});`;
  return `${name}.${METHODS[METRICS[name].kind]}(${[labels, value].filter(Boolean).join(', ')});`;
}

function labelObject(labels, shape) {
  if (labels.length === 0) return '';
  const literal = (pairs) => `{ ${pairs.join(', ')} }`;
  if (shape === 'ordered') return literal(labels.map((label) => `${label}: request.${label}`));
  if (shape === 'reversed') {
    return literal(
      [...labels].reverse().map((label) => `${label}: request.${label === 'code' ? 'codeNumber' : label}`),
    );
  }
  const base = `base_${baseOf(labels).join('_')}(request)`;
  const last = labels.at(-1);
  return labels.length === 1 ? base : literal([`...${base}`, `${last}: request.${last}`]);
}
