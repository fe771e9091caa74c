// Tests AgentMetricsCollector: whole executions with steps and tools, and which agent the tokens count for across awaits and
// nesting.

import { setImmediate as turn } from 'node:timers/promises';
import { AgentMetricsCollector, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import { MockClock } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

function collectors(options) {
  const registry = new Registry();
  return {
    registry,
    agents: new AgentMetricsCollector({ registry, ...options }),
    llm: new LlmMetricsCollector({ registry, prices: { m: { input: 1, output: 2 } } }),
  };
}

/** The samples of agents that are not 0, without buckets. */
async function recorded(registry) {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('llmdevops_agent_'));
  return lines
    .filter((line) => !line.endsWith(' 0') && !line.includes('_bucket{'))
    .map((line) => line.replace('llmdevops_agent_', ''));
}

const A = 'agent_type="researcher"';

test.serial('an execution with steps and tools', async (t) => {
  const { registry, agents, llm } = collectors();
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  const answer = await agents.run('researcher', async (execution) => {
    t.deepEqual(await recorded(registry), [`active{${A}} 1`]);
    for (let n = 0; n < 2; n++) {
      await execution.tool('search', { q: 'x' }, async () => {
        clock.advanceMs(500);
      });
    }
    await execution.step('llm', async () => {
      const call = llm.startRequest({ model: 'm', provider: 'p' });
      await turn();
      clock.advanceMs(1000);
      call.end({ inputTokens: 10, outputTokens: 20 });
    });
    return 'answer';
  });
  t.is(answer, 'answer');
  t.deepEqual(await recorded(registry), [
    `executions_total{${A},status="success"} 1`,
    `execution_duration_seconds_sum{${A}} 2`,
    `execution_duration_seconds_count{${A}} 1`,
    `steps_total{${A},step_type="llm"} 1`,
    `step_duration_seconds_sum{${A},step_type="llm"} 1`,
    `step_duration_seconds_count{${A},step_type="llm"} 1`,
    `steps_per_execution_sum{${A}} 1`,
    `steps_per_execution_count{${A}} 1`,
    `model_calls_per_execution_sum{${A}} 1`,
    `model_calls_per_execution_count{${A}} 1`,
    `tool_calls_per_execution_sum{${A}} 2`,
    `tool_calls_per_execution_count{${A}} 1`,
    `tool_calls_total{${A},tool_name="search",status="success"} 2`,
    `tool_call_duration_seconds_sum{${A},tool_name="search"} 1`,
    `tool_call_duration_seconds_count{${A},tool_name="search"} 2`,
    `repeated_tool_calls_total{${A}} 1`,
    `tokens_total{${A},type="input"} 10`,
    `tokens_total{${A},type="output"} 20`,
    `cost_usd_total{${A}} 0.00005`,
  ]);
});

test('every end of an execution has its status and error', async (t) => {
  const ends = [
    [new Error('x'), 'failed', 'other'],
    [Object.assign(new Error('x'), { status: 429 }), 'failed', 'rate_limit'],
    [new DOMException('x', 'AbortError'), 'cancelled', 'cancelled'],
    [new DOMException('x', 'TimeoutError'), 'timeout', 'timeout'],
  ];
  for (const [error, status, type] of ends) {
    const { registry, agents } = collectors();
    t.is(
      await t.throwsAsync(
        agents.run('researcher', async () => Promise.reject(error)),
        { any: true },
      ),
      error,
    );
    const lines = await recorded(registry);
    t.true(lines.includes(`executions_total{${A},status="${status}"} 1`), status);
    t.true(lines.includes(`errors_total{${A},error_type="${type}"} 1`), type);
  }
  const { registry, agents } = collectors();
  const execution = agents.startExecution('researcher');
  execution.end('max_steps');
  execution.end();
  execution.fail(new Error('late'));
  const lines = await recorded(registry);
  t.true(lines.includes(`executions_total{${A},status="max_steps"} 1`));
  t.true(lines.includes(`errors_total{${A},error_type="max_steps"} 1`));
  t.false(lines.some((line) => line.startsWith('active')));
});

test('functions that return or throw without a promise', async (t) => {
  const { registry, agents } = collectors();
  t.throws(
    () =>
      agents.run('researcher', () => {
        throw new Error('now');
      }),
    { message: 'now' },
  );
  t.is(
    agents.run('researcher', () => 7),
    7,
  );
  const lines = await recorded(registry);
  t.true(lines.includes(`executions_total{${A},status="failed"} 1`));
  t.true(lines.includes(`executions_total{${A},status="success"} 1`));
});

test('failed tools count by outcome, and as other if the model invented the name', async (t) => {
  const { registry, agents } = collectors({ tools: ['shell'] });
  await agents.run('researcher', async (execution) => {
    for (const [tool, error] of [
      ['shell', new Error('x')],
      ['made_up', new Error('x')],
      ['shell', new DOMException('x', 'TimeoutError')],
      ['shell', Object.assign(new Error('x'), { status: 403 })],
    ]) {
      await t.throwsAsync(
        execution.tool(tool, {}, () => Promise.reject(error)),
        { any: true },
      );
    }
  });
  const lines = (await recorded(registry)).filter((line) => /^(tool_calls_total|errors)/.test(line));
  t.deepEqual(lines, [
    `tool_calls_total{${A},tool_name="shell",status="error"} 1`,
    `tool_calls_total{${A},tool_name="other",status="error"} 1`,
    `tool_calls_total{${A},tool_name="shell",status="timeout"} 1`,
    `tool_calls_total{${A},tool_name="shell",status="denied"} 1`,
    `errors_total{${A},error_type="tool_error"} 2`,
    `errors_total{${A},error_type="timeout"} 1`,
    `errors_total{${A},error_type="permission"} 1`,
  ]);
});

test('tokens count for the innermost agent, across awaits, parallel tools and other agents', async (t) => {
  const { registry, agents, llm } = collectors();
  const ask = async (inputTokens) => {
    const call = llm.startRequest({ model: 'm', provider: 'p' });
    await turn();
    call.end({ inputTokens });
  };
  await Promise.all([
    agents.run('outer', async () => {
      await ask(1);
      await Promise.all([agents.tool('a', {}, () => ask(10)), agents.tool('b', {}, () => ask(100))]);
      await agents.run('inner', async () => {
        await turn();
        await ask(1000);
      });
      await ask(5);
    }),
    agents.run('other', () => ask(7)),
    ask(9),
  ]);
  const lines = (await recorded(registry)).filter((line) => line.startsWith('tokens_total'));
  t.deepEqual(lines.sort(), [
    'tokens_total{agent_type="inner",type="input"} 1000',
    'tokens_total{agent_type="other",type="input"} 7',
    'tokens_total{agent_type="outer",type="input"} 116',
  ]);
});

test('steps and tools outside an agent run and record nothing', async (t) => {
  const { registry, agents } = collectors();
  t.is(
    agents.step('plan', () => 1),
    1,
  );
  t.is(await agents.tool('x', {}, async () => 2), 2);
  t.deepEqual(await recorded(registry), []);
});

test('model calls of an execution: recorded requests, or its steps of the type llm; both may count one', async (t) => {
  for (const [requests, steps, expected] of [
    [0, 0, 0],
    [2, 0, 2],
    [0, 3, 3],
    [2, 2, 2],
    [3, 1, 3],
  ]) {
    const { registry, agents, llm } = collectors();
    agents.run('researcher', (execution) => {
      // A request that fails is one too.
      for (let n = 0; n < requests; n++) llm.startRequest({ model: 'm', provider: 'p' }).fail({ status: 500 });
      for (let n = 0; n < steps; n++) execution.recordStep('llm');
      execution.recordStep('plan');
    });
    const lines = (await registry.metrics()).split('\n').filter((line) => line.includes('model_calls_per_execution_'));
    const shown = lines.filter((line) => !line.startsWith('#') && !line.includes('_bucket'));
    t.deepEqual(
      shown.map((line) => Number(line.split(' ')[1])),
      [expected, 1],
    );
  }
});

test('a request that reports usage of several models, or in several parts, is one model call', async (t) => {
  const { registry, agents, llm } = collectors();
  const target = { model: 'm', provider: 'p' };
  agents.run('researcher', () => {
    const otherModels = [{ model: 'n', inputTokens: 3, outputTokens: 2 }];
    llm.recordRequest({ ...target, inputTokens: 10, outputTokens: 5, otherModels });
    llm.recordAnswer(target, { inputTokens: 100, outputTokens: 50 });
  });
  const lines = await recorded(registry);
  t.true(lines.includes(`model_calls_per_execution_sum{${A}} 1`), lines.join('\n'));
  t.true(lines.includes(`tokens_total{${A},type="input"} 113`), lines.join('\n'));
});

test('the methods that record without an execution object', async (t) => {
  const { registry, agents } = collectors();
  agents.recordExecutionStart('researcher');
  agents.recordStep('researcher', 'plan', 500);
  agents.recordToolCall('researcher', 'search', 'success', 250);
  agents.recordHandoff('researcher', 'writer');
  agents.recordMemoryOperation('researcher', 'search');
  agents.recordError('researcher', 'guardrail');
  agents.recordExecutionEnd({ agentType: 'researcher', durationMs: 2000, steps: 3, modelCalls: 2, toolCalls: 1 });
  agents.setActiveAgents('writer', 4);
  t.deepEqual(await recorded(registry), [
    `executions_total{${A},status="success"} 1`,
    `execution_duration_seconds_sum{${A}} 2`,
    `execution_duration_seconds_count{${A}} 1`,
    `steps_total{${A},step_type="plan"} 1`,
    `step_duration_seconds_sum{${A},step_type="plan"} 0.5`,
    `step_duration_seconds_count{${A},step_type="plan"} 1`,
    `steps_per_execution_sum{${A}} 3`,
    `steps_per_execution_count{${A}} 1`,
    `model_calls_per_execution_sum{${A}} 2`,
    `model_calls_per_execution_count{${A}} 1`,
    `tool_calls_per_execution_sum{${A}} 1`,
    `tool_calls_per_execution_count{${A}} 1`,
    `tool_calls_total{${A},tool_name="search",status="success"} 1`,
    `tool_call_duration_seconds_sum{${A},tool_name="search"} 0.25`,
    `tool_call_duration_seconds_count{${A},tool_name="search"} 1`,
    'handoffs_total{from_agent="researcher",to_agent="writer",status="success"} 1',
    `memory_operations_total{${A},operation_type="search",status="success"} 1`,
    'active{agent_type="writer"} 4',
    `errors_total{${A},error_type="guardrail"} 1`,
  ]);
});

test.serial('current() returns the execution around the caller', async (t) => {
  const { registry, agents, llm } = collectors();
  t.is(agents.current(), undefined);
  const ask = () => llm.recordRequest({ model: 'm', provider: 'p', inputTokens: 3, outputTokens: 0 });
  await agents.run('researcher', async (execution) => {
    await turn();
    t.is(agents.current(), execution);
    agents.run('writer', (inner) => t.is(agents.current(), inner));
    execution.end();
    t.is(agents.current(), undefined);
  });
  const execution = agents.startExecution('reader');
  t.is(
    execution.within(() => agents.current()),
    execution,
  );
  t.is(
    execution.within(() => 'value'),
    'value',
  );
  execution.within(ask);
  execution.end();
  const tokens = (await recorded(registry)).filter((line) => line.startsWith('tokens_total'));
  t.deepEqual(tokens, ['tokens_total{agent_type="reader",type="input"} 3']);
});

test.serial('a registered tool keeps its name when it fails; errors that do not end the execution', async (t) => {
  const { registry, agents } = collectors();
  agents.registerTool('search');
  const execution = agents.startExecution('researcher');
  execution.recordToolCall('search', 'error');
  execution.recordToolCall('invented', 'error');
  execution.recordError('tool_error');
  execution.recordError(Object.assign(new Error('x'), { status: 429 }));
  const lines = (await recorded(registry)).filter((line) => /^(tool_calls_total|errors_total|active)/.test(line));
  t.deepEqual(lines, [
    `tool_calls_total{${A},tool_name="search",status="error"} 1`,
    `tool_calls_total{${A},tool_name="other",status="error"} 1`,
    `active{${A}} 1`,
    `errors_total{${A},error_type="tool_error"} 1`,
    `errors_total{${A},error_type="rate_limit"} 1`,
  ]);
});

class GraphRecursionError extends Error {}
class MaxTurnsExceededError extends Error {}
class InputGuardrailTripwireTriggered extends Error {}
class TripWire extends Error {}

for (const [thrown, status] of [
  [new GraphRecursionError(), 'max_steps'],
  [new MaxTurnsExceededError(), 'max_steps'],
  [Object.assign(new Error(), { lc_error_code: 'GRAPH_RECURSION_LIMIT' }), 'max_steps'],
  [new InputGuardrailTripwireTriggered(), 'guardrail'],
  [new TripWire(), 'guardrail'],
]) {
  test.serial(
    `a framework that stops an agent: ${thrown.constructor.name} ${thrown.lc_error_code ?? ''}`,
    async (t) => {
      const { registry, agents } = collectors();
      await t.throwsAsync(agents.run('researcher', () => Promise.reject(thrown)));
      const lines = (await recorded(registry)).filter((line) => /^(executions_total|errors_total)/.test(line));
      t.deepEqual(lines, [
        `executions_total{${A},status="${status}"} 1`,
        `errors_total{${A},error_type="${status}"} 1`,
      ]);
    },
  );
}

test.serial('a dropped call leaves no trace', async (t) => {
  const { registry, llm } = collectors();
  const call = llm.startRequest({ model: 'm', provider: 'p' });
  call.drop();
  call.drop();
  call.end({ inputTokens: 1, outputTokens: 1 });
  t.true(call.ended);
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => /^llmdevops_llm/.test(line) && !line.endsWith(' 0'));
  t.deepEqual(lines, []);
});

test('unknown words are refused before anything is recorded', async (t) => {
  const { registry, agents } = collectors();
  agents.recordExecutionStart('researcher');
  const execution = agents.startExecution('researcher');
  const before = await registry.metrics();
  const outcomes = 'success, error for status';
  for (const [call, expected] of [
    [() => agents.recordHandoff('researcher', 'writer', 'maybe'), outcomes],
    [() => agents.recordMemoryOperation('researcher', 'read', 'maybe'), outcomes],
    [() => agents.recordMemoryOperation('researcher', 'maybe'), 'read, write, search, delete for operation_type'],
    [
      () => agents.recordToolCall('researcher', 'search', 'maybe', 5),
      'success, error, timeout, cancelled, denied for status',
    ],
    [() => execution.recordToolCall('search', 'maybe', 5, {}), 'success, error, timeout, cancelled, denied for status'],
    [
      () => agents.recordExecutionEnd({ agentType: 'researcher', status: 'maybe', durationMs: 5 }),
      'success, failed, timeout, cancelled, max_steps, guardrail for status',
    ],
    [() => execution.end('maybe'), 'success, failed, timeout, cancelled, max_steps, guardrail for status'],
  ]) {
    const error = t.throws(call, { code: 'INVALID_VALUE' });
    t.is(error.message, `Expected one of ${expected} but received "maybe" of type string`);
    t.is(await registry.metrics(), before);
  }
  execution.end();
  const lines = await recorded(registry);
  t.true(lines.includes(`executions_total{${A},status="success"} 1`));
  t.true(lines.includes(`tool_calls_per_execution_count{${A}} 1`));
  t.false(lines.some((line) => line.startsWith('tool_calls_per_execution_sum')));
  t.true(lines.includes(`active{${A}} 1`));
});

test.serial('invalid names count as other, and the tool still returns its result', async (t) => {
  const { registry, agents } = collectors();
  t.is(
    agents.run('a', (execution) => execution.tool(Symbol('x'), {}, () => 'result')),
    'result',
  );
  const odd = [Object.create(null), 'x'.repeat(100_000), '', undefined];
  for (const name of odd) {
    t.is(
      agents.run(name, (execution) => execution.tool(name, {}, () => 'result')),
      'result',
    );
  }
  const lines = (await recorded(registry)).filter((line) => /^(executions|tool_calls)_total.*"other"/.test(line));
  t.deepEqual(lines, [
    'executions_total{agent_type="other",status="success"} 4',
    'tool_calls_total{agent_type="other",tool_name="other",status="success"} 4',
  ]);
});
