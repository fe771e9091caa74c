// An exporter that cannot be started as it was asked for, and a system that gives the library no thread.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Counter, collectDefaultMetrics, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ANY_PORT = { port: 0, host: '127.0.0.1' };

const scraped = async ({ url }) => (await fetch(`${url}/metrics`)).text();

test('default metrics that the application has registered are left as they are', async (t) => {
  const registry = new Registry();
  const stop = collectDefaultMetrics({ register: registry, include: ['process'], labels: { app: 'gateway' } });
  t.teardown(stop);
  const exporter = await startExporter({ ...ANY_PORT, registry, collectorsProcess: true, collectorsRuntime: true });
  t.teardown(() => exporter.close());
  const text = await scraped(exporter);
  t.regex(text, /^process_resident_memory_bytes\{app="gateway"\} \d+$/m);
  // The group that the application did not register is added, without its labels.
  t.regex(text, /^nodejs_active_handles_total \d+$/m);
});

test('if a collector cannot be started, the error is that of its metric, and nothing listens', async (t) => {
  const registry = new Registry();
  new Counter({ name: 'llmdevops_llm_requests_total', help: 'Mine', registers: [registry] });
  const first = await startExporter(ANY_PORT);
  const { port } = first;
  await first.close();
  const error = await t.throwsAsync(startExporter({ ...ANY_PORT, port, registry, collectorsLlm: true }));
  t.is(error.code, 'TYPE_MISMATCH');
  t.true(error.message.includes('llmdevops_llm_requests_total'), error.message);
  // The port is free again.
  const second = await startExporter({ ...ANY_PORT, port });
  t.is(second.port, port);
  await second.close();
});

/** A size for the stack of each thread that no system has memory for. */
const NO_THREADS = { RUST_MIN_STACK: String(2 ** 46) };

const PROGRAM = `
  const { Counter, Registry, startExporter } = require('@llm-devops/prometheus-metrics');
  (async () => {
    const registry = new Registry({ cardinality: { maxSeries: 20_000 } });
    const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['n'], registers: [registry] });
    for (let n = 0; n < 10_000; n++) counter.inc({ n });
    const { status, body } = await registry.scrape();
    const lines = String(body).split('\\n').filter((line) => line.startsWith('c_total{')).length;
    const exporter = await startExporter({ port: 0, registry }).catch(({ code, message }) => code + ': ' + message);
    counter.inc({ n: 1 });
    const last = (await registry.metrics()).includes('c_total{n="1"} 2');
    console.log(JSON.stringify({ status, lines, exporter, last }));
  })();
`;

if (process.platform === 'linux') {
  test('without a thread of its own a scrape answers, an exporter is refused, and the process ends', async (t) => {
    const env = { ...process.env, ...NO_THREADS };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', PROGRAM], {
      cwd: ROOT,
      env,
      timeout: 60_000,
    });
    const { exporter, ...shown } = JSON.parse(stdout);
    t.deepEqual(shown, { status: 200, lines: 10_000, last: true });
    t.regex(exporter, /^BIND_FAILED: Cannot listen on 0\.0\.0\.0:0: /);
  });
}
