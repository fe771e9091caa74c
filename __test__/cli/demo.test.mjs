// `demo` runs an endpoint whose page, metrics and values are real.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { assertValidExposition, parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { PROGRAM, run } from './support/program.mjs';

test('demo prints the address of a page; its metrics move', async (t) => {
  const child = spawn(process.execPath, [PROGRAM, 'demo', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const page = /^Page {5}(http:\S+\/)$/.exec((await lines.next()).value)[1];
  const metrics = /^Metrics {2}(http:\S+)$/.exec((await lines.next()).value)[1];
  t.is((await lines.next()).value, 'Press Ctrl-C to stop.');
  const shown = await fetch(page);
  t.is(shown.status, 200);
  t.regex(shown.headers.get('content-type'), /^text\/html/);

  const names = ['http_request_duration_seconds_count', 'llmdevops_llm_requests_total'];
  const total = (exposition, name) => exposition.samples(name).reduce((sum, { value }) => sum + value, 0);
  const read = async () => {
    const text = await (await fetch(metrics)).text();
    assertValidExposition(text);
    return parseExposition(text);
  };
  const first = await read();
  // Each moves within some rounds of a quarter of a second.
  for (const name of names) {
    while (!(total(await read(), name) > total(first, name))) await new Promise((done) => setTimeout(done, 100));
    t.pass(name);
  }
  t.true((await read()).family('jobs_waiting') !== undefined);
  child.kill('SIGINT');
  t.deepEqual(await once(child, 'exit'), [null, 'SIGINT']);
});

test('demo says how to take another port', async (t) => {
  const server = createServer().listen(0, '0.0.0.0');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { code, stdout, stderr } = await run(['demo', '--port', String(server.address().port)]);
  t.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  t.regex(stderr, /^prometheus-metrics: .*in use.* \(--port 0 takes a free port\)\n$/i);
});

test('demo says why it shows nothing if metrics are disabled', async (t) => {
  const { code, stdout, stderr } = await run(['demo', '--port', '0'], { env: { METRICS_ENABLED: 'false' } });
  t.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  t.regex(stderr, /METRICS_ENABLED is false/);
});
