// Tests the real OpenAI Agents SDK with a simulated OpenAI server: what the trace processor records from its spans. One
// test at a time, because processors are global in a process.

import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import { Agent, OpenAIProvider, Runner, setTraceProcessors, setTracingDisabled, tool } from '@openai/agents';
import test from 'ava';
import OpenAI from 'openai';
import { z } from 'zod';
import { called, executions, holds, LABELS, requests, steps } from './support/agent-lines.mjs';
import { chat, chatStream, refusal, response, responseStream } from './support/chat-answers.mjs';
import { collectors } from './support/recorded.mjs';
import { cut, silence, WireServer } from './support/wire-server.mjs';

// Tracing is off if NODE_ENV is 'test'.
setTracingDisabled(false);

async function rig(t, { options = {}, client = {}, useResponses = true, run = {} } = {}) {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  setTraceProcessors([createTraceProcessor({ collector: agents, llm, ...options })]);
  const openAIClient = new OpenAI({ apiKey: 'key', baseURL: `${wire.url}/v1`, maxRetries: 0, ...client });
  const modelProvider = new OpenAIProvider({ openAIClient, useResponses });
  return { wire, registry, agents, llm, runner: new Runner({ modelProvider, ...run }) };
}

const bot = (options = {}) => new Agent({ name: 'bot', model: 'gpt-4o-mini', ...options });

const add = tool({
  name: 'add',
  description: 'Adds',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
});
const broken = tool({
  name: 'broken',
  description: 'Fails',
  parameters: z.object({}),
  execute: () => Promise.reject(new Error('broken')),
});

/** Work that the SDK does not await before it answers. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 10));

for (const [api, useResponses, answer] of [
  ['responses', true, response],
  ['chat completions', false, chat],
]) {
  test.serial(`an agent with a tool, by ${api}`, async (t) => {
    const { wire, registry, runner } = await rig(t, { useResponses });
    wire.answer(answer([['add', { a: 1, b: 2 }]]), answer('3'));
    t.is((await runner.run(bot({ tools: [add] }), '1+2?')).finalOutput, '3');
    await settle();
    await holds(
      t,
      registry,
      requests(2, { tools: 1 }),
      executions('bot', { llm: 2, tools: 1 }),
      called('bot', 'add', 'success'),
    );
  });
}

for (const [api, useResponses, answer] of [
  ['responses', true, responseStream],
  ['chat completions', false, chatStream],
]) {
  test.serial(`a streamed answer, by ${api}`, async (t) => {
    const { wire, registry, runner } = await rig(t, { useResponses });
    wire.answer(answer(['é', '€', '😀'], { pieceBytes: 5 }));
    const result = await runner.run(bot(), 'x', { stream: true });
    for await (const _ of result);
    await result.completed;
    t.is(result.finalOutput, 'é€😀');
    await settle();
    await holds(t, registry, requests(1), executions('bot', { llm: 1 }));
  });
}

test.serial('parallel tools, one that fails, and repetitions', async (t) => {
  const { wire, registry, runner } = await rig(t);
  const same = ['add', { a: 1, b: 2 }];
  wire.answer(response([same, ['broken', {}]]), response([same]), response([same]), response('done'));
  await runner.run(bot({ tools: [add, broken] }), 'x');
  await settle();
  await holds(
    t,
    registry,
    requests(4, { tools: 3 }),
    executions('bot', { llm: 4, tools: 4 }),
    called('bot', 'add', 'success', 3),
    called('bot', 'broken', 'error'),
    [
      'agent_errors_total{agent_type="bot",error_type="tool_error"} 1',
      'agent_repeated_tool_calls_total{agent_type="bot"} 1',
    ],
  );
});

test.serial('a handoff: each agent is an execution', async (t) => {
  const { wire, registry, runner } = await rig(t);
  const expert = new Agent({ name: 'expert', model: 'gpt-4o-mini' });
  wire.answer(response([['transfer_to_expert', {}]]), response('done'));
  await runner.run(bot({ handoffs: [expert] }), 'x');
  await settle();
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('bot', { llm: 1, more: 1 }),
    executions('expert', { llm: 1 }),
    steps('bot', 'handoff'),
    ['agent_handoffs_total{from_agent="bot",to_agent="expert",status="success"} 1'],
  );
});

test.serial('an agent that is another’s tool', async (t) => {
  const { wire, registry, runner } = await rig(t);
  const expert = new Agent({ name: 'expert', model: 'gpt-4o-mini' });
  const ask = expert.asTool({
    toolName: 'ask',
    toolDescription: 'Asks',
    runConfig: { modelProvider: runner.config.modelProvider },
  });
  wire.answer(response([['ask', { input: 'q' }]]), response('inner'), response('done'));
  t.is((await runner.run(bot({ tools: [ask] }), 'x')).finalOutput, 'done');
  await settle();
  await holds(
    t,
    registry,
    requests(3, { tools: 1 }),
    executions('bot', { llm: 2, tools: 1 }),
    executions('expert', { llm: 1 }),
    called('bot', 'ask', 'success'),
  );
});

test.serial('agents that run at once', async (t) => {
  const { wire, registry, runner } = await rig(t);
  wire.always(response('x'));
  const names = ['a', 'b', 'c'];
  await Promise.all(names.map((name) => runner.run(new Agent({ name, model: 'gpt-4o-mini' }), 'x')));
  await settle();
  await holds(t, registry, requests(3), ...names.map((name) => executions(name, { llm: 1 })));
});

test.serial('too many turns', async (t) => {
  const { wire, registry, runner } = await rig(t);
  wire.always(response([['add', { a: 1, b: 2 }]]));
  await t.throwsAsync(runner.run(bot({ tools: [add] }), 'x', { maxTurns: 2 }), { message: /Max turns/ });
  await settle();
  await holds(
    t,
    registry,
    requests(2, { tools: 2 }),
    executions('bot', { status: 'max_steps', error: 'max_steps', llm: 2, tools: 2 }),
    called('bot', 'add', 'success', 2),
    ['agent_repeated_tool_calls_total{agent_type="bot"} 1'],
  );
});

const tripwire = (tripwireTriggered) => ({
  name: 'polite',
  execute: async () => ({ tripwireTriggered, outputInfo: {} }),
});
const check = (result) => [
  `llm_guardrail_checks_total{guardrail="polite",stage="other",result="${result}"} 1`,
  'llm_guardrail_duration_seconds_count{guardrail="polite",stage="other"} 1',
];

for (const [result, trips] of [
  ['pass', false],
  ['block', true],
]) {
  test.serial(`a guardrail on the output that says ${result}`, async (t) => {
    const { wire, registry, runner } = await rig(t);
    wire.answer(response('x'));
    const running = runner.run(bot({ outputGuardrails: [tripwire(trips)] }), 'x');
    await (trips ? t.throwsAsync(running) : running);
    await settle();
    const end = trips ? { status: 'guardrail', error: 'guardrail' } : {};
    await holds(
      t,
      registry,
      requests(1),
      executions('bot', { llm: 1, more: 1, ...end }),
      steps('bot', 'guardrail'),
      check(result),
    );
  });
}

test.serial('an input guardrail that blocks before a model is asked', async (t) => {
  const { wire, registry, runner } = await rig(t);
  const first = { ...tripwire(true), runInParallel: false };
  await t.throwsAsync(runner.run(bot({ inputGuardrails: [first] }), 'x'));
  t.is(wire.requests.length, 0);
  await settle();
  const end = { status: 'guardrail', error: 'guardrail' };
  await holds(t, registry, executions('bot', { more: 1, ...end }), steps('bot', 'guardrail'), check('block'));
});

test.serial('a guardrail that throws', async (t) => {
  const { wire, registry, runner } = await rig(t);
  wire.answer(response('x'));
  const failing = { name: 'polite', execute: () => Promise.reject(new Error('broken')) };
  await t.throwsAsync(runner.run(bot({ outputGuardrails: [failing] }), 'x'));
  await settle();
  await holds(
    t,
    registry,
    requests(1),
    executions('bot', { status: 'failed', error: 'other', llm: 1, more: 1 }),
    steps('bot', 'guardrail'),
    check('error'),
  );
});

test.serial('a tool that the model invented', async (t) => {
  const { wire, registry, runner } = await rig(t);
  wire.answer(response([['invented', {}]]));
  await t.throwsAsync(runner.run(bot({ tools: [add] }), 'x'), { message: /not found/ });
  await settle();
  await holds(
    t,
    registry,
    requests(1, { tools: 1 }),
    executions('bot', { status: 'failed', error: 'unknown_tool', llm: 1 }),
  );
});

test.serial('a tool that waits for a human: one execution before and one after', async (t) => {
  const { wire, registry, runner } = await rig(t);
  const options = { description: 'x', parameters: z.object({}), needsApproval: true, execute: () => 'ok' };
  const agent = bot({ tools: [tool({ name: 'pay', ...options }), tool({ name: 'sue', ...options })] });
  wire.answer(
    response([
      ['pay', {}],
      ['sue', {}],
    ]),
    response('done'),
  );
  const { state, interruptions } = await runner.run(agent, 'x');
  state.approve(interruptions[0]);
  state.reject(interruptions[1]);
  t.is((await runner.run(agent, state)).finalOutput, 'done');
  await settle();
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('bot', { count: 2, llm: 2, tools: 2 }),
    called('bot', 'pay', 'success'),
    called('bot', 'sue', 'denied'),
    ['agent_errors_total{agent_type="bot",error_type="permission"} 1'],
  );
});

test.serial('within an execution, the agents are part of it', async (t) => {
  const { wire, registry, agents, runner } = await rig(t);
  wire.always(response([['add', { a: 1, b: 2 }]]));
  await t.throwsAsync(agents.run('outer', () => runner.run(bot({ tools: [add] }), 'x', { maxTurns: 1 })));
  await settle();
  await holds(
    t,
    registry,
    requests(1, { tools: 1 }),
    executions('outer', { status: 'max_steps', error: 'max_steps', llm: 1, tools: 1 }),
    called('outer', 'add', 'success'),
  );
});

test.serial('one name for all agents, and no requests if an SDK measures them', async (t) => {
  const { wire, registry, runner } = await rig(t, { options: { agentType: 'support', llm: false } });
  wire.answer(response('x'));
  await runner.run(bot(), 'x');
  await settle();
  await holds(t, registry, executions('support', { llm: 1, failed: 1 }));
});

test.serial('spans without data: the request has no model and no tokens', async (t) => {
  const { wire, registry, runner } = await rig(t, { run: { traceIncludeSensitiveData: false } });
  wire.answer(response('x'));
  await runner.run(bot(), 'x');
  await settle();
  await holds(t, registry, executions('bot', { llm: 1, failed: 1 }), [
    'llm_requests_total{model="other",provider="openai",operation="chat",status="success"} 1',
    'llm_request_duration_seconds_count{model="other",provider="openai",operation="chat"} 1',
    'llm_usage_missing_total{model="other",provider="openai"} 1',
  ]);
});

/** The samples of a failed request within the agent `bot`, before a model was reported. */
function failure(outcome, type, labels) {
  const ends = { timeout: 'timeout', cancelled: 'cancelled' };
  return [
    `llm_requests_total{${labels},operation="chat",status="${outcome}"} 1`,
    `llm_request_duration_seconds_count{${labels},operation="chat"} 1`,
    `llm_errors_total{${labels},error_type="${type}"} 1`,
    ...executions('bot', { status: ends[type] ?? 'failed', error: type, llm: 1, failed: 1 }),
  ];
}

const UNKNOWN = 'model="other",provider="openai"';

const STATUSES = [
  [400, { message: 'bad' }, 'error', 'invalid_request'],
  [
    400,
    { message: "This model's maximum context length is 8", code: 'context_length_exceeded' },
    'error',
    'context_length',
  ],
  [401, {}, 'error', 'authentication'],
  [403, {}, 'error', 'permission'],
  [404, {}, 'error', 'not_found'],
  [408, {}, 'timeout', 'timeout'],
  [409, {}, 'error', 'invalid_request'],
  [413, {}, 'error', 'request_too_large'],
  [422, {}, 'error', 'invalid_request'],
  [429, {}, 'error', 'rate_limit'],
  [429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }, 'error', 'quota_exceeded'],
  [500, {}, 'error', 'server_error'],
  [503, {}, 'error', 'overloaded'],
];

for (const useResponses of [true, false]) {
  // Chat completions report the model before the request.
  const labels = useResponses ? UNKNOWN : LABELS;
  const api = useResponses ? 'responses' : 'chat completions';
  for (const [status, body, outcome, type] of STATUSES) {
    test.serial(`a provider that answers ${status} ${body.code ?? ''} to ${api}`, async (t) => {
      const { wire, registry, runner } = await rig(t, { useResponses });
      wire.answer(refusal(status, body));
      await t.throwsAsync(runner.run(bot(), 'x'));
      await settle();
      await holds(t, registry, failure(outcome, type, labels));
    });
  }

  test.serial(`a provider that is silent, broken, aborted or unreachable, at ${api}`, async (t) => {
    const abort = () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 30);
      return { signal: controller.signal };
    };
    for (const [client, answer, run, outcome, type] of [
      [{ timeout: 30 }, silence(), {}, 'timeout', 'timeout'],
      [{}, cut(), {}, 'error', 'connection'],
      [{}, silence(), abort(), 'cancelled', 'cancelled'],
      [{ baseURL: 'http://127.0.0.1:1/v1' }, undefined, {}, 'error', 'connection'],
    ]) {
      const { wire, registry, runner } = await rig(t, { useResponses, client });
      wire.answer(answer);
      await t.throwsAsync(runner.run(bot(), 'x', run));
      await settle();
      await holds(t, registry, failure(outcome, type, labels));
    }
  });

  test.serial(`a stream that is cut, of ${api}`, async (t) => {
    const { wire, registry, runner } = await rig(t, { useResponses });
    wire.answer((useResponses ? responseStream : chatStream)(['a'], { end: 'cut' }));
    const result = await runner.run(bot(), 'x', { stream: true });
    await t.throwsAsync(async () => {
      for await (const _ of result);
      await result.completed;
    });
    await settle();
    await holds(t, registry, failure('error', 'connection', labels));
  });
}

for (const [api, useResponses, answer] of [
  ['responses', true, responseStream],
  ['chat completions', false, chatStream],
]) {
  test.serial(`streams that are left or aborted, of ${api}: request and execution are cancelled`, async (t) => {
    const isDelta = ({ type, data }) => type === 'raw_model_stream_event' && data.type === 'output_text_delta';
    const leave = async (runner) => {
      for await (const event of await runner.run(bot(), 'x', { stream: true })) if (isDelta(event)) break;
    };
    const leaveText = async (runner) => {
      for await (const _ of (await runner.run(bot(), 'x', { stream: true })).toTextStream()) break;
    };
    const abort = async (runner) => {
      const abort = new AbortController();
      const result = await runner.run(bot(), 'x', { stream: true, signal: abort.signal });
      for await (const event of result) if (isDelta(event)) abort.abort();
    };
    for (const [read, end] of [
      [leave, 'end'],
      [leave, 'hang'],
      [leaveText, 'end'],
      [abort, 'hang'],
    ]) {
      const { wire, registry, runner } = await rig(t, { useResponses });
      wire.answer(answer(['a', 'b', 'c'], { end }));
      await read(runner).catch(() => {});
      for (
        let round = 0;
        round < 50 && (await registry.metrics()).includes('agent_active{agent_type="bot"} 1');
        round++
      )
        await settle();
      await holds(t, registry, failure('cancelled', 'cancelled', useResponses ? UNKNOWN : LABELS));
    }
  });
}

test.serial('an agent goes on after a request that was left: its end counts', async (t) => {
  const { wire, registry, agents, runner } = await rig(t);
  wire.answer(responseStream(['a', 'b'], { end: 'hang' }), response('b'));
  await agents.run('outer', async () => {
    for await (const _ of (await runner.run(bot(), 'x', { stream: true })).toTextStream()) break;
    await runner.run(bot(), 'x');
  });
  await settle();
  const text = await registry.metrics();
  t.true(text.includes('agent_executions_total{agent_type="outer",status="success"} 1'), text);
  t.true(text.includes('agent_active{agent_type="outer"} 0'));
});

test.serial('a failed request counts for the model that answered the agent before', async (t) => {
  const { wire, registry, runner } = await rig(t);
  wire.answer(response('x'), refusal(500));
  await runner.run(bot(), 'x');
  await t.throwsAsync(runner.run(bot(), 'x'));
  await settle();
  const lines = [
    `llm_requests_total{${LABELS},operation="chat",status="error"} 1`,
    `llm_errors_total{${LABELS},error_type="server_error"} 1`,
    'agent_executions_total{agent_type="bot",status="failed"} 1',
    'agent_errors_total{agent_type="bot",error_type="server_error"} 1',
  ];
  const both = executions('bot', { count: 2, llm: 2, failed: 1 }).map((line) =>
    line.replace('status="success"} 2', 'status="success"} 1'),
  );
  const counted = requests(1).map((line) => line.replace(/(duration_seconds_count.*) 1$/, '$1 2'));
  await holds(t, registry, counted, both, lines);
});

test.serial(
  'two processors of one collector count once; wrong options are refused; wrong spans do no harm',
  async (t) => {
    const { wire, registry, agents, llm, runner } = await rig(t);
    const second = createTraceProcessor({ collector: agents, llm });
    setTraceProcessors([createTraceProcessor({ collector: agents, llm }), second]);
    wire.answer(response('x'));
    await runner.run(bot(), 'x');
    await settle();
    for (const options of [null, { collector: {} }, { llm: true }, { agentType: 1 }]) {
      t.throws(() => createTraceProcessor(options), { code: 'INVALID_CONFIG' });
    }
    for (const span of [null, undefined, 1, {}, { spanId: 'x', spanData: null, error: 1 }]) {
      await second.onSpanStart(span);
      await second.onSpanEnd(span);
    }
    await holds(t, registry, requests(1), executions('bot', { llm: 1 }));
  },
);
