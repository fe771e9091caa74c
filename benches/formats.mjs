// Measures a scrape of 10,000 classic histograms in each format, plain and compressed: its bytes, and the time until the body
// is there. All values change before each scrape. The peers show their text, which is all that a scraper gets from some of them.
// Each library has its own process; the processes take turns, and one works at a time.

import {
  fastest,
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
import { gzipped, libraryById, openLibrary, peersOf, selectLibraries } from './libraries.mjs';
import { populate } from './populations.mjs';

const OPENMETRICS = 'application/openmetrics-text;version=';
const TEXT = 'text 0.0.4';
const FORMATS = {
  [TEXT]: 'text/plain;version=0.0.4',
  'text 1.0.0': 'text/plain;version=1.0.0',
  'OpenMetrics 1.0': `${OPENMETRICS}1.0.0`,
  'OpenMetrics 2.0': `${OPENMETRICS}2.0.0`,
  protobuf: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
};
const ENCODINGS = ['identity', 'gzip'];
const SIZE = options.quick ? 1000 : 10_000;
const ROUNDS = options.quick ? 3 : 15;
const WARM_UPS = 3;

const role = ownRole();
if (role) serveRole(scraped(role));
else await main();

async function main() {
  const ids = selectLibraries().map(({ id }) => id);
  const peers = peersOf(ids);
  const formatsOf = (library) => (peers.includes(library) ? [TEXT] : Object.keys(FORMATS));
  const ways = ids.flatMap((library) =>
    ENCODINGS.flatMap((encoding) => formatsOf(library).map((format) => way(library, format, encoding))),
  );
  const children = Object.fromEntries(
    ids.map((library) => [library, startRole(import.meta.url, { library, size: SIZE }, { execArgv: ['--expose-gc'] })]),
  );
  let samples;
  try {
    const measure = ({ library, ...wanted }) => children[library].ask('scrape', wanted);
    await interleave(ways, WARM_UPS, measure);
    samples = await interleave(ways, ROUNDS, measure);
    for (const id of ids) await children[id].ask('verify');
  } finally {
    await Promise.all(Object.values(children).map((child) => child.stop()));
  }
  const times = Object.fromEntries(Object.entries(samples).map(([id, list]) => [id, list.map(({ ms }) => ms)]));
  progress(ways.map(({ id }) => `${id} ${show(median(times[id]))} ms`).join(', '));
  const peersIn = (encoding) => peers.map((library) => way(library, TEXT, encoding).id);
  publish({
    name: 'formats',
    title: 'Scraping: formats',
    about: `A scrape of ${SIZE.toLocaleString('en')} histograms with the default buckets. Bytes of the body, and milliseconds from the call until it is there, median of the rounds: \`scrape()\` of our library, which answers as its endpoint does, and \`metrics()\` of the peers, compressed by zlib at level 1, the level that our library uses. Every series changes before each scrape.`,
    tables: [
      {
        caption: 'Bytes and milliseconds of a scrape',
        columns: [
          '',
          ...ENCODINGS.flatMap((encoding) => [`${encoding}, kB`, `${encoding}, ms`, `best peer / ${encoding}`]),
        ],
        rows: ids.flatMap((library) =>
          formatsOf(library).map((format) => [
            `${libraryById(library).title}, ${format}`,
            ...ENCODINGS.flatMap((encoding) => {
              const { id } = way(library, format, encoding);
              const ratio = ratioOfRounds(times[fastest(times, peersIn(encoding))], times[id]);
              return [show(samples[id].at(-1).bytes / 1000), show(median(times[id])), `${show(ratio)}x`];
            }),
          ]),
        ),
      },
    ],
    verdicts: [],
    samples,
  });
}

function way(library, format, encoding) {
  return { id: `${library} ${format} ${encoding}`, library, format, encoding };
}

// ---- in the child ----

function scraped({ library: id, size }) {
  let library;
  let population;
  let step = 0;
  return {
    async scrape({ format, encoding }) {
      library ??= openLibrary(id, size);
      population ??= populate(library, 'histograms', size);
      population.touchAll(++step);
      // The labels made above are the bench's garbage and not the scrape's.
      globalThis.gc({ type: 'minor' });
      const start = process.hrtime.bigint();
      const body = await bodyOf(library, format, encoding);
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      return { ms, bytes: Buffer.byteLength(body) };
    },
    async verify() {
      population.verify((await bodyOf(library, TEXT, 'identity')).toString());
    },
  };
}

async function bodyOf({ scrapeAs, scrapes }, format, encoding) {
  if (scrapeAs) return scrapeAs(FORMATS[format], encoding);
  const text = await scrapes['metrics()']();
  if (encoding === 'gzip') return gzipped(text);
  // OpenTelemetry returns a string that is still a tree of pieces. Reading its end makes it flat.
  text.charCodeAt(text.length - 1);
  return text;
}
