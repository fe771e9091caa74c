// Ends requests of frameworks in random ways: answers, refusals, cut and silent connections, readers that leave, aborts,
// tools that throw. In all of them, nothing stays active, and no rejection is left unhandled. The tests of each SDK say
// what such an end counts as.

import timers from 'node:timers';
import * as provider7 from '@ai-sdk/openai';
import { tool as langchainTool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { createAiSdkMiddleware, instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import { Agent as MastraAgent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { createTool } from '@mastra/core/tools';
import { Observability } from '@mastra/observability';
import {
  Agent,
  tool as agentTool,
  OpenAIProvider,
  Runner,
  setTraceProcessors,
  setTracingDisabled,
} from '@openai/agents';
import * as ai7 from 'ai';
import * as ai5 from 'ai5';
import * as provider5 from 'ai5-openai';
import * as ai6 from 'ai6';
import * as provider6 from 'ai6-openai';
import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';
import { collectGarbage } from '../support/garbage.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';
import { collectors } from './support/recorded.mjs';
import { cut, silence, WireServer } from './support/wire-server.mjs';

setTracingDisabled(false);
globalThis.AI_SDK_LOG_WARNINGS = false;

/** What the server does with a request that is not streamed, and with one that is. */
const ANSWERS = {
  answer: [() => chat('hi'), () => chatStream(['a', 'b', 'c'])],
  tool: [() => chat([['use', {}]]), () => chatStream(['a'])],
  refuse: [() => refusal(500), () => refusal(429)],
  cut: [() => cut(), () => chatStream(['a'], { end: 'cut' })],
  hang: [() => silence(), () => chatStream(['a'], { end: 'hang' })],
};
const plan = fc.record({
  answers: fc.array(fc.constantFrom(...Object.keys(ANSWERS)), { minLength: 1, maxLength: 3 }),
  isStreamed: fc.boolean(),
  /** What the caller does after the first part of a stream. */
  reader: fc.constantFrom('read', 'leave', 'abort', 'never'),
  isToolBroken: fc.boolean(),
});

const use = (isBroken) => async () => {
  if (isBroken) throw new Error('broken');
  return '3';
};

/** Reads a stream as the plan says. */
async function consume(stream, reader, abort) {
  if (reader === 'never') return;
  for await (const _ of stream) {
    if (reader === 'leave') break;
    if (reader === 'abort') abort();
  }
}

/** Calls a framework as the plan says: `once` without a stream, `stream` with one. Each gets a signal. */
async function act({ isStreamed, reader }, { once, stream }) {
  const controller = new AbortController();
  // Ends silent connections, too.
  const timer = setTimeout(() => controller.abort(), reader === 'abort' ? 10 : 60);
  try {
    if (!isStreamed) await once(controller.signal);
    else await consume(await stream(controller.signal), reader, () => controller.abort());
  } catch {
    // The framework's own error, which its tests check.
  } finally {
    if (isStreamed && reader !== 'read') await new Promise((resolve) => setTimeout(resolve, 5));
    else clearTimeout(timer);
  }
}

const FRAMEWORKS = {
  ...Object.fromEntries(
    [
      [5, ai5, provider5],
      [6, ai6, provider6],
      [7, ai7, provider7],
    ].map(([version, ai, { createOpenAI }]) => [
      `the middleware of ai ${version}`,
      ({ llm, url }) => {
        const model = ai.wrapLanguageModel({
          model: createOpenAI({ apiKey: 'k', baseURL: url }).chat('gpt-4o-mini'),
          middleware: createAiSdkMiddleware({ collector: llm }),
        });
        return aiCalls(ai, model);
      },
    ]),
  ),
  'the telemetry of ai 7': ({ llm, agents, url, t }) => {
    t.teardown(instrumentAiSdk({ collector: llm, agents }));
    // The instrumentation waits some seconds for the SDK to go on after a stream.
    const { setTimeout } = timers;
    timers.setTimeout = (run, ms, ...args) => setTimeout(run, ms >= 1000 ? 50 : ms, ...args);
    t.teardown(() => {
      timers.setTimeout = setTimeout;
    });
    return aiCalls(ai7, provider7.createOpenAI({ apiKey: 'k', baseURL: url }).chat('gpt-4o-mini'));
  },
  LangGraph: ({ llm, agents, url }) => {
    const callbacks = [createLangChainHandler({ collector: agents, llm })];
    return (planned) => {
      const model = new ChatOpenAI({
        model: 'gpt-4o-mini',
        apiKey: 'k',
        maxRetries: 0,
        configuration: { baseURL: url },
      });
      const schema = z.object({});
      const tools = [langchainTool(use(planned.isToolBroken), { name: 'use', description: 'x', schema })];
      const graph = createReactAgent({ llm: model, tools, name: 'helper' });
      const input = { messages: [{ role: 'user', content: 'x' }] };
      const options = (signal) => ({ callbacks, signal, recursionLimit: 6, streamMode: 'messages' });
      return {
        once: (signal) => graph.invoke(input, options(signal)),
        stream: (signal) => graph.stream(input, options(signal)),
      };
    };
  },
  'OpenAI Agents': ({ llm, agents, url }) => {
    setTraceProcessors([createTraceProcessor({ collector: agents, llm })]);
    const modelProvider = new OpenAIProvider({ apiKey: 'k', baseURL: url, useResponses: false });
    const runner = new Runner({ modelProvider, modelSettings: { retry: { maxRetries: 0 } } });
    return (planned) => {
      const parameters = z.object({});
      const tools = [agentTool({ name: 'use', description: 'x', parameters, execute: use(planned.isToolBroken) })];
      const agent = new Agent({ name: 'helper', model: 'gpt-4o-mini', tools });
      return {
        once: (signal) => runner.run(agent, 'x', { signal, maxTurns: 3 }),
        stream: (signal) => runner.run(agent, 'x', { signal, maxTurns: 3, stream: true }),
      };
    };
  },
};

/** Mastra, which delivers its events with a delay and reads on where a reader has left. */
FRAMEWORKS.Mastra = ({ llm, agents, url, t }) => {
  const exporters = [createMastraExporter({ collector: agents, llm })];
  const observability = new Observability({ configs: { default: { serviceName: 'tests', exporters } } });
  const model = provider7.createOpenAI({ apiKey: 'k', baseURL: url }).chat('gpt-4o-mini');
  return (planned) => {
    const inputSchema = z.object({});
    const tools = { use: createTool({ id: 'use', description: 'x', inputSchema, execute: use(planned.isToolBroken) }) };
    const helper = new MastraAgent({ id: 'helper', name: 'Helper', instructions: 'x', model, tools });
    const mastra = new Mastra({ agents: { helper }, logger: false, observability });
    t.teardown(() => mastra.shutdown());
    const agent = mastra.getAgent('helper');
    const options = (abortSignal) => ({ abortSignal, maxSteps: 3, modelSettings: { maxRetries: 0 } });
    return {
      once: (signal) => agent.generate('x', options(signal)),
      stream: async (signal) => (await agent.stream('x', options(signal))).fullStream,
    };
  };
};

/** Calls of the package `ai`. The names of its options differ between versions. */
function aiCalls(ai, model) {
  return (planned) => {
    const tools = { use: ai.tool({ inputSchema: z.object({}), execute: use(planned.isToolBroken) }) };
    const telemetry = { functionId: 'helper' };
    const stopWhen = (ai.isStepCount ?? ai.stepCountIs)(3);
    const asked = (abortSignal) => ({ model, prompt: 'x', tools, stopWhen, maxRetries: 0, telemetry, abortSignal });
    return {
      once: (signal) => ai.generateText(asked(signal)),
      stream: (signal) => ai.streamText({ ...asked(signal), onError: () => {} }).fullStream,
    };
  };
}

const active = async (registry) =>
  (await registry.metrics()).match(/^llmdevops_\w*_?active\w*\{.*\} [1-9]\d*$/gm) ?? [];

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  test.serial(`random ends: ${name}`, async (t) => {
    const rejections = [];
    const listen = (reason) => rejections.push(reason);
    process.on('unhandledRejection', listen);
    const wire = await WireServer.start(t);
    const made = collectors();
    const calls = make({ ...made, t, url: `${wire.url}/v1` });
    await fc.assert(
      fc.asyncProperty(plan, async (planned) => {
        wire.clear();
        for (const answer of planned.answers) wire.answer(ANSWERS[answer][Number(planned.isStreamed)]());
        wire.always(planned.isStreamed ? chatStream(['z']) : chat('z'));
        await act(planned, calls(planned));
      }),
      { numRuns: 40 },
    );
    wire.close();
    for (let round = 0; round < 200 && (await active(made.registry)).length > 0; round++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    process.off('unhandledRejection', listen);
    t.deepEqual(await active(made.registry), []);
    t.deepEqual(rejections, []);
  });
}
