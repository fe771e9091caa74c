// Starts, serves and closes exporters in a process that has no file descriptors or threads left.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { start } from './support/children.mjs';
import { ask, eventually } from './support/doors.mjs';

const run = promisify(execFile);
const linux = process.platform === 'linux' ? test.serial : test.serial.skip;

linux('without file descriptors, health checks and scrapes are answered', async (t) => {
  const child = start(t, async ({ client, require, say, heard }) => {
    const fs = require('node:fs');
    const { port } = await client.startExporter({ host: '127.0.0.1', port: 0 });
    await say(port);
    await heard();
    const open = [];
    try {
      for (;;) open.push(fs.openSync('/dev/null'));
    } catch (error) {
      await say(error.code);
    }
    await heard();
    for (const descriptor of open) fs.closeSync(descriptor);
    await say('closed');
    await heard();
  });
  const to = { port: await child.heard() };
  t.is((await ask(to, '/health')).status, 200);
  await run('prlimit', ['--pid', `${child.pid}`, '--nofile=200:200']);
  child.say('exhaust');
  t.is(await child.heard(), 'EMFILE');
  for (let round = 0; round < 10; round++) {
    for (const path of ['/health', '/metrics', '/ready']) t.is((await ask(to, path)).status, 200, path);
  }
  child.say('close');
  t.is(await child.heard(), 'closed');
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(to, '/metrics')));
  t.true(answers.every(({ status }) => status === 200));
  child.say('end');
  const { code, stderr } = await child.ended;
  t.is(code, 0, stderr);
  // Once a minute, however many connections had to wait.
  t.deepEqual(
    [...stderr.matchAll(/PrometheusMetricsWarning: (.*) \(/g)].map(([, message]) => message),
    ['The exporter cannot accept a connection: Too many open files'],
  );
});

linux('startExporter() rejects if there are no file descriptors, and succeeds once there are', async (t) => {
  const child = start(t, async ({ client, require, say, heard }) => {
    const fs = require('node:fs');
    await heard();
    const open = [];
    try {
      for (;;) open.push(fs.openSync('/dev/null'));
    } catch {}
    // None, then one for the socket alone, and so on: some are missing for the event queue of the exporter's thread.
    const codes = [];
    for (let free = 0; free < 8; free++) {
      const started = await client.startExporter({ host: '127.0.0.1', port: 0 }).catch((error) => error);
      codes.push(started.code ?? 'started');
      await started.close?.();
      fs.closeSync(open.pop());
    }
    await say(codes);
    await heard();
  });
  await run('prlimit', ['--pid', `${child.pid}`, '--nofile=200:200']);
  child.say('go');
  const codes = await child.heard();
  t.log(codes.join(' '));
  t.is(codes[0], 'BIND_FAILED');
  t.is(codes.at(-1), 'started');
  t.deepEqual([...new Set(codes)], ['BIND_FAILED', 'started']);
  t.true(codes.lastIndexOf('BIND_FAILED') < codes.indexOf('started'));
  child.say('end');
  t.deepEqual(await child.ended, { code: 0, signal: null, stderr: '' });
});

linux('without new threads, scrapes are answered, close() ends and startExporter() rejects', async (t) => {
  const child = start(t, async ({ client, say, heard }) => {
    const counter = new client.Counter({ name: 'c_total', help: 'Some help', labelNames: ['n'] });
    for (let n = 0; n < 2000; n++) counter.inc({ n });
    const running = await client.startExporter({ host: '127.0.0.1', port: 0 });
    await say(running.port);
    await heard();
    // The limit does not apply to root.
    if (process.getuid() === 0) process.setuid(100_000 + process.pid);
    const refused = await client.startExporter({ host: '127.0.0.1', port: 0 }).catch((error) => error);
    await say([refused.code, refused.message]);
    await heard();
    await Promise.all([running.close(), running.close({ timeoutMs: 0 })]);
    await running.close();
    await say('closed');
  });
  const port = await child.heard();
  await run('prlimit', ['--pid', `${child.pid}`, '--nproc=1:1']);
  child.say('go');
  const [code, message] = await child.heard();
  t.is(code, 'BIND_FAILED');
  t.regex(message, /^Cannot listen on 127\.0\.0\.1:0: /);
  // An exposition of this size is made on a thread of its own, if there is one.
  const { status, body } = await ask({ port }, '/metrics');
  t.is(status, 200);
  t.is(body.toString().match(/^c_total/gm).length, 2000);
  child.say('close');
  t.is(await child.heard(), 'closed');
  t.true(
    await eventually(() =>
      ask({ port }, '/health').then(
        () => false,
        () => true,
      ),
    ),
  );
  const { code: exit, stderr } = await child.ended;
  t.is(exit, 0, stderr);
});
