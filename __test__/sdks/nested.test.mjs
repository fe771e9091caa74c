// Tests integrations that see the same request: a framework, and the client that it calls. The client counts it, once, for the
// framework's agent. One test at a time, because classes and trace processors are shared by a process.

import { createOpenAI } from '@ai-sdk/openai';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { createAiSdkMiddleware, instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import { Agent as MastraAgent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { Observability } from '@mastra/observability';
import {
  Agent,
  tool as agentTool,
  OpenAIProvider,
  Runner,
  setTraceProcessors,
  setTracingDisabled,
} from '@openai/agents';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import test from 'ava';
import OpenAI from 'openai';
import { z } from 'zod';
import { called, executions, holds, LABELS, requests } from './support/agent-lines.mjs';
import { chat, chatStream, refusal, response, responseStream } from './support/chat-answers.mjs';
import { collectors, recorded } from './support/recorded.mjs';
import { json, WireServer } from './support/wire-server.mjs';

setTracingDisabled(false);

/** Requests by their outcome, and what must be 0 at the end. */
async function counted(registry) {
  const lines = await recorded(registry);
  const total = (pattern) =>
    lines
      .filter((line) => pattern.test(line))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  return {
    success: total(/^llm_requests_total\{.*success/),
    failed: total(/^llm_requests_total\{.*(error|timeout|cancelled)"\}/),
    tokens: total(/^llm_tokens_total\{.*output/),
    ofAgents: total(/^agent_tokens_total\{.*output/),
    active: total(/^llm_active_requests/),
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 10));
const add = tool(({ a, b }) => String(a + b), {
  name: 'add',
  description: 'Adds',
  schema: z.object({ a: z.number(), b: z.number() }),
});

async function langChain(t, { options = {}, model = {}, client = true } = {}) {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  const uninstall = client ? instrumentOpenAI(OpenAI, { collector: llm, provider: 'openai' }) : () => {};
  t.teardown(uninstall);
  const handler = createLangChainHandler({ collector: agents, llm, provider: 'openai', ...options });
  const configuration = { baseURL: `${wire.url}/v1` };
  const ask = new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'key', maxRetries: 0, configuration, ...model });
  return { wire, registry, agents, llm, handler, ask, uninstall, with: { callbacks: [handler] } };
}

for (const [how, stream, answer] of [
  ['an answer', false, () => chat('hi')],
  ['a stream', true, () => chatStream(['h', 'i'])],
]) {
  for (const useResponsesApi of [false, true]) {
    const made = useResponsesApi
      ? { 'an answer': () => response('hi'), 'a stream': () => responseStream(['h', 'i']) }[how]
      : answer;
    test.serial(
      `LangChain over a client counts ${how} once${useResponsesApi ? ', by the Responses API' : ''}`,
      async (t) => {
        const { wire, registry, ask, with: config } = await langChain(t, { model: { useResponsesApi } });
        wire.answer(made());
        if (stream) for await (const _ of await ask.stream('x', config));
        else await ask.invoke('x', config);
        t.like(await counted(registry), { success: 1, failed: 0, tokens: 5, active: 0 });
      },
    );
  }
}

test.serial('LangGraph over a client: requests count once, for the agent', async (t) => {
  const { wire, registry, ask, with: config } = await langChain(t);
  wire.answer(chat([['add', { a: 1, b: 2 }]]), chat('3'));
  const agent = createReactAgent({ llm: ask, tools: [add], name: 'adder' });
  await agent.invoke({ messages: [{ role: 'user', content: '1+2?' }] }, config);
  await holds(
    t,
    registry,
    requests(2, { tools: 1 }),
    executions('adder', { llm: 2, tools: 1 }),
    called('adder', 'add', 'success'),
  );
});

test.serial('LangGraph that streams, over a client', async (t) => {
  const { wire, registry, ask, with: config } = await langChain(t);
  wire.answer(chatStream(['h', 'i']));
  const agent = createReactAgent({ llm: ask, tools: [add], name: 'adder' });
  const messages = { messages: [{ role: 'user', content: 'x' }] };
  for await (const _ of await agent.stream(messages, { ...config, streamMode: 'messages' }));
  t.deepEqual(await counted(registry), { success: 1, failed: 0, tokens: 5, ofAgents: 5, active: 0 });
});

test.serial('many LangChain requests at once, some of which fail', async (t) => {
  const { wire, registry, ask, with: config } = await langChain(t);
  let sent = 0;
  wire.always((...args) => (sent++ % 3 === 0 ? refusal(429) : chat('hi'))(...args));
  const chain = RunnableLambda.from((x) => ask.invoke(x)).withConfig({ runName: 'chain' });
  const all = Array.from({ length: 30 }, (_, index) => (index % 2 ? ask : chain).invoke('x', config));
  await Promise.allSettled(all);
  t.like(await counted(registry), { success: 20, failed: 10, tokens: 100, active: 0 });
});

test.serial("LangChain's own retries are requests of the client", async (t) => {
  const { wire, registry, ask, with: config } = await langChain(t, { model: { maxRetries: 2 } });
  wire.answer(json({ error: {} }, { status: 500 }), chat('hi'));
  await ask.invoke('x', config);
  t.like(await counted(registry), { success: 1, failed: 1, active: 0 });
});

test.serial(
  'a handler without an instrumented client counts itself, and one with another collector, too',
  async (t) => {
    const alone = await langChain(t, { client: false });
    alone.wire.always(chat('hi'));
    await alone.ask.invoke('x', alone.with);
    t.like(await counted(alone.registry), { success: 1, active: 0 });
    const other = collectors();
    const uninstall = instrumentOpenAI(OpenAI, { collector: other.llm });
    await alone.ask.invoke('x', alone.with);
    uninstall();
    await alone.ask.invoke('x', alone.with);
    t.like(await counted(alone.registry), { success: 3, active: 0 });
    t.like(await counted(other.registry), { success: 1, active: 0 });
  },
);

test.serial('two handlers of one collector count once; of two collectors, once for each', async (t) => {
  const { wire, registry, agents, llm, ask, handler } = await langChain(t, { client: false });
  wire.always(chat('hi'));
  const second = createLangChainHandler({ collector: agents, llm, provider: 'openai' });
  await ask.invoke('x', { callbacks: [handler, second] });
  t.like(await counted(registry), { success: 1, active: 0 });
  const other = collectors();
  const uninstall = instrumentOpenAI(OpenAI, { collector: llm, provider: 'openai' });
  t.teardown(uninstall);
  const third = createLangChainHandler({ collector: other.agents, llm: other.llm, provider: 'openai' });
  await ask.invoke('x', { callbacks: [handler, third] });
  t.like(await counted(registry), { success: 2, active: 0 });
  t.like(await counted(other.registry), { success: 1, active: 0 });
});

test.serial('a request of the program beside, after and within a LangChain request is its own', async (t) => {
  const { wire, registry, ask, with: config } = await langChain(t);
  const client = new OpenAI({ apiKey: 'k', baseURL: `${wire.url}/v1`, maxRetries: 0 });
  const own = () => client.chat.completions.create({ model: 'gpt-4o-mini', messages: [] });
  wire.always((...args) => (args[1].body.stream ? chatStream(['h', 'i']) : chat('hi'))(...args));
  await Promise.all([ask.invoke('x', config), own()]);
  await own();
  for await (const _ of await ask.stream('x', config)) await own();
  const { success, active } = await counted(registry);
  t.is(success, wire.requests.length);
  t.is(active, 0);
});

/** A processor that the SDK waits for before it calls the next one, as its own exporter is. */
const before = {
  onTraceStart: async () => {},
  onTraceEnd: async () => {},
  onSpanStart: async () => {},
  onSpanEnd: async () => {},
  shutdown: async () => {},
  forceFlush: async () => {},
};

async function openAiAgents(t, { useResponses = true, client = true, others = [] } = {}) {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  setTraceProcessors([...others, createTraceProcessor({ collector: agents, llm, provider: 'openai' })]);
  t.teardown(() => setTraceProcessors([]));
  if (client) t.teardown(instrumentOpenAI(OpenAI, { collector: llm, provider: 'openai' }));
  const openAIClient = new OpenAI({ apiKey: 'key', baseURL: `${wire.url}/v1`, maxRetries: 0 });
  const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses }) });
  return { wire, registry, runner };
}

const adding = agentTool({
  name: 'add',
  description: 'Adds',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
});
const bot = () => new Agent({ name: 'bot', model: 'gpt-4o-mini', tools: [adding] });

for (const [useResponses, whole, streamed] of [
  [true, response, responseStream],
  [false, chat, chatStream],
]) {
  const api = useResponses ? 'the Responses API' : 'chat completions';

  test.serial(`OpenAI Agents over a client, by ${api}: requests count once, for the agent`, async (t) => {
    const { wire, registry, runner } = await openAiAgents(t, { useResponses });
    wire.answer(whole([['add', { a: 1, b: 2 }]]), whole('3'));
    await runner.run(bot(), '1+2?');
    await settle();
    await holds(
      t,
      registry,
      requests(2, { tools: 1 }),
      executions('bot', { llm: 2, tools: 1 }),
      called('bot', 'add', 'success'),
    );
  });

  test.serial(`OpenAI Agents over a client, by ${api}: streams and failures`, async (t) => {
    const { wire, registry, runner } = await openAiAgents(t, { useResponses });
    wire.answer(streamed(['h', 'i']), refusal(429));
    const result = await runner.run(bot(), 'x', { stream: true });
    for await (const _ of result);
    await result.completed;
    await t.throwsAsync(runner.run(bot(), 'x'));
    await settle();
    t.deepEqual(await counted(registry), { success: 1, failed: 1, tokens: 5, ofAgents: 5, active: 0 });
    const errors = (await recorded(registry)).filter((line) => line.startsWith('llm_errors_total'));
    t.deepEqual(errors, [`llm_errors_total{${LABELS},error_type="rate_limit"} 1`]);
  });

  for (const client of [true, false]) {
    const over = client ? 'and over a client' : 'and alone';
    test.serial(`OpenAI Agents behind another processor ${over}, by ${api}: requests count once`, async (t) => {
      const { wire, registry, runner } = await openAiAgents(t, { useResponses, client, others: [before] });
      wire.answer(whole('hi'), streamed(['h', 'i']), refusal(429), whole('ho'));
      await runner.run(bot(), 'x');
      const result = await runner.run(bot(), 'x', { stream: true });
      for await (const _ of result);
      await result.completed;
      await t.throwsAsync(runner.run(bot(), 'x'));
      await runner.run(bot(), 'x');
      await settle();
      t.like(await counted(registry), { success: 3, failed: 1, tokens: 15, active: 0 });
    });
  }

  test.serial(`OpenAI Agents over a client, by ${api}: several runs at once`, async (t) => {
    const { wire, registry, runner } = await openAiAgents(t, { useResponses });
    wire.always((...args) => whole('hi')(...args));
    await Promise.all(Array.from({ length: 20 }, () => runner.run(bot(), 'x')));
    await settle();
    t.deepEqual(await counted(registry), { success: 20, failed: 0, tokens: 100, ofAgents: 100, active: 0 });
  });
}

/** A model of the AI SDK that uses a client, as programs write them for providers without a package. */
function modelOver(client) {
  const end = { finishReason: { unified: 'stop', raw: 'stop' } };
  const usage = { inputTokens: { total: 10 }, outputTokens: { total: 5 } };
  const asked = { model: 'gpt-4o-mini', messages: [] };
  return {
    specificationVersion: 'v4',
    provider: 'openai',
    modelId: 'gpt-4o-mini',
    supportedUrls: {},
    async doGenerate() {
      const { choices } = await client.chat.completions.create(asked);
      return { content: [{ type: 'text', text: choices[0].message.content }], ...end, usage, warnings: [] };
    },
    async doStream() {
      const chunks = await client.chat.completions.create({
        ...asked,
        stream: true,
        stream_options: { include_usage: true },
      });
      const parts = new ReadableStream({
        async start(stream) {
          stream.enqueue({ type: 'stream-start', warnings: [] });
          stream.enqueue({ type: 'text-start', id: '1' });
          for await (const { choices } of chunks) {
            const delta = choices[0]?.delta.content;
            if (delta) stream.enqueue({ type: 'text-delta', id: '1', delta });
          }
          stream.enqueue({ type: 'text-end', id: '1' });
          stream.enqueue({ type: 'finish', ...end, usage });
          stream.close();
        },
      });
      return { stream: parts };
    },
  };
}

test.serial('the AI SDK over a client counts answers, streams and failures once, also many at once', async (t) => {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  t.teardown(instrumentAiSdk({ collector: llm, agents }));
  t.teardown(instrumentOpenAI(OpenAI, { collector: llm, provider: 'openai' }));
  const model = modelOver(new OpenAI({ apiKey: 'key', baseURL: `${wire.url}/v1`, maxRetries: 0 }));
  const asked = { model, prompt: 'x', maxRetries: 0 };
  wire.answer(chat('hi'), chatStream(['h', 'i']), refusal(401));
  t.is((await generateText(asked)).text, 'hi');
  t.is(await streamText(asked).text, 'hi');
  await t.throwsAsync(generateText(asked));
  wire.always((...args) => chat('hi')(...args));
  await Promise.all(Array.from({ length: 20 }, () => generateText(asked)));
  await settle();
  t.like(await counted(registry), { success: 22, failed: 1, tokens: 110, active: 0 });
});

function mastraOf(t, { agents, llm }, model) {
  const bot = new MastraAgent({ id: 'bot', name: 'Bot', instructions: 'x', model });
  const exporters = [createMastraExporter({ collector: agents, llm })];
  const observability = new Observability({ configs: { default: { serviceName: 'tests', exporters } } });
  const mastra = new Mastra({ agents: { bot }, logger: false, observability });
  t.teardown(() => mastra.shutdown());
  return mastra;
}

const once = { modelSettings: { maxRetries: 0 } };

for (const [below, makeModel] of [
  [
    'an instrumented client',
    (t, { llm }, baseURL) => {
      t.teardown(instrumentOpenAI(OpenAI, { collector: llm, provider: 'openai' }));
      return modelOver(new OpenAI({ apiKey: 'key', baseURL, maxRetries: 0 }));
    },
  ],
  [
    'a middleware of the AI SDK',
    (_t, { llm }, baseURL) => {
      const model = createOpenAI({ apiKey: 'key', baseURL }).chat('gpt-4o-mini');
      return wrapLanguageModel({ model, middleware: createAiSdkMiddleware({ collector: llm }) });
    },
  ],
]) {
  test.serial(`Mastra over ${below} counts answers, streams and failures once, for the agent`, async (t) => {
    const wire = await WireServer.start(t);
    const world = collectors();
    const mastra = mastraOf(t, world, makeModel(t, world, `${wire.url}/v1`));
    const bot = mastra.getAgent('bot');
    wire.always((...args) => (args[1].body.stream ? chatStream(['h', 'i']) : chat('hi'))(...args));
    await bot.generate('x', once);
    await (await bot.stream('x', once)).text;
    await Promise.all(Array.from({ length: 10 }, () => bot.generate('x', once)));
    wire.always((...args) => refusal(429)(...args));
    await t.throwsAsync(bot.generate('x', once));
    await mastra.observability.getDefaultInstance()?.flush?.();
    await settle();
    t.deepEqual(await counted(world.registry), { success: 12, failed: 1, tokens: 60, ofAgents: 60, active: 0 });
    const errors = (await recorded(world.registry)).filter((line) => line.startsWith('llm_errors_total'));
    t.deepEqual(errors, [`llm_errors_total{${LABELS},error_type="rate_limit"} 1`]);
  });
}

test.serial('Mastra beside the AI SDK: requests of both count once', async (t) => {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  t.teardown(instrumentAiSdk({ collector: llm, agents }));
  const model = createOpenAI({ apiKey: 'key', baseURL: `${wire.url}/v1` }).chat('gpt-4o-mini');
  const mastra = mastraOf(t, { agents, llm }, model);
  wire.always((...args) => chat('hi')(...args));
  await mastra.getAgent('bot').generate('x');
  await generateText({ model, prompt: 'x', maxRetries: 0 });
  await mastra.observability.getDefaultInstance()?.flush?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.like(await counted(registry), { success: 2, failed: 0, tokens: 10, active: 0 });
});
