// Part of endpoint.mjs: measures how scraping slows the service's own requests.

import { setTimeout as sleep } from 'node:timers/promises';
import { GZIP } from './endpoint-client.mjs';
import { javascriptDoor, nativeDoor, ourDoors, peerDoors, startClient, withServices } from './endpoint-doors.mjs';
import { atMost, interleave, median, options, progress, ratioOfRounds, show } from './harness.mjs';

const populations = [
  { title: '10,000 counters', kind: 'counters', size: 10_000, samples: 10_000 },
  { title: '10,000 histograms', kind: 'histograms', size: 10_000, samples: 140_000 },
];

/** Requests per second. They use a fiftieth of a core, so they queue only behind a scrape. */
const RATE = 300;
const SCRAPE_INTERVAL_MS = 500;
const WINDOW_MS = options.quick ? 1500 : 3000;
const ROUNDS = options.quick ? 1 : 3;
/** Scrapes before the first round, each checked. */
const CHECKS = 5;
const WARM_MS = 1000;
/** A pause before each window: collecting a large heap after the last scrape takes a whole core. */
const PAUSE_MS = 300;
const RATIO_MAX = 1.1;

/** @platformatic/prom-client is left out: it serves like prom-client, and the time is better spent on the others. */
const peers = peerDoors.filter(({ id }) => id !== 'platformatic');

/** Two windows of one service without scrapes: they show how far the ratio varies on this machine. */
const control = { id: 'control', title: '*never scraped*' };

/** `{tables, verdicts, samples}` of this part. `scraper` is a client that only scrapes. */
export async function measureRoute(scraper) {
  const driver = startClient();
  const samples = {};
  try {
    for (const population of populations) {
      samples[population.title] = await measurePopulation(population, driver, scraper);
    }
  } finally {
    await driver.stop();
  }
  return {
    tables: populations.map(({ title }) => table(title, samples[title])),
    verdicts: populations.flatMap(({ title }) => judge(title, samples[title])),
    samples,
  };
}

async function measurePopulation({ title, kind, size, samples }, driver, scraper) {
  const doors = [...ourDoors(), ...peers];
  return withServices(doors, { kind, size }, async (services) => {
    for (const { port, metricsPort } of Object.values(services)) {
      await scraper.ask('check', { port: metricsPort, encoding: GZIP, samples, times: CHECKS });
      await driver.ask('drive', { port, rate: RATE, ms: WARM_MS });
    }
    const entries = [...doors, control];
    const measured = await interleave(entries, ROUNDS, ({ id }, turn) =>
      round(services[id] ?? { port: services[doors[0].id].port }, turn, driver, scraper),
    );
    for (const { id } of entries) {
      progress(`${title}: ${id} p99 ${show(p99(measured[id], 'scraped'))} ms, ${show(ratio(measured[id]))}x`);
    }
    return measured;
  });
}

/** One window with scraping and one without, in alternating order. Without a port, neither is scraped. */
async function round({ port, metricsPort }, turn, driver, scraper) {
  const scrape = { port: metricsPort, encoding: GZIP, intervalMs: SCRAPE_INTERVAL_MS, ms: WINDOW_MS };
  const found = {};
  for (const window of turn % 2 === 0 ? ['quiet', 'scraped'] : ['scraped', 'quiet']) {
    await sleep(PAUSE_MS);
    const isScraped = window === 'scraped' && metricsPort !== undefined;
    const driving = driver.ask('drive', { port, rate: RATE, ms: WINDOW_MS });
    const scraping = isScraped ? scraper.ask('scrapeEvery', scrape) : undefined;
    const [latencies, scrapes] = await Promise.all([driving, scraping]);
    found[window] = latencies;
    if (isScraped) found.scrapes = scrapes;
  }
  return found;
}

function table(title, measured) {
  return {
    caption: `The service's own route while it is scraped: ${title}`,
    columns: ['', 'p50', 'p99', 'max', 'scraped: p50', 'p99', 'max', 'p99 against no scraping', 'a scrape took'],
    rows: [...ourDoors(), ...peers, control].map(({ id, title }) => {
      const rounds = measured[id];
      const ms = [...figures(rounds, 'quiet'), ...figures(rounds, 'scraped')].map(show);
      return [
        title,
        ...ms,
        `${show(ratio(rounds))}x`,
        show(median(rounds.map(({ scrapes }) => scrapes?.p50 ?? Number.NaN))),
      ];
    }),
  };
}

function figures(rounds, window) {
  const p50 = median(rounds.map((round) => round[window].p50));
  return [p50, p99(rounds, window), Math.max(...rounds.map((round) => round[window].max))];
}

function p99(rounds, window) {
  return median(rounds.map((round) => round[window].p99));
}

function ratio(rounds) {
  const of = (window) => rounds.map((round) => round[window].p99);
  return ratioOfRounds(of('scraped'), of('quiet'));
}

function judge(title, measured) {
  return [nativeDoor, javascriptDoor]
    .filter(({ id }) => measured[id])
    .map(({ id, short }) => {
      const work = `${title}: p99 of the service's own route while the ${short} is scraped, against no scraping`;
      const verdict = atMost(work, ratio(measured[id]), RATIO_MAX, 'x');
      return { ...verdict, measured: `${verdict.measured} (never scraped ${show(ratio(measured.control))}x)` };
    });
}
