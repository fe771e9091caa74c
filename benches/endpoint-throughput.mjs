// Part of endpoint.mjs: measures scrapes per second and latency of each door under constant load.

import { GZIP, PLAIN, scrapeHeaders } from './endpoint-client.mjs';
import { nativeDoor, ourDoors, peerDoors, preparedDoor, startService, withServices } from './endpoint-doors.mjs';
import { atLeast, interleave, median, options, progress, ratioOfRounds, show } from './harness.mjs';
import { libraryById } from './libraries.mjs';
import { CONNECTIONS, load } from './wrk.mjs';

const sizes = [
  { size: 100, title: '100 series', seconds: 1 },
  { size: 10_000, title: '10,000 series', seconds: 2, ratioMin: 20 },
  { size: 100_000, title: '100,000 series', seconds: 3 },
];

const ENCODINGS = [PLAIN, GZIP];
const ROUNDS = 2;
/** Scrapes before the first measured one; each is checked. The first ones of a process are slower. */
const CHECKS = 5;

/** `{tables, verdicts, samples}` of this part. */
export async function measureThroughput(client) {
  const chosen = sizes.filter(({ size }) => size <= 10_000 || !options.quick);
  const samples = {};
  for (const each of chosen) samples[each.title] = await measureSize(each, client);
  return {
    tables: chosen.flatMap(({ title }) =>
      ENCODINGS.map((encoding) => table(title, encoding, samples[title][encoding])),
    ),
    verdicts: chosen.flatMap(({ title, ratioMin }) => (ratioMin ? judge(title, ratioMin, samples[title]) : [])),
    samples,
  };
}

async function measureSize({ size, title, seconds }, client) {
  const doors = [...ourDoors(), ...peerDoors];
  const population = { kind: 'counters', size };
  return withServices(doors, population, async (services) => {
    const bodies = await checkAll(services, size, client);
    services[preparedDoor.id] = await startService(preparedDoor, population, bodies);
    const entries = [...doors, preparedDoor];
    const measured = {};
    for (const encoding of ENCODINGS) {
      measured[encoding] = await interleave(entries, options.quick ? 1 : ROUNDS, ({ id }) =>
        load(
          `http://127.0.0.1:${services[id].metricsPort}/metrics`,
          scrapeHeaders(encoding),
          options.quick ? 1 : seconds,
        ),
      );
      for (const { id } of entries) progress(`${title}, ${encoding}: ${id} ${describe(measured[encoding][id])}`);
    }
    return measured;
  });
}

/** Returns the bodies of the last service, plain and gzipped. */
async function checkAll(services, size, client) {
  let bodies;
  for (const { metricsPort } of Object.values(services)) {
    bodies = [];
    for (const encoding of ENCODINGS) {
      bodies.push(await client.ask('check', { port: metricsPort, encoding, samples: size, times: CHECKS }));
    }
  }
  return bodies;
}

function table(title, encoding, measured) {
  return {
    caption: `Scrapes per second: ${title}, ${encoding}`,
    columns: ['', 'scrapes/s', 'MB/s', 'p50 ms', 'p99 ms', 'max ms'],
    rows: [...ourDoors(), ...peerDoors, preparedDoor].map(({ id, title }) => [
      title,
      ...figures(measured[id]).map(show),
    ]),
  };
}

function figures(rounds) {
  const middle = (key) => median(rounds.map((round) => round[key]));
  return [middle('rate'), middle('megabytes'), middle('p50'), middle('p99'), Math.max(...rounds.map(({ max }) => max))];
}

function judge(title, ratioMin, samples) {
  return ENCODINGS.map((encoding) => {
    const rates = (id) => (samples[encoding][id] ?? []).map(({ rate }) => rate);
    const [best] = peerDoors.map(({ id }) => id).sort((a, b) => median(rates(b)) - median(rates(a)));
    const ratio = ratioOfRounds(rates(nativeDoor.id), rates(best));
    return atLeast(
      `${title}, ${encoding}: scrapes per second of the native door, against ${libraryById(best).title}`,
      ratio,
      ratioMin,
    );
  });
}

function describe(rounds) {
  const [rate, , , p99] = figures(rounds);
  return `${show(rate)} scrapes/s over ${CONNECTIONS} connections, p99 ${show(p99)} ms`;
}
