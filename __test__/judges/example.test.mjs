// The example as its reader starts it: it says where it is, has traffic of its own, ends cleanly, and explains what
// is wrong with its settings.

import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { GATEWAY_MAIN } from './support/gateway.mjs';
import { Process, poll, run } from './support/processes.mjs';

const ANY_PORTS = { PORT: '0', METRICS_ENDPOINT_PORT: '0' };

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`it serves its own load until ${signal}`, async (t) => {
    const lines = [];
    const child = new Process(process.execPath, [GATEWAY_MAIN], { env: ANY_PORTS, onLine: (line) => lines.push(line) });
    t.teardown(() => child.stop());
    const urlOf = (name) => lines.map((line) => new RegExp(`^${name} +(http:\\S+)`).exec(line)?.[1]).find(Boolean);
    const metricsUrl = await child.until(() => urlOf('Metrics'), 'it printed its URLs');

    const succeeded = /^llmdevops_llm_requests_total\{.*status="success".*\} [1-9]/m;
    await poll(async () => {
      return succeeded.test(await (await fetch(metricsUrl)).text()) || undefined;
    }, 'a successful request of its own load');
    for (const path of ['/health', '/ready']) t.is((await fetch(new URL(path, metricsUrl))).status, 200, path);
    t.is((await fetch(new URL('/', metricsUrl))).status, 404);
    await poll(() => lines.some((line) => / in flight /.test(line)) || undefined, 'a summary line');

    // With connections of ours kept open, requests in flight, and one of them a stream.
    const began = Date.now();
    const { code, stderr } = await child.stop(signal);
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    t.true(Date.now() - began < 6000, 'ends in bounded time');
    t.is(lines.at(-1), 'Ended.');
  });
}

for (const setting of ['PORT', 'METRICS_ENDPOINT_PORT']) {
  test(`a taken port names ${setting}`, async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.teardown(() => taken.close());
    const { port } = taken.address();

    const { code, stdout, stderr } = await run(process.execPath, [GATEWAY_MAIN], {
      env: { ...ANY_PORTS, [setting]: String(port) },
    });
    const message = `Port ${port} is taken. Set ${setting} to another port, or to 0 for any free one.\n`;
    t.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: message });
  });
}

test('a setting that makes no sense says what it expected', async (t) => {
  const { code, stderr } = await run(process.execPath, [GATEWAY_MAIN], { env: { ...ANY_PORTS, PORT: '80a' } });
  t.deepEqual(
    { code, stderr },
    { code: 1, stderr: 'Expected a whole number from 0 to 65535 for PORT but received "80a".\n' },
  );
});

test('--help explains every setting', async (t) => {
  const { code, stdout } = await run(process.execPath, [GATEWAY_MAIN, '--help']);
  t.is(code, 0);
  for (const word of ['PORT', 'METRICS_ENDPOINT_PORT', 'GATEWAY_LOAD', '--no-load', '--help']) {
    t.true(stdout.includes(word), word);
  }
});
