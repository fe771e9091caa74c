// Tests the end of a process that pushes: one last push, and the meaning of the application's own handlers.

import test from 'ava';
import { start } from '../http/exporter/support/children.mjs';
import { startGateway } from './support/gateway.mjs';
import { answers, until } from './support/pushers.mjs';
import { remoteWrite, valuesOf } from './support/requests.mjs';

const SERIES = 'jobs_total{job="test"}';

/** What the receiver knows at the end: the newest value, and whether all series were marked as ended. */
function known(requests) {
  const all = requests.flatMap((request) => remoteWrite(request).series);
  const own = all.filter(({ labels }) => Object.fromEntries(labels).__name__ === 'jobs_total');
  const values = own.map(({ samples }) => samples[0].value);
  return { value: values.filter((value) => value !== 'stale').at(-1), hasEnded: values.at(-1) === 'stale' };
}

/** Programs whose workers push a registry of their own, by how these end. */
const WORKERS = {
  'with nothing left to do': async ({ argument, thread }) => {
    thread(async ({ argument: url, client }) => {
      const registry = new client.Registry();
      new client.Counter({ name: 'jobs_total', help: 'J', registers: [registry] }).inc(4);
      await client.startPusher({ registry, url });
    }, argument);
  },
  'by process.exit()': async ({ argument, thread }) => {
    thread(async ({ argument: url, client }) => {
      const registry = new client.Registry();
      await client.startPusher({ registry, url });
      new client.Counter({ name: 'jobs_total', help: 'J', registers: [registry] }).inc(4);
      process.exit(0);
    }, argument);
  },
  'by an uncaught error': async ({ argument, thread }) => {
    thread(async ({ argument: url, client }) => {
      const registry = new client.Registry();
      await client.startPusher({ registry, url });
      new client.Counter({ name: 'jobs_total', help: 'J', registers: [registry] }).inc(4);
      setImmediate(() => {
        throw new Error('as it must');
      });
    }, argument);
  },
};

/** Its worker is terminated while it pushes a registry of its own. */
const terminated = async ({ argument, thread, say }) => {
  const worker = thread(async ({ argument: url, client, say }) => {
    const registry = new client.Registry();
    new client.Counter({ name: 'jobs_total', help: 'J', registers: [registry] }).inc(4);
    await client.startPusher({ registry, url });
    say('ready');
    setInterval(() => {}, 1000);
  }, argument);
  await worker.heard();
  await worker.terminate();
  await say('terminated');
};

/** Starts a program with a pusher that pushes only when it must, and counts a job. */
async function running(t, program, answer = answers(204)) {
  const receiver = await startGateway(t, answer);
  // The function's text runs in the process, so it uses nothing of this file.
  const child = start(t, program, `${receiver.url}/api/v1/write`, {
    env: { METRICS_PUSH_INTERVAL_MS: '3600000', METRICS_PUSH_PROTOCOL: 'remote-write-1', METRICS_PUSH_JOB: 'test' },
  });
  return { ...receiver, child };
}

const endings = {
  'with nothing left to do': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      await startPusher({ url });
      new Counter({ name: 'jobs_total', help: 'J' }).inc(3);
    },
    { code: 0, signal: null },
  ],
  'by process.exit()': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      await startPusher({ url });
      new Counter({ name: 'jobs_total', help: 'J' }).inc(3);
      process.exit(7);
    },
    { code: 7, signal: null },
  ],
  'by an uncaught error': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      await startPusher({ url });
      new Counter({ name: 'jobs_total', help: 'J' }).inc(3);
      setImmediate(() => {
        throw new Error('as it must');
      });
    },
    { code: 1, signal: null },
  ],
  'by SIGTERM': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      await startPusher({ url });
      new Counter({ name: 'jobs_total', help: 'J' }).inc(3);
      setInterval(() => {}, 1000);
      process.kill(process.pid, 'SIGTERM');
    },
    { code: null, signal: 'SIGTERM' },
  ],
  'by SIGINT': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      await startPusher({ url });
      new Counter({ name: 'jobs_total', help: 'J' }).inc(3);
      setInterval(() => {}, 1000);
      process.kill(process.pid, 'SIGINT');
    },
    { code: null, signal: 'SIGINT' },
  ],
  'by a handler of its own, which exits': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      await startPusher({ url });
      const jobs = new Counter({ name: 'jobs_total', help: 'J' });
      process.on('SIGTERM', () => {
        jobs.inc(3);
        process.exit(5);
      });
      setInterval(() => {}, 1000);
      process.kill(process.pid, 'SIGTERM');
    },
    { code: 5, signal: null },
  ],
  'by a handler that was there before, and closes what it has': [
    async ({ argument: url, client }) => {
      const { Counter, startPusher } = client;
      const jobs = new Counter({ name: 'jobs_total', help: 'J' });
      const timer = setInterval(() => {}, 1000);
      process.once('SIGTERM', () => {
        jobs.inc(3);
        clearInterval(timer);
      });
      await startPusher({ url });
      process.kill(process.pid, 'SIGTERM');
    },
    { code: 0, signal: null },
  ],
};

for (const [how, [program, expected]] of Object.entries(endings)) {
  test(`a process that ends ${how} pushes its last values`, async (t) => {
    const { requests, child } = await running(t, program);
    const { code, signal, stderr } = await child.ended;
    t.deepEqual({ code, signal }, expected, stderr);
    t.deepEqual(known(requests), { value: 3, hasEnded: true });
  });
}

test('a handler that decides to stay alive keeps the process alive, and later signals are its own too', async (t) => {
  const { requests, child } = await running(t, async ({ argument: url, client, say, heard }) => {
    const { startPusher } = client;
    await startPusher({ url });
    let signals = 0;
    const handler = () => {
      signals++;
      say(signals);
    };
    process.on('SIGTERM', handler);
    await say('ready');
    setInterval(() => {}, 1000);
    await heard();
    process.off('SIGTERM', handler);
    await say('off');
  });
  t.is(await child.heard(), 'ready');
  child.kill('SIGTERM');
  t.is(await child.heard(), 1);
  child.kill('SIGTERM');
  t.is(await child.heard(), 2);
  child.say('go on');
  t.is(await child.heard(), 'off');
  child.kill('SIGTERM');
  t.is((await child.ended).signal, 'SIGTERM');
  t.true(requests.length > 0);
});

test('a receiver that does not answer delays the end by its budget, not for ever', async (t) => {
  for (const program of [endings['by process.exit()'][0], endings['by SIGTERM'][0]]) {
    const { child } = await running(t, program, () => {});
    const begun = performance.now();
    const { code, signal } = await child.ended;
    t.true(code === 7 || signal === 'SIGTERM');
    t.true(performance.now() - begun < 20_000);
  }
});

test('a closed pusher leaves the signals to the program', async (t) => {
  const { child } = await running(t, async ({ argument: url, client, say }) => {
    const names = ['SIGTERM', 'SIGINT', 'exit', 'beforeExit', 'newListener', 'removeListener'];
    const counts = () => names.map((name) => process.listenerCount(name));
    const before = counts();
    const pusher = await client.startPusher({ url });
    const during = counts();
    await pusher.close();
    await say({ before, during, after: counts() });
  });
  const { before, during, after } = await child.heard();
  t.deepEqual(
    during,
    before.map((count) => count + 1),
  );
  t.deepEqual(after, before);
});

test('a program that goes on after it had nothing left to do pushes fresh values when it ends', async (t) => {
  const { requests, child } = await running(t, async ({ argument: url, client }) => {
    let jobs = 1;
    const collect = function () {
      this.set(jobs);
    };
    new client.Gauge({ name: 'jobs_total', help: 'J', collect });
    await client.startPusher({ url });
    const goOn = () => {
      jobs = 5;
    };
    // The first time the pusher pushes; the second time it has.
    let times = 0;
    process.on('beforeExit', () => {
      times += 1;
      if (times === 2) setTimeout(goOn, 2500);
    });
  });
  const { code, stderr } = await child.ended;
  t.is(code, 0, stderr);
  t.is(known(requests).value, 5);
});

test('a blocked event loop does not stop pushes, and they have the newest values', async (t) => {
  const { requests, child } = await running(t, async ({ argument: url, client, block, say, heard }) => {
    const { Counter, startPusher } = client;
    await startPusher({ url, intervalMs: 100 });
    const jobs = new Counter({ name: 'jobs_total', help: 'J' });
    await say('ready');
    await heard();
    jobs.inc(9);
    block();
  });
  await child.heard();
  child.say('block');
  await until(() => requests.some((request) => valuesOf(request)[SERIES] === 9));
  const count = requests.length;
  await until(() => requests.length > count + 3);
  child.free();
  await child.ended;
  t.deepEqual(known(requests), { value: 9, hasEnded: true });
});

for (const [how, program] of Object.entries(WORKERS)) {
  test(`a worker that ends ${how} pushes its last values`, async (t) => {
    const { requests, child } = await running(t, program);
    await child.ended;
    t.deepEqual(known(requests), { value: 4, hasEnded: true });
  });
}

test('a worker that is terminated ends without a last push, and the process goes on', async (t) => {
  const { child } = await running(t, terminated);
  t.is(await child.heard(), 'terminated');
  t.like(await child.ended, { code: 0, signal: null });
});

test('a receiver that does not answer at the end takes no time from the others', async (t) => {
  const answer = (request, response) => request.url.startsWith('/hang') || response.writeHead(204).end();
  const program = async ({ argument: url, client }) => {
    const { Counter, startPusher } = client;
    await startPusher({ url: url.replace('/api', '/hang') });
    await startPusher({ url });
    new Counter({ name: 'jobs_total', help: 'J' }).inc(3);
    process.exit(0);
  };
  const { requests, child } = await running(t, program, answer);
  await child.ended;
  const healthy = requests.filter(({ url }) => url.startsWith('/api'));
  t.deepEqual(known(healthy), { value: 3, hasEnded: true });
});
