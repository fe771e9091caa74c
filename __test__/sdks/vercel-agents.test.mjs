// Tests agents of the real `ai` package: their runs, steps and tools are recorded from the telemetry, under their
// `functionId`.

import { createOpenAI } from '@ai-sdk/openai';
import { instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { generateText, hasToolCall, isStepCount, streamText, ToolLoopAgent, tool } from 'ai';
import test from 'ava';
import { z } from 'zod';
import { collectors, recorded, sameLines } from './support/recorded.mjs';
import { abortedIn } from './support/signals.mjs';
import { events, json, silence, WireServer } from './support/wire-server.mjs';

const MODEL = 'gpt-4o-mini';
const USAGE = { prompt_tokens: 10, completion_tokens: 4 };

function completion(message, finish_reason) {
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }];
  return json({ id: 'c', created: 1, model: MODEL, choices, usage: USAGE });
}

let calls = 0;
const toolCall = (name, args) => ({
  id: `call_${++calls}`,
  type: 'function',
  function: { name, arguments: JSON.stringify(args) },
});
const calling = (...named) =>
  completion({ content: null, tool_calls: named.map(([name, args = {}]) => toolCall(name, args)) }, 'tool_calls');
const done = () => completion({ content: 'done' }, 'stop');

const inputSchema = z.object({ city: z.string().optional() });
const TOOLS = {
  weather: tool({ inputSchema, execute: async () => 'sun' }),
  broken: tool({
    inputSchema,
    execute: async () => {
      throw new Error('no');
    },
  }),
  slow: tool({
    inputSchema,
    execute: async () => {
      throw new DOMException('late', 'TimeoutError');
    },
  }),
  finish: tool({ inputSchema, execute: async () => 'ok' }),
};

async function measured(t, options = {}) {
  const wire = await WireServer.start(t);
  const model = createOpenAI({ apiKey: 'k', baseURL: `${wire.url}/v1` }).chat(MODEL);
  const { registry, llm, agents } = collectors({ llm: { prices: { [MODEL]: { input: 1, output: 2 } } } });
  t.teardown(instrumentAiSdk({ collector: llm, agents: { collector: agents, ...options } }));
  const lines = async () => (await recorded(registry)).filter((line) => line.startsWith('agent_'));
  const asked = {
    model,
    prompt: 'go',
    maxRetries: 0,
    tools: TOOLS,
    stopWhen: isStepCount(3),
    telemetry: { functionId: 'scout' },
  };
  return { wire, model, asked, lines, agents, registry };
}

/** The samples of a run with this many steps and tool calls, without the calls themselves. */
function ran(status, steps, tools, { costUsd = '', repeated = 0, requests = steps } = {}) {
  const of = '{agent_type="scout"';
  return [
    `agent_executions_total${of},status="${status}"} 1`,
    `agent_execution_duration_seconds_count${of}} 1`,
    `agent_steps_per_execution_count${of}} 1`,
    `agent_steps_per_execution_sum${of}} ${steps}`,
    `agent_model_calls_per_execution_count${of}} 1`,
    `agent_model_calls_per_execution_sum${of}} ${requests}`,
    `agent_tool_calls_per_execution_count${of}} 1`,
    `agent_tool_calls_per_execution_sum${of}} ${tools}`,
    `agent_steps_total${of},step_type="llm"} ${steps}`,
    `agent_step_duration_seconds_count${of},step_type="llm"} ${steps}`,
    ...(costUsd === ''
      ? []
      : [
          `agent_tokens_total${of},type="input"} ${10 * steps}`,
          `agent_tokens_total${of},type="output"} ${4 * steps}`,
          `agent_cost_usd_total${of}} ${costUsd}`,
        ]),
    ...(repeated > 0 ? [`agent_repeated_tool_calls_total${of}} ${repeated}`] : []),
  ].filter((line) => !line.endsWith(' 0'));
}

const called = (name, status, times = 1) => [
  `agent_tool_calls_total{agent_type="scout",tool_name="${name}",status="${status}"} ${times}`,
  `agent_tool_call_duration_seconds_count{agent_type="scout",tool_name="${name}"} ${times}`,
];
const error = (type) => `agent_errors_total{agent_type="scout",error_type="${type}"} 1`;

test.serial('a run with tools that succeed and fail', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(calling(['weather', { city: 'a' }], ['broken'], ['slow']), calling(['weather', { city: 'b' }]), done());
  t.is((await generateText(asked)).text, 'done');
  sameLines(t, await lines(), [
    ran('success', 3, 4, { costUsd: '0.000054' }),
    called('weather', 'success', 2),
    called('broken', 'error'),
    called('slow', 'timeout'),
    error('tool_error'),
    error('timeout'),
  ]);
});

test.serial('a loop that repeats itself until it is stopped', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.always(calling(['weather', { city: 'a' }]));
  await generateText(asked);
  sameLines(t, await lines(), [
    ran('max_steps', 3, 3, { costUsd: '0.000054', repeated: 2 }),
    called('weather', 'success', 3),
    error('max_steps'),
  ]);
});

test.serial('a tool that ends a run as it should', async (t) => {
  const { wire, asked, lines } = await measured(t, { finalTools: ['finish'] });
  wire.answer(calling(['weather']), calling(['finish']));
  await generateText({ ...asked, stopWhen: hasToolCall('finish') });
  sameLines(t, await lines(), [
    ran('success', 2, 2, { costUsd: '0.000036' }),
    called('weather', 'success'),
    called('finish', 'success'),
  ]);
});

test.serial('one step is not a loop', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(calling(['weather']));
  await generateText({ ...asked, stopWhen: undefined });
  sameLines(t, await lines(), [ran('success', 1, 1, { costUsd: '0.000018' }), called('weather', 'success')]);
});

test.serial('a tool that the model invented', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(calling(['nonesuch']), done());
  await generateText(asked);
  sameLines(t, await lines(), [
    ran('success', 2, 1, { costUsd: '0.000036' }),
    'agent_tool_calls_total{agent_type="scout",tool_name="other",status="error"} 1',
    error('unknown_tool'),
  ]);
});

test.serial('a call that is denied', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(calling(['weather']), done());
  await generateText({ ...asked, toolApproval: { weather: 'denied' } });
  sameLines(t, await lines(), [
    ran('success', 2, 1, { costUsd: '0.000036' }),
    'agent_tool_calls_total{agent_type="scout",tool_name="weather",status="denied"} 1',
  ]);
});

test.serial('calls are not compared if telemetry hides their inputs', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(calling(['weather']), calling(['weather']), done());
  await generateText({ ...asked, telemetry: { functionId: 'scout', recordInputs: false } });
  sameLines(t, await lines(), [ran('success', 3, 2, { costUsd: '0.000054' }), called('weather', 'success', 2)]);
});

test.serial('a ToolLoopAgent, streamed', async (t) => {
  const { wire, asked, lines } = await measured(t);
  const chunk = (delta, finish_reason = null) => ({
    id: 'c',
    created: 1,
    model: MODEL,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const end = { id: 'c', created: 1, model: MODEL, choices: [], usage: USAGE };
  wire.answer(
    events([
      chunk({ tool_calls: [{ index: 0, ...toolCall('weather', { city: 'a' }) }] }),
      chunk({}, 'tool_calls'),
      end,
      '[DONE]',
    ]),
    events([chunk({ content: 'done' }), chunk({}, 'stop'), end, '[DONE]']),
  );
  const { prompt, ...settings } = asked;
  const result = await new ToolLoopAgent(settings).stream({ prompt });
  t.is(await result.text, 'done');
  sameLines(t, await lines(), [ran('success', 2, 1, { costUsd: '0.000036' }), called('weather', 'success')]);
});

test.serial('runs that fail, are aborted or time out', async (t) => {
  for (const [answer, given, status, type] of [
    [json({ error: { message: 'no' } }, { status: 429 }), () => ({}), 'failed', 'rate_limit'],
    [silence(), () => ({ abortSignal: abortedIn(50) }), 'cancelled', 'cancelled'],
    [silence(), () => ({ timeout: 50 }), 'timeout', 'timeout'],
  ]) {
    for (const ask of [generateText, readWhole]) {
      const { wire, asked, lines, registry } = await measured(t);
      wire.always(answer);
      await Promise.resolve(ask({ ...asked, ...given() })).catch(() => {});
      const steps = ask === readWhole && status !== 'failed' ? 0 : 1;
      sameLines(t, await lines(), [ran(status, steps, 0, { requests: 1 }), error(type)]);
      t.false((await registry.metrics()).includes('agent_active{agent_type="scout"} 1'));
      globalThis.AI_SDK_TELEMETRY_INTEGRATIONS.length = 0;
    }
  }
});

async function readWhole(asked) {
  for await (const _ of streamText({ ...asked, onError: () => {} }).fullStream);
}

test.serial('agents within agents: each counts its own requests and tools', async (t) => {
  const { wire, model, asked, lines } = await measured(t);
  const ask = tool({
    inputSchema,
    execute: async () =>
      (await generateText({ model, prompt: 'in', maxRetries: 0, telemetry: { functionId: 'inner' } })).text,
  });
  const plain = tool({
    inputSchema,
    execute: async () => (await generateText({ model, prompt: 'in', maxRetries: 0 })).text,
  });
  wire.answer(calling(['ask'], ['plain']), done(), done(), done());
  await generateText({ ...asked, tools: { ask, plain }, toolCallConcurrency: 1 });
  const tokens = (await lines()).filter((line) => line.startsWith('agent_tokens_total'));
  t.deepEqual(tokens.sort(), [
    'agent_tokens_total{agent_type="inner",type="input"} 10',
    'agent_tokens_total{agent_type="inner",type="output"} 4',
    'agent_tokens_total{agent_type="scout",type="input"} 30',
    'agent_tokens_total{agent_type="scout",type="output"} 12',
  ]);
});

test.serial('a call without a functionId counts for no agent', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(done());
  await generateText({ ...asked, telemetry: undefined });
  t.deepEqual(await lines(), []);
});
