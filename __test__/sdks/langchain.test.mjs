// Tests real LangChain and LangGraph with a simulated OpenAI server: what the callback handler records from their
// events.

import { InMemoryCache } from '@langchain/core/caches';
import { BaseRetriever } from '@langchain/core/retrievers';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import test from 'ava';
import { z } from 'zod';
import { collectGarbage } from '../support/garbage.mjs';
import { called, executions, holds, LABELS, requests } from './support/agent-lines.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';
import { collectors, recorded } from './support/recorded.mjs';
import { abortedIn, timedOutIn } from './support/signals.mjs';
import { cut, json, silence, WireServer } from './support/wire-server.mjs';

async function rig(t, options = {}, model = {}) {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  const handler = createLangChainHandler({ collector: agents, llm, provider: 'openai', ...options });
  const configuration = { baseURL: `${wire.url}/v1` };
  const ask = new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'key', maxRetries: 0, configuration, ...model });
  return { wire, registry, agents, llm, handler, ask, with: { callbacks: [handler] } };
}

const add = tool(({ a, b }) => String(a + b), {
  name: 'add',
  description: 'Adds',
  schema: z.object({ a: z.number(), b: z.number() }),
});

const user = (content) => ({ messages: [{ role: 'user', content }] });
test('an agent with a tool: executions, steps, calls, requests, tokens', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  wire.answer(chat([['add', { a: 1, b: 2 }]]), chat('3'));
  const agent = createReactAgent({ llm: ask, tools: [add], name: 'adder' });
  const { messages } = await agent.invoke(user('1+2?'), config);
  t.deepEqual(
    messages.map(({ content }) => content),
    ['1+2?', '', '3', '3'],
  );
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('adder', { llm: 2, tools: 1 }),
    called('adder', 'add', 'success'),
  );
});

test('the name comes from the run, the call, or the handler', async (t) => {
  const { registry, agents, llm, with: config } = await rig(t);
  const chain = RunnableLambda.from((x) => x);
  await chain.invoke(1, config);
  await chain.invoke(1, { ...config, runName: 'by-run' });
  await chain.invoke(1, { ...config, runName: 'by-run', metadata: { agent_type: 'by-metadata' } });
  const named = createLangChainHandler({ collector: agents, llm, agentType: 'by-option' });
  await chain.invoke(1, { callbacks: [named], runName: 'by-run' });
  const names = ['RunnableLambda', 'by-run', 'by-metadata', 'by-option'];
  await holds(t, registry, ...names.map((name) => executions(name)));
});

test('parallel tools, one that fails and is answered, one that the model invented', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  const broken = tool(() => Promise.reject(new Error('broken')), {
    name: 'broken',
    description: 'x',
    schema: z.object({}),
  });
  wire.answer(
    chat([
      ['add', { a: 1, b: 2 }],
      ['broken', {}],
      ['invented', {}],
      ['add', { a: 2, b: 2 }],
    ]),
    chat('done'),
  );
  await createReactAgent({ llm: ask, tools: [add, broken], name: 'adder' }).invoke(user('x'), config);
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('adder', { llm: 2, tools: 3, error: 'tool_error' }),
    called('adder', 'add', 'success', 2),
    called('adder', 'broken', 'error'),
  );
});

test('the same call again and again, until the graph’s limit', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  wire.always(chat([['add', { a: 1, b: 2 }]]));
  const agent = createReactAgent({ llm: ask, tools: [add], name: 'adder' });
  await t.throwsAsync(agent.invoke(user('x'), { ...config, recursionLimit: 6 }), { name: 'GraphRecursionError' });
  await holds(
    t,
    registry,
    requests(3, { tools: 3 }),
    executions('adder', { status: 'max_steps', error: 'max_steps', llm: 3, tools: 3 }),
    called('adder', 'add', 'success', 3),
    ['agent_repeated_tool_calls_total{agent_type="adder"} 2'],
  );
});

test('within an execution, the graph is part of it, and its limit ends the execution', async (t) => {
  const { wire, registry, agents, ask, with: config } = await rig(t);
  wire.always(chat([['add', { a: 1, b: 2 }]]));
  const agent = createReactAgent({ llm: ask, tools: [add], name: 'adder' });
  await t.throwsAsync(agents.run('outer', () => agent.invoke(user('x'), { ...config, recursionLimit: 2 })));
  await holds(
    t,
    registry,
    requests(1, { tools: 1 }),
    executions('outer', { status: 'max_steps', error: 'max_steps', llm: 1, tools: 1 }),
    called('outer', 'add', 'success'),
  );
});

test('agents that run at once and within each other', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t, { agents: ['writer'] });
  wire.always(chat('x'));
  const writer = createReactAgent({ llm: ask, tools: [], name: 'writer' });
  const outer = (name) =>
    new StateGraph(MessagesAnnotation)
      .addNode('write', writer)
      .addEdge(START, 'write')
      .addEdge('write', END)
      .compile({ name });
  const editor = new StateGraph(MessagesAnnotation)
    .addNode('read', async (state) => ({ messages: [await ask.invoke(state.messages)] }))
    .addNode('writer', (state) => writer.invoke(state))
    .addEdge(START, 'read')
    .addEdge('read', 'writer')
    .addEdge('writer', END)
    .compile({ name: 'editor' });
  await Promise.all([editor.invoke(user('x'), config), outer('plain').invoke(user('y'), config)]);
  await holds(t, registry, requests(3), executions('editor', { llm: 1 }), executions('plain'), [
    'agent_executions_total{agent_type="writer",status="success"} 3',
    'agent_execution_duration_seconds_count{agent_type="writer"} 3',
    'agent_steps_total{agent_type="writer",step_type="llm"} 2',
    'agent_step_duration_seconds_count{agent_type="writer",step_type="llm"} 2',
    'agent_steps_per_execution_sum{agent_type="writer"} 2',
    'agent_steps_per_execution_count{agent_type="writer"} 3',
    'agent_model_calls_per_execution_sum{agent_type="writer"} 2',
    'agent_model_calls_per_execution_count{agent_type="writer"} 3',
    'agent_tool_calls_per_execution_count{agent_type="writer"} 3',
    'agent_tokens_total{agent_type="writer",type="input"} 20',
    'agent_tokens_total{agent_type="writer",type="output"} 10',
  ]);
});

test('LLM requests are left out if an SDK measures them', async (t) => {
  const { wire, registry, agents, ask } = await rig(t);
  const handler = createLangChainHandler({ collector: agents, llm: false });
  wire.answer(chat('x'));
  await RunnableLambda.from(() => ask.invoke('x')).invoke(1, { callbacks: [handler], runName: 'bot' });
  await holds(t, registry, executions('bot', { llm: 1, failed: 1 }));
});

test('a model alone is a request and not an agent', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  wire.answer(chat('x'));
  await ask.invoke('x', config);
  await holds(t, registry, requests(1));
});

/** The samples that a complete stream with this many chunks adds. */
const streamed = (chunks) => [
  `llm_streaming_requests_total{${LABELS}} 1`,
  `llm_streaming_chunks_total{${LABELS}} ${chunks}`,
  `llm_streaming_time_to_first_token_seconds_count{${LABELS}} 1`,
  `llm_streaming_time_per_output_token_seconds_count{${LABELS}} 1`,
];

test('a stream in pieces that split characters: chunks and the first of them with content', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  wire.answer(chatStream(['é', '€', '😀'], { pieceBytes: 7 }));
  let text = '';
  for await (const chunk of await ask.stream('x', config)) text += chunk.content;
  t.is(text, 'é€😀');
  // LangChain reports all chunks: a role, three texts, the reason, the usage.
  await holds(t, registry, requests(1), streamed(6));
});

test('a stream without usage', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t, {}, { streamUsage: false });
  wire.answer(chatStream(['a'], { usage: null }));
  for await (const _ of await ask.stream('x', config));
  await holds(t, registry, [
    `llm_requests_total{${LABELS},operation="chat",status="success"} 1`,
    `llm_request_duration_seconds_count{${LABELS},operation="chat"} 1`,
    `llm_usage_missing_total{${LABELS}} 1`,
    `llm_finish_reasons_total{${LABELS},reason="stop"} 1`,
    `llm_streaming_requests_total{${LABELS}} 1`,
    `llm_streaming_chunks_total{${LABELS}} 3`,
    `llm_streaming_time_to_first_token_seconds_count{${LABELS}} 1`,
  ]);
});

test('a stream that is cut', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  wire.answer(chatStream(['a'], { end: 'cut' }));
  await t.throwsAsync(async () => {
    for await (const _ of await ask.stream('x', config));
  });
  const [outcome, , error, ...rest] = await recorded(registry);
  t.is(outcome, `llm_requests_total{${LABELS},operation="chat",status="error"} 1`);
  t.is(error, `llm_errors_total{${LABELS},error_type="stream_interrupted"} 1`);
  t.deepEqual(rest, [
    `llm_usage_missing_total{${LABELS}} 1`,
    `llm_streaming_requests_total{${LABELS}} 1`,
    `llm_streaming_chunks_total{${LABELS}} 2`,
    `llm_streaming_time_to_first_token_seconds_count{${LABELS}} 1`,
    `llm_streaming_interrupted_total{${LABELS},reason="provider"} 1`,
  ]);
});

/** Collects garbage until a condition holds, or a time has passed. */
async function collected(holds) {
  for (let round = 0; round < 100 && !(await holds()); round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collectGarbage();
  }
}

const active = async (registry) => (await recorded(registry)).filter((line) => /^(llm|agent)_active/.test(line));

test('a model’s stream that its reader leaves is not reported, and counts as cancelled after garbage collection', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  wire.answer(chatStream(['a', 'b', 'c']));
  await (async () => {
    for await (const _ of await ask.stream('x', config)) break;
  })();
  await collected(async () => (await active(registry)).length === 0);
  await holds(t, registry, [
    `llm_requests_total{${LABELS},operation="chat",status="cancelled"} 1`,
    `llm_request_duration_seconds_count{${LABELS},operation="chat"} 1`,
    `llm_errors_total{${LABELS},error_type="cancelled"} 1`,
    `llm_usage_missing_total{${LABELS}} 1`,
    `llm_streaming_requests_total{${LABELS}} 1`,
    `llm_streaming_chunks_total{${LABELS}} 1`,
    `llm_streaming_interrupted_total{${LABELS},reason="client"} 1`,
  ]);
});

for (const streamMode of ['updates', 'values', 'messages']) {
  test(`a graph’s stream of ${streamMode} that the reader leaves ends its execution`, async (t) => {
    const { wire, registry, ask, with: config } = await rig(t);
    wire.always((response, request) =>
      (request.body.stream ? chatStream(['a', 'b', 'c'], { gapMs: 5 }) : chat('x'))(response),
    );
    await (async () => {
      const agent = createReactAgent({ llm: ask, tools: [add], name: 'adder' });
      for await (const _ of await agent.stream(user('x'), { ...config, streamMode })) break;
    })();
    await collected(async () => (await active(registry)).length === 0);
    t.deepEqual(await active(registry), []);
    const executions = (await recorded(registry)).filter((line) => line.startsWith('agent_executions_total'));
    t.is(executions.length, 1);
  });
}

const ERRORS = [
  [400, {}, 'error', 'invalid_request'],
  [400, { code: 'context_length_exceeded' }, 'error', 'context_length'],
  [400, { code: 'content_filter' }, 'error', 'content_filter'],
  [401, {}, 'error', 'authentication'],
  [403, {}, 'error', 'permission'],
  [404, {}, 'error', 'not_found'],
  [408, {}, 'timeout', 'timeout'],
  [409, {}, 'error', 'invalid_request'],
  [413, {}, 'error', 'request_too_large'],
  [422, {}, 'error', 'invalid_request'],
  [429, {}, 'error', 'rate_limit'],
  [429, { code: 'insufficient_quota' }, 'error', 'quota_exceeded'],
  [500, {}, 'error', 'server_error'],
  [503, {}, 'error', 'overloaded'],
];

/** The samples of a failed request within the agent `bot`. */
function failure(status, type) {
  const ends = { timeout: 'timeout', cancelled: 'cancelled' };
  return [
    `llm_requests_total{${LABELS},operation="chat",status="${status}"} 1`,
    `llm_request_duration_seconds_count{${LABELS},operation="chat"} 1`,
    `llm_errors_total{${LABELS},error_type="${type}"} 1`,
    ...executions('bot', { status: ends[type] ?? 'failed', error: type, llm: 1, failed: 1 }),
  ];
}

for (const [status, body, outcome, type] of ERRORS) {
  test(`a provider that answers ${status} ${body.code ?? ''}`, async (t) => {
    const { wire, registry, ask, with: config } = await rig(t);
    wire.answer(refusal(status, body));
    const chain = RunnableLambda.from(() => ask.invoke('x'));
    await t.throwsAsync(chain.invoke(1, { ...config, runName: 'bot' }));
    await holds(t, registry, failure(outcome, type));
  });
}

test('a provider that is unreachable, silent, broken or aborted', async (t) => {
  const cases = [
    [{ configuration: { baseURL: 'http://127.0.0.1:1/v1' } }, undefined, {}, 'error', 'connection'],
    [{}, cut(), {}, 'error', 'connection'],
    [{ timeout: 50 }, silence(), {}, 'timeout', 'timeout'],
    [{}, silence(), { signal: timedOutIn(50) }, 'timeout', 'timeout'],
    [{}, silence(), { signal: abortedIn(50) }, 'cancelled', 'cancelled'],
    [{}, json('{"choices": [', {}), {}, 'error', 'invalid_response'],
  ];
  for (const [model, answer, call, outcome, type] of cases) {
    const { wire, registry, ask, with: config } = await rig(t, {}, model);
    wire.answer(answer);
    const chain = RunnableLambda.from((_, inner) => ask.invoke('x', inner));
    await t.throwsAsync(chain.invoke(1, { ...config, ...call, runName: 'bot' }));
    await collected(async () => (await active(registry)).length === 0);
    // A chain that a signal aborts ends before the request that it asked for. Its steps are those until then.
    const lines = failure(outcome, type);
    const sum = /^agent_(?:steps|model_calls)_per_execution_sum/;
    await holds(t, registry, call.signal ? lines.filter((line) => !sum.test(line)) : lines);
  }
});

test('an answer from the cache: a step and no request', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t, {}, { cache: new InMemoryCache() });
  wire.answer(chat('x'));
  await ask.invoke('x', config);
  await ask.invoke('x', config);
  t.is(wire.requests.length, 1);
  await holds(t, registry, requests(1));
});

test('a retriever is a step', async (t) => {
  class Notes extends BaseRetriever {
    lc_namespace = ['test'];
    _getRelevantDocuments(query) {
      return query === 'fail' ? Promise.reject(new Error('gone')) : [];
    }
  }
  const { registry, with: config } = await rig(t);
  const notes = new Notes();
  const chain = RunnableLambda.from((query, inner) => notes.invoke(query, inner));
  await chain.invoke('x', { ...config, runName: 'bot' });
  await t.throwsAsync(chain.invoke('fail', { ...config, runName: 'bot' }));
  await holds(t, registry, [
    'agent_executions_total{agent_type="bot",status="success"} 1',
    'agent_executions_total{agent_type="bot",status="failed"} 1',
    'agent_execution_duration_seconds_count{agent_type="bot"} 2',
    'agent_steps_total{agent_type="bot",step_type="retrieval"} 2',
    'agent_step_duration_seconds_count{agent_type="bot",step_type="retrieval"} 2',
    'agent_steps_per_execution_sum{agent_type="bot"} 2',
    'agent_steps_per_execution_count{agent_type="bot"} 2',
    'agent_model_calls_per_execution_count{agent_type="bot"} 2',
    'agent_tool_calls_per_execution_count{agent_type="bot"} 2',
    'agent_errors_total{agent_type="bot",error_type="other"} 1',
  ]);
});

test('a tool that waits for a human has not failed, and counts when it is resumed', async (t) => {
  const { wire, registry, ask, with: config } = await rig(t);
  const approve = tool(() => String(interrupt('may I?')), { name: 'approve', description: 'x', schema: z.object({}) });
  wire.answer(chat([['approve', {}]]), chat('done'));
  const agent = createReactAgent({ llm: ask, tools: [approve], name: 'asker', checkpointer: new MemorySaver() });
  const call = { ...config, configurable: { thread_id: '1' } };
  await agent.invoke(user('x'), call);
  await agent.invoke(new Command({ resume: 'yes' }), call);
  await holds(t, registry, requests(2, { tools: 1 }), called('asker', 'approve', 'success'), [
    'agent_executions_total{agent_type="asker",status="success"} 2',
    'agent_execution_duration_seconds_count{agent_type="asker"} 2',
    'agent_steps_total{agent_type="asker",step_type="llm"} 2',
    'agent_step_duration_seconds_count{agent_type="asker",step_type="llm"} 2',
    'agent_steps_per_execution_sum{agent_type="asker"} 2',
    'agent_steps_per_execution_count{agent_type="asker"} 2',
    'agent_model_calls_per_execution_sum{agent_type="asker"} 2',
    'agent_model_calls_per_execution_count{agent_type="asker"} 2',
    'agent_tool_calls_per_execution_sum{agent_type="asker"} 1',
    'agent_tool_calls_per_execution_count{agent_type="asker"} 2',
    'agent_tokens_total{agent_type="asker",type="input"} 20',
    'agent_tokens_total{agent_type="asker",type="output"} 10',
  ]);
});

test('two handlers of one collector count once', async (t) => {
  const { wire, registry, agents, llm, handler, ask } = await rig(t);
  wire.answer(chat('x'));
  const second = createLangChainHandler({ collector: agents, llm, provider: 'openai' });
  await RunnableLambda.from(() => ask.invoke('x')).invoke(1, { callbacks: [handler, second], runName: 'bot' });
  await holds(t, registry, requests(1), executions('bot', { llm: 1 }));
});

test('the provider follows from the address of the model', async (t) => {
  const { wire, registry, agents, llm, ask } = await rig(t);
  wire.answer(chat('x'));
  const handler = createLangChainHandler({ collector: agents, llm, providers: { '127.0.0.1': 'vllm' } });
  await ask.invoke('x', { callbacks: [handler] });
  const [line] = await recorded(registry);
  t.is(line, 'llm_requests_total{model="gpt-4o-mini",provider="vllm",operation="chat",status="success"} 1');
});

test('invalid options throw; invalid events do no harm', async (t) => {
  for (const options of [null, { collector: {} }, { llm: true }, { llm: {} }, { agentType: 1 }, { agents: 'x' }]) {
    t.throws(() => createLangChainHandler(options), { code: 'INVALID_CONFIG' });
  }
  const { registry, handler } = await rig(t);
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(handler))) {
    if (name.startsWith('handle')) t.is(handler[name](null, null, 'id', null, null, null, null), undefined);
  }
  handler.handleChainEnd({}, 'unknown');
  handler.handleChainEnd({}, 'id');
  t.deepEqual(await active(registry), []);
});

test('the number of runs that never end is bounded', async (t) => {
  const { registry, handler } = await rig(t);
  for (let id = 0; id < 10_005; id++)
    handler.handleChainStart({}, {}, `run ${id}`, undefined, [], undefined, undefined, 'bot');
  const lines = (await recorded(registry)).filter((line) => /^agent_(active|executions)/.test(line));
  t.deepEqual(lines, [
    'agent_executions_total{agent_type="bot",status="cancelled"} 5',
    'agent_active{agent_type="bot"} 10000',
  ]);
});
