// Tests large registries with many, slow and lost clients: bodies are shared, bounded and freed.

import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { count } from '../../support/count.mjs';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { stoppedReading } from '../../support/time.mjs';
import { start } from './support/children.mjs';
import { ask, DOORS, eventually, exporter, rejected } from './support/doors.mjs';
import { longRegistry, seriesRegistry } from './support/registries.mjs';

const SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

test.serial('a client that reads one byte a second is cut off, and its body is freed', async (t) => {
  const registry = longRegistry();
  const door = await exporter(t, { registry, writeTimeoutMs: 500, cacheTtlMs: 0 });
  const socket = await door.connect({ highWaterMark: 1 });
  socket.write(SCRAPE);
  socket.on('error', () => {});
  // The client reads the socket buffers of both systems byte by byte.
  const reading = setInterval(() => socket.read(1), 1000);
  t.teardown(() => clearInterval(reading));
  const quiet = '/metrics?name[]=llmdevops_metrics_rejected_total&name[]=llmdevops_metrics_body_bytes';
  t.true(await eventually(async () => rejected(await door.text(quiet), 'write_timeout') === 1));
  t.is(seriesValue(await door.text(quiet), 'llmdevops_metrics_body_bytes'), 0);
  socket.destroy();
  t.is(samplesOf(await door.text()).length, 2000);
});

test.serial('a client that reads slowly but in time gets every byte', async (t) => {
  const registry = seriesRegistry(20_000);
  const door = await exporter(t, { registry, selfMetrics: false });
  const socket = await door.connect({ highWaterMark: 1024 });
  socket.write(SCRAPE.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  const chunks = [];
  for await (const chunk of socket) {
    chunks.push(chunk);
    await new Promise(setImmediate);
  }
  const answer = Buffer.concat(chunks).toString();
  t.is(answer.slice(answer.indexOf('\r\n\r\n') + 4), await registry.metrics());
});

test.serial('clients that disconnect during the body leave nothing behind', async (t) => {
  const door = await exporter(t, { registry: longRegistry(1000) });
  for (let round = 0; round < 20; round++) {
    const socket = await door.connect();
    socket.write(SCRAPE);
    await once(socket, 'data');
    if (round % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  const quiet = '/metrics?name[]=llmdevops_metrics_body_bytes&name[]=llmdevops_metrics_connections';
  t.true(await eventually(async () => (await door.text(quiet)).includes('\nllmdevops_metrics_body_bytes 0\n')));
  t.is(seriesValue(await door.text(quiet), 'llmdevops_metrics_connections'), 1);
  t.is(samplesOf(await door.text()).length, 1000);
});

test.serial('clients that disconnect before their answer leave nothing behind', async (t) => {
  const door = await exporter(t, { registry: longRegistry(1000) });
  for (let round = 0; round < 50; round++) {
    const socket = await door.connect();
    socket.write(SCRAPE.repeat(3));
    socket.destroy();
  }
  const quiet = '/metrics?name[]=llmdevops_metrics_connections';
  t.true(await eventually(async () => (await door.text(quiet)).includes('\nllmdevops_metrics_connections 1\n')));
  t.is(samplesOf(await door.text()).length, 1000);
});

test.serial(
  'more different expositions at once than there may be are answered with 503 and when to come again',
  async (t) => {
    const door = await exporter(t, { registry: seriesRegistry(20_000) });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => door.ask(`/metrics?name[]=c&name[]=other${i}`)),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    for (const { status, headers, body } of refused) {
      t.is(status, 503);
      t.is(headers['retry-after'], '1');
      t.is(body.toString(), 'Too many expositions in flight.\n');
    }
    for (const { status, body } of answers) if (status === 200) t.is(samplesOf(body.toString()).length, 20_000);
    t.log(`${refused.length} of 100 refused`);
    t.true(refused.length > 0);
    const body = await door.text('/metrics?name[]=llmdevops_metrics_rejected_total');
    t.is(rejected(body, 'overload'), refused.length);
    t.is(samplesOf(await door.text()).length, 20_000);
  },
);

// A body that its client does not read is given up for the next scrape: deliveries.test.mjs, places.test.mjs.
for (const { door, open } of DOORS.slice(0, 1)) {
  test.serial(`${door}: bodies that clients are reading are held up to a limit; then no more are made`, async (t) => {
    const registry = longRegistry();
    const { ask, connect } = await open(t, { registry, maxBodyBytes: 1_048_576 });
    // While the clock stands still, the client has not stopped reading.
    stoppedReading(t);
    const socket = await connect();
    socket.pause();
    socket.write(SCRAPE);
    // The first body exceeds the limit alone, but nothing else was held.
    t.true(await eventually(async () => (await ask('/metrics')).status === 503));
    const { status, headers, body } = await ask('/metrics');
    t.is(status, 503);
    t.is(headers['retry-after'], '1');
    t.is(body.toString(), 'Too many expositions in flight.\n');
    t.is((await ask('/health')).status, 200);
    socket.destroy();
    let after;
    t.true(
      await eventually(async () => {
        after = await ask('/metrics');
        return after.status === 200;
      }),
    );
    t.is(samplesOf(after.body.toString()).length, 2000);
    t.true(rejected(after.body.toString(), 'overload') >= 2);
  });
}

const SCRAPES = count(60, 200);
/** Locally fewer and longer series: some 6 MB either way. */
const LARGE = count(
  { series: 10_000, model: 'gpt-4o-mini-2024-07-18'.repeat(25) },
  { series: 100_000, model: 'gpt-4o-mini-2024-07-18' },
);
test.serial('many concurrent scrapes of a large registry are answered correctly, in bounded memory', async (t) => {
  const child = start(
    t,
    async ({ client, say, heard, argument: { series, model } }) => {
      const cardinality = { maxSeries: series };
      const counter = new client.Counter({ name: 'c', help: 'Some help', labelNames: ['model', 'n'], cardinality });
      for (let n = 0; n < series; n++) counter.inc({ model, n }, n / 8);
      const { port } = await client.startExporter({ host: '127.0.0.1', port: 0, selfMetrics: false });
      let most = process.memoryUsage.rss();
      const before = most;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss());
      }, 10);
      watch.unref();
      await say({ port, expected: await client.register.metrics() });
      for (;;) {
        await heard();
        await say({ before, most });
      }
    },
    LARGE,
  );
  const { port, expected } = await child.heard();
  t.is(samplesOf(expected).length, LARGE.series);
  const zipped = new Set();
  const scrape = async (i) => {
    const gzip = i % 4 !== 0;
    const { status, body } = await ask({ port }, '/metrics', { headers: gzip ? { 'accept-encoding': 'gzip' } : {} });
    // The body is held once: copies of 6 MB would fill this process's memory.
    if (gzip) zipped.add(body.toString('latin1'));
    return status === 200 && (gzip || body.equals(Buffer.from(expected)));
  };
  const started = performance.now();
  const outcomes = await Promise.all(Array.from({ length: SCRAPES }, (_, i) => scrape(i)));
  const took = performance.now() - started;
  t.true(outcomes.every((fine) => fine));
  for (const body of zipped) t.is(gunzipSync(Buffer.from(body, 'latin1')).toString(), expected);
  child.say('memory');
  const { before, most } = await child.heard();
  const [mb, grown] = [expected.length / 2 ** 20, (most - before) / 2 ** 20];
  t.log(`${SCRAPES} scrapes of ${mb.toFixed(1)} MB in ${Math.round(took)} ms, ${grown.toFixed(0)} MB more at the most`);
  // With a body for each client it would be 300 MB, and a gigabyte with full counts.
  t.true(grown < 150 + 10 * mb, `${grown} MB`);
});
