// Tests the worker thread that sends pushes: what it needs, what it brings into a process, and what happens if it ends.

import test from 'ava';
import { certificates } from '../http/exporter/support/certificates.mjs';
import { start } from '../http/exporter/support/children.mjs';
import { startGateway } from './support/gateway.mjs';
import { answers, pushing, shop } from './support/pushers.mjs';

const env = { METRICS_PUSH_PROTOCOL: 'remote-write-1', METRICS_PUSH_INTERVAL_MS: '3600000' };
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

/** Pushes once and says what came of it. */
const pushOnce = async ({ argument: url, client, say }) => {
  const pushed = client.startPusher({ url }).then(async (pusher) => {
    await pusher.flush();
    await pusher.close();
    return { hasPushed: pusher.stats().pushes > 0 };
  });
  await say(await pushed.catch(({ code, message }) => ({ code, message })));
};

test('a process that may not start workers gets an error that says what to do', async (t) => {
  const receiver = await startGateway(t, answers(204));
  const flags = [PERMISSION, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons', '--no-warnings'];
  // Node.js 25 asks for this one too; older versions do not know it.
  if (process.allowedNodeEnvironmentFlags.has('--allow-net')) flags.push('--allow-net');
  const denied = start(t, pushOnce, receiver.url, { env, flags });
  const { code, message } = await denied.heard();
  t.is(code, 'INVALID_CONFIG');
  t.regex(message, /start the program with --allow-worker$/);
  t.is(receiver.requests.length, 0);
  const allowed = start(t, pushOnce, receiver.url, { env, flags: [...flags, '--allow-worker'] });
  t.deepEqual(await allowed.heard(), { hasPushed: true });
});

test('modules that a program preloads are not loaded into the worker', async (t) => {
  const receiver = await startGateway(t, answers(204));
  // Quotes have a meaning of their own in the variable.
  const preload = (text) => `--import=data:text/javascript,process._rawDebug(%22${text}%22)`;
  const child = start(t, pushOnce, receiver.url, {
    env: { ...env, NODE_OPTIONS: preload('of-the-environment') },
    flags: [preload('of-the-command')],
  });
  t.deepEqual(await child.heard(), { hasPushed: true });
  const { stderr } = await child.ended;
  for (const text of ['of-the-environment', 'of-the-command']) t.is(stderr.split(text).length, 2, stderr);
});

test('the worker ends with its pusher, and after a start that was refused', async (t) => {
  const receiver = await startGateway(t, answers(204));
  const program = async ({ argument: url, client, say }) => {
    const ended = [];
    process.on('worker', (worker) => worker.once('exit', () => ended.push(worker)));
    const pusher = await client.startPusher({ url });
    const during = ended.length;
    await pusher.close();
    const closed = ended.length;
    await client.startPusher({ url: 'nonsense' }).catch(() => {});
    await say([during, closed, ended.length]);
  };
  t.deepEqual(await start(t, program, receiver.url, { env }).heard(), [0, 1, 2]);
});

test('if the worker is ended by others, pushes fail and say so, and the process lives', async (t) => {
  const receiver = await startGateway(t, answers(204));
  const program = async ({ argument: url, client, say }) => {
    let worker;
    process.once('worker', (started) => {
      worker = started;
    });
    const pusher = await client.startPusher({ url });
    await worker.terminate();
    const error = await pusher.flush(300).catch((thrown) => thrown);
    await pusher.close(0);
    await say({ code: error.code, message: error.message });
  };
  const child = start(t, program, receiver.url, { env });
  const { code, message } = await child.heard();
  t.is(code, 'PUSH_FAILED');
  t.regex(message, /the worker thread that sends pushes has ended/);
  t.is((await child.ended).code, 0);
});

test("https believes Node.js' own authorities if none is set", async (t) => {
  const made = await certificates(t);
  const secure = { key: made.read('server.key'), cert: made.read('server.crt') };
  const receiver = await startGateway(t, answers(204), secure);
  const extra = { ...env, NODE_EXTRA_CA_CERTS: made.path('ca.crt') };
  t.deepEqual(await start(t, pushOnce, receiver.url, { env: extra }).heard(), { hasPushed: true });
});

test('an answer whose body does not end counts by its status', async (t) => {
  const { registry } = shop();
  const half = (_, response) => response.writeHead(400).write('half');
  const { pusher } = await pushing(t, half, { registry, timeoutMs: 100 });
  await t.throwsAsync(pusher.flush(), { message: /it answered 400: half$/ });
});

test('a long body of an answer is cut, and the connection is not used again', async (t) => {
  const { registry } = shop();
  const sockets = new Set();
  const long = (request, response) => {
    sockets.add(request.socket);
    response.writeHead(400).end('x'.repeat(5_000_000));
  };
  const { pusher } = await pushing(t, long, { registry });
  for (let push = 0; push < 2; push++) await t.throwsAsync(pusher.flush(), { message: /it answered 400: xxx/ });
  t.is(sockets.size, 2);
});

test('requests of one push use one connection', async (t) => {
  const { registry } = shop();
  const counter = registry.counter({ name: 'wide_total', help: 'W', labelNames: ['text'] });
  for (let i = 0; i < 9000; i++) counter.inc({ text: `${i}-${'x'.repeat(1000)}` }, i);
  const sockets = new Set();
  const answer = (request, response) => {
    sockets.add(request.socket);
    response.writeHead(204).end();
  };
  const { pusher, requests } = await pushing(t, answer, { registry });
  await pusher.flush();
  t.true(requests.length > 1);
  t.is(sockets.size, 1);
});
