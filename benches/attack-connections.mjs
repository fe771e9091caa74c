// Measures whether strangers who hold connections shut others out of an endpoint. Each attack keeps 600 connections to one
// door, from one address or from fifty, and opens a new one for each that is closed. Meanwhile probes and scrapes come
// from the attacker's address or another one, each on a new connection. `BENCH_CONNECTIONS_SECONDS` sets the duration.

import http from 'node:http';
import { attacker, KINDS } from './attack-connections-client.mjs';
import { DOORS, service } from './attack-connections-service.mjs';
import { atMost, options, ownRole, progress, publish, quantile, serveRole, show, startRole } from './harness.mjs';

const SECONDS = Number(process.env.BENCH_CONNECTIONS_SECONDS ?? (options.quick ? 3 : 15));
const SERIES = options.quick ? 5000 : 50_000;
const CONNECTIONS = 600;
const READERS = 2000;
/** Where the attack comes from; the probes come from 127.0.0.1. */
const ORIGINS = [
  { id: 'same', title: "the probes' address", addresses: ['127.0.0.1'] },
  { id: 'fifty', title: '50 addresses', addresses: Array.from({ length: 50 }, (_, n) => `127.0.1.${n + 1}`) },
];
const PROBE_EVERY_MS = 100;
/** An answer after this time is too late. */
const LATE_MS = 1000;
const SHARE_MIN = 0.99;
/** Growth of the process while 2,000 clients do not read. */
const READERS_MB_MAX = 300;

const role = ownRole();
if (role?.serve) serveRole(service(role.serve));
else if (role?.attack) serveRole(attacker(role.attack));
else await main();

async function main() {
  const samples = {};
  for (const door of DOORS) {
    for (const kind of KINDS) {
      for (const origin of ORIGINS) {
        const found = await measure(door, kind, origin);
        samples[`${door.id}/${kind.id}/${origin.id}`] = found;
        progress(
          `${door.title}, ${kind.title}, ${origin.title}: ${found.probes.map(shareOf)} of probes, scrapes in time`,
        );
      }
    }
  }
  const readers = {};
  for (const door of DOORS) readers[door.id] = await measureReaders(door);
  publish({
    name: 'attack-connections',
    title: 'Under attack by connections',
    about: about(),
    tables: [...DOORS.map((door) => table(door, samples)), readersTable(readers)],
    verdicts: [...DOORS.flatMap((door) => verdicts(door, samples)), ...readersVerdicts(readers)],
    samples: { attacks: samples, readers },
  });
}

async function measure(door, kind, origin) {
  const server = startRole(import.meta.url, { serve: { door: door.id, series: SERIES } });
  const strangers = startRole(import.meta.url, {
    attack: { kind: kind.id, addresses: origin.addresses, count: CONNECTIONS },
  });
  try {
    const { port } = await server.ask('start');
    await strangers.ask('start', { port });
    const probes = await probe(port, SECONDS * 1000);
    const { opened } = await strangers.ask('stop');
    return { probes, opened, ...(await server.ask('measure')) };
  } finally {
    await Promise.all([strangers.stop(), server.stop()]);
  }
}

async function measureReaders(door) {
  const server = startRole(import.meta.url, { serve: { door: door.id, series: SERIES } });
  const strangers = startRole(import.meta.url, {
    attack: { kind: 'unread', addresses: ORIGINS[1].addresses, count: READERS },
  });
  try {
    const { port } = await server.ask('start');
    const before = await server.ask('measure');
    await strangers.ask('start', { port });
    const probes = await probe(port, SECONDS * 1000);
    const during = await server.ask('measure');
    await strangers.ask('stop');
    return { before: before.mb, most: during.mostMb, probes };
  } finally {
    await Promise.all([strangers.stop(), server.stop()]);
  }
}

/** Milliseconds of each health check and each scrape; null for an error, another status than 200, or a late answer. */
async function probe(port, durationMs) {
  const pending = [[], []];
  for (const end = performance.now() + durationMs; performance.now() < end; ) {
    pending[0].push(timeOf(port, '/health'));
    pending[1].push(timeOf(port, '/metrics'));
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  return Promise.all(pending.map((times) => Promise.all(times)));
}

function timeOf(port, path) {
  const started = performance.now();
  return new Promise((resolve) => {
    const request = http.get({ port, path, host: '127.0.0.1', localAddress: '127.0.0.1', agent: false }, (response) => {
      response.on('error', () => resolve(null));
      response.on('end', () => resolve(response.statusCode === 200 ? performance.now() - started : null));
      response.resume();
    });
    request.on('error', () => resolve(null));
    request.setTimeout(LATE_MS);
    setTimeout(() => {
      resolve(null);
      request.destroy();
    }, LATE_MS);
  });
}

function inTime(times) {
  return times.filter((ms) => ms !== null).length / times.length;
}

function shareOf(times) {
  return `${show(inTime(times) * 100)} %`;
}
function slow(times) {
  return show(
    quantile(
      times.filter((ms) => ms !== null),
      0.99,
    ),
  );
}

function table(door, samples) {
  return {
    caption: `${door.title}: answered within a second`,
    columns: ['attack', 'from', 'health checks', 'scrapes', 'health p99 ms', 'scrape p99 ms', 'connections opened'],
    rows: KINDS.flatMap((kind) =>
      ORIGINS.map((origin) => {
        const { probes, opened } = samples[`${door.id}/${kind.id}/${origin.id}`];
        return [kind.title, origin.title, ...probes.map(shareOf), ...probes.map(slow), opened.toLocaleString('en')];
      }),
    ),
  };
}

function verdicts(door, samples) {
  return ['health checks', 'scrapes'].map((what, at) => {
    const worst = Math.min(
      ...KINDS.flatMap((kind) =>
        ORIGINS.map((origin) => inTime(samples[`${door.id}/${kind.id}/${origin.id}`].probes[at])),
      ),
    );
    return {
      work: `${door.title}: ${what} answered within a second, worst attack`,
      reach: `>= ${SHARE_MIN * 100} %`,
      measured: `${show(worst * 100)} %`,
      met: worst >= SHARE_MIN,
      missedBy: `${show((SHARE_MIN - worst) * 100)} points`,
    };
  });
}

function readersTable(readers) {
  return {
    caption: `${READERS.toLocaleString('en')} clients that never read`,
    columns: ['door', 'resident MB before', 'most', 'health checks in time', 'scrapes in time'],
    rows: DOORS.map((door) => {
      const { before, most, probes } = readers[door.id];
      return [door.title, show(before), show(most), ...probes.map(shareOf)];
    }),
  };
}

function readersVerdicts(readers) {
  return DOORS.map((door) =>
    atMost(
      `${door.title}: growth under ${READERS.toLocaleString('en')} clients that never read`,
      readers[door.id].most - readers[door.id].before,
      READERS_MB_MAX,
      'MB',
    ),
  );
}

function about() {
  return (
    `The service has ${SERIES.toLocaleString('en')} series and the default settings. An attack holds ${CONNECTIONS} ` +
    `connections for ${SECONDS} seconds and replaces each one that is closed, at once. *connect only* sends nothing, ` +
    '*idle* sends one request and keeps the connection, *half a head* sends the beginning of a request, *slow header* ' +
    'adds a byte every half second, *never reading* asks for the exposition and does not read it. Every ' +
    `${PROBE_EVERY_MS} ms one health check and one complete scrape are sent, each on a new connection. An answer counts ` +
    'if it has status 200 and is complete within a second. Attack, service and probes share the machine.'
  );
}
