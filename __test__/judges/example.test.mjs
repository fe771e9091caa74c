// Starts the example as a reader does: it prints its URLs, has its own traffic, stops cleanly, and explains wrong
// settings.

import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { GATEWAY_MAIN } from './support/gateway.mjs';
import { FAMILIES as LLM_FAMILIES } from './support/ledger.mjs';
import { Process, poll, run } from './support/processes.mjs';

/** Every metric that is not opt-in, listed independently of the catalogue. */
const FAMILIES = [
  ...Object.keys(LLM_FAMILIES).map((name) => name.replace('llmdevops_', '')),
  ...['executions_total', 'execution_duration_seconds', 'steps_total', 'step_duration_seconds', 'steps_per_execution'],
  'model_calls_per_execution',
  ...['tool_calls_per_execution', 'tool_calls_total', 'tool_call_duration_seconds', 'repeated_tool_calls_total'],
  ...['handoffs_total', 'memory_operations_total', 'active', 'errors_total', 'tokens_total', 'cost_usd_total'],
].map((name) => (name.startsWith('llm_') ? name : `agent_${name}`));

/** Rare values that each round of the load must contain: a metric and one of its labels. */
const UNUSUAL = [
  ...['success', 'error', 'timeout', 'cancelled'].map((status) => `llm_requests_total status="${status}"`),
  ...['rate_limit', 'overloaded'].map((type) => `llm_retries_total error_type="${type}"`),
  ...['success', 'error'].map((status) => `llm_fallbacks_total status="${status}"`),
  ...['hit', 'miss'].map((result) => `llm_cache_requests_total result="${result}"`),
  ...['pass', 'block'].map((result) => `llm_guardrail_checks_total result="${result}"`),
  ...['client', 'provider', 'timeout'].map((reason) => `llm_streaming_interrupted_total reason="${reason}"`),
  ...['stop', 'length', 'tool_calls', 'content_filter'].map((reason) => `llm_finish_reasons_total reason="${reason}"`),
  ...['cache_read', 'cache_write', 'reasoning'].map((detail) => `llm_token_details_total detail="${detail}"`),
  ...['chat', 'embeddings', 'image'].map((operation) => `llm_requests_total operation="${operation}"`),
  ...['success', 'failed', 'timeout', 'cancelled', 'max_steps', 'guardrail'].map(
    (status) => `agent_executions_total status="${status}"`,
  ),
  ...['success', 'error', 'timeout', 'denied'].map((status) => `agent_tool_calls_total status="${status}"`),
  ...['llm', 'tool', 'plan', 'retrieval', 'handoff', 'memory', 'guardrail'].map(
    (type) => `agent_steps_total step_type="${type}"`,
  ),
  ...['success', 'error'].map((status) => `agent_handoffs_total status="${status}"`),
  ...['search', 'write'].map((operation) => `agent_memory_operations_total operation_type="${operation}"`),
  ...['tool_error', 'unknown_tool', 'max_steps', 'guardrail'].map((type) => `agent_errors_total error_type="${type}"`),
];

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
    const page = await fetch(new URL('/', metricsUrl), { headers: { accept: 'text/html' } });
    t.is(page.status, 200);
    t.regex(page.headers.get('content-type'), /^text\/html/);
    t.is((await fetch(new URL('/elsewhere', metricsUrl))).status, 404);
    const summary = / in flight \| .* \| \$\d+\.\d{4} \| \d+ agent runs \(/;
    await poll(() => lines.some((line) => summary.test(line)) || undefined, 'a summary line');

    // At this time the test keeps connections open, and requests are in flight, one of them a stream.
    const began = Date.now();
    const { code, stderr } = await child.stop(signal);
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    t.true(Date.now() - began < 6000, 'ends in bounded time');
    t.is(lines.at(-1), 'Stopped.');
  });
}

test('its own load changes every metric of the catalogue within a round', async (t) => {
  const lines = [];
  const child = new Process(process.execPath, [GATEWAY_MAIN], { env: ANY_PORTS, onLine: (line) => lines.push(line) });
  t.teardown(() => child.stop());
  const urlOf = () => lines.map((line) => /^Metrics +(http:\S+)/.exec(line)?.[1]).find(Boolean);
  const metricsUrl = await child.until(urlOf, 'it printed its URLs');

  const missing = new Set([...FAMILIES, ...UNUSUAL]);
  const scrape = async () => {
    const text = await (await fetch(metricsUrl, { headers: { accept: 'text/plain;version=0.0.4' } })).text();
    const moved = text.split('\n').filter((line) => !line.endsWith(' 0'));
    // Gauges of requests in flight rise and fall, so a metric that changed once has passed.
    for (const wanted of missing) {
      const [name, label = ''] = wanted.split(' ');
      const series = new RegExp(`^llmdevops_${name}(_bucket|_sum|_count)?\\{.*${label}`);
      if (moved.some((line) => series.test(line))) missing.delete(wanted);
    }
    return missing.size === 0 ? true : undefined;
  };
  // A round takes ten seconds; the additional time is for a busy machine.
  await poll(scrape, 'every metric', { timeoutMs: 30_000 }).catch(() => {});
  t.deepEqual([...missing], []);
});

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

test('an invalid setting prints what was expected', async (t) => {
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
