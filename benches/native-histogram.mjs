// Measures native histograms beside classic ones of this library: what one observation costs, what a series takes in memory, and
// what a scrape of many costs in each format. Each case has a process of its own, in which the kinds take turns. No other
// library for Node.js has native histograms.

import { pathToFileURL } from 'node:url';
import {
  atMost,
  collectGarbage,
  interleave,
  median,
  options,
  ownRole,
  progress,
  publish,
  ratioOfRounds,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { hot, LABEL_NAMES } from './inputs.mjs';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];
const KINDS = {
  classic: { buckets: BUCKETS },
  native: { nativeHistogramBucketFactor: 1.1 },
  both: { buckets: BUCKETS, nativeHistogramBucketFactor: 1.1 },
  // The finest resolution: there are about 2,500 buckets in three powers of ten.
  fine: { nativeHistogramBucketFactor: 1.003, nativeHistogramMaxBuckets: 0 },
};
const KIND_IDS = Object.keys(KINDS);
const CASES = {
  child: 'kept child, `observe(v)`',
  none: '`observe(v)`',
  labels: '`observe({three labels}, v)`, 8 label sets',
};
const FORMATS = {
  'text 0.0.4': 'text/plain;version=0.0.4',
  'OpenMetrics 2.0': 'application/openmetrics-text;version=2.0.0',
  protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
};
const SERIES = options.quick ? 1000 : 10_000;
/** Observations of each series that is scraped. */
const FRESH = 100;
const LAP = 4096;
/** Skewed durations from 20 ms to 20 s, all different. */
const durations = Float64Array.from({ length: LAP }, (_, i) => Math.exp((((i * 2741) % LAP) / LAP) * 7 - 4));

const role = ownRole();
if (role)
  serveRole({
    measure: () => ({ record: measureCase, memory: measureMemory, scrape: measureScrape })[role.what](role),
  });
else await main();

async function main() {
  const plan = options.quick ? { rounds: 5, laps: 20 } : { rounds: 101, laps: 50 };
  const record = {};
  for (const [id, title] of Object.entries(CASES)) {
    record[id] = await ask({ what: 'record', caseId: id, kinds: ['classic', 'native'], ...plan });
    // A program that has several kinds of native histograms pays more for each: few have.
    for (const kind of ['both', 'fine']) {
      record[id][kind] = (await ask({ what: 'record', caseId: id, kinds: ['classic', kind], ...plan }))[kind];
    }
    progress(`${title}: ${describe(record[id])}`);
  }
  const entries = KIND_IDS.map((id) => ({ id }));
  const memory = await interleave(entries, options.quick ? 1 : 3, ({ id }) => ask({ what: 'memory', kind: id }));
  progress(`memory: ${describe(memory)}`);
  const scrapes = {};
  for (const kind of KIND_IDS) scrapes[kind] = await ask({ what: 'scrape', kind, rounds: options.quick ? 3 : 15 });
  const ratios = Object.fromEntries(
    Object.keys(CASES).map((id) => [id, ratioOfRounds(record[id].native, record[id].classic)]),
  );
  publish({
    name: 'native-histogram',
    title: 'Native histograms',
    about: `Factor 1.1, beside ${BUCKETS.length} classic buckets; *both* has the two at once, and *fine* the factor 1.003 without a limit of buckets. The durations spread evenly over three powers of ten on a scale of logarithms. Times are medians of the rounds. Memory is the growth of the process for each of ${SERIES} series with ${FRESH} observations, and so are bytes and time of a scrape: from \`scrape()\` until the body is there.`,
    tables: [
      {
        caption: 'Nanoseconds per observation',
        columns: ['', ...KIND_IDS, 'native / classic'],
        rows: Object.entries(CASES).map(([id, title]) => [
          title,
          ...KIND_IDS.map((kind) => show(median(record[id][kind]))),
          `${show(ratios[id])}x`,
        ]),
      },
      {
        caption: 'Bytes of memory per series',
        columns: ['', ...KIND_IDS],
        rows: [['resident', ...KIND_IDS.map((kind) => show(median(memory[kind])))]],
      },
      {
        caption: `A scrape of ${SERIES} histograms`,
        columns: ['', ...KIND_IDS.flatMap((kind) => [`${kind}, kB`, `${kind}, ms`])],
        rows: Object.keys(FORMATS).flatMap((format) =>
          ['identity', 'gzip'].map((encoding) => [
            `${format}, ${encoding}`,
            ...KIND_IDS.flatMap((kind) => {
              const { bytes, ms } = scrapes[kind][`${format}, ${encoding}`];
              return [show(bytes / 1000), show(median(ms))];
            }),
          ]),
        ),
      },
    ],
    verdicts: [
      atMost('native histogram, kept child', median(record.child.native), 12, 'ns'),
      atMost('native histogram, kept child, against a classic one', ratios.child, 1.5, 'x'),
    ],
    samples: { record, memory, scrapes },
  });
}

async function ask(role) {
  const child = startRole(import.meta.url, role, { execArgv: ['--expose-gc'] });
  try {
    return await child.ask('measure', null, 900_000);
  } finally {
    await child.stop();
  }
}

function describe(measured) {
  return Object.entries(measured)
    .map(([id, values]) => `${id} ${show(median(values))}`)
    .join(', ');
}

// ---- in the children ----

async function openClient() {
  const path = new URL('../dist/entry/index.js', import.meta.url);
  return import(pathToFileURL(path.pathname).href);
}

/** A copy of a function with call sites of its own. */
const copied = (loop) => new Function('durations', 'hot', `return ${loop}`)(durations, hot);

const LOOPS = {
  child: (child) => {
    for (let i = 0; i < durations.length; i++) child.observe(durations[i]);
  },
  labels: (histogram) => {
    for (let i = 0; i < durations.length; i++) {
      const at = i & 7;
      histogram.observe({ method: hot.method[at], route: hot.route[at], status: hot.status[at] }, durations[i]);
    }
  },
};

async function measureCase({ caseId, kinds, rounds, laps }) {
  const { Histogram, Registry } = await openClient();
  const registers = [new Registry()];
  const entries = kinds.map((id) => {
    const labelNames = caseId === 'none' ? [] : LABEL_NAMES;
    const histogram = new Histogram({ name: id, help: 'h', labelNames, registers, ...KINDS[id] });
    const loop = copied(LOOPS[caseId === 'labels' ? 'labels' : 'child']);
    const target = caseId === 'child' ? histogram.labels(hot.method[0], hot.route[0], hot.status[0]) : histogram;
    return { id, run: () => loop(target) };
  });
  const time = ({ run }) => {
    const start = process.hrtime.bigint();
    for (let lap = 0; lap < laps; lap++) run();
    return Number(process.hrtime.bigint() - start) / (laps * LAP);
  };
  await interleave(entries, 5, time);
  return interleave(entries, rounds, time);
}

async function filled(kind) {
  const { Histogram, Registry } = await openClient();
  const registry = new Registry();
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['a'], registers: [registry], ...KINDS[kind] });
  for (let series = 0; series < SERIES; series++) {
    for (let i = 0; i < FRESH; i++) histogram.observe({ a: `v${series}` }, durations[(i * 41 + series) % LAP]);
  }
  return registry;
}

async function measureMemory({ kind }) {
  await openClient();
  collectGarbage();
  const before = process.memoryUsage().rss;
  const registry = await filled(kind);
  collectGarbage();
  const bytes = (process.memoryUsage().rss - before) / SERIES;
  registry.clear();
  return bytes;
}

async function measureScrape({ kind, rounds }) {
  const registry = await filled(kind);
  const results = {};
  for (const [format, accept] of Object.entries(FORMATS)) {
    for (const acceptEncoding of ['identity', 'gzip']) {
      const ms = [];
      let bytes = 0;
      for (let round = 0; round < rounds + 2; round++) {
        const start = process.hrtime.bigint();
        const { body } = await registry.scrape({ accept, acceptEncoding });
        if (round >= 2) ms.push(Number(process.hrtime.bigint() - start) / 1e6);
        bytes = body.length;
      }
      results[`${format}, ${acceptEncoding}`] = { bytes, ms };
    }
  }
  return results;
}
