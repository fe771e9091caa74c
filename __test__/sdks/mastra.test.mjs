// Tests real Mastra with a simulated OpenAI server: what the exporter records from its spans.

import { createOpenAI } from '@ai-sdk/openai';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { Agent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { createTool } from '@mastra/core/tools';
import { Observability } from '@mastra/observability';
import { hasToolCall } from 'ai';
import test from 'ava';
import { z } from 'zod';
import { called, executions, holds, LABELS, requests, steps } from './support/agent-lines.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';
import { collectors, recorded } from './support/recorded.mjs';
import { WireServer } from './support/wire-server.mjs';

const add = createTool({
  id: 'add',
  description: 'Adds',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => ({ sum: a + b }),
});
const broken = createTool({
  id: 'broken',
  description: 'Fails',
  inputSchema: z.object({}),
  execute: () => Promise.reject(new Error('broken')),
});

/** An agent `bot` in its own Mastra instance. */
async function rig(t, { options = {}, agent = {}, exporters = 1 } = {}) {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  const openai = createOpenAI({ apiKey: 'key', baseURL: `${wire.url}/v1` });
  const model = openai.chat('gpt-4o-mini');
  const { agents: others = () => ({}), ...rest } = agent;
  const bot = new Agent({ id: 'bot', name: 'Bot', instructions: 'x', model, agents: others(model), ...rest });
  const make = () => createMastraExporter({ collector: agents, llm, ...options });
  const config = { serviceName: 'tests', exporters: Array.from({ length: exporters }, make) };
  const observability = new Observability({ configs: { default: config } });
  const mastra = new Mastra({ agents: { bot }, logger: false, observability });
  t.teardown(() => mastra.shutdown());
  return { wire, registry, agents, llm, mastra, bot: mastra.getAgent('bot') };
}

const once = { modelSettings: { maxRetries: 0 } };

/** Mastra delivers events to exporters with a delay. */
async function settle(mastra) {
  await mastra.observability.getDefaultInstance()?.flush?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Waits until nothing is active: Mastra reads on where a reader has left. */
async function settleAll(mastra, registry) {
  do await settle(mastra);
  while (/^\w*_active\{.*\} [1-9]/m.test(await registry.metrics()));
}

test('an agent with a tool', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t, { agent: { tools: { add } } });
  wire.answer(chat([['add', { a: 1, b: 2 }]]), chat('3'));
  t.is((await bot.generate('1+2?')).text, '3');
  await settle(mastra);
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('bot', { llm: 2, tools: 1 }),
    called('bot', 'add', 'success'),
  );
});

test('a stream, read to its end or left: Mastra reads on', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t);
  wire.answer(chatStream(['é', '€', '😀'], { pieceBytes: 5 }), chatStream(['a', 'b']));
  let text = '';
  for await (const part of (await bot.stream('x')).textStream) text += part;
  t.is(text, 'é€😀');
  for await (const _ of (await bot.stream('x')).textStream) break;
  await settleAll(mastra, registry);
  await holds(t, registry, requests(2), executions('bot', { count: 2, llm: 2 }));
});

test('a stream that is aborted', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t);
  wire.answer(chatStream(['a', 'b', 'c'], { gapMs: 20 }));
  const abort = new AbortController();
  const { textStream } = await bot.stream('x', { abortSignal: abort.signal });
  for await (const _ of textStream) abort.abort();
  await settle(mastra);
  await holds(
    t,
    registry,
    [
      `llm_requests_total{${LABELS},operation="chat",status="cancelled"} 1`,
      `llm_request_duration_seconds_count{${LABELS},operation="chat"} 1`,
      `llm_errors_total{${LABELS},error_type="cancelled"} 1`,
    ],
    executions('bot', { status: 'cancelled', error: 'cancelled', llm: 1, failed: 1 }),
  );
});

test('parallel tools, one that fails, and repetitions', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t, { agent: { tools: { add, broken } } });
  const same = ['add', { a: 1, b: 2 }];
  wire.answer(chat([['broken', {}], same]), chat([same]), chat([same]), chat('done'));
  await bot.generate('x', { toolCallConcurrency: 1 });
  await settle(mastra);
  await holds(
    t,
    registry,
    requests(4, { tools: 3 }),
    executions('bot', { llm: 4, tools: 4 }),
    called('bot', 'add', 'success', 3),
    called('bot', 'broken', 'error'),
    [
      'agent_errors_total{agent_type="bot",error_type="tool_error"} 1',
      'agent_repeated_tool_calls_total{agent_type="bot"} 2',
    ],
  );
});

test('too many steps', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t, { agent: { tools: { add } } });
  wire.always(chat([['add', { a: 1, b: 2 }]]));
  await bot.generate('x', { maxSteps: 2 });
  await settle(mastra);
  await holds(
    t,
    registry,
    requests(2, { tools: 2 }),
    executions('bot', { status: 'max_steps', error: 'max_steps', llm: 2, tools: 2 }),
    called('bot', 'add', 'success', 2),
    ['agent_repeated_tool_calls_total{agent_type="bot"} 1'],
  );
});

test('a tool that is meant to end the agent', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t, { options: { finalTools: ['add'] }, agent: { tools: { add } } });
  wire.always(chat([['add', { a: 1, b: 2 }]]));
  await bot.generate('x', { stopWhen: hasToolCall('add') });
  await settle(mastra);
  await holds(
    t,
    registry,
    requests(1, { tools: 1 }),
    executions('bot', { llm: 1, tools: 1 }),
    called('bot', 'add', 'success'),
  );
});

test('a processor that blocks', async (t) => {
  const polite = { id: 'polite', name: 'Polite', processInput: async ({ abort }) => abort('no') };
  const { wire, registry, mastra, bot } = await rig(t, { agent: { inputProcessors: [polite] } });
  await bot.generate('x');
  t.is(wire.requests.length, 0);
  await settle(mastra);
  await holds(
    t,
    registry,
    executions('bot', { status: 'guardrail', error: 'guardrail', more: 1 }),
    ['agent_steps_total{agent_type="bot",step_type="guardrail"} 1'],
    ['llm_guardrail_checks_total{guardrail="polite",stage="input",result="block"} 1'],
  );
});

test('an agent that is another’s tool', async (t) => {
  const sub = (model) => ({
    sub: new Agent({ id: 'sub', name: 'Sub', description: 'x', instructions: 'x', model }),
  });
  const { wire, registry, mastra, bot } = await rig(t, { agent: { agents: sub } });
  wire.answer(chat([['agent-sub', { prompt: 'q' }]]), chat('inner'), chat('done'));
  t.is((await bot.generate('x')).text, 'done');
  await settle(mastra);
  await holds(
    t,
    registry,
    requests(3, { tools: 1 }),
    executions('bot', { llm: 2, tools: 1 }),
    executions('sub', { llm: 1 }),
    called('bot', 'agent-sub', 'success'),
  );
});

test('agents that run at once', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t);
  wire.always(chat('x'));
  await Promise.all(Array.from({ length: 5 }, () => bot.generate('x')));
  await settle(mastra);
  await holds(t, registry, requests(5), executions('bot', { count: 5, llm: 5 }));
});

test('within an execution, the agent is part of it', async (t) => {
  const { wire, registry, agents, mastra, bot } = await rig(t, { agent: { tools: { add } } });
  wire.answer(chat([['add', { a: 1, b: 2 }]]), chat('3'));
  await agents.run('outer', async () => {
    await bot.generate('x');
    await settle(mastra);
  });
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('outer', { llm: 2, tools: 1 }),
    called('outer', 'add', 'success'),
  );
});

test('one name for all agents, and no requests if an SDK measures them', async (t) => {
  const { wire, registry, mastra, bot } = await rig(t, { options: { agentType: 'support', llm: false } });
  wire.answer(chat('x'));
  await bot.generate('x');
  await settle(mastra);
  await holds(t, registry, executions('support', { llm: 1, failed: 1 }));
});

const ERRORS = [
  [400, 'bad', 'other'],
  [429, 'Rate limit reached for gpt-4o-mini', 'rate_limit'],
  [429, 'You exceeded your current quota', 'quota_exceeded'],
  [401, 'Incorrect API key provided', 'authentication'],
];

for (const [status, message, type] of ERRORS) {
  test(`a provider that answers ${status}: ${message}`, async (t) => {
    const { wire, registry, mastra, bot } = await rig(t);
    wire.answer(refusal(status, { message }));
    await t.throwsAsync(bot.generate('x', once));
    await settle(mastra);
    await holds(
      t,
      registry,
      [
        `llm_requests_total{${LABELS},operation="chat",status="error"} 1`,
        `llm_request_duration_seconds_count{${LABELS},operation="chat"} 1`,
        `llm_errors_total{${LABELS},error_type="other"} 1`,
        `llm_finish_reasons_total{${LABELS},reason="error"} 1`,
      ],
      executions('bot', { status: 'failed', error: type, llm: 1, failed: 1 }),
    );
  });
}

test('memory and retrieval are steps', async (t) => {
  const { registry, mastra } = await rig(t);
  const instance = mastra.observability.getDefaultInstance();
  const run = instance.startSpan({ type: 'agent_run', name: 'run', entityId: 'bot' });
  const memory = (operationType, end) => {
    const span = run.createChildSpan({ type: 'memory_operation', name: 'memory', attributes: { operationType } });
    if (end === undefined) span.end();
    else span.error({ error: new Error(end), endSpan: true });
  };
  memory('recall');
  memory('save', 'full');
  memory('observe');
  for (const operation of ['query', 'upsert']) {
    run.createChildSpan({ type: 'rag_vector_operation', name: 'vectors', attributes: { operation } }).end();
  }
  run.end();
  await settle(mastra);
  await holds(t, registry, executions('bot', { more: 4 }), steps('bot', 'memory', 3), steps('bot', 'retrieval'), [
    'agent_memory_operations_total{agent_type="bot",operation_type="read",status="success"} 1',
    'agent_memory_operations_total{agent_type="bot",operation_type="write",status="error"} 1',
  ]);
});

test('two exporters of one collector count once; invalid options throw; invalid events do no harm', async (t) => {
  const { wire, registry, agents, llm, mastra, bot } = await rig(t, { exporters: 2 });
  wire.answer(chat('x'));
  await bot.generate('x');
  await settle(mastra);
  for (const options of [null, { collector: {} }, { llm: true }, { agentType: 1 }, { finalTools: 'x' }]) {
    t.throws(() => createMastraExporter(options), { code: 'INVALID_CONFIG' });
  }
  const exporter = createMastraExporter({ collector: agents, llm });
  for (const exportedSpan of [null, undefined, 1, {}, { id: 'x', type: 'nonsense', attributes: 1 }]) {
    for (const type of ['span_started', 'span_updated', 'span_ended'])
      await exporter.exportTracingEvent({ type, exportedSpan });
  }
  t.deepEqual(
    (await recorded(registry)).filter((line) => /_active/.test(line)),
    [],
  );
  await holds(t, registry, requests(1), executions('bot', { llm: 1 }));
});
