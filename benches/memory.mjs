// Measures the memory of a labelled counter series: 100,000 series with three labels, in a fresh process each. The
// label with most values comes first in one process and last in the next.

import {
  atMost,
  collectGarbage,
  interleave,
  median,
  options,
  ownRole,
  progress,
  publish,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { libraryById, OURS, openLibrary, selectLibraries } from './libraries.mjs';

const SERIES = 100_000;
const BYTES_MAX = 200;
const REPEATS = options.quick ? 1 : 5;

/**
 * 10,000 x 5 x 2 values: one label that is almost an identity and two that are not, such as tenant, model and outcome.
 */
const SIZES = { tenant: 10_000, model: 5, outcome: 2 };
const ORDERS = { first: ['tenant', 'model', 'outcome'], last: ['outcome', 'model', 'tenant'] };

/** A young generation this small never grows, so a library's resident size contains no half-empty space. */
const EXEC_ARGV = ['--expose-gc', '--max-semi-space-size=1', '--min-semi-space-size=1'];

const role = ownRole();
if (role) serveRole({ measure: () => measure(role) });
else await main();

async function main() {
  const ids = selectLibraries().map(({ id }) => id);
  const entries = ids.flatMap((library) =>
    Object.keys(ORDERS).map((order) => ({ id: `${library}, most values ${order}`, library, order })),
  );
  const samples = await interleave(entries, REPEATS, fresh);
  for (const { id } of entries) progress(`${id}: ${describe(samples[id])}`);
  publish({
    name: 'memory',
    title: 'Memory',
    about: `Bytes per series: ${SERIES.toLocaleString('en')} counter series with three labels (10,000 x 5 x 2 values), median of ${REPEATS} fresh processes, with garbage collected before and after. Label values are strings from arrays that exist before. *Heap* is \`heapUsed\`; *external* is the memory outside the heap that V8 knows. *Resident* is the growth of the process. It is the only figure that contains native memory, so our library is judged by it. For every library, it also contains the allocators' spare memory.`,
    tables: [table(entries, samples)],
    verdicts: entries
      .filter(({ library }) => library === OURS)
      .map(({ id, order }) =>
        atMost(`label with most values ${order}, resident`, middle(samples[id], 'resident'), BYTES_MAX, 'bytes'),
      ),
    samples,
  });
}

async function fresh({ library, order }) {
  const child = startRole(import.meta.url, { library, order }, { execArgv: EXEC_ARGV });
  try {
    return await child.ask('measure');
  } finally {
    await child.stop();
  }
}

// ---- in the child ----

async function measure({ library: id, order }) {
  const names = ORDERS[order];
  const values = names.map((name) => Array.from({ length: SIZES[name] }, (_, index) => `${name}-${index}`));
  const library = openLibrary(id, SERIES);
  // Once with a few series first, so that code and type feedback do not count as memory of the series.
  fill(library, library.counter('bench_warm_up_total', names), names, values, 1_000);
  await library.scrapes['metrics()']();
  await settle();
  const before = process.memoryUsage();
  const counter = library.counter('bench_requests_total', names);
  fill(library, counter, names, values, SERIES);
  await settle();
  const after = process.memoryUsage();
  const found = (await library.scrapes['metrics()']()).match(/^bench_requests_total\{/gm).length;
  if (found !== SERIES) throw new Error(`Expected ${SERIES} series of ${id} but found ${found}`);
  const growth = (key) => (after[key] - before[key]) / SERIES;
  return { heap: growth('heapUsed'), external: growth('external'), resident: growth('rss') };
}

function fill(library, counter, [first, second, third], values, size) {
  for (let index = 0; index < size; index++) {
    // A stride without a common factor with the sizes: label sets arrive unordered, each once.
    let rest = (index * 70_001) % SERIES;
    const pick = (list) => {
      const value = list[rest % list.length];
      rest = Math.floor(rest / list.length);
      return value;
    };
    library.add(counter, { [first]: pick(values[0]), [second]: pick(values[1]), [third]: pick(values[2]) }, 1);
  }
}

/** Finalizers run after a collection, in a later turn. */
async function settle() {
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// ---- the report ----

function table(entries, samples) {
  const columns = ['', 'label with most values', 'heap', 'external', 'resident'];
  const rows = entries.map(({ id, library, order }) => [
    libraryById(library).title,
    order,
    ...['heap', 'external', 'resident'].map((key) => show(middle(samples[id], key))),
  ]);
  return { caption: 'Bytes per series', columns, rows };
}

function middle(list, key) {
  return median(list.map((entry) => entry[key]));
}

function describe(list) {
  return `heap ${show(middle(list, 'heap'))}, resident ${show(middle(list, 'resident'))} bytes a series`;
}
