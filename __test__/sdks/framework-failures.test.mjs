// Sends the failures of `failures.test.mjs` through frameworks: the same bytes must give the same error type and outcome. If a
// framework hides the cause, `hides` says what is recorded instead.

import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { createAiSdkMiddleware, instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import { Agent as MastraAgent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { Observability } from '@mastra/observability';
import { Agent, OpenAIProvider, Runner, setTraceProcessors, setTracingDisabled } from '@openai/agents';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import test from 'ava';
import OpenAI from 'openai';
import { count } from '../support/count.mjs';
import { holdsFailures, inChoice } from './support/failures.mjs';
import { collectors } from './support/recorded.mjs';
import { WireServer } from './support/wire-server.mjs';

setTracingDisabled(false);

const MODEL = 'gpt-4o-mini';
const delta = { choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: null }] };
const CHAT = {
  inBody: (error) => ({ error }),
  inEvent: (error) => [[{ error }], [delta, { error }], [delta, inChoice(error)]],
};
const quiet = { onError() {} };
/** The SDK keeps the finish reason `error`, and drops the error beside it. */
const CHOICE = ['in an event (2)', 'server_error', 'error'];

/** Failures whose text tells the cause. */
const TOLD =
  /credits|credit balance|current quota|maximum context|prompt is too long|input token count|overloaded"|Overloaded|Rate limit reached|Incorrect API key/;

const drain = async (parts) => {
  for await (const _ of parts);
};

/** Options of the AI SDK. */
const abortable = ({ timeout, signal }) => ({
  maxRetries: 0,
  abortSignal: timeout === undefined ? signal : AbortSignal.timeout(timeout),
});

function openMastra({ t, agents, llm }, model) {
  const bot = new MastraAgent({ id: 'bot', name: 'Bot', instructions: 'x', model });
  const exporters = [createMastraExporter({ collector: agents, llm, provider: 'p' })];
  const observability = new Observability({ configs: { default: { serviceName: 'tests', exporters } } });
  const mastra = new Mastra({ agents: { bot }, logger: false, observability });
  t.teardown(() => mastra.shutdown());
  const settle = async () => {
    await mastra.observability.getDefaultInstance()?.flush?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return async ({ stream, options }) => {
    const asked = { modelSettings: { maxRetries: 0 }, maxSteps: 1, abortSignal: abortable(options).abortSignal };
    try {
      if (stream) await drain((await mastra.getAgent('bot').stream('x', asked)).textStream);
      else await mastra.getAgent('bot').generate('x', asked);
    } finally {
      await settle();
    }
  };
}

const FRAMEWORKS = {
  'LangChain, chat completions': {
    open({ baseURL, agents, llm }) {
      const callbacks = [createLangChainHandler({ collector: agents, llm, provider: 'p' })];
      const model = new ChatOpenAI({ model: MODEL, apiKey: 'k', maxRetries: 0, configuration: { baseURL } });
      return async ({ stream, options }) =>
        stream
          ? drain(await model.stream('x', { ...options, callbacks }))
          : model.invoke('x', { ...options, callbacks });
    },
    ...CHAT,
    hides: [
      // The package of OpenAI finds no choice in such a body, and returns no generation.
      ['in a body', 'invalid_response', 'error'],
      // It drops a choice whose finish reason is `error`.
      ['in an event (2)', undefined, 'success'],
      // LangChain throws an error of its own for any abort, without the reason.
      ['a timeout', 'cancelled', 'cancelled'],
      ["a timer's abort", 'cancelled', 'cancelled'],
    ],
  },
  'AI SDK, telemetry': {
    open({ t, baseURL, agents, llm }) {
      t.teardown(instrumentAiSdk({ collector: llm, agents }));
      const model = createOpenAI({ apiKey: 'k', baseURL }).chat(MODEL);
      return async ({ stream, options }) => {
        const asked = { model, prompt: 'x', ...abortable(options) };
        return stream ? drain(streamText({ ...asked, ...quiet }).textStream) : generateText(asked);
      };
    },
    ...CHAT,
    hides: [CHOICE],
  },
  'AI SDK, middleware': {
    open({ baseURL, llm }) {
      const plain = createOpenAI({ apiKey: 'k', baseURL }).chat(MODEL);
      const model = wrapLanguageModel({ model: plain, middleware: createAiSdkMiddleware({ collector: llm }) });
      return async ({ stream, options }) => {
        const asked = { model, prompt: 'x', ...abortable(options) };
        return stream ? drain(streamText({ ...asked, ...quiet }).textStream) : generateText(asked);
      };
    },
    ...CHAT,
    hides: [CHOICE],
  },
  'OpenAI Agents, chat completions': {
    open({ t, baseURL, agents, llm }) {
      setTraceProcessors([createTraceProcessor({ collector: agents, llm, provider: 'p' })]);
      t.teardown(() => setTraceProcessors([]));
      let client;
      return async ({ stream, options: { timeout, signal } }) => {
        client = new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0, logLevel: 'off', ...(timeout && { timeout }) });
        const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client, useResponses: false }) });
        const run = await runner.run(new Agent({ name: 'bot', model: MODEL }), 'x', { stream, signal, maxTurns: 1 });
        if (!stream) return;
        await drain(run);
        await run.completed;
      };
    },
    ...CHAT,
    hides: [
      CHOICE,
      // Spans have the error's text, without its code.
      [TOLD],
      ['in an event', 'other', 'error'],
      ['status 400', 'invalid_request', 'error'],
      ["a timer's abort", 'cancelled', 'cancelled'],
    ],
  },
  Mastra: {
    open: (world) => openMastra(world, createOpenAI({ apiKey: 'k', baseURL: world.baseURL }).chat(MODEL)),
    ...CHAT,
    hides: [
      ['in an event (2)', undefined, 'success'],
      ['a timeout', 'cancelled', 'cancelled'],
      ['an abort'],
      ["a timer's abort", 'cancelled', 'cancelled'],
      // Spans of requests have no error.
      ['', 'other', 'error'],
    ],
  },
  'Mastra over a middleware': {
    open(world) {
      const plain = createOpenAI({ apiKey: 'k', baseURL: world.baseURL }).chat(MODEL);
      const middleware = createAiSdkMiddleware({ collector: world.llm });
      return openMastra(world, wrapLanguageModel({ model: plain, middleware }));
    },
    ...CHAT,
    hides: [CHOICE],
  },
};

for (const [name, { open, ...ways }] of Object.entries(FRAMEWORKS)) {
  // One at a time: telemetry and trace processors are shared by a process.
  test.serial(`${name}: each failure has the same words`, async (t) => {
    const wire = await WireServer.start(t);
    const { registry, agents, llm } = collectors();
    const ask = open({ t, baseURL: `${wire.url}/v1`, agents, llm });
    await holdsFailures(t, { wire, registry, ask, every: count(5, 1), ...ways });
  });
}
