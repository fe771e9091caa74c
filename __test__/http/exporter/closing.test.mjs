// Tests how an exporter ends: it keeps no process alive, closes in bounded time, and ends with the realm that started it.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Counter, Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { count } from '../../support/count.mjs';
import { samplesOf } from '../../support/exposition.mjs';
import { attempt } from '../../threads/support/process.mjs';
import { start } from './support/children.mjs';
import { ask, eventually, everything, exporter } from './support/doors.mjs';
import { longRegistry, seriesRegistry, smallRegistry } from './support/registries.mjs';

/** A gauge whose collect() ends on request; `asked` resolves once collect() is called. */
function slowRegistry() {
  const registry = new Registry({ logger: { warn() {} } });
  let begin;
  const slow = {
    registry,
    asked: new Promise((resolve) => {
      begin = resolve;
    }),
    finish: undefined,
  };
  new Gauge({
    name: 'g',
    help: 'Some help',
    registers: [registry],
    async collect() {
      begin();
      await new Promise((resolve) => {
        slow.finish = resolve;
      });
      this.set(1);
    },
  });
  return slow;
}

/** No clock of the exporter ends within a test that has these settings. */
const PATIENT = { headerTimeoutMs: 86_400_000, idleTimeoutMs: 86_400_000, writeTimeoutMs: 86_400_000 };
/** For `close()`: to wait for requests longer than any test runs. */
const WAIT = { timeoutMs: 86_400_000 };

test.serial('close() may be called several times, at any moment', async (t) => {
  const { text, close } = await exporter(t, { registry: smallRegistry() });
  await text();
  t.deepEqual(await Promise.all([close(), close(), close({ timeoutMs: 0 })]), [undefined, undefined, undefined]);
  t.is(await close(), undefined);
  await t.throwsAsync(text(), { code: 'ECONNREFUSED' });
});

test.serial('close() does not wait for idle connections', async (t) => {
  const { connect, close } = await exporter(t, { registry: smallRegistry(), ...PATIENT });
  const idle = await connect();
  idle.write('GET /ready HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => idle.once('data', resolve));
  await t.notThrowsAsync(close(WAIT));
});

test.serial('close() waits for a running scrape', async (t) => {
  const slow = slowRegistry();
  // Without a limit of its own, a busy machine may end the scrape before its collector is told to.
  const { ask, close } = await exporter(t, { registry: slow.registry, timeoutMs: 60_000 });
  const scraping = ask('/metrics');
  await slow.asked;
  const closing = close(WAIT);
  // No new connection is accepted, and the open one is served.
  t.true(
    await eventually(() =>
      ask('/ready').then(
        () => false,
        () => true,
      ),
    ),
  );
  slow.finish();
  const { status, body } = await scraping;
  t.is(status, 200);
  t.deepEqual(samplesOf(body.toString()), ['g 1']);
  await closing;
});

test.serial('close() cuts off requests that exceed its timeout', async (t) => {
  const slow = slowRegistry();
  const { ask, close } = await exporter(t, { registry: slow.registry });
  const scraping = ask('/metrics').then(
    () => 'answered',
    ({ code }) => code,
  );
  await slow.asked;
  const started = performance.now();
  await close({ timeoutMs: 200 });
  const ms = performance.now() - started;
  t.true(ms >= 150, `${ms} ms`);
  t.is(await scraping, 'ECONNRESET');
});

test.serial('a second close() with a shorter timeout is obeyed', async (t) => {
  const slow = slowRegistry();
  const { ask, close } = await exporter(t, { registry: slow.registry });
  const scraping = t.throwsAsync(ask('/metrics'));
  await slow.asked;
  const first = close(WAIT);
  await Promise.all([first, close({ timeoutMs: 0 })]);
  await scraping;
});

test.serial('close() is bounded also if clients neither read nor send', async (t) => {
  const { connect, close } = await exporter(t, { registry: longRegistry(), ...PATIENT });
  const sockets = [await connect(), await connect(), await connect({ highWaterMark: 16 })];
  sockets[1].write('GET /metrics HTTP/1.1\r\nHost');
  sockets[2].pause();
  sockets[2].write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await t.notThrowsAsync(close({ timeoutMs: 300 }));
  for (const socket of sockets) socket.destroy();
});

test.serial('whole answers are sent before close() ends a connection', async (t) => {
  const registry = seriesRegistry(20_000);
  const { connect, close } = await exporter(t, { registry, selfMetrics: false });
  const socket = await connect();
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  const reading = everything(socket);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await close();
  const answer = await reading;
  t.is(answer.slice(answer.indexOf('\r\n\r\n') + 4), await registry.metrics());
});

test.serial('an exporter does not keep its process alive', async (t) => {
  const child = start(t, async ({ client, say }) => {
    const { url } = await client.startExporter({ host: '127.0.0.1', port: 0 });
    const response = await fetch(`${url}/metrics`);
    await say([response.status, (await response.text()).includes('llmdevops_metrics_connections 1')]);
  });
  t.deepEqual(await child.heard(), [200, true]);
  t.deepEqual(await child.ended, { code: 0, signal: null, stderr: '' });
});

test.serial('an exporter with connections, collectors and checks does not keep its process alive', async (t) => {
  const child = start(t, async ({ client, say, require }) => {
    new client.Gauge({ name: 'g', help: 'h', collect() {} });
    const checks = { fine: () => true };
    const { port } = await client.startExporter({ host: '127.0.0.1', port: 0, checks, authenticate: () => true });
    const socket = require('node:net').connect(port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /ready HTTP/1.1\r\nHost: x\r\n\r\n');
    let all = '';
    for await (const chunk of socket) {
      all += chunk;
      if (all.endsWith('{"status":"ready","checks":{"fine":"ok"}}\n')) break;
    }
    await say(all.match(/HTTP\/1.1 \d+/g));
  });
  t.deepEqual(await child.heard(), ['HTTP/1.1 200', 'HTTP/1.1 200']);
  t.deepEqual(await child.ended, { code: 0, signal: null, stderr: '' });
});

test.serial('a process exits during scrapes with its own code', async (t) => {
  const child = start(t, async ({ client, say, heard }) => {
    const cardinality = { maxSeries: 20_000 };
    const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['n'], cardinality });
    for (let n = 0; n < 20_000; n++) counter.inc({ n });
    const { port } = await client.startExporter({ host: '127.0.0.1', port: 0 });
    await say(port);
    await heard();
    process.exit(7);
  });
  const port = await child.heard();
  const scrapes = Array.from({ length: 10 }, async () => {
    for (;;) {
      try {
        await ask({ port }, '/metrics', { headers: { 'accept-encoding': 'gzip' } });
      } catch {
        return;
      }
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  child.say('exit');
  t.deepEqual(await child.ended, { code: 7, signal: null, stderr: '' });
  await Promise.all(scrapes);
});

test.serial('a process exits while a collector holds a scrape', async (t) => {
  const child = start(t, async ({ client, say }) => {
    const collect = () => {
      setTimeout(() => process.exit(8), 50);
      return new Promise(() => {});
    };
    new client.Gauge({ name: 'g', help: 'h', collect });
    const { port } = await client.startExporter({ host: '127.0.0.1', port: 0 });
    const alive = setInterval(() => {}, 1000);
    await say(port);
    alive.ref();
  });
  const port = await child.heard();
  await t.throwsAsync(ask({ port }, '/metrics'));
  t.deepEqual(await child.ended, { code: 8, signal: null, stderr: '' });
});

test.serial('a process with an exporter that throws ends with this error', async (t) => {
  const child = start(t, async ({ client }) => {
    await client.startExporter({ host: '127.0.0.1', port: 0 });
    throw new Error('thrown by the program');
  });
  const { code, stderr } = await child.ended;
  t.is(code, 1);
  t.regex(stderr, /Error: thrown by the program/);
});

test.serial('a worker thread has an exporter of its own values', async (t) => {
  const child = start(t, async ({ client, thread, say }) => {
    new client.Counter({ name: 'c', help: 'h' }).inc();
    const text = async (scope) => {
      const exporter = await client.startExporter({ host: '127.0.0.1', port: 0, scope, selfMetrics: false });
      const body = await (await fetch(`${exporter.url}/metrics`)).text();
      await exporter.close();
      return body;
    };
    const worker = thread(async ({ client, say, heard }) => {
      new client.Counter({ name: 'c', help: 'h' }).inc(10);
      const bodies = {};
      for (const scope of [undefined, 'own', 'process']) {
        const exporter = await client.startExporter({ host: '127.0.0.1', port: 0, scope, selfMetrics: false });
        bodies[scope] = await (await fetch(`${exporter.url}/metrics`)).text();
        await exporter.close();
      }
      say(bodies);
      await heard();
    });
    const theirs = await worker.heard();
    await say({ main: [await text(), await text('process'), await text('own')], worker: Object.values(theirs) });
    worker.say('end');
  });
  const shown = (value) => `# HELP c h\n# TYPE c counter\nc ${value}\n`;
  t.deepEqual(await child.heard(), {
    main: [shown(11), shown(11), shown(1)],
    worker: [shown(10), shown(10), shown(11)],
  });
  t.is((await child.ended).code, 0);
});

test.serial('an exporter ends with its worker, in every way a worker can end', async (t) => {
  const child = start(t, async ({ client, thread, say, sleep }) => {
    const ways = {
      terminate: async ({ client, say, heard }) => {
        say((await client.startExporter({ host: '127.0.0.1', port: 0 })).port);
        await heard();
      },
      exit: async ({ client, say, heard }) => {
        say((await client.startExporter({ host: '127.0.0.1', port: 0 })).port);
        await heard();
        process.exit(3);
      },
      run_out: async ({ client, say, heard }) => {
        say((await client.startExporter({ host: '127.0.0.1', port: 0 })).port);
        await heard();
      },
      throw: async ({ client, say, heard }) => {
        say((await client.startExporter({ host: '127.0.0.1', port: 0 })).port);
        await heard();
        throw new Error('thrown by the worker');
      },
    };
    const outcomes = {};
    for (const [way, program] of Object.entries(ways)) {
      const worker = thread(program);
      const port = await worker.heard();
      const before = (await fetch(`http://127.0.0.1:${port}/health`)).status;
      if (way === 'terminate') await worker.terminate();
      else worker.say('end');
      const code = await worker.ended;
      let refused = false;
      for (let turn = 0; !refused && turn < 200; turn++) {
        refused = await fetch(`http://127.0.0.1:${port}/health`).then(
          () => false,
          () => true,
        );
        await sleep(10);
      }
      outcomes[way] = [before, code, refused];
    }
    // The main thread's exporter is not a worker's.
    const { url } = await client.startExporter({ host: '127.0.0.1', port: 0 });
    await say({ ...outcomes, main: (await fetch(`${url}/health`)).status });
  });
  t.deepEqual(await child.heard(), {
    terminate: [200, 1, true],
    exit: [200, 3, true],
    run_out: [200, 0, true],
    throw: [200, 1, true],
    main: 200,
  });
  t.is((await child.ended).code, 0);
});

test.serial('workers that end while their exporters are scraped lose no counts', async (t) => {
  const { code, stderr, result } = await attempt(
    async ({ client, thread, scrape, sleep, argument: rounds }) => {
      let answered = 0;
      for (let round = 0; round < rounds; round++) {
        const worker = thread(
          async ({ client, say, argument: hangs }) => {
            const counter = new client.Counter({ name: 'c_total', help: 'h', labelNames: ['n'] });
            for (let n = 0; n < 5000; n++) counter.inc({ n });
            const collect = hangs ? () => new Promise(() => {}) : () => {};
            new client.Gauge({ name: 'g', help: 'h', collect });
            say((await client.startExporter({ host: '127.0.0.1', port: 0, scope: 'process' })).port);
            setInterval(() => {}, 1000);
          },
          round % 2 === 1,
        );
        const port = await worker.heard();
        const before = answered;
        const scrapes = Array.from({ length: 6 }, async () => {
          for (;;) {
            try {
              await (await fetch(`http://127.0.0.1:${port}/metrics`)).arrayBuffer();
              answered++;
            } catch {
              return;
            }
          }
        });
        // A scrape whose collector hangs gets no answer.
        while (answered === before && round % 2 === 0) await sleep(5);
        await sleep(10 * round);
        await worker.terminate();
        await Promise.all(scrapes);
      }
      const totals = Object.values(await scrape(client));
      return { answered, series: totals.length, all: totals.every((value) => value === rounds) };
    },
    count(4, 8),
  );
  t.is(stderr, '');
  t.is(code, 0);
  t.true(result.answered > 0);
  t.is(result.series, 5000);
  t.true(result.all);
});

for (const flags of [['--input-type=module'], ['--input-type=commonjs']]) {
  test.serial(`startExporter() of ${flags[0].slice(13)}`, async (t) => {
    const load = flags[0].endsWith('module')
      ? `import { Counter, startExporter } from '@llm-devops/prometheus-metrics';`
      : `const { Counter, startExporter } = require('@llm-devops/prometheus-metrics');`;
    const source = `${load}
      new Counter({ name: 'c', help: 'h' }).inc(4);
      startExporter({ host: '127.0.0.1', port: 0, selfMetrics: false }).then(async ({ url }) => {
        console.log(await (await fetch(url + '/metrics')).text());
      });`;
    const options = { cwd: fileURLToPath(new URL('.', import.meta.url)) };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, '-e', source], options);
    t.is(stdout, '# HELP c h\n# TYPE c counter\nc 4\n\n');
    t.is(stderr, '');
  });
}

test.serial('an exporter shows values and metrics that come after its start', async (t) => {
  const registry = new Registry();
  const { text } = await exporter(t, { registry, selfMetrics: false });
  t.is(await text(), '\n');
  const counter = new Counter({ name: 'c', help: 'h', registers: [registry] });
  t.deepEqual(samplesOf(await text()), ['c 0']);
  counter.inc(2);
  t.deepEqual(samplesOf(await text()), ['c 2']);
  // A collector that is registered later runs, until it is removed.
  let asked = 0;
  new Gauge({ name: 'g', help: 'h', registers: [registry], collect: () => void asked++ });
  t.deepEqual(samplesOf(await text()), ['c 2', 'g 0']);
  t.is(asked, 1);
  registry.clear();
  t.is(await text(), '\n');
  t.is(asked, 1);
});
