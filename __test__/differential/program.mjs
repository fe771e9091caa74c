// Runs one program on several clients step by step and compares what each call returns or throws. It also writes the
// program as code, which a failure shows.

import { advanceClock, releaseClock, stopClock } from './clock.mjs';
import { notation } from './notation.mjs';
import { actionOf, codeOf, emptyScene, emptyWorld } from './steps.mjs';

const LISTS = ['registries', 'metrics', 'foreign', 'children', 'timers'];

/**
 * Runs the steps on each of `clients` (`{ name, client }`), then scrapes everything. Returns the difference between the
 * first client and another as text, or `undefined`. `exercised(what)` is called for every method that returned and for
 * every other one that threw.
 */
export async function runProgram(steps, clients, exercised = () => {}) {
  const scene = emptyScene();
  const worlds = clients.map(({ client, aggregate }) => ({ ...emptyWorld(client), aggregate }));
  const code = [];
  stopClock();
  try {
    for (const step of steps) {
      const action = actionOf(step, scene);
      if (action !== undefined) {
        const difference = await perform(action, scene, worlds, clients, code, exercised);
        if (difference !== undefined) {
          return difference;
        }
      }
    }
    for (const action of finalScrapes(scene)) {
      const difference = await perform(action, scene, worlds, clients, code, () => {});
      if (difference !== undefined) {
        return difference;
      }
    }
    return undefined;
  } finally {
    releaseClock();
  }
}

/** A shorter program that still fails: leaves out the steps that the failure does not need. */
export async function shortened(steps, clients) {
  let rest = steps;
  for (let i = steps.length - 1; i >= 0; i -= 1) {
    const without = rest.toSpliced(i, 1);
    rest = (await runProgram(without, clients)) === undefined ? rest : without;
  }
  return rest;
}

async function perform(action, scene, worlds, clients, code, exercised) {
  const results = [];
  for (const world of worlds) {
    results.push(await outcome(action, world));
  }
  const target = action.keep === undefined ? '' : `const ${codeOf(action.keep, scene[action.keep].length)} = `;
  const failed = results[0].error !== undefined;
  for (const what of failed ? [`${action.method} refused`] : [action.method, ...(action.situations ?? [])]) {
    exercised(what);
  }
  code.push(failed ? `attempt(() => ${action.code}); // ${results[0].text}` : `${target}${action.code};`);
  const other = results.findIndex(({ text }) => text !== results[0].text);
  if (other !== -1) {
    return describeDifference(code, clients, results);
  }
  const shared = notation(scene.shared, () => undefined);
  const changed = worlds.findIndex((world) => notation(world.shared, () => undefined) !== shared);
  if (changed !== -1) {
    return `${code.join('\n')}\n\n${clients[changed].name} changed a label object of the caller's`;
  }
  if (!failed) {
    if (action.keep !== undefined) {
      scene[action.keep].push(action.as);
      worlds.forEach((world, i) => {
        world[action.keep].push(results[i].value);
      });
    }
    action.effect?.();
  }
  if (action.advance !== undefined) {
    advanceClock(action.advance);
  }
  return undefined;
}

async function outcome(action, world) {
  try {
    const value = await action.run(world);
    return { value, text: `returns ${action.keep === undefined ? notation(value, namesIn(world)) : 'it'}` };
  } catch (error) {
    return { error, text: `throws ${error.name}: ${error.message}` };
  }
}

function namesIn(world) {
  return (value) => {
    for (const list of LISTS) {
      const i = world[list].indexOf(value);
      if (i !== -1) {
        return codeOf(list, i);
      }
    }
    return undefined;
  };
}

function finalScrapes(scene) {
  const ofRegistry = (i, method) => ({
    method: `Registry.${method}`,
    code: `await ${codeOf('registries', i)}.${method}()`,
    run: ({ registries }) => registries[i][method](),
  });
  const ofMetric = (i) => ({ method: 'get', code: `await m${i}.get()`, run: ({ metrics }) => metrics[i].get() });
  return [
    ...scene.registries.flatMap((_, i) => [ofRegistry(i, 'metrics'), ofRegistry(i, 'getMetricsAsJSON')]),
    ...scene.metrics.map((_, i) => ofMetric(i)),
    { method: 'aggregate', code: 'aggregated(…) // the JSON of all registries, twice', run: aggregated },
  ];
}

/** What the primary of a cluster makes of its workers' messages, if two workers have these registries. */
async function aggregated({ registries, aggregate }) {
  const lists = [];
  // One after the other: a callback of one registry may record into another.
  for (const registry of registries) lists.push(await registry.getMetricsAsJSON());
  const received = JSON.parse(JSON.stringify(lists)).map((families) => families.filter(isComparable));
  const families = await aggregate([...received, ...received]).getMetricsAsJSON();
  // The successor groups the samples by their names.
  const sorted = (values) => values.map((sample) => notation(sample, () => undefined)).sort();
  return families.map(({ values, ...family }) => ({ ...family, values: sorted(combined(family, values)) }));
}

/** The samples of each label set as one: with a default label of `null`, the successor leaves one for each worker. */
function combined({ aggregator }, values) {
  const samples = new Map();
  for (const sample of values) {
    const key = notation({ ...sample, value: 0 }, () => undefined);
    const other = samples.get(key);
    if (other === undefined) samples.set(key, { ...sample });
    else if (aggregator === 'sum') other.value += sample.value;
  }
  return [...samples.values()];
}

/**
 * False for families that the peers combine wrongly: they join label values with a separator, tell an empty label from an
 * absent one, and prom-client needs an aggregator.
 */
function isComparable({ aggregator, values }) {
  const isFine = (value) => value !== '' && !/[,:|]/.test(value);
  return aggregator !== undefined && values.every(({ labels }) => Object.values(labels ?? {}).every(isFine));
}

function describeDifference(code, clients, results) {
  const texts = results.map(({ value, text }) => (typeof value === 'string' ? value : text).split('\n'));
  const same = (i) => texts.every((lines) => lines[i] === texts[0][i]);
  const sameFromEnd = (i) => texts.every((lines) => lines.at(-1 - i) === texts[0].at(-1 - i));
  const shortest = Math.min(...texts.map(({ length }) => length));
  let before = 0;
  while (before < shortest && same(before)) {
    before += 1;
  }
  let after = 0;
  while (after < shortest - before && sameFromEnd(after)) {
    after += 1;
  }
  const differing = (lines) => lines.slice(before, lines.length - after).join('\n') || '(no line)';
  return [
    "import client from '@llm-devops/prometheus-metrics'; // or a peer",
    'const { register, Registry, Counter, Gauge, Histogram } = client;',
    'const [s0, s1] = [{}, {}];',
    'const advanceClock = () => {}; // the test moves all clocks, by 1/512 s a tick',
    'const attempt = (call) => { try { call(); } catch {} };',
    ...code,
    '',
    `// the last call gives ${before} equal lines, then`,
    ...clients.map(({ name }, i) => `--- ${name}\n${differing(texts[i])}`),
  ].join('\n');
}
