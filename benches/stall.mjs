// Measures how long a scrape blocks the event loop of the scraped service. The service (stall-server.mjs), the scraper
// and this bench are three processes. Services run one after another, because each keeps a core busy.

import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { atMost, median, options, ownRole, progress, publish, serveRole, show, startRole } from './harness.mjs';
import { libraryById, OURS, selectLibraries } from './libraries.mjs';
import { now, PREPARED, service } from './stall-server.mjs';

const populations = [
  { title: '10,000 counters', kind: 'counters', size: 10_000, lines: 10_000, stallMsMax: 1 },
  { title: '10,000 histograms', kind: 'histograms', size: 10_000, lines: 140_000, stallMsMax: 1 },
  { title: '100,000 counters', kind: 'counters', size: 100_000, lines: 100_000, stallMsMax: 1 },
  { title: '1,000,000 counters', kind: 'counters', size: 1_000_000, lines: 1_000_000, stallMsMax: 1, oursOnly: true },
];

/** Of the largest population. */
const SERVED_MS_MAX = 20;
const RESIDENT_MB_MAX = 20;

/** Identity first, so it contains the first scrape of a process. */
const PLAIN = 'identity';
const GZIP = 'gzip';
const SCRAPES = options.quick ? 3 : 10;
const PAUSE_MS = 200;
const KNOCKS = 50;
const WINDOWS = options.quick ? 5 : 20;

/** Our library with the exporter as its door instead of the handler. */
const EXPORTER = 'exporter';

const TITLES = {
  [EXPORTER]: 'our exporter',
  [PREPARED.whole]: '*prepared body*',
  [PREPARED.pieces]: '*prepared body, 64 kB a turn*',
};

const role = ownRole();
if (role?.serve) serveRole(service(role));
else if (role?.scrape) serveRole({ scrape, knock, spin });
else await main();

async function main() {
  const ids = selectLibraries().flatMap(({ id }) => (id === OURS ? [OURS, EXPORTER] : [id]));
  const chosen = populations.filter(
    ({ size, oursOnly }) => (size <= 10_000 || !options.quick) && !(oursOnly && options.peersOnly),
  );
  const scraper = startRole(import.meta.url, { scrape: true });
  const samples = {};
  try {
    for (const population of chosen) {
      samples[population.title] = await measureAll(population, population.oursOnly ? own(ids) : ids, scraper);
    }
  } finally {
    await scraper.stop();
  }
  publish({
    name: 'stall',
    title: 'Scraping: event-loop stalls',
    about:
      "The longest gap between two turns of the scraped service's event loop during a scrape, in milliseconds. The service records values in every turn and has no cache. Another process scrapes it over HTTP, from the handler in `node:http` or from the exporter, and the process's first scrape is included (requests for another route warm up node:http before). *Prepared body* is node:http sending a buffer of the same size without a library: in one `end(body)`, or one piece per turn. *Noise* is the longest gap in windows of 100 ms without a scrape, also with another process that keeps a second core busy. *No core* is the part of the longest gap in which the thread was ready to run but had no core (Linux). *Served* is the median time from the request to the end of the response, as the scraper sees it. *Resident* is how far the service's resident size rises above that before the scrapes of this encoding, at most.",
    tables: Object.entries(samples).map(([title, measured]) => table(title, measured)),
    verdicts: chosen.flatMap((population) => judge(population, samples[population.title])),
    samples,
  });
}

async function measureAll(population, ids, scraper) {
  const measured = {};
  let bytes = 0;
  for (const id of ids) {
    const isExporter = id === EXPORTER;
    measured[id] = await measure({ ...population, library: isExporter ? OURS : id, isExporter }, scraper);
    bytes = Math.max(bytes, measured[id].bytes ?? 0);
    progress(`${population.title}: ${id} ${describe(measured[id])}`);
  }
  if (bytes === 0) return measured;
  for (const library of Object.values(PREPARED)) {
    measured[library] = await measure({ ...population, library, bytes, lines: 0 }, scraper);
    progress(`${population.title}: ${library} ${describe(measured[library])}`);
  }
  return measured;
}

async function measure(role, scraper) {
  const server = startRole(import.meta.url, { ...role, serve: true });
  try {
    const port = await server.ask('start');
    await scraper.ask('knock', port);
    const noise = await server.ask('noise', WINDOWS);
    const [busyNoise] = await Promise.all([server.ask('noise', WINDOWS), scraper.ask('spin', WINDOWS * 150)]);
    const watched = async (encoding) => {
      // The base of the resident size.
      await server.ask('noise', 1);
      const answers = await scrapeTimes(scraper, { port, lines: role.lines, encoding });
      return { answers, residentBytes: await server.ask('resident'), stalls: await server.ask('stalls', answers) };
    };
    const plain = await watched(PLAIN);
    const zipped = role.bytes ? undefined : await watched(GZIP);
    await server.ask('stop');
    return {
      noise,
      busyNoise,
      bytes: plain.answers[0].bytes,
      residentBytes: { [PLAIN]: plain.residentBytes, [GZIP]: zipped?.residentBytes },
      gzipBytes: zipped?.answers[0].bytes,
      [PLAIN]: plain.stalls,
      [GZIP]: zipped?.stalls ?? [],
    };
  } catch (error) {
    return { died: error.message };
  } finally {
    await server.stop();
  }
}

async function scrapeTimes(scraper, request) {
  const answers = [];
  for (let turn = 0; turn < SCRAPES; turn++) {
    await sleep(PAUSE_MS);
    answers.push(await scraper.ask('scrape', request));
  }
  return answers;
}

// ---- in the scraper ----

const agent = new Agent({ keepAlive: true });

/** Requests for the service's own route: the first ones of a process cost milliseconds in node:http itself. */
async function knock(port) {
  for (let turn = 0; turn < KNOCKS; turn++) await request({ port, path: '/health' });
}

async function scrape({ port, lines, encoding }) {
  const headers = { accept: 'text/plain; version=0.0.4', 'accept-encoding': encoding };
  const { status, coding, body, start, end } = await request({ port, path: '/metrics', headers });
  const text = coding === GZIP ? gunzipSync(body) : body;
  if (status !== 200) throw new Error(`Expected status 200 for a scrape but received ${status}`);
  if (coding !== encoding) throw new Error(`Expected ${encoding} for the content encoding but received ${coding}`);
  const found = samplesIn(text);
  if (found < lines) throw new Error(`Expected ${lines} samples of a scrape but received ${found}`);
  return { bytes: body.length, start, end };
}

/** Keeps the other core busy, as encoding and reading a scrape would. */
function spin(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

function request(options) {
  return new Promise((resolve, reject) => {
    const start = now();
    get({ host: '127.0.0.1', agent, ...options }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const end = now();
        const { statusCode: status, headers } = response;
        resolve({ status, coding: headers['content-encoding'] ?? PLAIN, body: Buffer.concat(chunks), start, end });
      });
    }).on('error', reject);
  });
}

/** Counts the lines of samples. */
function samplesIn(text) {
  const NEWLINE = 10;
  const HASH = 35;
  let found = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(NEWLINE, start);
    if (end > start && text[start] !== HASH) found++;
    if (end < 0) break;
    start = end + 1;
  }
  return found;
}

// ---- the report ----

function table(title, measured) {
  const columns = [
    '',
    'MB',
    'first',
    'median',
    'longest',
    'no core',
    'longest with gzip',
    'no core',
    'noise: median',
    'longest',
    'longest, other core busy',
    'served',
    'served gzip',
    'resident MB',
    'resident MB, gzip',
  ];
  const rows = Object.entries(measured).map(([id, found]) => {
    const name = TITLES[id] ?? libraryById(id).title;
    if (found.died) return [name, found.died, ...columns.slice(2).map(() => '–')];
    const plain = found[PLAIN];
    const worst = worstOf(plain);
    const worstZipped = worstOf(found[GZIP]);
    const figures = [
      found.bytes / 1e6,
      plain[0].ms,
      median(plain.map(({ ms }) => ms)),
      worst.ms,
      worst.queuedMs,
      worstZipped?.ms,
      worstZipped?.queuedMs,
      median(found.noise),
      Math.max(...found.noise),
      Math.max(...found.busyNoise),
      median(plain.map(({ servedMs }) => servedMs)),
      median(found[GZIP].map(({ servedMs }) => servedMs)),
      found.residentBytes[PLAIN] / 1e6,
      found.residentBytes[GZIP] / 1e6,
    ];
    return [name, ...figures.map(show)];
  });
  return { caption: title, columns, rows };
}

function judge({ title, stallMsMax, oursOnly }, measured) {
  return [OURS, EXPORTER]
    .filter((id) => measured[id])
    .flatMap((id) => {
      const found = measured[id];
      const row = id === EXPORTER ? `${title}, exporter` : title;
      return [PLAIN, GZIP].flatMap((encoding) => {
        const stalls = found[encoding] ?? [];
        const stall = atMost(`${row}, longest stall, ${encoding}`, worstOf(stalls)?.ms, stallMsMax, 'ms');
        if (!oursOnly) return [withNoise(stall, found)];
        const served = median(stalls.map(({ servedMs }) => servedMs));
        return [
          withNoise(stall, found),
          atMost(`${row}, over HTTP, ${encoding}`, served, SERVED_MS_MAX, 'ms'),
          atMost(
            `${row}, resident above the series, ${encoding}`,
            found.residentBytes?.[encoding] / 1e6,
            RESIDENT_MB_MAX,
            'MB',
          ),
        ];
      });
    });
}

/**
 * Shows the noise beside the limit: on a machine that itself pauses for longer than a millisecond, the limit says
 * little.
 */
function withNoise(verdict, { noise = [], busyNoise = [] }) {
  const floor = `noise ${show(median(noise))}, longest ${show(Math.max(...noise, ...busyNoise))}`;
  return { ...verdict, measured: `${verdict.measured} (${floor})` };
}

function worstOf(stalls) {
  return [...stalls].sort((a, b) => b.ms - a.ms)[0];
}

function describe(found) {
  if (found.died) return found.died;
  const of = (encoding) => {
    const served = show(median(found[encoding].map(({ servedMs }) => servedMs)));
    const resident = show(found.residentBytes[encoding] / 1e6);
    return `${encoding}: longest stall ${show(worstOf(found[encoding])?.ms)} ms, served ${served} ms, resident ${resident} MB`;
  };
  return `${[PLAIN, GZIP].map(of).join('; ')}; noise ${show(Math.max(...found.noise))} ms`;
}

function own(ids) {
  return ids.filter((id) => id === OURS || id === EXPORTER);
}
