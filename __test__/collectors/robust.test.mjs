// Tests that recording never breaks the program: with invalid values, small registries and promises of other realms.

import { runInNewContext } from 'node:vm';
import { AgentMetricsCollector, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';

/** The samples with this prefix that are not 0, without buckets and sums. */
async function recorded(registry, prefix) {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(prefix));
  return lines.filter((line) => !line.endsWith(' 0') && !/_(bucket|sum)\{/.test(line));
}

const NO_AMOUNTS = [Number.NaN, Number.POSITIVE_INFINITY, -1, '5', null];

test('durations, steps and costs that are not amounts count as not reported', async (t) => {
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry });
  const llm = new LlmMetricsCollector({ registry, prices: { m: { input: 1, output: 1 } } });
  for (const odd of NO_AMOUNTS) {
    agents.recordExecutionStart('a');
    agents.recordExecutionEnd({ agentType: 'a', durationMs: odd, steps: odd, toolCalls: odd });
    agents.recordStep('a', 'llm', odd);
    agents.recordToolCall('a', 't', 'success', odd);
    llm.recordGuardrail('g', 'input', 'pass', odd);
    const call = llm.startRequest({ model: 'm', provider: 'p' });
    call.end({ inputTokens: 1_000_000, outputTokens: 0, costUsd: odd });
    t.is(call.outcome.costUsd, 1);
    const silent = llm.startRequest({ model: 'm', provider: 'p' });
    silent.end({ costUsd: odd });
    t.is(silent.outcome.costUsd, undefined);
  }
  t.deepEqual(await recorded(registry, 'llmdevops_agent_'), [
    'llmdevops_agent_executions_total{agent_type="a",status="success"} 5',
    'llmdevops_agent_steps_total{agent_type="a",step_type="llm"} 5',
    'llmdevops_agent_tool_calls_total{agent_type="a",tool_name="t",status="success"} 5',
  ]);
  t.deepEqual(await recorded(registry, 'llmdevops_llm_guardrail'), [
    'llmdevops_llm_guardrail_checks_total{guardrail="g",stage="input",result="pass"} 5',
  ]);
  t.deepEqual(await recorded(registry, 'llmdevops_llm_cost'), [
    'llmdevops_llm_cost_usd_total{model="m",provider="p"} 5',
  ]);
});

test('unknown error types share one series, under OpenTelemetry’s name too', async (t) => {
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry, genAiNames: true });
  for (let n = 0; n < 3; n++) agents.startExecution('a').fail(`boom ${n}`);
  agents.recordExecutionStart('a');
  agents.recordExecutionEnd({ agentType: 'a', status: 'failed', durationMs: 1, errorType: 'boom' });
  t.deepEqual(await recorded(registry, 'gen_ai_invoke_agent_duration'), [
    'gen_ai_invoke_agent_duration_seconds_count{gen_ai_agent_name="a",error_type="other"} 4',
  ]);
  t.deepEqual(await recorded(registry, 'llmdevops_agent_errors'), [
    'llmdevops_agent_errors_total{agent_type="a",error_type="other"} 4',
  ]);
});

test('an agent runs although its registry has no room for all outcomes', async (t) => {
  for (const policy of ['fold', 'drop']) {
    const registry = new Registry({ cardinality: { maxSeries: 1, policy }, logger: { warn() {} } });
    const agents = new AgentMetricsCollector({ registry });
    t.is(await agents.run('a', async (run) => run.tool('t', 1, () => run.step('llm', () => 42))), 42);
    t.is(
      agents.run('b', () => 43),
      43,
    );
  }
});

test('a tool returns its result although the registry refuses its series', async (t) => {
  // The limit is the number of an agent's outcomes, six: the seventh tool is over it.
  const registry = new Registry({ cardinality: { maxSeries: 6, policy: 'throw' }, logger: { warn() {} } });
  const agents = new AgentMetricsCollector({ registry });
  const run = agents.startExecution('a');
  for (let n = 0; n < 6; n++) run.tool(`t${n}`, 1, () => n);
  t.throws(() => run.recordToolCall('t6'), { message: /at most 6 series/ });
  t.is(
    run.tool('t6', 1, () => 6),
    6,
  );
  t.is(await run.tool('t6', 1, async () => 6), 6);
  const error = new Error('of the tool');
  t.is(await t.throwsAsync(run.tool('t6', 1, async () => Promise.reject(error))), error);
});

test('a promise of another realm is awaited (test runners with sandboxes have them)', async (t) => {
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry });
  const rejected = runInNewContext('Promise.reject(new Error("there"))');
  await t.throwsAsync(
    agents.run('a', (run) => run.tool('t', 1, () => rejected)),
    { any: true },
  );
  t.deepEqual(await recorded(registry, 'llmdevops_agent_executions_total'), [
    'llmdevops_agent_executions_total{agent_type="a",status="failed"} 1',
  ]);
});

test('options without effect are refused', (t) => {
  const price = { input: 1, output: 1 };
  for (const [options, message] of [
    [{ prices: new Map([['m', price]]) }, /^Expected a table of prices for prices but received/],
    [{ prices: [price] }, /^Expected a table of prices for prices but received/],
    [{ normalizeModel: 'lower' }, /^Expected a function for normalizeModel but received "lower" of type string$/],
    [{ prices: Registry }, /^Expected a table of prices for prices but received Registry of type function$/],
    [{ optional: null }, /^Expected names of metrics for optional but received null/],
  ]) {
    t.throws(() => new LlmMetricsCollector({ registry: new Registry(), ...options }), {
      code: 'INVALID_CONFIG',
      message,
    });
  }
  t.throws(() => new AgentMetricsCollector({ registry: new Registry(), tools: 'search' }), {
    code: 'INVALID_CONFIG',
    message: /^Expected names of tools for tools but received "search" of type string$/,
  });
});

test('a single price may have a first day', (t) => {
  const prices = { m: { from: '2999-01-01', input: 1, output: 1 }, n: { from: '2000-01-01', input: 1, output: 1 } };
  const llm = new LlmMetricsCollector({ registry: new Registry(), prices });
  const costOf = (model) => {
    const call = llm.startRequest({ model, provider: 'p' });
    call.end({ inputTokens: 1_000_000, outputTokens: 0 });
    return call.outcome.costUsd;
  };
  t.deepEqual([costOf('m'), costOf('n')], [undefined, 1]);
});
