// Tests pushes of processes that share their metrics: one of them pushes the totals of all, and another one takes over.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { start } from '../http/exporter/support/children.mjs';
import { startGateway } from './support/gateway.mjs';
import { answers, until, WRITTEN } from './support/pushers.mjs';
import { otlp, remoteWrite, valuesOf } from './support/requests.mjs';

const onLinux = process.platform === 'linux' ? test : test.skip;
/** Alone: the last push of a process has two seconds, and the receivers of other tests take the same processor. */
const aloneOnLinux = process.platform === 'linux' ? test.serial : test.skip;

/** Counts, pushes and closes as the test says. */
const program = async ({ argument: { dir, how = 'before', count, ...options }, client, say, heard }) => {
  let pusher;
  const rows = new client.Counter({ name: 'rows_total', help: 'Rows' });
  const done = {
    start: async () => {
      pusher = await client.startPusher({ job: 'shared', ...options });
    },
    share: () => {
      if (dir !== undefined) client.shareProcesses({ dir });
    },
    stats: () => pusher.stats(),
    count: (amount) => rows.inc(amount),
    flush: () => pusher.flush(),
    close: () => pusher.close(),
    exit: () => process.exit(0),
  };
  if (how === 'before') done.share();
  rows.inc(count);
  await done.start();
  if (how === 'after') done.share();
  await say('ready');
  for (;;) {
    const [command, value] = await heard();
    const answer = await done[command](value);
    await say(answer ?? 'done');
  }
};

/** A receiver, and a function that starts a process which pushes there. */
async function service(t, answer = answers(204)) {
  const receiver = await startGateway(t, answer);
  const dir = mkdtempSync(join(tmpdir(), 'prometheus-push-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const run = async (count, options = {}, env = {}) => {
    const url = `${receiver.url}/api/v1/write`;
    const argument = { url, dir, count, protocol: 'remote-write-1', intervalMs: 100, ...options };
    const child = start(t, program, argument, { env });
    t.is(await child.heard(), 'ready');
    const ask = async (command, value) => {
      child.say([command, value]);
      return child.heard();
    };
    return { ...child, ask };
  };
  return { ...receiver, dir, run };
}

const isStandby = async (child) => (await child.ask('stats')).standsBy;

/** The process that pushes, and those that stand by. Each knows its role when its thread has looked. */
async function roles(children) {
  let standbys = [];
  await until(async () => {
    standbys = await Promise.all(children.map(isStandby));
    return standbys.filter((standsBy) => !standsBy).length === 1;
  });
  const pushes = standbys.indexOf(false);
  return [children[pushes], children.filter((_, at) => at !== pushes)];
}

/** All samples of a series, in their order: of version 1.0 and 2.0. */
function samplesOf(requests, wanted = 'rows_total') {
  return requests.flatMap((request) =>
    remoteWrite(request).series.flatMap(({ labels, samples }) => {
      const { __name__: name, instance, ...others } = Object.fromEntries(labels);
      return name === wanted ? [{ ...samples[0], instance, others }] : [];
    }),
  );
}

const newest = (requests) => samplesOf(requests).at(-1)?.value;

onLinux('one of three processes pushes the totals, and another one takes over when it is killed', async (t) => {
  const { requests, run } = await service(t, answers([204, WRITTEN]));
  const children = [];
  for (const count of [1, 20, 300]) children.push(await run(count, { protocol: 'remote-write' }));
  let total = 321;
  await until(() => newest(requests) === total);
  let [pusher, others] = await roles(children);
  for (const left of [2, 1]) {
    pusher.kill('SIGKILL');
    await pusher.ended;
    const killed = requests.length;
    await until(() => requests.length > killed + 1);
    [pusher, others] = await roles(others);
    t.is(others.length, left - 1);
    await pusher.ask('count', 1000);
    total += 1000;
    await until(() => newest(requests) === total);
  }
  const samples = samplesOf(requests);
  const from = samples.findIndex(({ value }) => value === 321);
  t.is(new Set(samples.map(({ instance }) => instance)).size, 1, 'the instance of the run');
  t.is(new Set(samples.slice(from).map((sample) => sample.start)).size, 1, 'they do not begin anew');
  t.true(samples[0].start > 0);
  for (const [at, { value, timestamp }] of samples.entries()) {
    t.not(value, 'stale');
    if (at === 0) continue;
    t.true(value >= samples[at - 1].value && timestamp > samples[at - 1].timestamp);
  }
});

onLinux('a process that closes its pusher hands over, and its values stay', async (t) => {
  const { requests, run } = await service(t);
  const children = [await run(1), await run(20)];
  await until(() => newest(requests) === 21);
  const [pusher, [other]] = await roles(children);
  await other.ask('flush');
  t.is((await other.ask('stats')).pushes, 0, 'the other one pushes');
  await pusher.ask('count', 300);
  await pusher.ask('close');
  await until(async () => !(await isStandby(other)));
  await until(() => newest(requests) === 321);
  pusher.say(['exit']);
  await pusher.ended;
  await other.ask('flush');
  t.deepEqual(valuesOf(requests.at(-1))['rows_total{job="shared"}'], 321);
  t.false(samplesOf(requests).some(({ value }) => value === 'stale'));
  // Now it is the last one.
  await other.ask('close');
  t.is(newest(requests), 'stale');
  t.is(new Set(samplesOf(requests).map(({ instance }) => instance)).size, 1);
});

for (const [how, options] of Object.entries({
  'that push often': { intervalMs: 100 },
  'that have not pushed yet': { intervalMs: 3_600_000 },
})) {
  aloneOnLinux(`when all processes ${how} are terminated, the last one pushes the totals`, async (t) => {
    const { requests, run } = await service(t);
    const children = await Promise.all([1, 20, 300].map((count) => run(count, options)));
    await Promise.all(children.map((child) => child.ask('count', 10_000)));
    for (const child of children) child.kill('SIGTERM');
    for (const child of children) t.deepEqual(await child.ended, { code: null, signal: 'SIGTERM', stderr: '' });
    const values = samplesOf(requests).map(({ value }) => value);
    const total = 30_321;
    t.deepEqual(values.slice(-2), [total, 'stale']);
    t.true(values.slice(0, -1).every((value) => value <= total));
  });
}

aloneOnLinux('processes that end one after the other leave the totals of all', async (t) => {
  const { requests, run } = await service(t);
  for (const count of [1, 20]) {
    const ending = await run(count, { intervalMs: 3_600_000 });
    const staying = await run(0, { intervalMs: 3_600_000 });
    ending.say(['exit']);
    await ending.ended;
    staying.kill('SIGTERM');
    t.deepEqual(await staying.ended, { code: null, signal: 'SIGTERM', stderr: '' });
    t.deepEqual(
      samplesOf(requests)
        .slice(-2)
        .map(({ value }) => value),
      [count, 'stale'],
      'no process is left: a new run begins',
    );
  }
});

onLinux('a pusher that cannot send hands over within its time', async (t) => {
  let hangs = true;
  const { requests, run } = await service(t, (_, response) => hangs || response.writeHead(204).end());
  const [one, two] = [await run(1), await run(20)];
  await until(() => requests.length > 0);
  await one.ask('close');
  hangs = false;
  await until(async () => !(await isStandby(two)));
  await until(() => newest(requests) === 21);
});

onLinux('the group of a Pushgateway, and the instance of OTLP, stay when another process takes over', async (t) => {
  const { requests, url, run } = await service(t, answers(200));
  const identities = {
    pushgateway: [{ url }, ({ url: path }) => path],
    otlp: [{ url: `${url}/v1/metrics`, labels: { job: 'x', zone: 'a' } }, (request) => otlp(request).resource],
  };
  for (const [protocol, [options, identity]] of Object.entries(identities)) {
    const [one, two] = [await run(1, { protocol, ...options }), await run(1, { protocol, ...options })];
    await one.ask('flush');
    const before = identity(requests.at(-1));
    one.kill('SIGKILL');
    await one.ended;
    await until(async () => (await two.ask('stats')).pushes > 0);
    t.deepEqual(identity(requests.at(-1)), before);
    two.kill('SIGKILL');
    await two.ended;
  }
  const { metrics } = otlp(requests.at(-1));
  const { points } = metrics.find(({ name }) => name === 'rows_total');
  t.deepEqual(points[0].labels, { zone: 'a' }, 'the job is an attribute of the process');
});

onLinux('pushers with other settings, of another scope, or of processes that do not share push too', async (t) => {
  const { requests, run } = await service(t);
  const children = [
    await run(1),
    await run(20, { labels: { region: 'eu' } }),
    await run(50_000, { bearerToken: 'of another tenant' }),
    await run(300, { scope: 'own' }),
    await run(4000, { dir: undefined }),
  ];
  for (const child of children) {
    t.false(await isStandby(child));
    await child.ask('flush');
  }
  const latest = {};
  for (const { others, value, instance } of samplesOf(requests)) {
    latest[`${others.region ?? ''} ${instance}`] = value;
  }
  t.deepEqual(
    Object.values(latest).sort((one, two) => one - two),
    [300, 4000, 50_321, 50_321, 50_321],
  );
  t.is(Object.keys(latest).filter((key) => key.startsWith('eu')).length, 1);
});

onLinux('an instance that is set is kept, and does not add a pusher', async (t) => {
  const { requests, run } = await service(t);
  const one = await run(1, { instance: 'slot' });
  const two = await run(20, { instance: 'slot' });
  await until(() => newest(requests) === 21);
  t.true(await isStandby(two));
  one.kill('SIGKILL');
  await until(async () => !(await isStandby(two)));
  await two.ask('flush');
  t.deepEqual([...new Set(samplesOf(requests).map(({ instance }) => instance))], ['slot']);
});

onLinux('processes that share after they have started their pushers take turns too', async (t) => {
  const { requests, run } = await service(t);
  const [one, two] = [await run(1, { how: 'after' }), await run(20, { how: 'after' })];
  await until(() => newest(requests) === 21);
  await roles([one, two]);
});

onLinux('a pusher shares the metrics of its process if the variable is set', async (t) => {
  const { requests, dir, run } = await service(t);
  const env = { METRICS_PROCESSES_DIR: dir };
  const children = [await run(1, { dir: undefined }, env), await run(20, { dir: undefined }, env)];
  await until(() => newest(requests) === 21);
  await roles(children);
});
