// Limits, expiry and cleaning where there is more than one thread: set by the environment, met by each thread on its
// own, shown as a sum.

import test from 'ava';
import { count } from '../support/count.mjs';
import { attempt, run } from './support/process.mjs';

const OVERFLOW = 'llmdevops_metrics_cardinality_overflow_total';

for (const door of ['startExporter', 'createMetricsHandler', 'createFetchHandler']) {
  test.serial(
    `${door}(): METRICS_CARDINALITY_* limits metrics without limits of their own, in every thread`,
    async (t) => {
      const result = await run(async ({ client, thread, argument: door }) => {
        client.register.setCardinality({ policy: 'fold' });
        const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'] });
        const cardinality = { maxSeries: 3 };
        const own = new client.Counter({ name: 'own', help: 'h', labelNames: ['a'], cardinality });
        const apart = new client.Registry({ cardinality: { maxSeries: 4 } });
        const elsewhere = new client.Counter({ name: 'e', help: 'h', labelNames: ['a'], registers: [apart] });
        const record = () => {
          for (let n = 0; n < 5; n++) for (const metric of [counter, own, elsewhere]) metric.inc({ a: n });
        };
        const series = (registry) => registry.cardinality().metrics.map(({ series }) => series);
        // Read when the door is made, and not before.
        process.env.METRICS_CARDINALITY_MAX_PER_METRIC = '2';
        process.env.METRICS_CARDINALITY_MAX_TOTAL = '6';
        const options = door === 'startExporter' ? { host: '127.0.0.1', port: 0 } : {};
        const made = await client[door](options);
        client[door]({ ...options, registry: apart });
        record();
        const worker = thread(async ({ client, say }) => {
          const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'] });
          for (let n = 0; n < 5; n++) counter.inc({ a: n });
          const { maxSeries, metrics } = client.register.cardinality();
          say([maxSeries, metrics[0].maxSeries, metrics[0].series]);
        });
        const inWorker = await worker.heard();
        await worker.ended;
        const { maxSeries } = client.register.cardinality();
        await made.close?.();
        setTimeout(() => process.exit(0), 20);
        return { maxSeries, own: series(client.register), apart: series(apart), inWorker };
      }, door);
      // `c` and `own` have two and three, and one of the others each; the total of 6 is not met.
      t.deepEqual(result, { maxSeries: 6, own: [3, 4], apart: [5], inWorker: [6, 2, 3] });
    },
  );
}

test.serial('calls beyond a limit add up over threads, those that ended too', async (t) => {
  const { before, after, samples } = await run(async ({ client, thread, argument: OVERFLOW }) => {
    const cardinality = { maxSeries: 1 };
    const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'], cardinality });
    const told = async () => {
      const { body } = await client.register.scrape({ names: [OVERFLOW] });
      return body.toString();
    };
    for (let n = 0; n < 4; n++) counter.inc({ a: n });
    const workers = [1, 2].map((number) =>
      thread(({ client, say, argument: number }) => {
        const cardinality = { maxSeries: 2, policy: number === 1 ? 'fold' : 'drop' };
        const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'], cardinality });
        for (let n = 0; n < 10; n++) counter.inc({ a: n });
        say('counted');
        setTimeout(() => {}, 300);
      }, number),
    );
    for (const worker of workers) await worker.heard();
    const before = await told();
    for (const worker of workers) await worker.ended;
    return { before, after: await told(), samples: await client.register.metrics() };
  }, OVERFLOW);
  const expected = `# HELP ${OVERFLOW} Calls whose label set was beyond a limit, by metric
# TYPE ${OVERFLOW} counter
${OVERFLOW}{metric="c"} 19
`;
  t.is(before, expected);
  t.is(after, expected);
  t.is(samples, '# HELP c h\n# TYPE c counter\nc{a="0"} 3\nc{a="other"} 11\nc{a="1"} 2\n');
});

test.serial('series of a worker expire, and are removed there', async (t) => {
  const result = await run(async ({ client, thread, scrape, sleep }) => {
    const worker = thread(async ({ client, say, sleep }) => {
      client.register.setTtl(0.5);
      const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'] });
      const kept = new client.Counter({ name: 'kept', help: 'h', labelNames: ['a'], ttlSeconds: 0 });
      counter.inc({ a: 'x' });
      kept.inc({ a: 'x' });
      say('counted');
      for (let turn = 0; turn < 500 && client.register.cardinality().series > 1; turn++) await sleep(10);
      const { series } = client.register.cardinality();
      counter.inc({ a: 'x' }, 5);
      say(series);
      // Long enough to be scraped once more.
      await sleep(500);
    });
    await worker.heard();
    const first = await scrape(client);
    let last = first;
    for (let turn = 0; turn < 500 && Object.keys(last).length > 1; turn++) {
      await sleep(10);
      last = await scrape(client);
    }
    const series = await worker.heard();
    const again = await scrape(client);
    await worker.ended;
    return { first, last, series, again };
  });
  const kept = { 'kept{a="x"}': 1 };
  t.deepEqual(result, {
    first: { 'c{a="x"}': 1, ...kept },
    last: kept,
    series: 1,
    again: { ...kept, 'c{a="x"}': 5 },
  });
});

test.serial('workers that end while their series expire take nothing with them', async (t) => {
  const { code, stderr, result } = await attempt(
    async ({ client, thread, scrape, argument: rounds }) => {
      let running = true;
      const scraping = (async () => {
        while (running) await scrape(client);
      })();
      for (let round = 0; round < rounds; round++) {
        const worker = thread(async ({ client, say, sleep }) => {
          client.register.setTtl(0.001);
          const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a', 'round'] });
          say('begun');
          for (let n = 0; ; n++) {
            counter.inc({ a: n % 2000 });
            if (n % 200 === 0) await sleep(0);
          }
        }, round);
        await worker.heard();
        await new Promise((resolve) => setTimeout(resolve, 10 * round));
        await worker.terminate();
      }
      running = false;
      await scraping;
      return 'well';
    },
    count(5, 12),
  );
  t.deepEqual({ code, stderr, result }, { code: 0, stderr: '', result: 'well' });
});

test.serial('series expire while the event loop is blocked, and are removed when it turns', async (t) => {
  const result = await run(async ({ client, thread, flag, sleep }) => {
    client.register.setTtl(0.1);
    const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'] });
    counter.inc({ a: 'x' });
    const exporter = await client.startExporter({ host: '127.0.0.1', port: 0, selfMetrics: false });
    const done = flag();
    // Another thread asks, because this one is going to stand still.
    const asking = thread(
      async ({ require, say, argument: { port, done } }) => {
        const { get } = require('node:http');
        const ask = () =>
          new Promise((resolve, reject) => {
            get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, async (response) => {
              let text = '';
              for await (const chunk of response.setEncoding('utf8')) text += chunk;
              resolve(text.split('\n').filter((line) => line.startsWith('c{')));
            }).once('error', reject);
          });
        const first = await ask();
        let last = first;
        for (let turn = 0; turn < 300 && last.length > 0; turn++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          last = await ask();
        }
        say({ first, last });
        Atomics.store(done, 0, 1);
        Atomics.notify(done, 0);
      },
      { port: exporter.port, done },
    );
    await sleep(0);
    const waited = Atomics.wait(done, 0, 0, 20_000);
    const blocked = client.register.cardinality().series;
    const answers = await asking.heard();
    for (let turn = 0; turn < 200 && client.register.cardinality().series > 0; turn++) await sleep(5);
    const { series } = client.register.cardinality();
    await exporter.close();
    return { waited, blocked, series, ...answers };
  });
  t.deepEqual(result, { waited: 'ok', blocked: 1, series: 0, first: ['c{a="x"} 1'], last: [] });
});

test.serial('time to live keeps no process alive', async (t) => {
  const { code, stderr } = await attempt(async ({ client }) => {
    client.register.setTtl(0.05);
    new client.Counter({ name: 'c', help: 'h', labelNames: ['a'], cardinality: { maxSeries: 1 } }).init({ a: [1] });
    await client.register.metrics();
  });
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});

test.serial('a worker cleans, where its registry is told to', async (t) => {
  const { told, samples } = await run(async ({ client, thread, scrape }) => {
    const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'] });
    counter.inc({ a: 'joe@example.com' });
    const worker = thread(({ client, say }) => {
      const told = [];
      process.on('warning', (warning) => told.push(warning.message));
      client.register.setSanitizer(true);
      const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['a'] });
      counter.inc({ a: 'ann@example.com' }, 2);
      counter.inc({ a: 'eve@example.com' }, 3);
      setImmediate(() => say(told));
    });
    const told = await worker.heard();
    await worker.ended;
    return { told, samples: await scrape(client) };
  });
  t.deepEqual(samples, { 'c{a="joe@example.com"}': 1, 'c{a="[email]"}': 5 });
  t.deepEqual(told, [
    'LABEL_CONTENT: "c" was given what looks like an e-mail address in its label "a"; it is redacted',
  ]);
});
