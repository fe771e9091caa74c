// Part of endpoint.mjs: whether a service can be scraped while its event loop stands still, and how fast.

import { setTimeout as sleep } from 'node:timers/promises';
import { GZIP, PLAIN } from './endpoint-client.mjs';
import { javascriptDoor, nativeDoor, ourDoors, peerDoors, startService } from './endpoint-doors.mjs';
import { atMost, options, progress, show } from './harness.mjs';

const SIZE = 10_000;
const BLOCK_MS = options.quick ? 3000 : 10_000;
/** From asking for the block until it surely stands. */
const SETTLE_MS = 200;
/** The scrapes end before the block does. */
const MARGIN_MS = 300;
const CHECKS = 20;
const P99_MS_MAX = 10;

const ENCODINGS = [PLAIN, GZIP];

const collecting = {
  ...nativeDoor,
  id: 'native-collect',
  title: `${nativeDoor.title}, with \`collect()\``,
  collects: true,
};

/** `{tables, verdicts, samples}` of this part. */
export async function measureBlocked(scraper) {
  const doors = [...(ourDoors().length > 0 ? [nativeDoor, collecting, javascriptDoor] : []), ...peerDoors];
  const samples = {};
  for (const door of doors) {
    samples[door.id] = await measure(door, scraper);
    for (const encoding of ENCODINGS)
      progress(`blocked, ${encoding}: ${door.id} ${describe(samples[door.id][encoding])}`);
  }
  return { tables: [table(doors, samples)], verdicts: judge(samples), samples };
}

/** Half of the block each for plain and gzip. */
async function measure(door, scraper) {
  const service = await startService(door, { kind: 'counters', size: SIZE, collects: door.collects });
  try {
    const port = service.metricsPort;
    for (const encoding of ENCODINGS) await scraper.ask('check', { port, encoding, samples: SIZE, times: CHECKS });
    await service.ask('block', BLOCK_MS);
    await sleep(SETTLE_MS);
    const ms = (BLOCK_MS - SETTLE_MS - MARGIN_MS) / ENCODINGS.length;
    const found = {};
    for (const encoding of ENCODINGS) found[encoding] = await scraper.ask('scrapeThrough', { port, encoding, ms });
    return found;
  } finally {
    await service.stop();
  }
}

function table(doors, samples) {
  return {
    caption: `Scrapes while the event loop is blocked for ${BLOCK_MS / 1000} s, 10,000 series`,
    columns: ['', 'scrapes', 'p50 ms', 'p99 ms', 'max ms', 'gzip: scrapes', 'p50 ms', 'p99 ms', 'max ms'],
    rows: doors.map(({ id, title }) => [title, ...ENCODINGS.flatMap((encoding) => cells(samples[id][encoding]))]),
  };
}

function cells({ count, p50, p99, max }) {
  return count > 0 ? [count, ...[p50, p99, max].map(show)] : ['no answer', '–', '–', '–'];
}

function judge(samples) {
  return [nativeDoor, collecting]
    .filter(({ id }) => samples[id])
    .flatMap(({ id, collects }) =>
      ENCODINGS.map((encoding) => {
        const work = `blocked loop, 10,000 series, ${encoding}${collects ? ', with collect()' : ''}: p99 of a scrape`;
        return atMost(work, samples[id][encoding].p99, P99_MS_MAX, 'ms');
      }),
    );
}

function describe({ count, p50, p99 }) {
  return count > 0 ? `${count} scrapes, p50 ${show(p50)} ms, p99 ${show(p99)} ms` : 'no answer';
}
