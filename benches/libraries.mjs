// Opens each library under test through a small adapter. The adapter is used to set up, change values and scrape. The
// recording bench calls the libraries' own objects, so that it does not time the adapter.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { options } from './harness.mjs';

const require = createRequire(import.meta.url);
const ownBuild = fileURLToPath(new URL('../dist/entry/index.js', import.meta.url));
const compress = promisify(gzip);

const TEXT = 'text/plain; version=0.0.4';

/** Default buckets of prom-client, also given to OpenTelemetry, whose defaults are for milliseconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * The level that our library uses, and the fastest. At zlib's default level a peer's scrape would take several times as
 * long.
 */
const GZIP_LEVEL = 1;

/** Extra series for warming up. */
const SPARE = 10_000;

/** The id of this repository's library. */
export const OURS = 'ours';
/** The id of another build of it, which `--beside=folder` adds. */
export const BESIDE = 'beside';

const libraries = [
  { id: OURS, title: '@llm-devops/prometheus-metrics', requires: [ownBuild], open: openOurs },
  { id: 'prom-client', title: 'prom-client', requires: ['prom-client'], open: openPeer },
  { id: 'prometheus-io', title: '@prometheus-io/client', requires: ['@prometheus-io/client'], open: openPeer },
  { id: 'platformatic', title: '@platformatic/prom-client', requires: ['@platformatic/prom-client'], open: openPeer },
  {
    id: 'opentelemetry',
    title: 'OpenTelemetry JS',
    requires: ['@opentelemetry/sdk-metrics', '@opentelemetry/exporter-prometheus'],
    open: openTelemetry,
  },
];

if (options.beside) {
  const build = resolve(options.beside, 'dist/entry/index.js');
  libraries.push({ id: BESIDE, title: 'other build', requires: [build], open: openOurs });
}

/** The libraries of this run. Our library is left out only on request: a run without a build must fail. */
export function selectLibraries() {
  if (options.peersOnly) return libraries.filter(({ id }) => id !== OURS && id !== BESIDE);
  if (!existsSync(ownBuild)) {
    throw new Error('dist/entry/index.js is missing: build the library first (npm run build), or pass --peers-only');
  }
  return libraries;
}

export function libraryById(id) {
  return libraries.find((library) => library.id === id);
}

export function peersOf(ids) {
  return ids.filter((id) => id !== OURS && id !== BESIDE);
}

/**
 * Opens a library with room for `seriesMax` series and `spare` more. `{counter, gauge, histogram, summary}(name, labelNames)`
 * return the library's own objects, `add` and `observe` change one series, `scrapes` are the ways to get an exposition,
 * `scrapeAs` gets one in a format and encoding, from our library alone, and `handler` serves one over node:http.
 */
export function openLibrary(id, seriesMax, spare = SPARE) {
  const { open, requires } = libraryById(id);
  return open(requires, seriesMax + spare);
}

/** Installed versions, for the report. */
export function versions() {
  return Object.fromEntries(
    libraries
      .filter(({ id }) => id !== BESIDE)
      .flatMap(({ id, requires }) =>
        requires.map((name) =>
          id === OURS ? [libraries[0].title, packageVersion('..')] : [name, packageVersion(name)],
        ),
      ),
  );
}

function openOurs([path], seriesMax) {
  const client = options.beside ? requireApart(path) : require(path);
  // The limits are for unexpected label values. A bench knows its own.
  const cardinality = { maxSeries: seriesMax };
  const registry = new client.Registry({ cardinality });
  return {
    ...promStyle(client, registry, { cardinality }),
    scrapes: {
      'metrics()': () => registry.metrics(),
      'scrape()': async () => (await registry.scrape({ accept: TEXT, acceptEncoding: 'identity' })).body,
    },
    scrapeAs: async (accept, acceptEncoding) => (await registry.scrape({ accept, acceptEncoding })).body,
    handler: client.createMetricsHandler({ registry }),
    startExporter: () => client.startExporter({ host: '127.0.0.1', port: 0, registry }),
  };
}

/** A second build would otherwise export the objects of the first: all copies of one realm share them. */
function requireApart(path) {
  const shared = Object.getOwnPropertySymbols(globalThis).filter(({ description }) =>
    description?.startsWith('@llm-devops/prometheus-metrics@'),
  );
  for (const key of shared) delete globalThis[key];
  return require(path);
}

function openPeer([name]) {
  const client = require(name);
  const registry = new client.Registry();
  return {
    ...promStyle(client, registry, {}),
    scrapes: { 'metrics()': () => registry.metrics() },
    handler: async (request, response) => {
      response.setHeader('content-type', registry.contentType);
      await send(await registry.metrics(), request, response);
    },
  };
}

function promStyle(client, registry, limits) {
  const config = (name, labelNames) => ({ name, help: 'A bench metric', labelNames, registers: [registry], ...limits });
  return {
    counter: (name, labelNames = [], more = {}) => new client.Counter({ ...config(name, labelNames), ...more }),
    gauge: (name, labelNames = []) => new client.Gauge(config(name, labelNames)),
    histogram: (name, labelNames = [], more = {}) => new client.Histogram({ ...config(name, labelNames), ...more }),
    summary: (name, labelNames = [], more = {}) => new client.Summary({ ...config(name, labelNames), ...more }),
    collected: (name, read) =>
      new client.Gauge({
        ...config(name, []),
        collect() {
          this.set(read());
        },
      }),
    add: (counter, labels, value) => counter.inc(labels, value),
    observe: (histogram, labels, value) => histogram.observe(labels, value),
  };
}

function openTelemetry([sdkName, exporterName], seriesMax) {
  const { MeterProvider } = require(sdkName);
  const { PrometheusExporter, PrometheusSerializer } = require(exporterName);
  // Without scope and target, it prints the same as the others.
  const lean = { withoutScopeInfo: true, withoutTargetInfo: true };
  const exporter = new PrometheusExporter({ preventServerStart: true, ...lean });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  // Its default limit folds everything after 2,000 series into one.
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: seriesMax }];
  const meter = new MeterProvider({ readers: [exporter], views }).getMeter('bench');
  const serialize = async () => serializer.serialize((await exporter.collect()).resourceMetrics);
  return {
    counter: (name) => meter.createCounter(name, { description: 'A bench metric' }),
    gauge: (name) => meter.createGauge(name, { description: 'A bench metric' }),
    histogram: (name) =>
      meter.createHistogram(name, {
        description: 'A bench metric',
        advice: { explicitBucketBoundaries: BUCKETS },
      }),
    add: (counter, labels, value) => counter.add(value, labels),
    observe: (histogram, labels, value) => histogram.record(value, labels),
    scrapes: { 'metrics()': serialize },
    handler: async (request, response) => {
      if (!request.headers['accept-encoding']?.includes('gzip')) {
        return exporter.getMetricsRequestHandler(request, response);
      }
      response.setHeader('content-type', TEXT);
      await send(await serialize(), request, response);
    },
  };
}

/** Sends a peer's text. The peers do not compress, so the service does it, as middleware would. */
async function send(text, request, response) {
  if (!request.headers['accept-encoding']?.includes('gzip')) return response.end(text);
  response.setHeader('content-encoding', 'gzip');
  response.end(await gzipped(text));
}

/** A peer's text as middleware would compress it. */
export const gzipped = (text) => compress(text, { level: GZIP_LEVEL });

function packageVersion(name) {
  const inside = new URL(name === '..' ? '../' : `node_modules/${name}/`, import.meta.url);
  return JSON.parse(readFileSync(new URL('package.json', inside), 'utf8')).version;
}
