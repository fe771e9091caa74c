// Measures a push of a large registry: how long it takes, how many bytes it sends, how long it blocks the event loop of the
// service, and its processor time. The receiver, and each service, are processes of their own; services run one after another.

import { createServer } from 'node:http';
import { atMost, median, options, ownRole, progress, publish, serveRole, show, startRole } from './harness.mjs';
import { PUSHERS, service } from './push-services.mjs';

const SERIES = options.quick ? 10_000 : 100_000;
const PUSHES = options.quick ? 3 : 10;
const STALL_MS_MAX = 1;

const role = ownRole();
if (role?.receive) serveRole(receiver());
else if (role?.push) serveRole(service(role));
else await main();

async function main() {
  const samples = {};
  const receiving = startRole(import.meta.url, { receive: true });
  try {
    const port = await receiving.ask('listen');
    for (const { id, isOurs } of PUSHERS) {
      if (isOurs && options.peersOnly) continue;
      samples[id] = await measure(id, `http://127.0.0.1:${port}/`, receiving);
      progress(`push: ${id} ${show(median(samples[id].map(({ ms }) => ms)))} ms`);
    }
  } finally {
    await receiving.stop();
  }
  const middle = (id, figure) => median(samples[id].map((sample) => sample[figure]));
  /** How late the turns of all pushes were, in ascending order. */
  const turns = (id) => samples[id].flatMap(({ turnsMs }) => turnsMs).sort((one, other) => one - other);
  const p99 = (id) => turns(id).at(Math.floor(turns(id).length * 0.99));
  const longest = (id) => turns(id).at(-1);
  publish({
    name: 'push',
    title: 'Pushing',
    about: `A push of ${SERIES.toLocaleString('en')} counter series to a receiver on the same machine, which reads the request and answers. *Time* is from the call to the answer. *CPU* is processor time: of the service's main thread, which records a value in each turn of its event loop, and of the other threads of the process. *p99* and *longest stall* are how late these turns were during a push. The peers push from JavaScript: OpenTelemetry's periodic reader with its OTLP exporter (protobuf, gzip), and prometheus-remote-write with the values of prom-client.`,
    tables: [
      {
        caption: `${SERIES.toLocaleString('en')} counters`,
        columns: [
          'pusher',
          'time, ms',
          'CPU of the main thread, ms',
          'CPU of other threads, ms',
          'p99, ms',
          'longest stall, ms',
          'bytes',
          'requests',
        ],
        rows: PUSHERS.filter(({ id }) => samples[id]).map(({ id, title }) => [
          title,
          show(middle(id, 'ms')),
          show(middle(id, 'mainCpuMs')),
          show(middle(id, 'otherCpuMs')),
          show(p99(id)),
          show(longest(id)),
          show(middle(id, 'bytes')),
          show(middle(id, 'requests')),
        ]),
      },
    ],
    verdicts: samples.write
      ? [atMost('longest stall of the event loop by a push', longest('write'), STALL_MS_MAX, 'ms')]
      : [],
    samples,
  });
}

async function measure(id, url, receiving) {
  const pushing = startRole(import.meta.url, { push: id, url, series: SERIES });
  try {
    await pushing.ask('start');
    // The first push begins with nothing known and nothing compiled.
    await pushing.ask('push');
    const samples = [];
    for (let i = 0; i < PUSHES; i++) {
      await receiving.ask('forget');
      samples.push({ ...(await pushing.ask('push')), ...(await receiving.ask('seen')) });
    }
    return samples;
  } finally {
    await pushing.stop();
  }
}

/** Counts what it receives, and stores nothing. */
function receiver() {
  let [bytes, requests] = [0, 0];
  return {
    async listen() {
      const server = createServer((request, response) => {
        requests++;
        request.on('data', (chunk) => {
          bytes += chunk.length;
        });
        request.on('end', () => {
          response.setHeader('X-Prometheus-Remote-Write-Samples-Written', '1000000');
          response.end();
        });
      });
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server.address().port;
    },
    forget() {
      [bytes, requests] = [0, 0];
    },
    seen: () => ({ bytes, requests }),
  };
}
