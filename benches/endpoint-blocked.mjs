// Part of endpoint.mjs: measures scrapes while the service's event loop is blocked.

import { setTimeout as sleep } from 'node:timers/promises';
import { GZIP, PLAIN } from './endpoint-client.mjs';
import { javascriptDoor, nativeDoor, ourDoors, peerDoors, preparedDoor, startService } from './endpoint-doors.mjs';
import { atMost, options, progress, show } from './harness.mjs';

const SIZE = 10_000;
const BLOCK_MS = options.quick ? 3000 : 10_000;
/** Long enough to show that there is no answer. */
const PEER_BLOCK_MS = 3000;
/** Time after which the requested block has certainly begun. */
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

/** The floor of the machine: a prepared body, while another process computes. */
const floor = { ...preparedDoor, id: 'floor', title: `${preparedDoor.title} of a loop that turns` };

/** `{tables, verdicts, samples}` of this part. */
export async function measureBlocked(scraper) {
  const native = ourDoors().length > 0 ? [nativeDoor, collecting] : [];
  const javascript = ourDoors().filter(({ id }) => id === javascriptDoor.id);
  const samples = {};
  for (const door of native) note(door, await measure(door, BLOCK_MS, scraper));
  for (const door of [...javascript, ...peerDoors]) note(door, await measure(door, PEER_BLOCK_MS, scraper));
  note(floor, await measureFloor(scraper));
  const doors = [...native, ...javascript, ...peerDoors, floor];
  return { tables: [table(doors, samples)], verdicts: judge(samples), samples };

  function note({ id }, found) {
    samples[id] = found;
    for (const encoding of ENCODINGS) progress(`blocked, ${encoding}: ${id} ${describe(found[encoding])}`);
  }
}

async function measure(door, blockMs, scraper) {
  const service = await startService(door, { kind: 'counters', size: SIZE, collects: door.collects });
  try {
    await bodies(service, scraper);
    return await scrapeThrough(service, service, blockMs, scraper);
  } finally {
    await service.stop();
  }
}

/**
 * The busy process is the one whose body is sent, behind a peer's door. So a run without our library has a floor too.
 */
async function measureFloor(scraper) {
  const population = { kind: 'counters', size: SIZE };
  const busy = await startService(peerDoors[0], population);
  try {
    const service = await startService(floor, population, await bodies(busy, scraper));
    try {
      await bodies(service, scraper);
      return await scrapeThrough(service, busy, BLOCK_MS, scraper);
    } finally {
      await service.stop();
    }
  } finally {
    await busy.stop();
  }
}

/** Checks the bodies, plain and gzipped. This also runs the slower first scrapes of a process. */
async function bodies({ metricsPort: port }, scraper) {
  const found = [];
  for (const encoding of ENCODINGS) {
    found.push(await scraper.ask('check', { port, encoding, samples: SIZE, times: CHECKS }));
  }
  return found;
}

/** Blocks `busy` and scrapes `service`, half of the time plain and half gzipped. */
async function scrapeThrough({ metricsPort: port }, busy, blockMs, scraper) {
  await busy.ask('block', blockMs);
  await sleep(SETTLE_MS);
  const ms = (blockMs - SETTLE_MS - MARGIN_MS) / ENCODINGS.length;
  const found = {};
  for (const encoding of ENCODINGS) found[encoding] = await scraper.ask('scrapeThrough', { port, encoding, ms });
  return found;
}

function table(doors, samples) {
  return {
    caption: `Scrapes while the event loop is blocked for ${BLOCK_MS / 1000} s (${PEER_BLOCK_MS / 1000} s if there is no answer), 10,000 series`,
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
        const verdict = atMost(work, samples[id][encoding].p99, P99_MS_MAX, 'ms');
        // Shown beside the floor: on a machine that itself pauses for longer, no library can meet the limit.
        return { ...verdict, measured: `${verdict.measured} (prepared body ${show(samples.floor[encoding].p99)})` };
      }),
    );
}

function describe({ count, p50, p99 }) {
  return count > 0 ? `${count} scrapes, p50 ${show(p50)} ms, p99 ${show(p99)} ms` : 'no answer';
}
